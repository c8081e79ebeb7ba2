/**
 * What a start finds and mends. It compares the rows with the key slots and
 * finishes what was half done; it deletes no mail. What was never
 * acknowledged, `intake.ts` removes.
 */
import { QueueUnusable } from "./database_io.ts";
import { faultOf } from "./fault_io.ts";
import type { KeyFile, KeyImage } from "./keys_io.ts";
import type { MessageRow, SlotRow, Store } from "./store_io.ts";

/** A clock further off than this was set back while we were away. */
const SET_BACK_MS = 600_000;

/** What the sweep found. */
export interface Swept {
  /** Messages in the database. */
  messages: number;
  /** Incoming, with its key: perhaps acknowledged, so it is kept. */
  readonly unconfirmed: MessageRow[];
  /** Incoming, and the key was never on disk: nobody was told 250. */
  readonly keyless: MessageRow[];
  /** Queued, and the key is gone: damage. */
  readonly corrupt: MessageRow[];
  /** Slots with a key that no message owns: to be wiped. */
  readonly strays: number[];
  /** Messages without recipients: no transaction leaves such a one. */
  childless: number;
  /** True if the clock stood further ahead when the queue ran last. */
  clockWentBack: boolean;
  /** Time that the queue was away, as far as the clock can be believed. */
  awayMs: number;
}

/**
 * Looks through rows and slots. Removes childless messages and pulls
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
    strays: [],
    childless: 0,
    clockWentBack: lastSeenMs > nowMs + SET_BACK_MS,
    awayMs: lastSeenMs === 0 ? 0 : Math.max(0, nowMs - lastSeenMs),
  };
  store.transaction(() => {
    for (const n of store.childless()) {
      store.remove(n);
      swept.childless++;
    }
    if (swept.clockWentBack) {
      store.pullTimes(nowMs, {
        byMs: lastSeenMs - nowMs,
        furthestMs: nowMs + options.furthestMs,
      });
    }
    store.setLastSeen(nowMs);
  });
  const image = imageOf(keys);
  const owned = new Set<number>();
  const found: Found = { image, swept, owned, store };
  for (const row of store.slots()) sort(row, found);
  sortSlots(keys, found);
  image.forget();
  return swept;
}

interface Found {
  readonly image: KeyImage;
  readonly swept: Swept;
  readonly owned: Set<number>;
  readonly store: Store;
}

function imageOf(keys: KeyFile): KeyImage {
  try {
    return keys.image();
  } catch (error) {
    faultOf(error);
    // A start on a disk that fails would judge on what it cannot see.
    throw new QueueUnusable("Cannot read the key file: the disk fails");
  }
}

function sort(row: SlotRow, found: Found): void {
  const { swept, owned } = found;
  swept.messages++;
  const holdsKey = !owned.has(row.slot) && found.image.holds(row.slot, row.id);
  if (holdsKey) owned.add(row.slot);
  const whole = () => found.store.byId(row.id)!;
  switch (row.state) {
    case "incoming":
      (holdsKey ? swept.unconfirmed : swept.keyless).push(whole());
      return;
    case "queued":
      if (!holdsKey) swept.corrupt.push(whole());
      return;
    case "corrupt":
      return;
  }
}

function sortSlots(
  keys: KeyFile,
  { image, swept, owned }: Found,
): void {
  // From the end, so that the lowest are taken first.
  for (let slot = keys.slots - 1; slot >= 0; slot--) {
    if (image.isBlank(slot)) keys.free(slot);
    else if (!owned.has(slot)) swept.strays.push(slot);
  }
}
