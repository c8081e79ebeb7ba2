/**
 * Which records are in use, so that no octet of theirs is ever written over.
 * Pure: no clock, no disk.
 *
 * Invariants:
 *
 * 1. A record is live from the moment it is stored until it is released or
 *    dropped, or until a complete `adopt` sequence leaves it out.
 * 2. A sequence only takes records away that were stored more than
 *    {@link GRACE_MS} before its first page came. A younger one may be on its
 *    way: answered to smtpd, asked of `queue.accept`, not yet in the rows that
 *    the queue read out. `queue.accept` takes at most 60 s, and a page may
 *    wait 60 s for a channel; the grace is the sum.
 * 3. For the same reason a segment that a spool before this one wrote to
 *    within {@link HOLD_MS} of our start is *held*: nothing in it may be overwritten, whether
 *    adopted or not. Only a complete sequence that began a whole grace after
 *    our start ends the hold. (The record may have been stored and synced by
 *    our predecessor and accepted after the queue had told us its rows.)
 * 4. A reference means one record for all time: segment names are never used
 *    for a second filling. So a late or repeated release harms nothing.
 */
import type { ContentRef } from "../core/shapes.ts";
import type { Durability } from "./sync_group.ts";

/** How long a record is safe from an `adopt` that does not name it. */
export const GRACE_MS = 120_000;

/** How long `queue.accept` may take after the record was written, and some. */
export const HOLD_MS = 65_000;

/** A live record. */
export interface Entry {
  readonly length: number;
  /** Octets of the message. */
  readonly sizeBytes: number;
  /** What this process knows of a record that it stored itself. */
  readonly own?: {
    readonly storedAtMs: number;
    /** Who may drop it, while it has not gone away. */
    asker: string | undefined;
    readonly durable: Promise<Durability>;
  };
}

interface Sequence {
  readonly beganMs: number;
  readonly segments: Map<string, Map<number, Entry>>;
  readonly released: ContentRef[];
}

/** The accounting; see the file's head. Times are monotonic milliseconds. */
export class Ledger {
  readonly #startedMs: number;
  #segments = new Map<string, Map<number, Entry>>();
  #sequence: Sequence | undefined;
  readonly #held = new Set<string>();

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  /** Segments that were written to shortly before our start. */
  hold(segments: Iterable<string>): void {
    for (const segment of segments) this.#held.add(segment);
  }

  /** True if a record in the segment is, or may be, in use. */
  isLive(segment: string): boolean {
    return this.#segments.has(segment) || this.#held.has(segment);
  }

  /** Live records. */
  get records(): number {
    let records = 0;
    for (const segment of this.#segments.values()) records += segment.size;
    return records;
  }

  /** Segments with live records. */
  get segments(): Iterable<string> {
    return this.#segments.keys();
  }

  /** Octets of the live records of a segment. */
  liveOctets(segment: string): number {
    let octets = 0;
    for (const { length } of this.#segments.get(segment)?.values() ?? []) {
      octets += length;
    }
    return octets;
  }

  /** The live records of a segment. */
  refsIn(segment: string): ContentRef[] {
    const entries = this.#segments.get(segment) ?? new Map<number, Entry>();
    return Array.from(entries, ([offset, { length, sizeBytes }]) => ({
      segment,
      offset,
      length,
      sizeBytes,
    }));
  }

  /** Enters a record that this process stored. */
  add(ref: ContentRef, own: NonNullable<Entry["own"]>): void {
    const { length, sizeBytes } = ref;
    enter(this.#segments, ref, { length, sizeBytes, own });
  }

  /** The live record of a reference. */
  find(ref: ContentRef): Entry | undefined {
    const entry = this.#segments.get(ref.segment)?.get(ref.offset);
    return entry?.length === ref.length ? entry : undefined;
  }

  /** Takes a record out. Unknown ones are ignored: false. */
  remove(ref: ContentRef): boolean {
    // A page that is older than this release may still be on its way.
    this.#sequence?.released.push(ref);
    return this.#strike(this.#segments, ref);
  }

  /** The asker is gone: what it stored, nobody may drop any more. */
  askerGone(asker: string): void {
    for (const segment of this.#segments.values()) {
      for (const { own } of segment.values()) {
        if (own?.asker === asker) own.asker = undefined;
      }
    }
  }

  /** Takes one page of a sequence; the first one begins it. */
  adopt(refs: readonly ContentRef[], nowMs: number): void {
    this.#sequence ??= { beganMs: nowMs, segments: new Map(), released: [] };
    for (const ref of refs) {
      const { length, sizeBytes } = ref;
      const entry = this.find(ref) ?? { length, sizeBytes };
      enter(this.#sequence.segments, ref, entry);
    }
  }

  /** The queue died within a sequence: its pages say nothing. */
  abandonAdopt(): void {
    this.#sequence = undefined;
  }

  /**
   * The sequence is complete: it replaces the accounting, but for what the
   * invariants protect.
   *
   * @returns How many records of our own it left out
   */
  completeAdopt(): number {
    const sequence = this.#sequence;
    if (sequence === undefined) return 0;
    this.#sequence = undefined;
    let disowned = 0;
    for (const [segment, entries] of this.#segments) {
      for (const [offset, entry] of entries) {
        if (sequence.segments.get(segment)?.has(offset)) continue;
        const { own } = entry;
        if (own && own.storedAtMs >= sequence.beganMs - GRACE_MS) {
          enter(sequence.segments, { segment, offset }, entry);
        } else {
          disowned++;
        }
      }
    }
    for (const ref of sequence.released) this.#strike(sequence.segments, ref);
    this.#segments = sequence.segments;
    if (sequence.beganMs - this.#startedMs >= GRACE_MS) this.#held.clear();
    return disowned;
  }

  #strike(
    segments: Map<string, Map<number, Entry>>,
    ref: ContentRef,
  ): boolean {
    const entries = segments.get(ref.segment);
    if (entries?.get(ref.offset)?.length !== ref.length) return false;
    entries.delete(ref.offset);
    if (entries.size === 0) segments.delete(ref.segment);
    return true;
  }
}

function enter(
  segments: Map<string, Map<number, Entry>>,
  at: { segment: string; offset: number },
  entry: Entry,
): void {
  const entries = segments.get(at.segment);
  if (entries) entries.set(at.offset, entry);
  else segments.set(at.segment, new Map([[at.offset, entry]]));
}
