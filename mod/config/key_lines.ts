/**
 * Finds the line on which a key of a TOML text stands, which smol-toml does
 * not tell.
 *
 * A linear scanner over a text that smol-toml has already accepted; it knows
 * headers, dotted and quoted keys, strings of all four kinds, comments and
 * nested lists, and nothing of values. Keys inside an inline table have no
 * line of their own: theirs is the line of the table.
 */

/** Line of a key, of the nearest parent that has one, or 1. From 1 upwards. */
export type LineOf = (path: readonly string[]) => number;

const MAX_DEPTH = 4;

/** Scans `text` once and returns the way to ask. */
export function keyLines(text: string): LineOf {
  const lines = new Map<string, number>();
  const note = (path: readonly string[], line: number) => {
    // Parents too: `a.b = 1` is where `a` begins, if nothing else was. No
    // setting lies deeper than this, and a key of 100,000 dots stays cheap.
    for (let end = 1; end <= Math.min(path.length, MAX_DEPTH); end++) {
      const name = JSON.stringify(path.slice(0, end));
      if (!lines.has(name)) lines.set(name, line);
    }
  };
  const scan = new Scanner(text);
  let section: readonly string[] = [];
  while (scan.toContent()) {
    const line = scan.line;
    if (scan.openHeader()) {
      section = scan.key();
      note(section, line);
      scan.restOfLine();
    } else {
      note([...section, ...scan.key()], line);
      scan.value();
    }
  }
  return (path) => {
    for (let end = Math.min(path.length, MAX_DEPTH); end > 0; end--) {
      const line = lines.get(JSON.stringify(path.slice(0, end)));
      if (line !== undefined) return line;
    }
    return 1;
  };
}

/** Reads forward only: every method ends further on than it began, or at the end. */
class Scanner {
  #at = 0;
  #line = 1;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Number of the current line. */
  get line(): number {
    return this.#line;
  }

  /** Skips white space, empty lines and comments; false at the end. */
  toContent(): boolean {
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (char === "#") this.restOfLine();
      else if (char === "\n" || char === "\r" || isBlank(char)) this.#next();
      else return true;
    }
    return false;
  }

  /** Passes `[` or `[[`, if a header begins here. */
  openHeader(): boolean {
    if (this.#text[this.#at] !== "[") return false;
    this.#next();
    if (this.#text[this.#at] === "[") this.#next();
    return true;
  }

  /** Reads a key with its dots, and passes the `=` or `]` behind it. */
  key(): string[] {
    const path: string[] = [];
    let bare = "";
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (char === '"' || char === "'") {
        bare = this.#string();
        continue;
      }
      // Not passed: a text that ends its line here is not what was accepted.
      if (char === "\n") break;
      this.#next();
      if (char === "=" || char === "]") break;
      if (char === ".") {
        path.push(bare);
        bare = "";
      } else if (!isBlank(char)) bare += char;
    }
    path.push(bare);
    return path;
  }

  /** Passes a value, however many lines it has, and the rest of its line. */
  value(): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (char === '"' || char === "'") {
        this.#string();
        continue;
      }
      if (char === "#") {
        this.restOfLine();
        continue;
      }
      if (char === "\n" && depth === 0) return;
      if (char === "[" || char === "{") depth++;
      if (char === "]" || char === "}") depth--;
      this.#next();
    }
  }

  /** Stops at the line's end, which is not passed. */
  restOfLine(): void {
    while (this.#at < this.#text.length && this.#text[this.#at] !== "\n") {
      this.#at++;
    }
  }

  #next(): void {
    if (this.#text[this.#at] === "\n") this.#line++;
    this.#at++;
  }

  /** Passes a string and returns what it says. */
  #string(): string {
    const quote = this.#text[this.#at]!;
    const mark = this.#text.startsWith(quote.repeat(3), this.#at)
      ? quote.repeat(3)
      : quote;
    this.#at += mark.length;
    const start = this.#at;
    while (
      this.#at < this.#text.length && !this.#text.startsWith(mark, this.#at)
    ) {
      if (quote === '"' && this.#text[this.#at] === "\\") this.#next();
      this.#next();
    }
    const content = this.#text.slice(start, this.#at);
    this.#at += mark.length;
    // A long string may end in up to five quotes: the last three close it.
    while (mark.length === 3 && this.#text[this.#at] === quote) this.#at++;
    return quote === '"' ? unescape(content) : content;
  }
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t" || char === "\uFEFF";
}

const ESCAPES = new Map([
  ["b", "\b"],
  ["t", "\t"],
  ["n", "\n"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\x1b"],
]);
const CODE_DIGITS = new Map([["x", 2], ["u", 4], ["U", 8]]);

function unescape(content: string): string {
  let said = "";
  for (let at = 0; at < content.length; at++) {
    if (content[at] !== "\\") {
      said += content[at];
      continue;
    }
    const letter = content[++at] ?? "";
    const digits = CODE_DIGITS.get(letter);
    if (digits === undefined) {
      said += ESCAPES.get(letter) ?? letter;
      continue;
    }
    const code = parseInt(content.slice(at + 1, at + 1 + digits), 16);
    said += code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
    at += digits;
  }
  return said;
}
