/** From resolutions to jobs: what goes together, and what goes nowhere. Pure. */
import { ownOutcome } from "../core/outcome.ts";
import type { Target } from "../resolve/resolve_ipc.ts";
import type { Part } from "./deliver.ts";
import type { Result } from "./judge.ts";
import type { Message, Recipient } from "./message.ts";
import { destinationOf, type Resolution } from "./route.ts";

/** Why a recipient waits for a dead destination. */
export const UNREACHABLE = ownOutcome(
  "temporary",
  451,
  "4.4.1",
  "Its server could not be reached a moment ago",
);

/** Why a recipient waits although nothing is wrong. */
export const CROWDED = ownOutcome(
  "temporary",
  451,
  "4.3.2",
  "Many messages wait for the same server",
);

/** Marks a target as taken by this message; false if it was. */
export function claim(message: Message, target: Target): boolean {
  const name = `${target.kind} ${target.address}`;
  if (message.targets.has(name)) return false;
  message.targets.add(name);
  return true;
}

/**
 * Sorts parts by the place they go to. Our TLS reports go there by a way of
 * their own: a destination that is dead to other mail for its TLS is not to
 * them (RFC 8460 §3).
 */
export function byDestination(
  parts: readonly Part[],
  { isTlsReport }: Pick<Message, "isTlsReport">,
): Map<string, Part[]> {
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    const place = destinationOf(part.target);
    const destination = isTlsReport && place !== "" ? `report-${place}` : place;
    const group = groups.get(destination);
    if (group === undefined) groups.set(destination, [part]);
    else group.push(part);
  }
  return groups;
}

/** The result of a recipient that has no targets. */
export function unrouted(
  recipient: Recipient,
  resolution: Exclude<Resolution, { kind: "targets" }>,
): Result {
  switch (resolution.kind) {
    case "unknown":
      return {
        kind: "outcome",
        recipient,
        outcome: ownOutcome("permanent", 550, "5.1.1", "No such user here"),
      };
    case "loop":
      return {
        kind: "outcome",
        recipient,
        outcome: ownOutcome(
          "permanent",
          554,
          "5.4.6",
          "The aliases of this address lead nowhere",
        ),
      };
    case "later":
      return {
        kind: "outcome",
        recipient,
        outcome: ownOutcome(
          "temporary",
          451,
          "4.4.3",
          `Cannot look up the recipient now: ${resolution.why}`,
        ),
      };
  }
}
