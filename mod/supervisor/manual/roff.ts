/** Text in roff's man(7) macros, of which nothing is obeyed. Pure. */

/** Escapes text within a line. */
export function roff(text: string): string {
  let out = "";
  for (const letter of text) {
    const code = letter.codePointAt(0)!;
    if (letter === "\\") out += "\\e";
    // A minus that can be copied, and no hyphen.
    else if (letter === "-") out += "\\-";
    else if (letter === "'") out += "\\(aq";
    else if (letter === "`") out += "\\(ga";
    else if (letter === "^") out += "\\(ha";
    else if (letter === "~") out += "\\(ti";
    else if (code > 126) {
      out += `\\[u${code.toString(16).toUpperCase().padStart(4, "0")}]`;
    } else out += letter;
  }
  return out;
}

/** Lines of running text; one that begins with a dot is no request. */
export function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).flatMap((line) =>
    line === "" ? [".PP"] : wrapped(line).map((one) => guarded(roff(one)))
  );
}

/** Columns before escaping: linters want less than 80 after it. */
const WIDTH = 64;

function wrapped(line: string): string[] {
  const out: string[] = [];
  for (const word of line.split(" ")) {
    const last = out.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) {
      out[out.length - 1] = `${last} ${word}`;
    } else out.push(word);
  }
  return out;
}

/**
 * Text of `--help`: a line that has deeper ones below it is their heading, as
 * an option is; everything else stays as it is, line by line.
 */
export function helpText(text: string): string[] {
  const all = text.split("\n");
  const out: string[] = [];
  let kept: string[] = [];
  const keep = () => {
    if (kept.length > 0) out.push(".PP", ".nf", ...kept, ".fi");
    kept = [];
  };
  for (let at = 0; at < all.length; at++) {
    const line = all[at]!;
    const depth = indentOf(line);
    const isHeading = depth > 0 && indentOf(all[at + 1] ?? "") > depth;
    if (!isHeading) {
      kept.push(guarded(roff(line)));
      continue;
    }
    keep();
    const below: string[] = [];
    while (indentOf(all[at + 1] ?? "") > depth) below.push(all[++at]!.trim());
    out.push(".TP", `.B ${roff(line.trim())}`, ...lines(below.join(" ")));
  }
  keep();
  return out;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** An argument of a macro. */
export function quoted(text: string): string {
  return `"${roff(text).replaceAll('"', "\\(dq")}"`;
}

function guarded(line: string): string {
  return line.startsWith(".") ? `\\&${line}` : line;
}
