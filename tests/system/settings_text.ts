/**
 * Puts settings into a configuration file that has its sections already: TOML
 * has every section once, so a test cannot just append.
 */

/**
 * Merges `more` into `text`, both TOML with one setting a line.
 *
 * A key that stands in the section is replaced; another one is put right
 * behind the section's heading; a new section comes at the end.
 */
export function mergeSettings(text: string, more: string): string {
  const lines = text.split("\n");
  let section = "";
  for (const raw of more.split("\n")) {
    const line = raw.trim();
    if (line === "") continue;
    if (line.startsWith("[")) section = line;
    else put(lines, section, line);
  }
  return lines.join("\n");
}

function put(lines: string[], section: string, line: string): void {
  let at = lines.indexOf(section);
  if (at < 0) {
    lines.push("", section, line);
    return;
  }
  const key = keyOf(line);
  for (at++; at < lines.length && !lines[at]!.startsWith("["); at++) {
    if (keyOf(lines[at]!) === key) {
      lines[at] = line;
      return;
    }
  }
  lines.splice(lines.indexOf(section) + 1, 0, line);
}

function keyOf(line: string): string {
  return line.startsWith("#") ? "" : line.slice(0, line.indexOf("=")).trim();
}
