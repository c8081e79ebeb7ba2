/**
 * MTA-STS (RFC 8461) as text: the TXT record, the policy file, and which hosts
 * a policy lists. Pure; one pass over octets that a stranger wrote.
 */

/** A policy, RFC 8461 §3.2, with the id of the record that announced it. */
export interface Policy {
  readonly mode: "enforce" | "testing" | "none";
  readonly id: string;
  /** Host names and `*.` patterns, lower case. */
  readonly mx: readonly string[];
}

/** A policy file that was read. */
export interface PolicyFile {
  readonly mode: Policy["mode"];
  readonly mx: readonly string[];
  /** Seconds, at most {@link MAX_AGE}. */
  readonly maxAge: number;
}

/** The longest `max_age`, RFC 8461 §3.2: about a year, in seconds. */
export const MAX_AGE = 31_557_600;
/** Octets of a policy file that are read at all, RFC 8461 §3.3. */
export const MAX_POLICY_FILE = 65_536;
/** Patterns kept of one policy. */
export const MAX_PATTERNS = 100;

/**
 * The id that the TXT records of `_mta-sts.DOMAIN` announce, RFC 8461 §3.1.
 *
 * Records that do not begin with `v=STSv1;` are others' and count for nothing.
 * Two that do are as good as none.
 *
 * @returns undefined if no policy is announced
 */
export function announcedId(texts: readonly string[]): string | undefined {
  const ours = texts.filter((text) => /^v=STSv1[ \t]*;/.test(text));
  const [only] = ours;
  if (only === undefined || ours.length > 1) return undefined;
  const ids: string[] = [];
  for (const field of only.split(";").slice(1, 100)) {
    const equals = field.indexOf("=");
    if (equals > 0 && trim(field.slice(0, equals)) === "id") {
      ids.push(trim(field.slice(equals + 1)));
    }
  }
  const [id] = ids;
  return id !== undefined && /^[A-Za-z0-9]{1,32}$/.test(id) ? id : undefined;
}

/**
 * Reads a policy file, RFC 8461 §3.2: lines `key: value`, ended by CRLF or LF.
 * Keys that nobody knows are left out; of a key that stands twice the first
 * counts, but for `mx`.
 *
 * @returns The policy, or what is wrong with the file
 */
export function readPolicyFile(
  octets: Uint8Array,
): PolicyFile | { readonly why: string } {
  if (octets.length > MAX_POLICY_FILE) return { why: "the file is too large" };
  const text = new TextDecoder("utf-8").decode(octets);
  const single = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) {
      if (trim(line) === "") continue;
      return { why: "a line is not key: value" };
    }
    const key = trim(line.slice(0, colon));
    const value = trim(line.slice(colon + 1));
    if (key === "mx") mx.push(value.toLowerCase());
    else if (!single.has(key)) single.set(key, value);
  }
  if (single.get("version") !== "STSv1") return { why: "no version: STSv1" };
  const mode = single.get("mode");
  if (mode !== "enforce" && mode !== "testing" && mode !== "none") {
    return { why: "no mode that is known" };
  }
  const age = single.get("max_age") ?? "";
  if (!/^[0-9]{1,10}$/.test(age)) return { why: "no max_age" };
  if (mx.length > MAX_PATTERNS) return { why: "too many mx lines" };
  const odd = mx.find((one) => !isPattern(one));
  if (odd !== undefined) return { why: "an mx line is no host name" };
  if (mode !== "none" && mx.length === 0) return { why: "no mx line" };
  return { mode, mx, maxAge: Math.min(Number(age), MAX_AGE) };
}

/**
 * True if a policy lists a host, RFC 8461 §4.1: by its name, or by `*.` and
 * all of it behind its first label.
 */
export function matchesPolicy(
  host: string,
  policy: { readonly mx: readonly string[] },
): boolean {
  const name = withoutDot(host);
  const dot = name.indexOf(".");
  const parent = dot > 0 ? name.slice(dot) : undefined;
  return policy.mx.some((one) => {
    const pattern = withoutDot(one);
    return pattern.startsWith("*.")
      ? pattern.slice(1) === parent
      : pattern === name;
  });
}

function isPattern(text: string): boolean {
  const name = text.startsWith("*.") ? text.slice(2) : text;
  return name.length <= 253 &&
    withoutDot(name).split(".").every((label) =>
      label.length <= 63 && /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/.test(label)
    );
}

function withoutDot(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/** Without blanks, tabs and the CR of a line's end. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && " \t\r".includes(text[from]!)) from++;
  while (to > from && " \t\r".includes(text[to - 1]!)) to--;
  return text.slice(from, to);
}
