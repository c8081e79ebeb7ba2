/**
 * What is to be done to each part of a message so that it needs no 8BITMIME
 * (RFC 6152 §3), found out by a first reading. Pure.
 *
 * - Text becomes quoted-printable, everything else base64; a composite type
 *   only gets another label, for its parts are what is encoded (RFC 2045 §6.4).
 * - What is signed or encrypted stays as it is, and so does what is encoded
 *   already and still has octets beyond ASCII.
 * - A message in the message that cannot be converted part by part, as with a
 *   header beyond ASCII, is encoded as a whole: as message/global, which may be
 *   (RFC 6532 §3.7), or, where its header is no UTF-8 either, as text in
 *   unknown-8bit (RFC 1428 §3). Without one around it, nothing can be done.
 */
import type { LinePiece } from "./line_pieces.ts";
import {
  type Entity,
  isIdentity,
  MAX_ENTITIES,
  type MimeVisitor,
  MimeWalk,
} from "./mime_walk.ts";

/** What to do to one entity. */
export type Treatment =
  | "leave"
  | "label-7bit"
  | "quoted-printable"
  | "base64"
  | "as-global"
  | "as-text";

const TREATMENTS: readonly Treatment[] = [
  "leave",
  "label-7bit",
  "quoted-printable",
  "base64",
  "as-global",
  "as-text",
];

/** RFC 5321 §4.5.3.1.6, with CRLF. */
const MAX_LINE = 1_000;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The plan for a message: by entity. */
export interface SevenBitPlan {
  of(entity: Entity): Treatment;
  /** True if it is a message that has to say that it is MIME. */
  needsVersion(entity: Entity): boolean;
}

/** The first reading. Feed it chunks, then {@link end}. */
export class SevenBitSurvey implements MimeVisitor, SevenBitPlan {
  readonly #walk: MimeWalk;
  readonly #treatments = new Uint8Array(MAX_ENTITIES + 1);
  readonly #versions = new Uint8Array(MAX_ENTITIES + 1);
  /** Entities with an octet beyond ASCII within. */
  readonly #eightBit = new Set<Entity>();
  /** `message/rfc822` that cannot be converted part by part. */
  readonly #whole = new Set<Entity>();
  /** Of those, the ones with a header that is no UTF-8. */
  readonly #notUtf8 = new Set<Entity>();
  #fault: string | undefined;
  #lineLength = 0;
  #hasLongLine = false;

  constructor() {
    this.#walk = new MimeWalk(this);
  }

  /** Takes the next octets. */
  push(chunk: Uint8Array): void {
    if (!this.#walk.isTooMuch) this.#walk.push(chunk);
  }

  /** @returns Why it cannot be converted; undefined if it can */
  end(): string | undefined {
    if (this.#walk.isTooMuch) return "it has too many parts";
    this.#walk.end();
    return this.#fault;
  }

  of({ ordinal }: Entity): Treatment {
    return TREATMENTS[this.#treatments[ordinal]!]!;
  }

  needsVersion({ ordinal }: Entity): boolean {
    return this.#versions[ordinal] === 1;
  }

  enter(): void {
    this.#hasLongLine = false;
  }

  field({ octets }: LinePiece, { entity }: { entity: Entity }): void {
    if (!isEightBit(octets)) return;
    this.#noteEightBit(entity);
    const whole = this.trouble("a header is not ASCII", entity);
    if (whole !== undefined && !isUtf8(octets)) this.#notUtf8.add(whole);
  }

  headerEnd(): void {}

  body({ octets, isStart }: LinePiece, entity: Entity): void {
    this.#lineLength = (isStart ? 0 : this.#lineLength) + octets.length;
    if (this.#lineLength > MAX_LINE) this.#hasLongLine = true;
    if (!isEightBit(octets)) return;
    this.#noteEightBit(entity);
    if (entity.kind === "multipart") {
      this.trouble("text stands outside of the parts", entity);
    }
  }

  boundary(): void {}

  leave(entity: Entity): void {
    const treatment = this.#treatmentOf(entity);
    this.#treatments[entity.ordinal] = TREATMENTS.indexOf(treatment);
    const isEightBit = this.#eightBit.delete(entity);
    if (entity.isMessage && !entity.hasVersion && isEightBit) {
      this.#versions[entity.ordinal] = 1;
    }
    this.#hasLongLine = false;
  }

  trouble(why: string, entity: Entity): Entity | undefined {
    let whole: Entity | undefined;
    for (let at = entity.parent; at !== undefined; at = at.parent) {
      if (at.isSealed) whole = undefined; // nothing within may be changed
      else if (at.kind === "message") whole ??= at;
    }
    if (whole === undefined) this.#fault ??= why;
    else this.#whole.add(whole);
    return whole;
  }

  #treatmentOf(entity: Entity): Treatment {
    const { kind, encoding } = entity;
    const isEightBit = this.#eightBit.has(entity);
    const isWhole = this.#whole.delete(entity);
    const isNotUtf8 = this.#notUtf8.delete(entity);
    if (isWhole) {
      if (isEightBit) return isNotUtf8 ? "as-text" : "as-global";
      // ASCII, and who knows what its parts are: their labels stay.
      this.#treatments.fill(0, entity.ordinal + 1);
    }
    if (isSealedIn(entity)) {
      if (isEightBit && !isComposite(entity)) {
        this.trouble("what is signed or encrypted is not ASCII", entity);
      }
      return "leave";
    }
    const isLabelled = encoding === "8bit" || encoding === "binary";
    const label = isLabelled ? "label-7bit" : "leave";
    switch (kind) {
      case "text":
      case "data":
        return isEightBit || (isLabelled && this.#hasLongLine)
          ? kind === "text" ? "quoted-printable" : "base64"
          : label;
      case "unreadable":
        if (isEightBit) {
          const why = isIdentity(encoding)
            ? "a part that must be ASCII is not"
            : "a part is encoded and not ASCII";
          this.trouble(why, entity);
        }
        return label;
      case "multipart":
      case "message":
        return label;
    }
  }

  #noteEightBit(entity: Entity): void {
    for (
      let at: Entity | undefined = entity;
      at !== undefined && !this.#eightBit.has(at);
      at = at.parent
    ) this.#eightBit.add(at);
  }
}

function isSealedIn(entity: Entity): boolean {
  for (let at = entity.parent; at !== undefined; at = at.parent) {
    if (at.isSealed) return true;
  }
  return false;
}

function isComposite({ kind }: Entity): boolean {
  return kind === "multipart" || kind === "message";
}

function isEightBit(octets: Uint8Array): boolean {
  let seen = 0;
  for (let i = 0; i < octets.length; i++) seen |= octets[i]!;
  return seen > 127;
}

function isUtf8(octets: Uint8Array): boolean {
  try {
    UTF8.decode(octets);
    return true;
  } catch {
    return false;
  }
}
