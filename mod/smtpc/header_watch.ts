/**
 * Whether a message has header lines beyond ASCII, in its own header block or
 * in that of a part, so that only a server with SMTPUTF8 may get it (RFC 6531
 * §3.2). Constant memory, wherever the input is cut, and no MIME parser: a
 * part's header is what follows a line that begins with two dashes, up to an
 * empty line; that of a message in the message follows a header that speaks of
 * `message/`. In doubt that finds too much, never too little.
 */
const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const MESSAGE = new TextEncoder().encode("message/");

/** See the file's head. Feed it chunks. */
export class HeaderWatch {
  #isInternational = false;
  #isHeader = true;
  /** The header block at hand speaks of a message inside. */
  #holdsMessage = false;
  /** Octets of the line so far, and dashes at its start. */
  #length = 0;
  #dashes = 0;
  /** Octets of {@link MESSAGE} that the line's last ones match. */
  #matched = 0;

  /** True if a header line with an octet above 127 was seen. */
  get isInternational(): boolean {
    return this.#isInternational;
  }

  /** Takes the next octets. */
  push(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length && !this.#isInternational; i++) {
      const octet = chunk[i]!;
      if (octet === LF) this.#endLine();
      else if (octet !== CR) this.#octet(octet);
    }
  }

  #octet(octet: number): void {
    if (octet === DASH && this.#dashes === this.#length) this.#dashes++;
    this.#length++;
    if (octet > 127 && this.#isHeader) this.#isInternational = true;
    const lower = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
    this.#matched = lower === MESSAGE[this.#matched]
      ? this.#matched + 1
      : lower === MESSAGE[0]
      ? 1
      : 0;
    if (this.#matched < MESSAGE.length) return;
    this.#matched = 0;
    if (this.#isHeader) this.#holdsMessage = true;
  }

  #endLine(): void {
    if (this.#dashes >= 2) {
      this.#isHeader = true;
      this.#holdsMessage = false;
    } else if (this.#length === 0 && this.#isHeader) {
      this.#isHeader = this.#holdsMessage;
      this.#holdsMessage = false;
    }
    this.#length = 0;
    this.#dashes = 0;
    this.#matched = 0;
  }
}
