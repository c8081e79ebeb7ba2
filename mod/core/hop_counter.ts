/**
 * Counts the `Received` fields of a message while it streams by: the loop
 * detection of RFC 5321 §6.3. Memory is constant, whatever the header's size.
 *
 * Reads the header block only: up to the empty line, or up to the first line
 * that is no header field, so that quoted fields in a body count for nothing.
 */

const RECEIVED = "received";
const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

/** Where in a line: its first octet, its name, behind its name, or elsewhere. */
type At = "start" | "name" | "space" | "rest" | "done";

/** Counts one message's hops. */
export class HopCounter {
  #at: At = "start";
  /** Octets of the current name that match so far; -1 after a mismatch. */
  #matched = 0;
  #hops = 0;

  /** `Received` fields so far. */
  get hops(): number {
    return this.#hops;
  }

  /** Takes the message's next octets, in any cut. */
  push(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && this.#at !== "done"; i++) {
      if (this.#at === "rest") {
        const lf = bytes.indexOf(LF, i);
        if (lf < 0) return;
        i = lf;
        this.#at = "start";
        continue;
      }
      this.#octet(bytes[i]!);
    }
  }

  #octet(octet: number): void {
    const isSpace = octet === 0x20 || octet === 0x09;
    if (this.#at === "start") {
      // A folded line belongs to the field before it.
      if (isSpace) {
        this.#at = "rest";
        return;
      }
      this.#at = "name";
      this.#matched = 0;
    }
    if (octet === COLON) {
      if (this.#matched === RECEIVED.length) this.#hops++;
      this.#at = "rest";
    } else if (isSpace) {
      // White space before the colon: RFC 5322 §4.5, obsolete but read.
      this.#at = "space";
    } else if (
      this.#at === "space" || octet < 0x21 || octet > 0x7e || octet === CR
    ) {
      this.#at = "done";
    } else {
      this.#name(octet);
    }
  }

  #name(octet: number): void {
    const lower = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
    this.#matched = this.#matched >= 0 && this.#matched < RECEIVED.length &&
        RECEIVED.charCodeAt(this.#matched) === lower
      ? this.#matched + 1
      : -1;
  }
}
