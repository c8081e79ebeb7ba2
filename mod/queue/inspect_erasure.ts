/**
 * What `bulkhead shred status` and `verify` ask of the queue's directory:
 * which keys should be gone and are not, and what its write-ahead log still
 * holds. Reads only, in a one-shot process in the queue role's jail, while the
 * queue may be at work.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { databasePath, unusable } from "./database_io.ts";
import type { QueueErasure } from "./erasure_ipc.ts";
import { SLOT_BYTES } from "./keys_io.ts";
import { inspectLog } from "./inspect_log.ts";

const PAGE_SLOTS = 1_024;
const LIVE = 0x4b;
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
  const owners = new Map(rows.map((row) => [row.slot, row]));
  const strays = new Set<number>();
  const unclear = new Set<number>();
  const keyless = new Set(rows.map((row) => row.id));
  const slots = eachUsedSlot(`${dir}/keys`, (slot, octets) => {
    const owner = owners.get(slot);
    if (octets[0] !== LIVE) unclear.add(slot);
    else if (owner === undefined) strays.add(slot);
    else if (isKeyOf(octets, owner.id)) keyless.delete(owner.id);
  });
  return { rows, slots, strays, unclear, keyless };
}

function readRows(dir: string): Row[] {
  const path = databasePath(dir);
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    try {
      db.prepare("PRAGMA trusted_schema = OFF").all();
      return db.prepare("SELECT id, slot, segment FROM messages").all()
        .map((row) => ({
          slot: Number(row["slot"]),
          id: String(row["id"]),
          segment: String(row["segment"]),
        }));
    } finally {
      db.close();
    }
  } catch (error) {
    throw unusable(path, (error as Error).message);
  }
}

/** Calls `each` with every slot that is not all zero; returns how many there are. */
function eachUsedSlot(
  path: string,
  each: (slot: number, octets: Uint8Array) => void,
): number {
  let fd: number;
  try {
    fd = fs.openSync(path, "r");
  } catch (error) {
    throw unusable(path, (error as Error).message);
  }
  const page = new Uint8Array(PAGE_SLOTS * SLOT_BYTES);
  try {
    for (let first = 0;; first += PAGE_SLOTS) {
      const at = first * SLOT_BYTES;
      const got = fs.readSync(fd, page, 0, page.length, at);
      const slots = Math.floor(got / SLOT_BYTES);
      for (let n = 0; n < slots; n++) {
        const octets = page.subarray(n * SLOT_BYTES, (n + 1) * SLOT_BYTES);
        if (octets.some((octet) => octet !== 0)) each(first + n, octets);
      }
      if (slots < PAGE_SLOTS) return first + slots;
    }
  } finally {
    page.fill(0);
    fs.closeSync(fd);
  }
}

function isKeyOf(octets: Uint8Array, id: string): boolean {
  const hash = createHash("sha256").update(id).digest();
  return octets.subarray(4, 20).every((octet, n) => octet === hash[n]);
}
