/**
 * Log lines of a role: one JSON object a line on standard error. The
 * supervisor bounds it, checks it, and adds the role's name and the time;
 * a role cannot speak in another's name.
 */

/** Longest log line in octets; the supervisor cuts what is longer. */
export const MAX_LOG_LINE = 8_192;

/** Values a log field may have. */
export type LogValue =
  | string
  | number
  | boolean
  | null
  | readonly (string | number)[];

/**
 * Writes one event.
 *
 * JSON escapes every control character, so hostile text cannot forge a line.
 * Strings are cut at 1,000 UTF-16 units.
 *
 * @param event Lower-case words joined by hyphens, from `docs/events.md`
 */
export function log(
  event: string,
  fields: Readonly<Record<string, LogValue | undefined>> = {},
): void {
  const line = JSON.stringify(
    { event, ...fields },
    (_key, value) =>
      typeof value === "string" && value.length > 1_000
        ? value.slice(0, 1_000) + "…"
        : value,
  );
  Deno.stderr.writeSync(encoder.encode(line + "\n"));
}

const encoder = new TextEncoder();
