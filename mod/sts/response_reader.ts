/**
 * Reads one HTTP answer that carries a policy, RFC 8461 §3.3, from whatever
 * pieces the network gives. Pure.
 *
 * As little of HTTP/1.1 (RFC 9112) as a server needs to hand out one small
 * text: no redirects, no compression, no second answer. A server that is
 * hostile costs one pass over at most {@link MAX_LINES} + {@link MAX_POLICY}
 * octets, whatever it does with lines and chunks.
 */

/** Octets of all lines together: status, header, chunk sizes, trailer. */
export const MAX_LINES = 16_384;
/** Octets of a policy. RFC 8461 §3.3 suggests 64 kilobytes. */
export const MAX_POLICY = 65_536;

/** What is known so far. */
export type Reading =
  | { readonly kind: "more" }
  | { readonly kind: "policy"; readonly octets: Uint8Array }
  | { readonly kind: "refused"; readonly why: string };

const MORE: Reading = { kind: "more" };

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;

/** What the octets that come next are. */
type Expected =
  | "status"
  | "header"
  | "body"
  | "rest"
  | "chunk-size"
  | "chunk"
  | "chunk-end"
  | "trailer";

/** The header fields that matter. */
interface Fields {
  type?: string;
  encoding?: string;
  transfer?: string;
  length?: string;
}

/** Reads one answer. */
export class ResponseReader {
  #expected: Expected = "status";
  readonly #line = new Uint8Array(MAX_LINES);
  #lineLength = 0;
  #lineOctets = 0;
  #status = 0;
  #isOld = false;
  #fields: Fields = {};
  #body = new Uint8Array(0);
  #bodyLength = 0;
  /** Octets to come of the body or of the chunk. */
  #left = 0;
  #result: Reading = MORE;

  /** Takes the next octets. Once it is not `more` any more, it stays so. */
  push(bytes: Uint8Array): Reading {
    for (let at = 0; at < bytes.length && this.#result === MORE;) {
      switch (this.#expected) {
        case "body":
        case "rest":
        case "chunk":
          at += this.#take(bytes.subarray(at));
          break;
        case "status":
        case "header":
        case "chunk-size":
        case "chunk-end":
        case "trailer":
          this.#octet(bytes[at++]!);
      }
    }
    return this.#result;
  }

  /** The server closed the connection, as TLS confirms. */
  end(): Reading {
    if (this.#result !== MORE) return this.#result;
    return this.#expected === "rest"
      ? this.#done()
      : this.#refuse("the answer ends in the middle");
  }

  #octet(octet: number): void {
    if (++this.#lineOctets > MAX_LINES) {
      this.#refuse(`header or chunks of more than ${MAX_LINES} octets`);
    } else if (octet !== LF) {
      this.#line[this.#lineLength++] = octet;
    } else {
      const hasCr = this.#line[this.#lineLength - 1] === CR;
      const end = hasCr ? this.#lineLength - 1 : this.#lineLength;
      const line = latin1(this.#line.subarray(0, end));
      this.#lineLength = 0;
      this.#wholeLine(line);
    }
  }

  #wholeLine(line: string): void {
    switch (this.#expected) {
      case "status":
        return this.#statusLine(line);
      case "header":
        if (line === "") this.#headerEnds();
        else this.#headerLine(line);
        return;
      case "chunk-size":
        return this.#chunkSize(line);
      case "chunk-end":
        if (line === "") this.#expected = "chunk-size";
        else this.#refuse("a chunk is longer than it says");
        return;
      case "trailer":
        if (line === "") this.#done();
        return;
      case "body":
      case "rest":
      case "chunk":
        throw new RangeError("Cannot read a line: the body has none");
    }
  }

  /** RFC 9112 §4. */
  #statusLine(line: string): void {
    const isNew = line.startsWith("HTTP/1.1 ");
    this.#isOld = line.startsWith("HTTP/1.0 ");
    const status = numberOf(line.slice(9, 12), 10);
    const isCut = line.length > 12 && line[12] !== " ";
    if (
      (!isNew && !this.#isOld) || status === undefined || status < 100 || isCut
    ) {
      this.#refuse("no HTTP answer");
    } else {
      this.#status = status;
      this.#expected = "header";
    }
  }

  #headerLine(line: string): void {
    const colon = line.indexOf(":");
    const first = line.charCodeAt(0);
    if (colon < 1 || first === SPACE || first === TAB) {
      this.#refuse("a header line that is none");
      return;
    }
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case "content-type":
        return this.#once("type", value);
      case "content-encoding":
        return this.#once("encoding", value);
      case "transfer-encoding":
        return this.#once("transfer", value);
      case "content-length":
        return this.#once("length", value);
    }
  }

  #once(field: keyof Fields, value: string): void {
    if (this.#fields[field] !== undefined) {
      this.#refuse("a header field stands there twice");
    }
    this.#fields[field] = value.toLowerCase();
  }

  #headerEnds(): void {
    const { type = "", encoding = "identity", transfer, length } = this.#fields;
    const status = this.#status;
    if (status >= 100 && status < 200 && status !== 101) {
      // RFC 9110 §15.2: another answer follows.
      this.#fields = {};
      this.#expected = "status";
    } else if (status !== 200) {
      // RFC 8461 §3.3: no other is a policy, and redirects are not followed.
      this.#refuse(`HTTP status ${status}`);
    } else if (type.split(";", 1)[0]!.trim() !== "text/plain") {
      this.#refuse(`media type ${JSON.stringify(type.slice(0, 60))}`);
    } else if (encoding !== "identity") {
      this.#refuse("compressed, which nobody asked for");
    } else if (transfer !== undefined) {
      if (transfer !== "chunked" || length !== undefined || this.#isOld) {
        this.#refuse("a transfer encoding that nobody asked for");
      } else {
        this.#body = new Uint8Array(MAX_POLICY);
        this.#expected = "chunk-size";
      }
    } else if (length !== undefined) {
      this.#bodyOf(length);
    } else {
      this.#body = new Uint8Array(MAX_POLICY);
      this.#left = Infinity;
      this.#expected = "rest";
    }
  }

  #bodyOf(length: string): void {
    const octets = numberOf(length, 10);
    if (octets === undefined) this.#refuse("a length that is none");
    else if (octets > MAX_POLICY) this.#tooLong();
    else {
      this.#body = new Uint8Array(octets);
      this.#left = octets;
      this.#expected = "body";
      if (octets === 0) this.#done();
    }
  }

  /** RFC 9112 §7.1. */
  #chunkSize(line: string): void {
    const octets = numberOf(line.split(";", 1)[0]!.trim(), 16);
    if (octets === undefined) this.#refuse("a chunk without a size");
    else if (octets === 0) this.#expected = "trailer";
    else {
      this.#left = octets;
      this.#expected = "chunk";
    }
  }

  #take(bytes: Uint8Array): number {
    const part = bytes.subarray(0, Math.min(this.#left, bytes.length));
    if (this.#bodyLength + part.length > MAX_POLICY) {
      this.#tooLong();
      return bytes.length;
    }
    this.#body.set(part, this.#bodyLength);
    this.#bodyLength += part.length;
    this.#left -= part.length;
    if (this.#left === 0) {
      if (this.#expected === "chunk") this.#expected = "chunk-end";
      else this.#done();
    }
    return part.length;
  }

  #tooLong(): void {
    this.#refuse(`a policy of more than ${MAX_POLICY} octets`);
  }

  #done(): Reading {
    const octets = this.#body.subarray(0, this.#bodyLength);
    return this.#result = { kind: "policy", octets };
  }

  #refuse(why: string): Reading {
    return this.#result = { kind: "refused", why };
  }
}

/** Digits alone, few enough to be exact; undefined for anything else. */
function numberOf(digits: string, base: 10 | 16): number | undefined {
  if (digits.length === 0 || digits.length > 8) return undefined;
  for (const digit of digits) {
    if (
      !"0123456789abcdefABCDEF".slice(0, base === 10 ? 10 : 22).includes(digit)
    ) {
      return undefined;
    }
  }
  return parseInt(digits, base);
}

function latin1(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
}
