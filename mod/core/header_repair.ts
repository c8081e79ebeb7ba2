/**
 * Repairs the header block of a submitted message while it streams by: adds
 * the fields that it must have and lacks (RFC 6409 §8, RFC 5322 §3.6), and
 * takes away those that tell of blind copies (RFC 5322 §3.6.3). Every other
 * octet passes unchanged, in place and uncopied.
 *
 * What is missing is known only at the end of the header block, so that is
 * where it is added. Nothing else waits for it: of each line no more is held
 * than its name, so memory is constant and a header block may be of any size.
 *
 * The header block ends at the first empty line, and only there: a line that
 * is no field does not end it, or a `Bcc` behind it would be handed out. But a
 * message whose very first line is no field has no header block; it gets one.
 * Unless that line is the `From ` of a mailbox file, which old programs leave
 * there: a header block follows it, with its `Bcc`. It becomes a field.
 */
import { joinOctets } from "./octets.ts";

/** What is added if it is not there. */
export interface Facts {
  /** For `Date`, as RFC 5322 §3.3 writes it. */
  readonly date: string;
  /** For `Message-ID`, without angle brackets. */
  readonly messageId: string;
  /** For `From`: the sender's address. */
  readonly from: string;
  /** Goes before it: a phrase of RFC 5322 §3.2.5, ready to be written. */
  readonly fromName?: string;
}

/** Longest name of a field: a whole line of RFC 5322 §2.1.1. */
const MAX_NAME = 998;
/** The longest name that means something here has 10 octets. */
const MAX_KNOWN_NAME = 10;
const REMOVED: readonly string[] = ["bcc", "resent-bcc"];
const NEEDED: readonly string[] = ["date", "from", "message-id"];
/** What a mailbox file puts above a message, as such, and as quoted text. */
const MAILBOX: readonly string[] = ["from", ">from"];
const MAILBOX_FIELD = "X-Mailbox-Line: ";

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const CRLF = "\r\n";
/** Shared: a header block may be 100,000 empty lines. */
const NOTHING = new Uint8Array(0);

/**
 * Where the reader stands.
 *
 *     start  before a line's first octet
 *     cr     behind a CR that began a line: the empty line, if LF follows
 *     name   in what may be a field's name
 *     space  in white space behind it
 *     rest   behind what decided about the line
 *     body   behind the header block
 */
type At = "start" | "cr" | "name" | "space" | "rest" | "body";

/** What is known of a line, an octet after the other. */
type Judgement =
  | "unknown"
  | "as-before"
  | "keep"
  | "mailbox-line"
  | "remove"
  | "end"
  | "body";

/** Repairs one message. */
export class HeaderRepair {
  readonly #facts: Facts;
  readonly #emit: (piece: Uint8Array) => void;
  #at: At = "start";
  /** A field was seen. */
  #hasHeader = false;
  readonly #seen = new Set<string>();
  /** The current line's name so far, in lower case, cut. */
  #name = "";
  #nameLength = 0;
  /** Octets of a line about which nothing is known yet, of earlier pieces. */
  #held: Uint8Array = NOTHING;
  /** The line before, and so its continuation, passes. */
  #keeps = true;

  /** @param emit Takes the repaired message's octets, in order */
  constructor(facts: Facts, emit: (piece: Uint8Array) => void) {
    this.#facts = facts;
    this.#emit = emit;
  }

  /**
   * Reads on.
   *
   * @param bytes In any cut; must not change afterwards
   */
  push(bytes: Uint8Array): void {
    // Octets from here on pass with the line before, if that passes.
    let from = 0;
    let line = 0;
    let at = 0;
    while (at < bytes.length && this.#at !== "body") {
      if (this.#at === "rest") {
        const lf = bytes.indexOf(LF, at);
        at = lf < 0 ? bytes.length : lf + 1;
        if (lf >= 0) this.#at = "start";
        line = at;
        continue;
      }
      const octet = bytes[at++]!;
      const judgement = this.#judge(octet);
      if (judgement === "unknown") continue;
      this.#at = octet === LF ? "start" : "rest";
      switch (judgement) {
        case "as-before":
          break;
        case "keep":
          this.#send(this.#held);
          if (!this.#keeps) from = line;
          this.#keeps = true;
          break;
        case "mailbox-line":
          this.#send(encoder.encode(MAILBOX_FIELD));
          this.#send(this.#held);
          break;
        case "remove":
          if (this.#keeps) this.#send(bytes.subarray(from, line));
          this.#keeps = false;
          break;
        case "end":
          if (this.#keeps) this.#send(bytes.subarray(from, line));
          this.#send(encoder.encode(this.#missing() + CRLF));
          from = at;
          this.#toBody();
          break;
        case "body":
          this.#send(encoder.encode(this.#missing() + CRLF));
          this.#send(this.#held);
          this.#toBody();
          break;
      }
      this.#held = NOTHING;
      if (this.#at === "start") line = at;
    }
    const isUnknown = this.#at === "start" || this.#at === "cr" ||
      this.#at === "name" || this.#at === "space";
    if (this.#keeps) {
      this.#send(bytes.subarray(from, isUnknown ? line : bytes.length));
    }
    if (isUnknown) this.#hold(bytes.subarray(line));
  }

  /** The message is complete: adds what its end did not give a place to. */
  end(): void {
    if (this.#at === "body") return;
    if (!this.#hasHeader) {
      this.#send(encoder.encode(this.#missing() + CRLF));
      this.#send(this.#held);
      return;
    }
    this.#send(this.#held);
    const missing = this.#missing();
    const isInLine = this.#held.length > 0 ||
      (this.#at === "rest" && this.#keeps);
    if (missing !== "") {
      this.#send(encoder.encode((isInLine ? CRLF : "") + missing));
    }
  }

  /** Takes the next octet of a line of which nothing is known yet. */
  #judge(octet: number): Judgement {
    switch (this.#at) {
      case "start":
        if (octet === CR) {
          this.#at = "cr";
          return "unknown";
        }
        if (isFolding(octet)) return this.#hasHeader ? "as-before" : "body";
        this.#at = "name";
        this.#name = "";
        this.#nameLength = 0;
        return this.#inName(octet);
      case "cr":
        return octet === LF ? "end" : this.#noField();
      case "name":
        return this.#inName(octet);
      case "space":
        if (octet === COLON) return this.#field();
        return isFolding(octet) && this.#nameLength++ < MAX_NAME
          ? "unknown"
          : this.#noField();
      case "rest":
      case "body":
        throw new RangeError("Cannot judge: the line's fate is known");
    }
  }

  #inName(octet: number): Judgement {
    if (octet === COLON) {
      return this.#nameLength === 0 ? this.#noField() : this.#field();
    }
    if (isFolding(octet)) {
      // Obsolete, but read by many: RFC 5322 §4.5.
      this.#at = "space";
      return "unknown";
    }
    if (octet < 0x21 || octet > 0x7e || this.#nameLength >= MAX_NAME) {
      return this.#noField();
    }
    this.#nameLength++;
    // One more than the longest, so that a longer name is not taken for it.
    if (this.#name.length <= MAX_KNOWN_NAME) {
      this.#name += String.fromCharCode(octet).toLowerCase();
    }
    return "unknown";
  }

  #field(): Judgement {
    this.#hasHeader = true;
    if (REMOVED.includes(this.#name)) return "remove";
    if (NEEDED.includes(this.#name)) this.#seen.add(this.#name);
    return "keep";
  }

  #noField(): Judgement {
    if (this.#hasHeader) return "keep";
    if (this.#at !== "space" || !MAILBOX.includes(this.#name)) return "body";
    this.#hasHeader = true;
    return "mailbox-line";
  }

  #missing(): string {
    const { date, messageId, from, fromName } = this.#facts;
    const name = fromName === undefined ? "" : `${fromName} `;
    return (this.#seen.has("date") ? "" : `Date: ${date}\r\n`) +
      (this.#seen.has("from") ? "" : `From: ${name}<${from}>\r\n`) +
      (this.#seen.has("message-id") ? "" : `Message-ID: <${messageId}>\r\n`);
  }

  #toBody(): void {
    this.#at = "body";
    this.#keeps = true;
    this.#held = NOTHING;
  }

  #hold(octets: Uint8Array): void {
    this.#held = joinOctets([this.#held, octets]);
  }

  #send(octets: Uint8Array): void {
    if (octets.length > 0) this.#emit(octets);
  }
}

const encoder = new TextEncoder();

/** True for what goes on with the field before it, RFC 5322 §2.2.3. */
export function isFolding(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09;
}
