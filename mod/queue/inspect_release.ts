/**
 * `bulkhead queue release ID`: leaves the order for the queue and waits a
 * moment to see it carried out. A one-shot process in the queue role's jail.
 */
import { heldRecipients } from "./inspect.ts";
import { orderRelease } from "./orders_io.ts";

const BETWEEN_LOOKS_MS = 100;

/**
 * Orders the release of a message.
 *
 * @param looks How often it is looked for, a tenth of a second apart
 * @returns Undefined if there is no such message
 * @throws {QueueUnusable} If the database cannot be read
 */
export async function orderAndAwait(
  dir: string,
  queueId: string,
  looks = 30,
): Promise<{ recipients: number; isDone: boolean } | undefined> {
  const recipients = heldRecipients(dir, queueId);
  if (recipients === undefined) return undefined;
  if (recipients === 0) return { recipients, isDone: true };
  orderRelease(dir, queueId);
  for (let n = 0; n < looks; n++) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
    if ((heldRecipients(dir, queueId) ?? 0) === 0) {
      return { recipients, isDone: true };
    }
  }
  return { recipients, isDone: false };
}
