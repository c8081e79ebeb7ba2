/** Who a file's owner is. The kernel vouches for the number, nothing else. */
import type { PickupPart } from "./role.ts";

/** A submitter. */
export interface Submitter {
  /** For people: `uid 1000 (me)`. */
  readonly text: string;
  /** His own address here. */
  readonly address: string;
  readonly maySubmit: boolean;
}

/** Tells who has that number. */
export function submitterOf(
  uid: number,
  { users, origin, allowed }: Pick<PickupPart, "users" | "origin" | "allowed">,
): Submitter {
  const name = users.find((one) => one.uid === uid)?.name;
  return {
    text: name === undefined ? `uid ${uid}` : `uid ${uid} (${name})`,
    address: `${name ?? `uid${uid}`}@${origin}`,
    maySubmit: maySubmit({ uid, name }, allowed),
  };
}

/**
 * True if a user may hand in mail.
 *
 * @param allowed Names and numbers; empty for everybody
 */
export function maySubmit(
  { uid, name }: { uid: number; name: string | undefined },
  allowed: readonly string[],
): boolean {
  // root can write the configuration that says so.
  return allowed.length === 0 || uid === 0 ||
    allowed.some((one) => one === name || one === String(uid));
}
