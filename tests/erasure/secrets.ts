/**
 * What the server wrote to its own files about messages that wait: their keys,
 * and samples of the sealed records. Read by an own parser, as a thief would.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

const SLOT = 64;
const KEY_AT = 20;
const KEY_OCTETS = 32;
const SUM_AT = 52;
const LIVE = 0x4b;

/** Collects every key that it sees in the key file, until it is stopped. */
export class KeyWatch implements Disposable {
  readonly #path: string;
  readonly #keys = new Map<string, Uint8Array>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(queueDir: string) {
    this.#path = `${queueDir}/keys`;
    this.#timer = setInterval(() => this.look(), 40);
  }

  /** All keys seen so far that do not live any more. */
  get destroyed(): Uint8Array[] {
    const live = this.look();
    return [...this.#keys].flatMap(([hex, key]) => live.has(hex) ? [] : [key]);
  }

  /** Reads the file once; returns the keys that live in it now, by their hex. */
  look(): ReadonlyMap<string, Uint8Array> {
    const live = new Map(
      keysIn(fileOrNothing(this.#path)).map((key) => [
        Buffer.from(key).toString("hex"),
        key,
      ]),
    );
    for (const [hex, key] of live) this.#keys.set(hex, key);
    return live;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function keysIn(file: Uint8Array): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (let at = 0; at + SLOT <= file.length; at += SLOT) {
    const slot = file.subarray(at, at + SLOT);
    if (slot[0] !== LIVE) continue;
    const sum = createHash("sha256").update(slot.subarray(0, SUM_AT)).digest();
    if (Buffer.compare(sum.subarray(0, 12), slot.subarray(SUM_AT)) !== 0) {
      continue;
    }
    keys.push(slot.slice(KEY_AT, KEY_AT + KEY_OCTETS));
  }
  return keys;
}

function fileOrNothing(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  }
}

const MAGIC = Buffer.from("BULKHEAD\x00\x01\x00\x00", "latin1");
const RECORD_ID_AT = 16;
const SAMPLE_OCTETS = 24;
/** Records begin at multiples of this in a segment. */
const ALIGNED = 512;
/** Octets between two samples of one record. */
const BETWEEN_SAMPLES = 65_536;

/** Samples of all sealed records in the spool: ciphertext. */
export function sealedSamples(spoolDir: string): Uint8Array[] {
  const samples: Uint8Array[] = [];
  for (const { name } of Deno.readDirSync(spoolDir)) {
    if (!name.endsWith(".seg") && !name.startsWith("big-")) continue;
    const file = Buffer.from(Deno.readFileSync(`${spoolDir}/${name}`));
    const starts: number[] = [];
    for (let at = -1; (at = file.indexOf(MAGIC, at + 1)) >= 0;) {
      if (at % ALIGNED === 0) starts.push(at);
    }
    for (const at of starts) {
      samples.push(sample(file, at + RECORD_ID_AT));
    }
    if (!name.startsWith("big-")) continue;
    for (let at = BETWEEN_SAMPLES; at + 100 < file.length;) {
      samples.push(sample(file, at));
      at += BETWEEN_SAMPLES;
    }
  }
  return samples;
}

function sample(file: Uint8Array, at: number): Uint8Array {
  return file.slice(at, at + SAMPLE_OCTETS);
}
