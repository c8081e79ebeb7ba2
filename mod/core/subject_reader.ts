/**
 * Reads the Subject of a message while it streams by, for the words that
 * `bulkhead why` finds it by. Memory is constant: no more is kept than the
 * beginning of one field. Behind the header block nothing is looked at.
 */
import { decodeEncodedWords } from "./encoded_word.ts";
import { joinOctets } from "./octets.ts";
import { wordsOf } from "./subject_words.ts";

const SUBJECT = "subject";
/** Octets of the field that are read. */
const MAX_OCTETS = 2_000;
const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

/**
 * Where in a line: before it, in its name, in white space behind that, in the
 * Subject's text, or in what says nothing.
 */
type At = "start" | "name" | "space" | "value" | "rest" | "done";

/** Reads one message's Subject. */
export class SubjectReader {
  #at: At = "start";
  /** Octets of the name that match so far; -1 after a mismatch. */
  #matched = 0;
  /** The line before was the Subject's. */
  #isInSubject = false;
  #pieces: Uint8Array[] = [];
  #octets = 0;

  /**
   * Takes the message's next octets, in any cut.
   *
   * @param bytes Must not change afterwards
   */
  push(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && this.#at !== "done"; i++) {
      if (this.#at === "value" || this.#at === "rest") {
        const lf = bytes.indexOf(LF, i);
        const end = lf < 0 ? bytes.length : lf;
        if (this.#at === "value") this.#keep(bytes.subarray(i, end));
        if (lf < 0) return;
        i = lf;
        this.#at = this.#octets >= MAX_OCTETS ? "done" : "start";
        continue;
      }
      this.#octet(bytes[i]!);
    }
  }

  /** Words of the first Subject; none if there was none. */
  words(): string[] {
    if (this.#pieces.length === 0) return [];
    // RFC 6532 §3.2: UTF-8 as it is; older octets are replaced, and no words.
    const text = new TextDecoder().decode(joinOctets(this.#pieces));
    return wordsOf(decodeEncodedWords(text.replaceAll("\r", "")));
  }

  #octet(octet: number): void {
    const isSpace = octet === 0x20 || octet === 0x09;
    if (this.#at === "start") {
      if (isSpace) {
        this.#at = this.#isInSubject ? "value" : "rest";
        if (this.#isInSubject) this.#keep(SPACE);
        return;
      }
      // Only the first one counts.
      if (this.#isInSubject) {
        this.#at = "done";
        return;
      }
      this.#at = "name";
      this.#matched = 0;
    }
    if (octet === COLON) {
      this.#isInSubject = this.#matched === SUBJECT.length;
      this.#at = this.#isInSubject ? "value" : "rest";
    } else if (isSpace) {
      // White space before the colon: RFC 5322 §4.5, obsolete but read.
      this.#at = "space";
    } else if (
      this.#at === "space" || octet < 0x21 || octet > 0x7e || octet === CR
    ) {
      this.#at = "done";
    } else this.#name(octet);
  }

  #name(octet: number): void {
    const lower = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
    this.#matched = this.#matched >= 0 && this.#matched < SUBJECT.length &&
        SUBJECT.charCodeAt(this.#matched) === lower
      ? this.#matched + 1
      : -1;
  }

  #keep(piece: Uint8Array): void {
    const part = piece.subarray(0, MAX_OCTETS - this.#octets);
    if (part.length === 0) return;
    this.#pieces.push(part);
    this.#octets += part.length;
  }
}

const SPACE = new Uint8Array([0x20]);
