/**
 * The content on its way out. It is read through once before any connection
 * is made: so a damaged record, a bare CR or LF, or 8-bit octets are known
 * before a word is said. Small messages are kept from that reading, already
 * in wire form; large ones are read a second time, in constant memory.
 */
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { Chunker } from "./chunking.ts";
import { HeaderWatch } from "./header_watch.ts";
import { Stuffer } from "./stuffing.ts";

/** Messages up to this are kept in memory from the first reading. */
export const HELD_OCTETS = 4_194_304;
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
  /** See `header_watch.ts`; false if nobody asked. */
  readonly internationalHeader: boolean;
  /** Octets of memory it holds. */
  readonly held: number;
  /**
   * The wire form, final dot included; or BDAT with all octets as they are. The last value yielded is an error
   * value if reading failed: the final dot must not be sent then.
   */
  wire(): Generator<Uint8Array | Unreadable>;
}

/** What the first reading found. */
export type Inspected =
  | Content
  | Unreadable
  | { readonly kind: "malformed"; readonly fault: string };

/** What {@link inspect} is to do. */
export interface Inspection {
  readonly sizeBytes: number;
  /** Bounds what may be kept. */
  readonly roomOctets?: number;
  /** A BINARYMIME message: nothing is wrong with its octets. */
  readonly isBinary?: boolean;
  /** Looks for header lines beyond ASCII, too. */
  readonly watchesHeader?: boolean;
}

/** Reads the message through. */
export async function inspect(
  source: Source,
  what: Inspection,
): Promise<Inspected> {
  const room = what.roomOctets ?? HELD_OCTETS;
  const keep = what.sizeBytes <= Math.min(HELD_OCTETS, room);
  const kept: Uint8Array[] = [];
  const isBinary = what.isBinary ?? false;
  const stuffer = isBinary ? new Chunker() : new Stuffer();
  const watch = what.watchesHeader ? new HeaderWatch() : undefined;
  let turn = 0;
  try {
    for (const chunk of source.open()) {
      const wire = stuffer.push(chunk);
      watch?.push(chunk);
      if (keep) kept.push(wire);
      if (stuffer.fault !== undefined) break;
      if (++turn % TURN === 0) await setImmediate();
    }
  } catch (error) {
    return readFailure(source, error);
  }
  kept.push(stuffer.end());
  const { eightBit, fault, before } = stuffer;
  if (fault !== undefined) return { kind: "malformed", fault };
  const found = {
    kind: "content" as const,
    eightBit,
    internationalHeader: watch?.isInternational ?? false,
  };
  if (!keep) {
    return { ...found, held: 0, wire: () => stream(source, stuffer) };
  }
  const whole = Buffer.concat([before, ...kept]);
  return {
    ...found,
    held: whole.length,
    *wire() {
      yield whole;
    },
  };
}

function* stream(
  source: Source,
  first: Stuffer | Chunker,
): Generator<Uint8Array | Unreadable> {
  const stuffer = first.again();
  if (first.before.length > 0) yield first.before;
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
  const end = stuffer.end();
  if (stuffer.fault !== undefined) return yield { kind: "damaged" };
  if (end.length > 0) yield end;
}

/** What an error of reading means; throws what is a bug of ours. */
export function readFailure(source: Source, error: unknown): Unreadable {
  if (source.isDamage(error)) return { kind: "damaged" };
  // The operating system's errors are called ENOENT or EIO; our own bugs are
  // without a code, or with one like ERR_OUT_OF_RANGE.
  if (
    error instanceof Error && "code" in error &&
    /^E[A-Z0-9]+$/.test(String(error.code))
  ) return { kind: "unreadable", why: error.message };
  throw error;
}
