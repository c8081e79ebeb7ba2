/**
 * Remembers for a moment which recipients exist, so that a burst of mail to
 * one address asks about it once, and so that it can be asked ahead about
 * those that a client named all together.
 *
 * Only a yes is remembered, and for a second: so long may a mailbox that was
 * removed just now still be accepted, as it may when its message was already
 * on its way.
 */

/** How long a yes is believed. */
export const BELIEVE_MS = 1_000;
/** Addresses remembered at most; the oldest goes. */
export const MAX_KNOWN = 1_000;

/** Asks under way beyond which none is put ahead of its turn. */
export const MAX_AHEAD = 512;

/** Recipients that were accepted a moment ago. */
export class KnownRecipients<R extends { readonly kind: string }> {
  readonly #ask: (address: string) => Promise<R>;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, { untilMs: number; reply: R }>();
  readonly #asked = new Map<string, Promise<R>>();

  /**
   * @param ask Whom to ask about the unknown
   * @param nowMs Monotonic clock; a parameter for tests
   */
  constructor(
    ask: (address: string) => Promise<R>,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#ask = ask;
    this.#nowMs = nowMs;
  }

  /** The reply about an address, remembered or new. */
  recipient(address: string): Promise<R> {
    const known = this.#known.get(address);
    if (known !== undefined && this.#nowMs() < known.untilMs) {
      return Promise.resolve(known.reply);
    }
    let asked = this.#asked.get(address);
    if (asked === undefined) {
      asked = this.#learn(address);
      this.#asked.set(address, asked);
    }
    return asked;
  }

  /** Asks ahead, unless so much is asked already. */
  foresee(address: string): void {
    if (this.#asked.size < MAX_AHEAD) void this.recipient(address);
  }

  async #learn(address: string): Promise<R> {
    const reply = await this.#ask(address);
    this.#asked.delete(address);
    this.#known.delete(address);
    if (reply.kind !== "answered") return reply;
    this.#known.set(address, { untilMs: this.#nowMs() + BELIEVE_MS, reply });
    if (this.#known.size > MAX_KNOWN) {
      this.#known.delete(this.#known.keys().next().value!);
    }
    return reply;
  }
}
