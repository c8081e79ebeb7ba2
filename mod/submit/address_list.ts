/**
 * Reads lists of addresses as header fields and command lines have them (RFC
 * 5322 §3.4): names before angle brackets, comments, quoted strings, groups,
 * routes, folding. One pass, no going back.
 *
 * What an address is, `mod/core/address.ts` alone decides.
 */
import { parseAddress } from "../core/address.ts";

/** One entry of a list. */
export type Entry =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly text: string };

/**
 * Reads a list.
 *
 * @param text Unfolded or not
 * @param origin The domain of an address without one
 */
export function readAddressList(text: string, origin: string): Entry[] {
  return new Scanner(text).entries().map((raw) => {
    const address = raw === "" ? undefined : qualified(raw, origin);
    return address === undefined
      ? { ok: false, text: raw }
      : { ok: true, address };
  });
}

/** An address, or a local part that gets its domain. */
function qualified(raw: string, origin: string): string | undefined {
  return parseAddress(raw) ?? parseAddress(`${raw}@${origin}`);
}

const BLANK = " \t\r\n";

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  entries(): string[] {
    const entries: string[] = [];
    const words = new Words();
    let angle: string | undefined;
    const finish = () => {
      const text = words.take();
      // `<>` is an entry, too, and no address.
      if (angle !== undefined || text !== "") entries.push(angle ?? text);
      angle = undefined;
    };
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!;
      if (character === "," || character === ";") {
        this.#at++;
        finish();
      } else if (character === "<") {
        this.#at++;
        angle = withoutRoute(this.#until(">"));
      } else if (character === ":" && angle === undefined) {
        // What stood before it is the name of a group.
        this.#at++;
        words.take();
      } else words.add(this.#piece());
    }
    finish();
    return entries;
  }

  /** What stands up to `close`, without comments and blanks. */
  #until(close: string): string {
    const inside = new Words();
    while (this.#at < this.#text.length) {
      if (this.#text[this.#at] === close) {
        this.#at++;
        return inside.take();
      }
      inside.add(this.#piece());
    }
    // Nobody knows what it would have become.
    return `${inside.take()}<`;
  }

  /** A quoted string or domain literal whole, a blank for space or comment. */
  #piece(): string {
    const character = this.#text[this.#at]!;
    if (character === '"') return this.#quoted('"');
    if (character === "[") return this.#quoted("]");
    if (character === "(") {
      this.#comment();
      return " ";
    }
    this.#at++;
    return BLANK.includes(character) ? " " : character;
  }

  #quoted(close: string): string {
    const from = this.#at++;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++];
      if (character === "\\") this.#at++;
      else if (character === close) break;
    }
    return this.#text.slice(from, this.#at).replaceAll("\r", "")
      .replaceAll("\n", "");
  }

  #comment(): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++];
      if (character === "\\") this.#at++;
      else if (character === "(") depth++;
      else if (character === ")") {
        depth--;
        if (depth === 0) return;
      }
    }
  }
}

/**
 * Pieces put together. Blanks around dots and `@` mean nothing (RFC 5322
 * §4.4), at the ends neither; any other makes two words of one, and so no
 * address. A list, because to look at the end of a growing text is not free.
 */
class Words {
  #pieces: string[] = [];
  #last = "";
  #isBlank = false;

  add(piece: string): void {
    if (piece === " ") {
      this.#isBlank = true;
      return;
    }
    const isTight = [".", "@", ""].includes(this.#last) ||
      piece === "." || piece === "@";
    if (this.#isBlank && !isTight) this.#pieces.push(" ");
    this.#isBlank = false;
    this.#pieces.push(piece);
    this.#last = piece;
  }

  /** All of it; begins anew. */
  take(): string {
    const text = this.#pieces.join("");
    this.#pieces = [];
    this.#last = "";
    this.#isBlank = false;
    return text;
  }
}

/** RFC 5322 §4.4: `<@a,@b:u@d>` is `u@d`. */
function withoutRoute(angle: string): string {
  return angle.startsWith("@") ? angle.slice(angle.indexOf(":") + 1) : angle;
}
