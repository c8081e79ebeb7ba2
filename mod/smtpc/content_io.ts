/**
 * The content on its way out. It is read through once before any connection
 * is made: so a damaged record, a bare CR or LF, or 8-bit octets are known
 * before a word is said. Small messages are kept from that reading, already
 * in wire form; large ones are read a second time, in constant memory.
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { type Fault, Stuffer } from "./stuffing.ts";

/** Messages up to this are kept in memory from the first reading. */
export const HELD_OCTETS = 1_048_576;
/** All kept messages together; beyond it they are read twice. */
export const ALL_HELD_OCTETS = 67_108_864;
/** Chunks read before other sessions get their turn. */
const TURN = 16;

/** Opens one message's octets; throws what {@link Source.isDamage} knows. */
export interface Source {
  open(): Iterable<Uint8Array>;
  /** True if the error means: the record is torn or altered. */
  isDamage(error: unknown): boolean;
}

/** Why content cannot be read: damage, or the disk just now. */
export type Unreadable =
  | { readonly kind: "damaged" }
  | { readonly kind: "unreadable"; readonly why: string };

/** Content that may be sent. */
export interface Content {
  readonly kind: "content";
  readonly eightBit: boolean;
  /** Octets of memory it holds. */
  readonly held: number;
  /**
   * The wire form, final dot included. The last value yielded is an error
   * value if reading failed: the final dot must not be sent then.
   */
  wire(): Generator<Uint8Array | Unreadable>;
}

/** What the first reading found. */
export type Inspected =
  | Content
  | Unreadable
  | { readonly kind: "malformed"; readonly fault: Fault };

/** Reads the message through. `roomOctets` bounds what may be kept. */
export async function inspect(
  source: Source,
  sizeBytes: number,
  roomOctets = HELD_OCTETS,
): Promise<Inspected> {
  const keep = sizeBytes <= Math.min(HELD_OCTETS, roomOctets);
  const kept: Uint8Array[] = [];
  const stuffer = new Stuffer();
  let turn = 0;
  try {
    for (const chunk of source.open()) {
      const wire = stuffer.push(chunk);
      if (keep) kept.push(wire);
      if (stuffer.fault !== undefined) break;
      if (++turn % TURN === 0) await setImmediate();
    }
  } catch (error) {
    return readFailure(source, error);
  }
  kept.push(stuffer.end());
  const { eightBit, fault } = stuffer;
  if (fault !== undefined) return { kind: "malformed", fault };
  if (!keep) {
    return { kind: "content", eightBit, held: 0, wire: () => stream(source) };
  }
  const whole = Buffer.concat(kept);
  return {
    kind: "content",
    eightBit,
    held: whole.length,
    *wire() {
      yield whole;
    },
  };
}

function* stream(source: Source): Generator<Uint8Array | Unreadable> {
  const stuffer = new Stuffer();
  try {
    for (const chunk of source.open()) {
      const wire = stuffer.push(chunk);
      // It passed the first reading, so it changed under us.
      if (stuffer.fault !== undefined) return yield { kind: "damaged" };
      yield wire;
    }
  } catch (error) {
    return yield readFailure(source, error);
  }
  yield stuffer.end();
}

function readFailure(source: Source, error: unknown): Unreadable {
  if (source.isDamage(error)) return { kind: "damaged" };
  // The operating system's errors are called ENOENT or EIO; our own bugs are
  // without a code, or with one like ERR_OUT_OF_RANGE.
  if (
    error instanceof Error && "code" in error &&
    /^E[A-Z0-9]+$/.test(String(error.code))
  ) return { kind: "unreadable", why: error.message };
  throw error;
}
