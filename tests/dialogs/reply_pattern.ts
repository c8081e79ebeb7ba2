/** What a reply must look like, as the `S:` lines of a dialog say it. Pure. */

/** One whole reply as it came, lines without CRLF; or the connection's end. */
export type Heard = { readonly lines: readonly string[] } | "closed";

/** A reply that is wanted. */
export interface Pattern {
  readonly source: string;
  /** Each of three digits, `x` for any of them. */
  readonly codes: readonly string[];
  readonly orClosed: boolean;
  readonly text:
    | { readonly is: "glob"; readonly glob: string }
    /** EHLO keywords, with `*`, that must be there and must not. */
    | {
      readonly is: "keywords";
      readonly there: readonly string[];
      readonly absent: readonly string[];
    };
}

/**
 * Reads what stands behind `S: `.
 *
 * @throws {SyntaxError}
 */
export function parsePattern(source: string): Pattern {
  const space = source.indexOf(" ");
  const codes = (space < 0 ? source : source.slice(0, space)).split("|");
  const text = space < 0 ? "*" : source.slice(space + 1);
  const orClosed = codes.includes("(closed)");
  const digits = codes.filter((code) => code !== "(closed)");
  if (!digits.every((code) => /^[2-5x][0-9x]{2}$/.test(code))) {
    throw new SyntaxError(`no reply code: ${source}`);
  }
  const common = { source, codes: digits, orClosed };
  if (!text.startsWith("{") || !text.endsWith("}")) {
    return { ...common, text: { is: "glob", glob: text } };
  }
  const words = text.slice(1, -1).split(", ");
  return {
    ...common,
    text: {
      is: "keywords",
      there: words.filter((word) => !word.startsWith("!")),
      absent: words.filter((word) => word.startsWith("!"))
        .map((word) => word.slice(1)),
    },
  };
}

/** True if the reply is the one that was wanted. */
export function matches(pattern: Pattern, heard: Heard): boolean {
  if (heard === "closed") return pattern.orClosed;
  const code = heard.lines[0]!.slice(0, 3);
  if (!pattern.codes.some((one) => isCode(one, code))) return false;
  const texts = heard.lines.map((line) => line.slice(4));
  const { text } = pattern;
  switch (text.is) {
    case "glob":
      return isGlob(text.glob, texts.join("\n"));
    case "keywords": {
      const keywords = texts.slice(1);
      const has = (glob: string) => keywords.some((one) => isGlob(glob, one));
      return text.there.every(has) && !text.absent.some(has);
    }
  }
}

function isCode(pattern: string, code: string): boolean {
  return [...pattern].every((c, i) => c === "x" || c === code[i]);
}

/** True if `text` is `glob`, in which `*` is anything, whatever the case. */
export function isGlob(glob: string, text: string): boolean {
  const [first, ...others] = glob.toLowerCase().split("*");
  const rest = text.toLowerCase();
  if (others.length === 0) return rest === first;
  if (!rest.startsWith(first!)) return false;
  let at = first!.length;
  const last = others.pop()!;
  for (const part of others) {
    const found = rest.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return rest.length - last.length >= at && rest.endsWith(last);
}

/**
 * What is wrong with a reply, whatever was asked; undefined if nothing.
 * RFC 5321 §4.2 and §4.5.3.1.5 for its form, RFC 2034 §4 and RFC 3463 §2 for
 * the enhanced code.
 */
export function replyFault(lines: readonly string[]): string | undefined {
  const code = lines[0]!.slice(0, 3);
  for (const [i, line] of lines.entries()) {
    const isLast = i === lines.length - 1;
    if (!/^[2-5][0-5][0-9]$/.test(line.slice(0, 3))) return "no reply code";
    if (line.slice(0, 3) !== code) return "codes differ between lines";
    if (line.length > 510) return "reply line over 512 octets";
    if (!isLast && line[3] !== "-") return "no hyphen";
    if (isLast && line.length > 3 && line[3] !== " ") return "no space";
    if (/[^\x20-\x7e]/.test(line)) return "not printable ASCII";
    const enhanced = /^([245])\.[0-9]{1,3}\.[0-9]{1,3}( |$)/.exec(
      line.slice(4),
    );
    if (enhanced === null && code >= "400") return "no enhanced code";
    if (enhanced !== null && enhanced[1] !== code[0]) {
      return "enhanced code of another class";
    }
  }
  return undefined;
}
