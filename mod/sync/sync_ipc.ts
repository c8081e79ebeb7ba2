/**
 * What the sync role answers, on an edge with a protocol of its own: one octet
 * each way. Frames and schemas would be more code than the role itself.
 *
 *     asker      answerer
 *     ASK_SYNC ->
 *              <- SYNCED or SYNC_FAILED, one for each ask, in their order
 */

/** Sync the file system now. Any other octet costs the asker its channel. */
export const ASK_SYNC = 0x73;

/** All that was written before the ask is on disk. */
export const SYNCED = 0;

/** Something that was written may not be on disk, now or ever. */
export const SYNC_FAILED = 1;
