/** Shred for tests: overwrites on any {@link Disk}, as the role does. */
import type { Disk } from "./disk.ts";
import type { Shred } from "./erasing.ts";
import { spentFile } from "./names.ts";
import { overwriteHere } from "./prepare_segment.ts";

/** A shred that works as well as the disk. */
export function fakeShred(disk: Disk): Shred {
  return async ({ segment, bytes }) => {
    const name = spentFile(segment);
    const isStopped = () => false;
    const fault = await overwriteHere(disk, name, { bytes, isStopped });
    return fault === undefined ? "overwritten" : "failed";
  };
}
