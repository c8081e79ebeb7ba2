/** fdatasync(2) in a thread, with its failure as a value. */
import fs from "node:fs";

/**
 * Resolves true when all that was written to the file before the call is on
 * disk, false if nobody knows. A file of which it said false must not be asked
 * again about the same octets: the kernel reports a failure once.
 */
export function syncData(fd: number): Promise<boolean> {
  return new Promise((resolve) => {
    fs.fdatasync(fd, (error) => resolve(error === null));
  });
}
