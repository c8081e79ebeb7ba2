/** Octets that are to leave, gathered. Grows as needed. Pure. */
export class OctetSink {
  #octets = new Uint8Array(16_384);
  #length = 0;

  /** Adds octets. */
  add(octets: Uint8Array): void {
    this.#reserve(octets.length);
    this.#octets.set(octets, this.#length);
    this.#length += octets.length;
  }

  /** Adds one octet. */
  byte(octet: number): void {
    this.#reserve(1);
    this.#octets[this.#length++] = octet;
  }

  /** Adds ASCII text. */
  text(ascii: string): void {
    this.#reserve(ascii.length);
    for (let i = 0; i < ascii.length; i++) {
      this.#octets[this.#length++] = ascii.charCodeAt(i);
    }
  }

  /** What was gathered since the last time, in memory of its own. */
  take(): Uint8Array {
    const taken = this.#octets.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(more: number): void {
    const least = this.#length + more;
    if (least <= this.#octets.length) return;
    const grown = new Uint8Array(Math.max(least, 2 * this.#octets.length));
    grown.set(this.#octets.subarray(0, this.#length));
    this.#octets = grown;
  }
}
