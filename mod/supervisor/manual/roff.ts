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

/** Text that stays as it is, line by line. */
export function verbatim(text: string): string[] {
  return [".nf", ...text.split("\n").map((one) => guarded(roff(one))), ".fi"];
}

/** An argument of a macro. */
export function quoted(text: string): string {
  return `"${roff(text).replaceAll('"', "\\(dq")}"`;
}

function guarded(line: string): string {
  return line.startsWith(".") ? `\\&${line}` : line;
}
