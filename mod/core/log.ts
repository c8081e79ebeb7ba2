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

/** Longest that a line waits for others to share a write with. */
const GATHER_MS = 10;
/** Octets that wait at most. */
const MAX_WAITING = 32_768;

/**
 * Writes one event.
 *
 * JSON escapes every control character, so hostile text cannot forge a line.
 * Strings are cut at 1,000 UTF-16 units. Lines gather for up to 10 ms: a
 * write for each would wake the supervisor for each. They are written before
 * an orderly end and before an uncaught error kills the role; only SIGKILL
 * loses them.
 *
 * @param event Lower-case words joined by hyphens, from `docs/events.md`
 */
export function log(
  event: string,
  fields: Readonly<Record<string, LogValue | undefined>> = {},
): void {
  waiting += JSON.stringify({ event, ...cut(fields) }) + "\n";
  if (waiting.length > MAX_WAITING) flushLog();
  else if (timer === undefined) {
    timer = setTimeout(flushLog, GATHER_MS);
  }
}

const encoder = new TextEncoder();
let waiting = "";
let timer: ReturnType<typeof setTimeout> | undefined;

for (const end of ["unload", "error", "unhandledrejection"]) {
  globalThis.addEventListener(end, flushLog);
}

/** Writes the lines that wait, now. */
export function flushLog(): void {
  clearTimeout(timer);
  timer = undefined;
  const bytes = encoder.encode(waiting);
  waiting = "";
  for (let at = 0; at < bytes.length;) {
    at += Deno.stderr.writeSync(bytes.subarray(at));
  }
}

/** The fields with long strings cut; nearly always the same object. */
function cut(
  fields: Readonly<Record<string, LogValue | undefined>>,
): Readonly<Record<string, LogValue | undefined>> {
  if (!Object.values(fields).some(isLong)) return fields;
  return Object.fromEntries(
    Object.entries(fields).map((
      [name, value],
    ) => [name, Array.isArray(value) ? value.map(cutOne) : cutOne(value)]),
  ) as Readonly<Record<string, LogValue | undefined>>;
}

const MAX_TEXT = 1_000;

function isLong(value: unknown): boolean {
  return typeof value === "string"
    ? value.length > MAX_TEXT
    : Array.isArray(value) && value.some(isLong);
}

function cutOne<T>(value: T): T | string {
  return typeof value === "string" && value.length > MAX_TEXT
    ? value.slice(0, MAX_TEXT) + "…"
    : value;
}
