/**
 * Every state that a message, a recipient or a segment can be in, with the
 * name that the code has for it. Data, no code; a library.
 */

/** One state. */
export interface State {
  readonly name: string;
  /**
   * Where the code says so: `messages` and `recipients` are columns `state` in
   * the database, `segment` is a state in `mod/spool/pool.ts`. Empty: it shows
   * in nothing but in what is on disk.
   */
  readonly code: readonly string[];
  /** What is true in it. */
  readonly means: string;
}

const TABLE = [
  {
    name: "none",
    code: [],
    means: "there is nothing",
  },
  {
    name: "streaming",
    code: [],
    means: "up to 256 KiB in memory; beyond it in a `big-` file",
  },
  {
    name: "stored",
    code: [],
    means: "sealed and written; nobody knows where; not synced",
  },
  {
    name: "synced",
    code: [],
    means: "the record survives a power cut; smtpd is told place and key",
  },
  {
    name: "lost",
    code: [],
    means: "that sync failed: the record is there or not, nobody knows",
  },
  {
    name: "keyed",
    code: [],
    means: "the key is in its slot, the rows in the log; neither is synced",
  },
  {
    name: "committed",
    code: [],
    means: "the rows survive a power cut, the key perhaps not",
  },
  {
    name: "accepted",
    code: ["messages incoming", "recipients incoming"],
    means: "content, rows and key survive a power cut: ready to be delivered",
  },
  {
    name: "acknowledged",
    code: [],
    means: "the sender has its 250: content, key and rows survive a power cut",
  },
  {
    name: "adopted",
    code: [],
    means: "a spool that was started anew knows that the record is in use",
  },
  {
    name: "queued",
    code: ["messages queued"],
    means: "a row that says so: a start need not ask the spool",
  },
  {
    name: "leased",
    code: ["recipients active"],
    means: "in memory: a role has reference and key and is at work",
  },
  {
    name: "delivered",
    code: [],
    means:
      "the mailbox or next hop has it; the queue has not written that down",
  },
  {
    name: "deferred",
    code: ["recipients deferred"],
    means: "tried; not before `next_ms`",
  },
  {
    name: "hold",
    code: ["recipients hold"],
    means: "never tried by itself: waits for `bulkhead queue release`",
  },
  {
    name: "bounce",
    code: ["recipients bounce"],
    means:
      "failed for good, or done and to be told of; the sender is not told yet",
  },
  {
    name: "notice stored",
    code: [],
    means: "the notice's content survives a power cut; the failed rows stand",
  },
  {
    name: "notice keyed",
    code: [],
    means: "its key does too; no row owns it",
  },
  {
    name: "corrupt",
    code: ["messages corrupt", "recipients corrupt"],
    means: "record or key is damaged: kept for a human, with an alarm",
  },
  {
    name: "removed",
    code: [],
    means: "never acknowledged: its rows are deleted, then as after `done`",
  },
  {
    name: "done",
    code: [],
    means: "every recipient is done: no row; the key still lives",
  },
  {
    name: "key destroyed",
    code: [],
    means: "the slot is zeros, synced: nobody can read the content again",
  },
  {
    name: "released",
    code: [],
    means: "not in use: octets without a key until its file is overwritten",
  },
  {
    name: "gone",
    code: [],
    means: "no row, no key, no file",
  },
  {
    name: "preparing",
    code: [],
    means: "a segment's `.new` file, being written full",
  },
  {
    name: "ready",
    code: ["segment ready"],
    means: "free; its name was never used for a record",
  },
  {
    name: "current",
    code: ["segment current", "segment found"],
    means: "records are written to it; after a start it is `found`",
  },
  {
    name: "closed",
    code: ["segment closed"],
    means: "full, or idle without a live record; perhaps a sync still runs",
  },
  {
    name: "spent",
    code: ["segment spent"],
    means: "no live record: it goes to `spent/`, and shred is asked",
  },
  {
    name: "overwriting",
    code: [],
    means: "shred writes random octets over all of it",
  },
  {
    name: "overwritten",
    code: [],
    means: "they are on disk, and were read back",
  },
  {
    name: "retired",
    code: ["segment retired"],
    means: "a write or sync failed: read only, spent once no record is live",
  },
  {
    name: "copied",
    code: [],
    means: "deferred; its record is in another segment, too; both are in use",
  },
  {
    name: "moved",
    code: [],
    means: "the same; its row names the copy",
  },
] as const satisfies readonly State[];

/** Name of a state. */
export type StateName = typeof TABLE[number]["name"];

/** The states, in the order of a message's life. */
export const STATES: readonly State[] = TABLE;
