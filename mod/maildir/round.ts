/**
 * One round of delivery: write into `tmp`, sync, move into `new`, sync. The
 * steps of qmail's maildir(5), for one message or for many at once.
 */
import type { Outcome } from "../core/outcome.ts";
import type { Draft } from "./draft.ts";
import { type Delivery, type Tools, writeDrafts } from "./draft_writer.ts";
import type { Durability } from "./durability.ts";

/** What became of one delivery. */
export type Delivered =
  /** One outcome a recipient, in their order. */
  | { readonly kind: "done"; readonly outcomes: readonly Outcome[] }
  /** The record is torn or altered; no mailbox has it. */
  | { readonly kind: "damaged"; readonly why: string };

/**
 * Delivers; returns when all that was delivered survives a crash.
 *
 * @returns What became of each, in their order
 */
export async function runRound(
  deliveries: readonly Delivery[],
  tools: Tools,
  durability: Durability,
): Promise<Delivered[]> {
  const written = [];
  for (const delivery of deliveries) {
    written.push(await writeDrafts(delivery, tools));
  }
  const drafts: Draft[] = written.flatMap((one) =>
    one.kind === "drafts" ? one.drafts : []
  );
  await durability.octets(drafts);
  for (const draft of drafts) {
    draft.publish();
    await tools.breather.breathe();
  }
  await durability.names(drafts);
  for (const draft of drafts) draft.settle();
  return written.map((one) =>
    one.kind === "drafts"
      ? { kind: "done", outcomes: one.drafts.map((draft) => draft.outcome) }
      : one
  );
}
