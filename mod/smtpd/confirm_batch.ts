/**
 * Gathers the ids that are confirmed in one turn of the event loop into one
 * ask: under load the number of asks, not of ids, is what costs.
 */

/** Ids in one ask at most, as `queue.confirm` bounds it. */
export const MAX_CONFIRMED = 1_000;

/** Collects ids and sends them on at the end of the turn. */
export class ConfirmBatch {
  readonly #send: (queueIds: string[]) => void;
  #waiting: string[] = [];

  constructor(send: (queueIds: string[]) => void) {
    this.#send = send;
  }

  /** Adds one id; it leaves in this turn. */
  add(queueId: string): void {
    // Not a timer: a timer of 0 ms is one of 1 ms, and delivery waits for it.
    if (this.#waiting.push(queueId) === 1) setImmediate(() => this.#flush());
    if (this.#waiting.length === MAX_CONFIRMED) this.#flush();
  }

  #flush(): void {
    const queueIds = this.#waiting;
    this.#waiting = [];
    if (queueIds.length > 0) this.#send(queueIds);
  }
}
