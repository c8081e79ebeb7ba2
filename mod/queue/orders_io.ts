/**
 * Orders of an administrator to a running queue: empty files `release-ID` in
 * its directory. Whoever gives one runs in the queue's own jail, for a moment
 * (`inspect_main.ts`); the queue looks for them twice a second, and an order
 * that is given while it is away waits for its start. There is no socket for
 * it: who may write here may do all that the queue may.
 */
import fs from "node:fs";
import { QUEUE_ID_PATTERN } from "../core/ids.ts";
import { faultOf } from "./fault_io.ts";

const RELEASE = "release-";
/** Orders carried out at once; the others wait for the next look. */
const MAX_ORDERS = 100;

/** Messages on hold that are to be released. */
export function releaseOrders(dir: string): readonly string[] {
  try {
    return fs.readdirSync(dir)
      .filter((name) => name.startsWith(RELEASE))
      .map((name) => name.slice(RELEASE.length))
      .filter((id) => QUEUE_ID_PATTERN.test(id))
      .slice(0, MAX_ORDERS);
  } catch (error) {
    faultOf(error);
    return [];
  }
}

/**
 * Orders that a message be released.
 *
 * @throws {RangeError} If that is no queue id
 */
export function orderRelease(dir: string, id: string): void {
  const fd = fs.openSync(pathOf(dir, id), "w", 0o600);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** The order is carried out. */
export function forgetRelease(dir: string, id: string): void {
  try {
    fs.rmSync(pathOf(dir, id), { force: true });
  } catch (error) {
    faultOf(error); // it is found again, and does nothing
  }
}

function pathOf(dir: string, id: string): string {
  if (!QUEUE_ID_PATTERN.test(id)) {
    throw new RangeError("Cannot release: that is no queue id");
  }
  return `${dir}/${RELEASE}${id}`;
}
