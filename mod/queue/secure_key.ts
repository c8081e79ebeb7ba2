/** The key of a message that this server writes itself. */
import { Buffer } from "node:buffer";
import { faultOf } from "./fault_io.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { KeyFile } from "./keys_io.ts";

/**
 * Has a key written to disk and synced.
 *
 * @param what.key In base64
 * @returns Its slot, or undefined if that failed
 */
export async function secureKey(
  what: { key: string; id: string },
  means: {
    readonly keys: KeyFile;
    readonly commit: Pick<GroupCommit, "putKey" | "wipeKey">;
  },
): Promise<number | undefined> {
  const { keys, commit } = means;
  let slot: number;
  try {
    slot = keys.take();
  } catch (error) {
    faultOf(error);
    return undefined;
  }
  const key = Buffer.from(what.key, "base64");
  const isSafe = await commit.putKey(slot, what.id, key);
  key.fill(0);
  if (isSafe) return slot;
  void commit.wipeKey(slot);
  return undefined;
}
