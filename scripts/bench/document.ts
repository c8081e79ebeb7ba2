/** The measured part of `docs/performance.md`. */

const BEGIN = "<!-- bench:begin (written by `deno task bench --write`) -->";
const END = "<!-- bench:end -->";

/**
 * Puts a report between the document's markers; the prose around it stays.
 *
 * @throws {SyntaxError} If the document has not exactly one pair of markers
 */
export function withReport(document: string, report: string): string {
  const [before, rest, more] = document.split(BEGIN);
  const [, after, again] = rest?.split(END) ?? [];
  if (after === undefined || more !== undefined || again !== undefined) {
    throw new SyntaxError(
      `Cannot write the report: there must be one ${BEGIN} before one ${END}`,
    );
  }
  return `${before}${BEGIN}\n\n${report.trim()}\n\n${END}${after}`;
}
