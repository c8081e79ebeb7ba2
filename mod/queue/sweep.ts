/**
 * What a start finds and mends. It compares the rows with the key slots and
 * finishes what was half done; it deletes no mail, but for what was never
 * acknowledged (and that only after asking the spool, in `intake.ts`).
 */
import { QueueUnusable } from "./database_io.ts";
import type { KeyFile } from "./keys_io.ts";
import type { MessageRow, Store } from "./store_io.ts";

/** A clock further off than this was set back while we were away. */
const SET_BACK_MS = 600_000;

/** What the sweep found. */
export interface Swept {
  /** Messages in the database, spent ones included. */
  messages: number;
  /** Never confirmed: the spool must be asked. */
  readonly unconfirmed: MessageRow[];
  /** Never confirmed, and the key was never on disk: nobody was told 250. */
  readonly keyless: MessageRow[];
  /** Confirmed, and the key is gone: damage. */
  readonly corrupt: MessageRow[];
  /** To be finished; `holdsKey` as in `Finisher.finish`. */
  readonly spent: { row: MessageRow; holdsKey: boolean }[];
  /** Slots with a key that no message owns: to be wiped. */
  readonly strays: number[];
  /** Messages that had no recipients left and were not marked. */
  childless: number;
  /** True if the clock stood further ahead when the queue ran last. */
  clockWentBack: boolean;
  /** Time that the queue was away, as far as the clock can be believed. */
  awayMs: number;
}

/**
 * Looks through rows and slots. Marks childless messages as spent and pulls
 * impossible times; everything else is left to the caller. Free slots are
 * handed to the key file.
 *
 * @param furthestMs Longest time ahead that anything is ever scheduled
 */
export function sweep(options: {
  store: Store;
  keys: KeyFile;
  nowMs: number;
  furthestMs: number;
}): Swept {
  const { store, keys, nowMs } = options;
  const lastSeenMs = store.lastSeenMs();
  const swept: Swept = {
    messages: 0,
    unconfirmed: [],
    keyless: [],
    corrupt: [],
    spent: [],
    strays: [],
    childless: 0,
    clockWentBack: lastSeenMs > nowMs + SET_BACK_MS,
    awayMs: lastSeenMs === 0 ? 0 : Math.max(0, nowMs - lastSeenMs),
  };
  store.transaction(() => {
    for (const n of store.childless()) {
      store.spend(n);
      swept.childless++;
    }
    if (swept.clockWentBack) {
      store.pullTimes(nowMs, nowMs + options.furthestMs);
    }
    store.setLastSeen(nowMs);
  });
  const owned = new Set<number>();
  for (const row of store.all()) sort(row, { keys, swept, owned });
  sortSlots(keys, { swept, owned });
  return swept;
}

function sort(
  row: MessageRow,
  found: { keys: KeyFile; swept: Swept; owned: Set<number> },
): void {
  const { swept, owned } = found;
  swept.messages++;
  const key = found.keys.read(row.slot, row.id);
  if (key === "unreadable") {
    // A start on a disk that fails would judge on what it cannot see.
    throw new QueueUnusable("Cannot read the key file: the disk fails");
  }
  const holdsKey = key !== "missing" && !owned.has(row.slot);
  if (key !== "missing") key.fill(0);
  if (holdsKey) owned.add(row.slot);
  switch (row.state) {
    case "incoming":
      (holdsKey ? swept.unconfirmed : swept.keyless).push(row);
      return;
    case "queued":
      if (!holdsKey) swept.corrupt.push(row);
      return;
    case "corrupt":
      return;
    case "spent":
      swept.spent.push({ row, holdsKey });
  }
}

function sortSlots(
  keys: KeyFile,
  found: { swept: Swept; owned: ReadonlySet<number> },
): void {
  const isBlank = new Array<boolean>(keys.slots).fill(true);
  keys.scan((slot) => {
    isBlank[slot] = false;
    if (!found.owned.has(slot)) found.swept.strays.push(slot);
  });
  // From the end, so that the lowest are taken first.
  for (let slot = keys.slots - 1; slot >= 0; slot--) {
    if (isBlank[slot]) keys.free(slot);
  }
}
