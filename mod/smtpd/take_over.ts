/**
 * The moment of responsibility (RFC 5321 §6.1): content, key and envelope are
 * on disk, or the client keeps the message. `taken` is what allows 250.
 */
import type { AcceptAsk, Backend, StoreReply } from "./backend.ts";
import type { MessageEnd } from "./session.ts";

/** The envelope before the content's place and key are known. */
export type Envelope = Omit<AcceptAsk, "ref" | "key"> & {
  /** To be thrown away, as a table said, with 250 all the same. */
  readonly discard: boolean;
};

/**
 * Takes a stored message over. Its content is on disk by now, so when the
 * queue has key and rows on disk too, the message is ours.
 *
 * If the queue does not answer, nobody knows whether it has the message; at
 * worst it is delivered twice: once now, and once when the client tries
 * again.
 */
export async function takeOver(
  backend: Backend,
  { discard, ...envelope }: Envelope,
  stored: StoreReply,
): Promise<MessageEnd> {
  if (stored.kind === "refused" && stored.refusal === "full") {
    return { is: "full" };
  }
  if (stored.kind !== "answered") return { is: "failed" };
  const { ref, key } = stored.answer;
  if (discard) {
    await backend.drop(ref);
    return { is: "taken", queueId: envelope.queueId };
  }
  const accepted = await backend.accept({ ...envelope, ref, key });
  switch (accepted.kind) {
    case "answered":
      return { is: "taken", queueId: envelope.queueId };
    case "refused":
      // Nothing was written about it, so its space is ours to give back.
      await backend.drop(ref);
      return { is: accepted.refusal === "full" ? "full" : "failed" };
    case "failed":
      // The row may exist. Its record must stay until the queue says so.
      return { is: "failed" };
  }
}
