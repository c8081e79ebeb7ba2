/**
 * The moment of responsibility (RFC 5321 §6.1): content, key and envelope are
 * on disk, or the client keeps the message. `taken` is what allows 250.
 */
import type { AcceptAsk, Backend, StoreReply } from "./backend.ts";
import type { MessageEnd } from "./session.ts";

/** The envelope before the content's place and key are known. */
export type Envelope = Omit<AcceptAsk, "ref" | "key">;

/**
 * Takes a stored message over.
 *
 * The syncs of content and envelope run side by side. If only one of them
 * succeeds the other is undone; where that fails too, the queue's own check
 * of unconfirmed rows finds it, and at worst the message is delivered twice:
 * once now, and once when the client tries again.
 */
export async function takeOver(
  backend: Backend,
  envelope: Envelope,
  stored: StoreReply,
): Promise<MessageEnd> {
  if (stored.kind === "refused" && stored.refusal === "full") {
    return { is: "full" };
  }
  if (stored.kind !== "answered") return { is: "failed" };
  const { ref, key } = stored.answer;
  const { queueId } = envelope;
  // The queue first: its two syncs take longer than the spool's one, which is
  // under way since the content was written.
  const [accepted, synced] = await Promise.all([
    backend.accept({ ...envelope, ref, key }),
    backend.sync(ref),
  ]);
  switch (accepted.kind) {
    case "refused":
      // Nothing was written about it, so its space is ours to give back.
      await backend.drop(ref);
      return { is: accepted.refusal === "full" ? "full" : "failed" };
    case "failed":
      // The row may exist. Its record must stay until the queue says so.
      await backend.withdraw(queueId);
      return { is: "failed" };
    case "answered":
      if (synced.kind !== "answered") {
        await backend.withdraw(queueId);
        return { is: "failed" };
      }
      backend.confirm(queueId);
      return { is: "taken", queueId };
  }
}
