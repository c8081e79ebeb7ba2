/**
 * Where a message's content lies and the key to it, for `bulkhead queue cat`:
 * read in the queue's jail, by a one-shot process that an administrator
 * started. That it was asked for stands in the history by then.
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { askReadOnly, databasePath, SCHEMA_VERSION } from "./database_io.ts";
import type { ContentRef } from "../core/shapes.ts";
import { keyIn, SLOT_BYTES } from "./keys_io.ts";
import { contentRefIn } from "./store_io.ts";

/** What {@link readKey} found. */
export interface FoundKey {
  readonly ref: ContentRef;
  /** In base64; empty if the key file has none that is whole. */
  readonly key: string;
}

/**
 * Reads it.
 *
 * @param dir The queue's directory
 * @returns Undefined if there is no such message
 * @throws {QueueUnusable} If the database cannot be read
 */
export function readKey(dir: string, queueId: string): FoundKey | undefined {
  const row = askReadOnly(
    databasePath(dir),
    SCHEMA_VERSION,
    (db) => db.prepare("SELECT * FROM messages WHERE id = ?").get(queueId),
  );
  if (row === undefined) return undefined;
  const key = keyAt(`${dir}/keys`, Number(row["slot"]), queueId);
  return {
    ref: contentRefIn(row),
    key: key === undefined ? "" : Buffer.from(key).toString("base64"),
  };
}

function keyAt(path: string, slot: number, id: string): Uint8Array | undefined {
  const fd = fs.openSync(path, fs.constants.O_RDONLY);
  const octets = new Uint8Array(SLOT_BYTES);
  try {
    fs.readSync(fd, octets, 0, SLOT_BYTES, slot * SLOT_BYTES);
  } finally {
    fs.closeSync(fd);
  }
  return keyIn(octets, id);
}
