/**
 * Rewrites a message into 7 bits, by the plan that a first reading made
 * (`seven_bit_plan.ts`). Pure; what comes out is what a reader decodes to the
 * same parts. Not: DKIM signatures stay and do not hold any more, as with
 * every server that does this.
 */
import {
  Base64Lines,
  type BodyEncoder,
  QuotedPrintable,
} from "./body_encoder.ts";
import type { LinePiece } from "./line_pieces.ts";
import {
  type Entity,
  type Field,
  type MimeVisitor,
  MimeWalk,
} from "./mime_walk.ts";
import { OctetSink } from "./octet_sink.ts";
import type { SevenBitPlan, Treatment } from "./seven_bit_plan.ts";

const VERSION = "MIME-Version: 1.0\r\n";
const UNKNOWN_TEXT = "Content-Type: text/plain; charset=unknown-8bit\r\n";

/** The second reading. Feed it chunks, then {@link end}. */
export class SevenBitRewriter implements MimeVisitor {
  readonly #plan: SevenBitPlan;
  readonly #out = new OctetSink();
  readonly #walk: MimeWalk;
  /** Whose body is being encoded; all that is within goes the same way. */
  #encoding: { entity: Entity; encoder: BodyEncoder } | undefined;
  /** What the header at hand has got already. */
  #hasEncoding = false;
  #hasType = false;

  constructor(plan: SevenBitPlan) {
    this.#plan = plan;
    this.#walk = new MimeWalk(this);
  }

  /** Returns the next octets. */
  push(chunk: Uint8Array): Uint8Array {
    this.#walk.push(chunk);
    return this.#out.take();
  }

  /** Returns the last ones. */
  end(): Uint8Array {
    this.#walk.end();
    return this.#out.take();
  }

  enter(): void {
    if (this.#encoding !== undefined) return;
    this.#hasEncoding = false;
    this.#hasType = false;
  }

  field(
    piece: LinePiece,
    { entity, field }: { entity: Entity; field: Field },
  ): void {
    if (this.#encoding !== undefined) {
      return this.#encoding.encoder.push(piece);
    }
    const treatment = this.#plan.of(entity);
    const encoding = encodingOf(treatment);
    const type = typeOf(treatment);
    if (field === "encoding" && encoding !== undefined) {
      this.#sayEncoding(encoding);
    } else if (field === "content-type" && type !== undefined) {
      this.#sayType(type);
    } else {
      this.#out.add(piece.octets);
    }
  }

  headerEnd(entity: Entity, blank: Uint8Array): void {
    if (this.#encoding !== undefined) {
      const piece = { octets: blank, isStart: true, isEnd: true };
      if (blank.length > 0) this.#encoding.encoder.push(piece);
      return;
    }
    const treatment = this.#plan.of(entity);
    const encoding = encodingOf(treatment);
    if (this.#plan.needsVersion(entity)) this.#out.text(VERSION);
    const type = typeOf(treatment) ??
      (treatment === "quoted-printable" && !entity.hasType
        ? UNKNOWN_TEXT
        : undefined);
    if (type !== undefined) this.#sayType(type);
    if (encoding !== undefined) this.#sayEncoding(encoding);
    this.#out.add(blank);
    const encoder = encoderFor(treatment, this.#out);
    if (encoder !== undefined) this.#encoding = { entity, encoder };
  }

  body(piece: LinePiece): void {
    if (this.#encoding === undefined) this.#out.add(piece.octets);
    else this.#encoding.encoder.push(piece);
  }

  boundary(piece: LinePiece): void {
    this.body(piece);
  }

  leave(entity: Entity, by: "boundary" | "end"): void {
    if (this.#encoding?.entity !== entity) return;
    this.#encoding.encoder.finish(by);
    this.#encoding = undefined;
  }

  trouble(): void {} // the plan knows

  #sayEncoding(encoding: string): void {
    if (this.#hasEncoding) return;
    this.#hasEncoding = true;
    this.#out.text(`Content-Transfer-Encoding: ${encoding}\r\n`);
  }

  #sayType(type: string): void {
    if (this.#hasType) return;
    this.#hasType = true;
    this.#out.text(type);
  }
}

function encodingOf(treatment: Treatment): string | undefined {
  switch (treatment) {
    case "leave":
      return undefined;
    case "label-7bit":
      return "7bit";
    case "base64":
      return "base64";
    case "quoted-printable":
    case "as-global":
    case "as-text":
      return "quoted-printable";
  }
}

function typeOf(treatment: Treatment): string | undefined {
  switch (treatment) {
    case "as-global":
      return "Content-Type: message/global\r\n";
    case "as-text":
      return UNKNOWN_TEXT;
    case "leave":
    case "label-7bit":
    case "base64":
    case "quoted-printable":
      return undefined;
  }
}

function encoderFor(
  treatment: Treatment,
  out: OctetSink,
): BodyEncoder | undefined {
  switch (treatment) {
    case "quoted-printable":
    case "as-global":
    case "as-text":
      return new QuotedPrintable(out);
    case "base64":
      return new Base64Lines(out);
    case "leave":
    case "label-7bit":
      return undefined;
  }
}
