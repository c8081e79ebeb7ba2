/**
 * `bulkhead queue flush`, `hold` and the like: leaves the order for the queue
 * and waits a moment to see it carried out. A one-shot process in the queue
 * role's jail.
 */
import type { Order, OrderAnswer } from "./order_ipc.ts";
import { forgetAnswer, giveOrder, readAnswer } from "./orders_io.ts";

const BETWEEN_LOOKS_MS = 100;
/** A queue that runs has answered by then. */
const LOOKS = 50;
/** Further looks at an order that is being carried out. */
const LOOKS_AT_WORK = 600;
/** Then what is left waits for a delivery to end. */
const LOOKS_WITHOUT_NEWS = 20;

/**
 * Gives an order.
 *
 * @param looks How often an answer is looked for, a tenth of a second apart
 * @returns Undefined if no queue has answered: perhaps none runs. The order
 * is carried out when one does
 */
export async function orderAndAwait(
  dir: string,
  what: Order,
  looks = LOOKS,
): Promise<OrderAnswer | undefined> {
  const name = giveOrder(dir, what, Date.now());
  let said: OrderAnswer | undefined;
  let left = looks;
  let atWork = LOOKS_AT_WORK;
  while (left-- > 0 && atWork-- > 0) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
    const now = readAnswer(dir, name);
    if (now === undefined) continue;
    const isNews = now.messages !== said?.messages ||
      now.unchanged !== said?.unchanged || now.waiting !== said?.waiting;
    said = now;
    if (said.isOver) break;
    if (isNews) left = LOOKS_WITHOUT_NEWS;
  }
  if (said !== undefined) forgetAnswer(dir, name);
  return said;
}
