/**
 * What `bulkhead shred status` and `verify` ask of the queue's directory:
 * which keys should be gone and are not, and what its write-ahead log still
 * holds. Reads only, in a one-shot process in the queue role's jail, while the
 * queue may be at work.
 */
import fs from "node:fs";
import {
  askReadOnly,
  databasePath,
  SCHEMA_VERSION,
  unusable,
} from "./database_io.ts";
import type { QueueErasure } from "./erasure_ipc.ts";
import { inspectLog } from "./inspect_log.ts";
import { KeyImage } from "./keys_io.ts";

/** A key is on disk a moment before its row, and a moment after it. */
const LOOKS = 5;
const BETWEEN_LOOKS_MS = 1_000;
const MOST_SEGMENTS = 10_000;

interface Row {
  readonly slot: number;
  readonly id: string;
  readonly segment: string;
}

interface Look {
  readonly rows: readonly Row[];
  readonly slots: number;
  readonly strays: ReadonlySet<number>;
  readonly unclear: ReadonlySet<number>;
  readonly keyless: ReadonlySet<string>;
}

/**
 * Looks at keys, rows and log. What is odd is looked at again for some
 * seconds, so that work under way is not taken for a fault.
 *
 * @throws {QueueUnusable} If the database or the key file cannot be read
 */
export async function inspectErasure(
  dir: string,
  nowMs = Date.now(),
): Promise<QueueErasure> {
  let seen = look(dir);
  for (let n = 1; n < LOOKS && isOdd(seen); n++) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
    seen = common(seen, look(dir));
  }
  const segments = [...new Set(seen.rows.map((row) => row.segment))].sort();
  return {
    messages: seen.rows.length,
    keySlots: seen.slots,
    strayKeys: seen.strays.size,
    unclearSlots: seen.unclear.size,
    keylessMessages: seen.keyless.size,
    log: inspectLog(`${databasePath(dir)}-wal`, nowMs),
    segments: segments.slice(0, MOST_SEGMENTS),
    segmentsInAll: segments.length,
  };
}

function isOdd({ strays, unclear, keyless }: Look): boolean {
  return strays.size + unclear.size + keyless.size > 0;
}

/** Only what was odd both times. */
function common(before: Look, now: Look): Look {
  return {
    ...now,
    strays: now.strays.intersection(before.strays),
    unclear: now.unclear.intersection(before.unclear),
    keyless: now.keyless.intersection(before.keyless),
  };
}

function look(dir: string): Look {
  const rows = readRows(dir);
  const owned = new Set(rows.map((row) => row.slot));
  const strays = new Set<number>();
  const unclear = new Set<number>();
  const image = imageOf(`${dir}/keys`);
  for (let slot = 0; slot < image.slots; slot++) {
    if (image.isBlank(slot)) continue;
    if (!image.isLive(slot)) unclear.add(slot);
    else if (!owned.has(slot)) strays.add(slot);
  }
  const keyless = new Set(
    rows.filter(({ slot, id }) => !image.holds(slot, id)).map(({ id }) => id),
  );
  image.forget();
  return { rows, slots: image.slots, strays, unclear, keyless };
}

function readRows(dir: string): Row[] {
  return askReadOnly(
    databasePath(dir),
    SCHEMA_VERSION,
    (db) =>
      db.prepare("SELECT id, slot, segment FROM messages").all()
        .map((row) => ({
          slot: Number(row["slot"]),
          id: String(row["id"]),
          segment: String(row["segment"]),
        })),
  );
}

function imageOf(path: string): KeyImage {
  try {
    return new KeyImage(fs.readFileSync(path));
  } catch (error) {
    throw unusable(path, (error as Error).message);
  }
}
