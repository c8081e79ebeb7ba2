/**
 * Content to wire: dots at the start of a line are doubled (RFC 5321 §4.5.2),
 * and what must never leave us is found: a bare CR or LF (§2.3.8; other
 * servers take them for an end of data, CVE-2023-51764) and NUL.
 *
 * Pure; constant memory; the cut between chunks does not matter.
 */

/** Why octets must not be sent as they are. */
export type Fault = "bare CR" | "bare LF" | "NUL";

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

const NOTHING = new Uint8Array(0);

/** Stuffs one message. Feed it chunks, then {@link end}. */
export class Stuffer {
  #last = LF; // as if we just came from CRLF
  #eightBit = false;
  #fault: Fault | undefined;

  /** True if an octet above 127 was seen. */
  get eightBit(): boolean {
    return this.#eightBit;
  }

  /** The first fault seen. What was returned since is worthless. */
  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** Returns the next octets for the wire, in memory of their own. */
  push(chunk: Uint8Array): Uint8Array {
    // At worst every line is a single dot: three octets become four.
    const out = new Uint8Array(chunk.length + Math.ceil(chunk.length / 3) + 1);
    let to = 0;
    let last = this.#last;
    let seen = 0;
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i]!;
      seen |= octet;
      if (last === CR) {
        if (octet !== LF) this.#fault ??= "bare CR";
      } else if (octet === LF) {
        this.#fault ??= "bare LF";
      }
      if (octet === 0) this.#fault ??= "NUL";
      else if (octet === DOT && last === LF) out[to++] = DOT;
      out[to++] = octet;
      last = octet;
    }
    this.#last = last;
    if (seen > 127) this.#eightBit = true;
    return out.subarray(0, to);
  }

  /** What goes before the content: nothing, DATA was sent. */
  get before(): Uint8Array {
    return NOTHING;
  }

  /** A new one, for another reading of the same content. */
  again(): Stuffer {
    return new Stuffer();
  }

  /** Returns the end of data, with a CRLF before it if the content has none. */
  end(): Uint8Array {
    if (this.#last === CR) this.#fault ??= "bare CR";
    const end = this.#last === LF ? ".\r\n" : "\r\n.\r\n";
    return new TextEncoder().encode(end);
  }
}
