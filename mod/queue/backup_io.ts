/**
 * The queue's part of a backup: a copy of its databases as they are at one
 * moment, and a key file that holds the keys of the messages in that copy and
 * no others. Runs in the queue's jail, beside a queue that may be at work.
 *
 * The database first, then the keys. A key is written before its row's commit,
 * so each row of the copy finds its key, unless the message ended between the
 * two: then its slot is empty, or holds another's key, which the slot's own
 * digest tells. Such a row is counted (`keyless`); the backup looks again.
 *
 * It holds keys: what is erased later can be read with it.
 */
import fs from "node:fs";
import type { Copied, KeyedPage } from "./care_ipc.ts";
import {
  below,
  censusOf,
  copyDatabase,
  type Dirs,
  forgetCopy,
  makeCopyDirs,
  settle,
  writeNew,
} from "./copies_io.ts";
import {
  askReadOnly,
  checkThoroughly,
  databasePath,
  SCHEMA_VERSION,
  unusable,
  versionIn,
} from "./database_io.ts";
import { EVENTS_VERSION, eventsPath } from "./event_store_io.ts";
import { KeyFile, KeyImage, SLOT_BYTES } from "./keys_io.ts";
import { contentRefIn } from "./store_io.ts";
import { termKeyPath } from "./terms_io.ts";

/** Copies databases and keys into the directory `name` below both. */
export async function copyForBackup(
  dirs: Dirs,
  name: string,
): Promise<Copied> {
  const copy = below(dirs, name);
  forgetCopy(copy);
  makeCopyDirs(copy);
  const events = eventsPath(dirs.events);
  if (fs.existsSync(events)) {
    await copyDatabase(events, eventsPath(copy.events));
    settle(eventsPath(copy.events));
  }
  if (fs.existsSync(termKeyPath(dirs.events))) {
    writeNew(
      termKeyPath(copy.events),
      fs.readFileSync(termKeyPath(dirs.events)),
    );
  }
  const path = databasePath(dirs.queue);
  if (!fs.existsSync(path)) {
    return { messages: 0, recipients: 0, keyless: 0, segments: [] };
  }
  await copyDatabase(path, databasePath(copy.queue));
  settle(databasePath(copy.queue));
  const keyless = copyKeys(dirs.queue, copy.queue);
  const { messages, recipients } = censusOf(copy.queue);
  return { messages, recipients, keyless, segments: segmentsOf(copy.queue) };
}

interface SlotRow {
  readonly id: string;
  readonly slot: number;
}

/** The keys of the copy's messages; how many of those have none. */
function copyKeys(queue: string, copy: string): number {
  const rows = askReadOnly(
    databasePath(copy),
    SCHEMA_VERSION,
    (db) =>
      db.prepare("SELECT id, slot FROM messages WHERE state IN (0, 1)").all()
        .map((row): SlotRow => ({
          id: String(row["id"]),
          slot: Number(row["slot"]),
        })),
  );
  const live = readKeys(`${queue}/keys`);
  const image = new KeyImage(live);
  const kept = new Uint8Array(live.length);
  let keyless = 0;
  for (const { id, slot } of rows) {
    if (!image.holds(slot, id)) keyless++;
    else {
      const at = slot * SLOT_BYTES;
      kept.set(live.subarray(at, at + SLOT_BYTES), at);
    }
  }
  image.forget();
  writeNew(`${copy}/keys`, kept);
  kept.fill(0);
  return keyless;
}

function readKeys(path: string): Uint8Array {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw unusable(path, (error as Error).message);
  }
}

function segmentsOf(dir: string): string[] {
  return askReadOnly(
    databasePath(dir),
    SCHEMA_VERSION,
    (db) =>
      db.prepare("SELECT DISTINCT segment FROM messages ORDER BY segment")
        .all().map((row) => String(row["segment"])),
  );
}

/**
 * A page of messages with their contents' places and keys, for whoever reads
 * the contents through. What is marked as damaged is left out.
 *
 * @param after Number of the row before the page
 */
export function keyedPage(
  dir: string,
  after: number,
  limit: number,
): KeyedPage {
  if (!fs.existsSync(databasePath(dir))) return { rows: [], last: null };
  const rows = askReadOnly(
    databasePath(dir),
    SCHEMA_VERSION,
    (db) =>
      db.prepare(
        `SELECT n, id, slot, segment, offset, length, size FROM messages
          WHERE n > ? AND state IN (0, 1) ORDER BY n LIMIT ?`,
      ).all(after, limit),
  );
  const keys = rows.length === 0 ? undefined : new KeyFile(`${dir}/keys`);
  try {
    return {
      rows: rows.map((row) => {
        const id = String(row["id"]);
        const key = keys!.read(Number(row["slot"]), id);
        return {
          id,
          ref: contentRefIn(row),
          key: typeof key === "string" ? null : key.toBase64(),
        };
      }),
      last: rows.length < limit ? null : Number(rows.at(-1)!["n"]),
    };
  } finally {
    keys?.close();
  }
}

/** Which of these messages are still there, with the same content's place. */
export function stillThere(
  dir: string,
  places: readonly { id: string; segment: string; offset: number }[],
): string[] {
  return askReadOnly(databasePath(dir), SCHEMA_VERSION, (db) => {
    const ask = db.prepare(
      "SELECT 1 FROM messages WHERE id = ? AND segment = ? AND offset = ?",
    );
    return places.filter(({ id, segment, offset }) =>
      ask.get(id, segment, offset) !== undefined
    ).map(({ id }) => id);
  });
}

/**
 * Reads both databases through, for `bulkhead verify`.
 *
 * @throws {QueueUnusable} If one is damaged
 */
export function verifyDatabases(dirs: Dirs): {
  versions: { queue: number; events: number };
  messages: number;
  recipients: number;
  corrupt: number;
  segments: string[];
} {
  const events = eventsPath(dirs.events);
  const eventsVersion = !fs.existsSync(events) ? 0 : askReadOnly(
    events,
    EVENTS_VERSION,
    (db) => (checkThoroughly(db, events), versionIn(db)),
  );
  const path = databasePath(dirs.queue);
  if (!fs.existsSync(path)) {
    return {
      versions: { queue: 0, events: eventsVersion },
      messages: 0,
      recipients: 0,
      corrupt: 0,
      segments: [],
    };
  }
  const queueVersion = askReadOnly(
    path,
    SCHEMA_VERSION,
    (db) => (checkThoroughly(db, path), versionIn(db)),
  );
  const { messages, recipients } = censusOf(dirs.queue);
  return {
    versions: { queue: queueVersion, events: eventsVersion },
    messages,
    recipients,
    corrupt: corruptIn(path),
    segments: segmentsOf(dirs.queue),
  };
}

function corruptIn(path: string): number {
  return askReadOnly(path, SCHEMA_VERSION, (db) =>
    Number(
      db.prepare("SELECT count(*) AS corrupt FROM messages WHERE state = 2")
        .get()?.["corrupt"],
    ));
}
