/**
 * Lists of the queue for the console. Whatever waits in the database, no turn
 * of the event loop reads more than a slice of it: accepts and deliveries go
 * on in between.
 */
import type { AnswerOf, AskedOf } from "../ipc/call.ts";
import type { consoleCalls } from "./console_ipc.ts";
import { type Recipient, type State, stateNumber } from "./message.ts";
import { STATES } from "./queue_ipc.ts";
import type { MessageRow, Place, Store } from "./store_io.ts";

type Ask = Omit<AskedOf<typeof consoleCalls.messages>, "grant">;
type Listed = AnswerOf<typeof consoleCalls.messages>["messages"][number];

/** Recipients looked at in one turn: some 2 ms. */
const SLICE_ROWS = 1_000;
/** A list that is looked for this long ends here, and goes on after that. */
const WITHIN_MS = 2_000;
/** Recipients of a message looked at for its line. */
const SHOWN = 20;
/** A count of what waits is good for this long, and longer if it was dear. */
const CENSUS_MS = 2_000;
const CENSUS_PER_COST = 50;

type ListStore = Pick<
  Store,
  | "before"
  | "byNumber"
  | "countRecipients"
  | "lowerEnd"
  | "matching"
  | "recipientsOf"
  | "someRecipients"
>;

/** What lists are made of. */
export interface ListSource {
  readonly store: ListStore;
  /** Messages in memory of which some recipient is being delivered. */
  activeRows(): readonly number[];
  isActive(n: number): boolean;
}

/** A page of messages, and where the next begins. */
export async function listMessages(
  source: ListSource,
  { state, domain, after, limit }: Ask,
): Promise<{ messages: Listed[]; after: string }> {
  const before = after === "" ? Number.MAX_SAFE_INTEGER : Number(after);
  if (!Number.isSafeInteger(before)) return { messages: [], after: "" };
  const wanted = { ending: domain === "" ? "" : `@${domain}`, limit };
  const found = state === "active"
    ? activeBefore(source, before, wanted)
    : state === "" && domain === ""
    ? allBefore(source, before, limit)
    : await matchingBefore(source, before, { ...wanted, state });
  return {
    messages: found.rows.map((row) => lineOf(source, row, state)),
    after: found.next === 0 ? "" : String(found.next),
  };
}

interface Found {
  readonly rows: readonly MessageRow[];
  /** Row that the next page is before; 0 if there is none. */
  readonly next: number;
}

interface Wanted {
  readonly ending: string;
  readonly limit: number;
}

function allBefore({ store }: ListSource, before: number, limit: number) {
  const rows = store.before(before, limit);
  return { rows, next: rows.length < limit ? 0 : rows.at(-1)!.n };
}

function activeBefore(
  source: ListSource,
  before: number,
  { ending, limit }: Wanted,
): Found {
  const rows: MessageRow[] = [];
  const numbers = [...source.activeRows()].filter((n) => n < before)
    .sort((one, other) => other - one);
  for (const n of numbers) {
    const row = source.store.byNumber(n);
    if (row === undefined) continue;
    const isMeant = ending === "" ||
      source.store.recipientsOf(n, SHOWN)
        .some(({ address }) => address.endsWith(ending));
    if (!isMeant) continue;
    rows.push(row);
    if (rows.length === limit) return { rows, next: n };
  }
  return { rows, next: 0 };
}

async function matchingBefore(
  { store }: ListSource,
  before: number,
  { ending, limit, state }: Wanted & { state: string },
): Promise<Found> {
  const number = isState(state) ? stateNumber(state) : -1;
  if (state !== "" && number < 0) return { rows: [], next: 0 };
  const untilMs = performance.now() + WITHIN_MS;
  const rows: MessageRow[] = [];
  let high = before;
  while (true) {
    const low = store.lowerEnd(high, SLICE_ROWS);
    const some = store.matching({ high, low, state: number, ending }, limit);
    for (const n of some) {
      const row = store.byNumber(n);
      if (row !== undefined) rows.push(row);
      if (rows.length === limit) return { rows, next: n };
    }
    if (low === 0) return { rows, next: 0 };
    high = low;
    if (performance.now() > untilMs) return { rows, next: high };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function isState(text: string): text is State {
  return (STATES as readonly string[]).includes(text);
}

function lineOf(
  { store, isActive }: ListSource,
  row: MessageRow,
  state: string,
): Listed {
  const recipients = store.recipientsOf(row.n, SHOWN);
  const shown = recipients.find((one) => one.state === state) ??
    recipients.find((one) => one.state !== "incoming") ?? recipients[0];
  return {
    queueId: row.id,
    arrivedMs: Math.max(0, row.arrivedMs),
    sizeBytes: row.ref.sizeBytes,
    reversePath: row.reversePath,
    recipients: recipients.length < SHOWN
      ? recipients.length
      : store.countRecipients(row.n),
    to: recipients.slice(0, 3).map(({ address }) => address),
    state: isActive(row.n) ? "active" : stateOf(shown),
    why: (shown?.last?.text ?? "").slice(0, 200),
    nextAttemptMs: row.dueMs > 1 ? row.dueMs : 0,
  };
}

/** A message's state in a list, told from one of its recipients. */
export function stateOf(recipient: Recipient | undefined): string {
  const state = recipient?.state ?? "incoming";
  return state === "gone" ? "incoming" : state;
}

/** Recipients that wait, by their domain. */
export class Census {
  readonly #store: Pick<Store, "someRecipients">;
  #byDomain: ReadonlyMap<string, number> = new Map();
  #goodUntilMs = -Infinity;
  #walking: Promise<void> | undefined;

  constructor(store: Pick<Store, "someRecipients">) {
    this.#store = store;
  }

  /** How many wait for each domain, some seconds ago at most. */
  async byDomain(): Promise<ReadonlyMap<string, number>> {
    if (performance.now() >= this.#goodUntilMs) {
      await (this.#walking ??= this.#walk().finally(() => {
        this.#walking = undefined;
      }));
    }
    return this.#byDomain;
  }

  async #walk(): Promise<void> {
    const waiting = new Map<string, number>();
    let costMs = 0;
    let after: Place | undefined = { n: 0, ordinal: -1 };
    while (after !== undefined) {
      const fromMs = performance.now();
      const some: readonly (Place & { address: string })[] = this.#store
        .someRecipients(after, SLICE_ROWS);
      for (const { address } of some) {
        const domain = address.slice(address.lastIndexOf("@") + 1);
        waiting.set(domain, (waiting.get(domain) ?? 0) + 1);
      }
      after = some.length < SLICE_ROWS ? undefined : some.at(-1);
      costMs += performance.now() - fromMs;
      if (after !== undefined) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    this.#byDomain = waiting;
    this.#goodUntilMs = performance.now() +
      Math.max(CENSUS_MS, costMs * CENSUS_PER_COST);
  }
}
