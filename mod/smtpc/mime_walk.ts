/**
 * Walks through the parts of a message, line by line, and tells a
 * {@link MimeVisitor} what each line is. Pure; linear; memory is bounded by
 * the depth. The same octets are always walked in the same way, so that what a
 * first reading found out about a part holds for the second.
 *
 * A multipart that its parent's boundary ends is ended by that (RFC 2046
 * §5.1.2). Where readers may differ about the structure it says so
 * (`trouble`), and goes on.
 */
import {
  type Encoding,
  parseContentType,
  parseEncoding,
  withoutBlanks,
} from "./content_fields.ts";
import { LINE_PIECE, type LinePiece, LinePieces } from "./line_pieces.ts";

/** Entities within each other; beyond it nothing is looked into. */
export const MAX_DEPTH = 32;
/** Entities in a message. */
export const MAX_ENTITIES = 10_000;
/** Octets of the fields that are looked at, in one header. */
const MAX_FIELDS = 8_192;

/**
 * How an entity's body is to be read:
 *
 * - `text`, `data`: one body
 * - `unreadable`: one body, that must not be encoded anew
 * - `multipart`: parts between boundaries
 * - `message`: another message (`message/rfc822`)
 */
export type Kind = "text" | "data" | "unreadable" | "multipart" | "message";

/** A message, or a part of one. */
export interface Entity {
  /** Counted from 0 in the order of their beginnings. */
  readonly ordinal: number;
  readonly parent: Entity | undefined;
  /** True if it is a message: the whole one, or that in a `message/rfc822`. */
  readonly isMessage: boolean;
  /** These are known at the end of its header. */
  kind: Kind;
  encoding: Encoding;
  hasType: boolean;
  hasVersion: boolean;
  /** True if what it contains is signed, or encrypted, as it stands. */
  isSealed: boolean;
}

/** Header fields that matter. */
export type Field = "content-type" | "encoding" | "mime-version" | "other";

/** Told of everything, in the order of the octets. */
export interface MimeVisitor {
  enter(entity: Entity): void;
  /** A line of a header, but not the empty one. */
  field(
    piece: LinePiece,
    about: { entity: Entity; field: Field; isFirst: boolean },
  ): void;
  /** `blank` is the empty line, or nothing where it is missing. */
  headerEnd(entity: Entity, blank: Uint8Array): void;
  /** A line of a body, or, in a multipart, of what is around its parts. */
  body(piece: LinePiece, entity: Entity): void;
  boundary(piece: LinePiece, entity: Entity): void;
  leave(entity: Entity, by: "boundary" | "end"): void;
  /** Something about the entity that readers may take in different ways. */
  trouble(why: string, entity: Entity): void;
}

interface Level {
  readonly entity: Entity;
  at: "header" | "body" | "parts" | "after";
  boundary: string | undefined;
  /** True if parts without a type are messages, RFC 2046 §5.1.5. */
  isDigest: boolean;
  field: Field | undefined;
  type: string;
  encodings: string[];
  octets: number;
}

const DASH = 0x2d;
const COLON = 0x3a;
const NOTHING = new Uint8Array(0);

/** Walks through one message. Feed it chunks, then {@link end}. */
export class MimeWalk {
  readonly #visitor: MimeVisitor;
  readonly #lines = new LinePieces((piece) => this.#piece(piece));
  readonly #stack: Level[] = [];
  /** By boundary: its level. */
  readonly #boundaries = new Map<string, number>();
  #entities = 0;
  #isTooMuch = false;

  constructor(visitor: MimeVisitor) {
    this.#visitor = visitor;
    this.#enter();
  }

  /** True if there are more than {@link MAX_ENTITIES}; stop then. */
  get isTooMuch(): boolean {
    return this.#isTooMuch;
  }

  /** Takes the next octets. */
  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  /** There are no more. */
  end(): void {
    this.#lines.end();
    for (const level of this.#stack) {
      if (level.at === "parts") {
        this.#visitor.trouble("a multipart has no end", level.entity);
      }
    }
    this.#leaveTo(0, "end");
  }

  #enter(isMessage = true): void {
    if (this.#entities >= MAX_ENTITIES) this.#isTooMuch = true;
    const entity: Entity = {
      ordinal: this.#entities++,
      parent: this.#stack.at(-1)?.entity,
      isMessage,
      kind: "text",
      encoding: "none",
      hasType: false,
      hasVersion: false,
      isSealed: false,
    };
    this.#stack.push({
      entity,
      at: "header",
      boundary: undefined,
      isDigest: false,
      field: undefined,
      type: "",
      encodings: [],
      octets: 0,
    });
    this.#visitor.enter(entity);
  }

  #leaveTo(depth: number, by: "boundary" | "end"): void {
    while (this.#stack.length > depth) {
      const level = this.#stack.at(-1)!;
      if (level.at === "header") this.#endHeader(level, NOTHING);
      // That may have opened a message without any content.
      const last = this.#stack.pop()!;
      if (last.boundary !== undefined && last.at === "parts") {
        this.#boundaries.delete(last.boundary);
      }
      this.#visitor.leave(last.entity, by);
    }
  }

  #piece(piece: LinePiece): void {
    const { octets, isStart } = piece;
    if (
      isStart && this.#boundaries.size > 0 && octets[0] === DASH &&
      octets[1] === DASH && this.#boundary(piece)
    ) return;
    const level = this.#stack.at(-1)!;
    if (level.at === "header") this.#header(level, piece);
    else this.#visitor.body(piece, level.entity);
  }

  /** True if the line is a boundary. */
  #boundary(piece: LinePiece): boolean {
    const line = withoutBlanks(latin1(piece.octets)).slice(2);
    const isWhole = piece.isEnd && piece.octets.length < LINE_PIECE;
    let depth = isWhole ? this.#boundaries.get(line) : undefined;
    let isClose = false;
    if (depth === undefined && isWhole && line.endsWith("--")) {
      depth = this.#boundaries.get(line.slice(0, -2));
      isClose = true;
    }
    if (depth === undefined) {
      for (const [boundary, at] of this.#boundaries) {
        if (line.startsWith(boundary)) {
          const why = "a line is almost a boundary";
          this.#visitor.trouble(why, this.#stack[at]!.entity);
        }
      }
      return false;
    }
    this.#leaveTo(depth + 1, "boundary");
    const level = this.#stack[depth]!;
    this.#visitor.boundary(piece, level.entity);
    if (isClose) {
      level.at = "after";
      this.#boundaries.delete(level.boundary!);
    } else {
      this.#enter(false);
    }
    return true;
  }

  #header(level: Level, piece: LinePiece): void {
    const { octets, isStart } = piece;
    const { entity } = level;
    if (isStart && isEmpty(octets)) return this.#endHeader(level, octets);
    let isFirst = false;
    if (isStart) {
      const continues = octets[0] === 0x20 || octets[0] === 0x09;
      if (!continues) {
        level.field = fieldOf(octets);
        isFirst = true;
      }
      if (level.field === undefined || (continues && isBlank(octets))) {
        this.#visitor.trouble("a header cannot be read", entity);
      }
    }
    const field = level.field ?? "other";
    if (field !== "other") this.#note(level, { octets, field, isFirst });
    this.#visitor.field(piece, { entity, field, isFirst });
  }

  #note(
    level: Level,
    { octets, field, isFirst }: {
      octets: Uint8Array;
      field: Field;
      isFirst: boolean;
    },
  ): void {
    const { entity } = level;
    level.octets += octets.length;
    if (level.octets > MAX_FIELDS) {
      return this.#visitor.trouble("a header field is too long", entity);
    }
    const text = latin1(octets);
    const value = isFirst ? text.slice(text.indexOf(":") + 1) : text;
    switch (field) {
      case "content-type":
        if (isFirst && entity.hasType) {
          this.#visitor.trouble("a part has two types", entity);
        }
        entity.hasType = true;
        level.type += value;
        break;
      case "encoding":
        if (isFirst) level.encodings.push(value);
        else level.encodings.push(level.encodings.pop() + value);
        break;
      case "mime-version":
        entity.hasVersion = true;
        break;
      case "other":
        break;
    }
  }

  #endHeader(level: Level, blank: Uint8Array): void {
    const { entity } = level;
    entity.encoding = parseEncoding(level.encodings);
    const { kind, boundary } = this.#kindOf(level);
    entity.kind = kind;
    level.at = "body";
    this.#visitor.headerEnd(entity, blank);
    if (kind === "multipart") {
      level.at = "parts";
      level.boundary = boundary!;
      this.#boundaries.set(boundary!, this.#stack.length - 1);
    } else if (kind === "message" && blank.length > 0) {
      this.#enter();
    }
  }

  #kindOf(
    level: Level,
  ): { kind: Kind; boundary?: string } {
    const { entity } = level;
    const isPlain = isIdentity(entity.encoding);
    const single = (kind: Kind) => ({ kind: isPlain ? kind : "unreadable" });
    const isInDigest = this.#stack.at(-2)?.isDigest ?? false;
    const parsed = parseContentType(level.type) ??
      (!entity.hasType && isInDigest
        ? { type: "message", subtype: "rfc822", boundary: undefined }
        : undefined);
    const isDeep = this.#stack.length >= MAX_DEPTH;
    const { type, subtype, boundary } = parsed ?? { type: "text" };
    switch (type) {
      case "text":
        return single("text");
      case "multipart": {
        entity.isSealed = subtype === "signed" || subtype === "encrypted";
        level.isDigest = subtype === "digest";
        if (isDeep || boundary === undefined) return { kind: "unreadable" };
        if (this.#isTaken(boundary)) {
          this.#visitor.trouble("two multiparts have one boundary", entity);
          return { kind: "unreadable" };
        }
        return { kind: "multipart", boundary };
      }
      case "message":
        // RFC 6532 §3.7, RFC 6533 §6: these may be encoded.
        if (subtype?.startsWith("global")) return single("text");
        if (subtype !== "rfc822" || isDeep) return { kind: "unreadable" };
        return single("message");
      default:
        return single("data");
    }
  }

  /** True if one's boundary may be taken for another's. */
  #isTaken(boundary: string): boolean {
    return this.#boundaries.has(boundary) ||
      this.#boundaries.has(`${boundary}--`) ||
      (boundary.endsWith("--") && this.#boundaries.has(boundary.slice(0, -2)));
  }
}

/** RFC 2045 §6.2: what stands there is what is meant. */
export function isIdentity(encoding: Encoding): boolean {
  switch (encoding) {
    case "none":
    case "7bit":
    case "8bit":
    case "binary":
      return true;
    case "quoted-printable":
    case "base64":
    case "other":
      return false;
  }
}

/** Undefined if the line begins no field. */
function fieldOf(octets: Uint8Array): Field | undefined {
  const colon = octets.indexOf(COLON);
  if (colon < 1) return undefined;
  const name = withoutBlanks(latin1(octets.subarray(0, colon)));
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x21 || code === 0x7f) return undefined;
  }
  switch (name.toLowerCase()) {
    case "content-type":
      return "content-type";
    case "content-transfer-encoding":
      return "encoding";
    case "mime-version":
      return "mime-version";
    default:
      return "other";
  }
}

function isEmpty(octets: Uint8Array): boolean {
  return octets.length === 2 && octets[0] === 0x0d;
}

function isBlank(octets: Uint8Array): boolean {
  return octets.every((octet) => octet <= 0x20);
}

function latin1(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
}
