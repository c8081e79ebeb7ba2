/**
 * What a message's octets become on their way into a mailbox, in constant
 * memory, wherever the input is cut:
 *
 * - CRLF becomes LF, as in every Unix mailbox; not in the text of a BINARYMIME
 *   message, whose octets are not lines
 * - `Return-Path` fields in the header block are left out, with their folded
 *   lines: final delivery writes its own (RFC 5321 §4.4)
 * - `Delivered-To` fields are compared with the addresses delivered to: a
 *   match means that the message has been here before
 *
 * The header block ends at the first empty line, or at the first line that is
 * no field (RFC 5322 §2.2): what follows that is text, and text is not touched.
 */
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

// "delivered-to", and room for white space before the colon (RFC 5322 §4.5.8).
const MAX_HELD = 32;
// An address has at most 254 octets; folding and brackets take some more.
const MAX_VALUE = 512;

type Place = "line-start" | "name" | "after-name" | "value" | "body";

/** See the head of this file. One message; `push` it all, then `end`. */
export class ContentRewriter {
  readonly #addresses: ReadonlySet<string>;
  readonly #keepsText: boolean;
  readonly #found = new Set<string>();
  #place: Place = "line-start";
  #isFirstLine = true;
  #isCrPending = false;
  /** The start of a field, held back until its name is known. */
  readonly #held = new Uint8Array(MAX_HELD);
  #heldLength = 0;
  #isNameOther = false;
  #isDropped = false;
  /** Value of a `Delivered-To` so far; undefined in any other field. */
  #value: number[] | undefined;
  #out: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** @param addresses Those that the message is about to be delivered to */
  constructor(
    addresses: readonly string[],
    options: {
      /** True if CRLF in the text stays: BINARYMIME, RFC 3030 §3. */
      keepsText?: boolean;
    } = {},
  ) {
    this.#keepsText = options.keepsText ?? false;
    this.#addresses = new Set(addresses.map((one) => one.toLowerCase()));
  }

  /** True if `address` was in a `Delivered-To` field so far. */
  isLoop(address: string): boolean {
    return this.#found.has(address.toLowerCase());
  }

  /** Takes the next octets; what it returns is valid until the next call. */
  push(octets: Uint8Array): Uint8Array {
    this.#makeRoom(octets.length + MAX_HELD + 1);
    let at = 0;
    while (at < octets.length && this.#place !== "body") {
      this.#wireOctet(octets[at++]!);
    }
    if (at < octets.length) this.#body(octets, at);
    return this.#out.subarray(0, this.#length);
  }

  /** The message is complete: the octets that were held back. */
  end(): Uint8Array {
    this.#makeRoom(MAX_HELD + 1);
    if (this.#isCrPending) {
      this.#isCrPending = false;
      this.#headerOctet(CR);
    }
    this.#release();
    this.#endField();
    return this.#out.subarray(0, this.#length);
  }

  #makeRoom(octets: number): void {
    if (this.#out.length < octets) this.#out = new Uint8Array(octets);
    this.#length = 0;
  }

  #body(octets: Uint8Array, from: number): void {
    const out = this.#out;
    let length = this.#length;
    if (this.#keepsText) {
      if (this.#isCrPending) out[length++] = CR;
      this.#isCrPending = false;
      out.set(octets.subarray(from), length);
      this.#length = length + octets.length - from;
      return;
    }
    let isCrPending = this.#isCrPending;
    for (let at = from; at < octets.length; at++) {
      const octet = octets[at]!;
      if (isCrPending && octet !== LF) out[length++] = CR;
      isCrPending = octet === CR;
      if (!isCrPending) out[length++] = octet;
    }
    this.#length = length;
    this.#isCrPending = isCrPending;
  }

  /** One octet of the header block, before CRLF has become LF. */
  #wireOctet(octet: number): void {
    const wasCr = this.#isCrPending;
    this.#isCrPending = octet === CR;
    if (wasCr && octet !== LF) this.#headerOctet(CR);
    if (octet !== CR) this.#headerOctet(octet);
  }

  /** One octet of the header block, with LF as the end of a line. */
  #headerOctet(octet: number): void {
    switch (this.#place) {
      case "line-start":
        return this.#lineStart(octet);
      case "name":
      case "after-name":
        return this.#name(octet);
      case "value":
        this.#inField(octet);
        if (octet === LF) this.#place = "line-start";
        return;
      case "body":
        this.#emit(octet);
    }
  }

  #lineStart(octet: number): void {
    const isFolded = octet === SPACE || octet === TAB;
    if (isFolded && !this.#isFirstLine) {
      this.#place = "value";
      this.#inField(octet);
      return;
    }
    this.#endField();
    this.#isFirstLine = false;
    this.#place = "name";
    this.#name(octet);
  }

  #name(octet: number): void {
    const isSpace = octet === SPACE || octet === TAB;
    const isName = octet > SPACE && octet < 0x7f && octet !== COLON;
    const isEmpty = this.#heldLength === 0 && !this.#isNameOther;
    if (octet === COLON && !isEmpty) return this.#colon();
    if (
      isEmpty
        ? !isName
        : this.#place === "name"
        ? !isName && !isSpace
        : !isSpace
    ) {
      // An empty line, or no field: the text begins.
      this.#release();
      this.#place = "body";
      this.#emit(octet);
      return;
    }
    if (isSpace) this.#place = "after-name";
    if (this.#isNameOther) return this.#emit(octet);
    this.#held[this.#heldLength++] = octet;
    if (this.#heldLength === MAX_HELD) {
      this.#isNameOther = true;
      this.#release();
    }
  }

  #colon(): void {
    const name = String.fromCharCode(
      ...this.#held.subarray(0, this.#heldLength),
    )
      .trimEnd().toLowerCase();
    this.#isDropped = name === "return-path";
    this.#value = name === "delivered-to" ? [] : undefined;
    if (this.#isDropped) this.#heldLength = 0;
    else {
      this.#release();
      this.#emit(COLON);
    }
    this.#place = "value";
  }

  #inField(octet: number): void {
    if (!this.#isDropped) this.#emit(octet);
    if (this.#value !== undefined && this.#value.length < MAX_VALUE) {
      this.#value.push(octet);
    }
  }

  #endField(): void {
    if (this.#value !== undefined) {
      const value = new TextDecoder().decode(Uint8Array.from(this.#value))
        .trim().replace(/^</, "").replace(/>$/, "").toLowerCase();
      if (this.#addresses.has(value)) this.#found.add(value);
    }
    this.#value = undefined;
    this.#isDropped = false;
    this.#isNameOther = false;
  }

  #release(): void {
    for (let at = 0; at < this.#heldLength; at++) this.#emit(this.#held[at]!);
    this.#heldLength = 0;
  }

  #emit(octet: number): void {
    this.#out[this.#length++] = octet;
  }
}
