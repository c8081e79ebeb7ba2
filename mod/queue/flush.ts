/**
 * Makes what waits for a domain due now, because its server says that it is
 * there again (RFC 1985 ETRN). The queue is read through in small pages, so
 * that no accept waits for it, and for one domain at a time.
 */
import type { Dispatcher } from "./dispatch.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { Place, Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";

/** Rows looked through in one go. */
const PAGE = 5_000;
/** Recipients hastened in one transaction. */
const BATCH = 500;
/** A server that asks again before this is told what it was told. */
const AGAIN_MS = 10_000;
/** Domains remembered, those that wait for their turn included. */
const MAX_REMEMBERED = 1_000;

/** Asks that wait for those before them; one more is told that all is well. */
const MAX_WAITING = 100;
/** Domains whose destinations are tried although they are called dead. */
const MAX_GREETED = 100;

/** What is asked for. */
export interface FlushAsk {
  /** In lower case. */
  readonly domain: string;
  /** The domains below it, too. */
  readonly andBelow: boolean;
}

/** The dispatcher, as far as it is needed. */
type FlushDispatcher = Pick<
  Dispatcher,
  "hasten" | "isBackUp" | "isRelayed" | "reviveAll"
>;

/** Flushes. */
export class Flush {
  readonly #store: Pick<Store, "deferredFor" | "hasten">;
  readonly #commit: Pick<GroupCommit, "write">;
  readonly #dispatcher: FlushDispatcher;
  readonly #around: Surroundings;
  /** By what was asked, oldest first. */
  readonly #answers = new Map<
    string,
    { readonly untilMs: number; readonly recipients: Promise<number> }
  >();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: {
    store: Pick<Store, "deferredFor" | "hasten">;
    commit: Pick<GroupCommit, "write">;
    dispatcher: FlushDispatcher;
    around: Surroundings;
  }) {
    this.#store = options.store;
    this.#commit = options.commit;
    this.#dispatcher = options.dispatcher;
    this.#around = options.around;
  }

  /** Resolves with the number of recipients that are due now and were not. */
  flush(ask: FlushAsk): Promise<number> {
    const key = `${ask.andBelow ? "@" : ""}${ask.domain}`;
    const nowMs = this.#around.nowMs();
    const known = this.#answers.get(key);
    if (known !== undefined && known.untilMs > nowMs) return known.recipients;
    if (this.#waiting >= MAX_WAITING) return Promise.resolve(0);
    this.#waiting++;
    const recipients = this.#last.then(() => this.#run(ask))
      .finally(() => this.#waiting--);
    this.#last = recipients;
    const againMs = Math.min(AGAIN_MS, this.#around.part().firstRetryMs);
    this.#answers.delete(key);
    this.#answers.set(key, { untilMs: nowMs + againMs, recipients });
    if (this.#answers.size > MAX_REMEMBERED) {
      this.#answers.delete(this.#answers.keys().next().value!);
    }
    return recipients;
  }

  /** As an administrator orders: any domain, or all if it is empty. */
  flushByOrder(domain: string): Promise<number> {
    if (domain === "") this.#dispatcher.reviveAll();
    const recipients = this.#last.then(() =>
      this.#look(domain === "" ? ["", ""] : [`@${domain}`, `@${domain}`])
    );
    this.#last = recipients;
    return recipients;
  }

  /** Where mail for these goes is to be tried, whatever is known of it. */
  async greet(addresses: readonly string[]): Promise<void> {
    const greeted = new Set<string>();
    for (const address of addresses) {
      await this.#greet(address, greeted);
    }
  }

  async #run({ domain, andBelow }: FlushAsk): Promise<number> {
    // smtpd asked resolve the same, and is not trusted in it: whoever may
    // flush any domain can have all of the world tried again and again.
    if (!await this.#dispatcher.isRelayed(domain)) return 0;
    return this.#look([
      `@${domain}`,
      andBelow ? `.${domain}` : `@${domain}`,
    ]);
  }

  async #look(endings: readonly [string, string]): Promise<number> {
    let after: Place | undefined = { n: -1, ordinal: -1 };
    const greeted = new Set<string>();
    let recipients = 0;
    while (after !== undefined) {
      const page: ReturnType<Store["deferredFor"]> = this.#store.deferredFor(
        endings,
        after,
        PAGE,
      );
      for (const { address } of page.found) {
        // Where such mail goes is not dead: its server has just spoken, or
        // an administrator has.
        if (endings[0] !== "") await this.#greet(address, greeted);
      }
      for (let at = 0; at < page.found.length; at += BATCH) {
        await this.#hasten(page.found.slice(at, at + BATCH));
      }
      recipients += page.found.length;
      after = page.end;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return recipients;
  }

  async #greet(address: string, greeted: Set<string>): Promise<void> {
    const name = address.slice(address.lastIndexOf("@"));
    if (greeted.has(name) || greeted.size >= MAX_GREETED) return;
    greeted.add(name);
    await this.#dispatcher.isBackUp(address);
  }

  async #hasten(places: readonly Place[]): Promise<void> {
    const nowMs = this.#around.nowMs();
    // Before the rows, for a message in memory may be parked any moment by
    // what its memory says; and after them, for what was loaded meanwhile.
    this.#dispatcher.hasten(places, nowMs);
    await this.#commit.write(() => {
      for (const place of places) this.#store.hasten(place, nowMs);
      this.#dispatcher.hasten(places, nowMs);
    });
    this.#dispatcher.hasten([], nowMs);
  }
}
