/**
 * `[destinations]`: how other servers are dealt with, one by one. A library;
 * pure. What is not said of a destination is as `[outbound]` and `[queue]`
 * have it for all.
 */
import { type Profile, PROFILES } from "../dane/profile.ts";
import {
  bad,
  choice,
  duration,
  good,
  integer,
  type Read,
  type Setting,
  shown,
  sources,
  strings,
} from "./kinds.ts";
import {
  foldAscii,
  hostPort,
  hostPortText,
  isDomainName,
  nameOrBelow,
} from "./names.ts";
import type { Entries } from "./routing.ts";

/** What is said of one destination; null is: as for all. */
export interface Destination {
  /**
   * `domain`, `.domain` for all below it, `*` for all others, or `host:port`
   * of a configured next hop. In lower case.
   */
  readonly name: string;
  readonly tls: Profile | null;
  /** Names that a certificate may have, for `verify` and `secure`. */
  readonly match: readonly string[] | null;
  /** SHA-256 of a certificate or of its public key, 64 hex digits. */
  readonly fingerprints: readonly string[] | null;
  /** Addresses to connect from, at most one of a family. */
  readonly source: readonly string[] | null;
  /** Most sessions at once. */
  readonly maxSessions: number | null;
  /** Least time between the starts of two deliveries, milliseconds. */
  readonly intervalMs: number | null;
}

const KEYS = {
  tls: choice({
    says: "The TLS profile; see outbound.tls.",
    default: "dane",
    of: PROFILES,
  }),
  match: strings({
    says: "Names that its certificate may have, for verify and secure.",
    min: 1,
    max: 16,
    type: "list of names",
    mustBe: 'a name such as "mx.remote.test", or ".remote.test" for those ' +
      "below it",
    accept: nameOrBelow,
  }),
  fingerprints: strings({
    says: "SHA-256 of its certificate or public key, for fingerprint.",
    min: 1,
    max: 16,
    type: "list of hex digits",
    mustBe: "64 hex digits, with or without colons between the octets",
    accept: fingerprint,
  }),
  source: sources({
    says: "Address to connect from, at most one IPv4 and one IPv6 address.",
    min: 1,
    max: 2,
  }),
  max_sessions: integer({
    says: "Most sessions at once.",
    min: 1,
    max: 2_000,
  }),
  interval: duration({
    says: "Least time between the starts of two deliveries.",
    min: "1ms",
    max: "1h",
  }),
} satisfies Record<string, Setting<unknown>>;

/** A sentence as it stands in brackets; `SHA-256` keeps its capitals. */
function inside(says: string): string {
  const first = /^[A-Z]{2}/.test(says)
    ? says.slice(0, 1)
    : says.slice(0, 1).toLowerCase();
  return first + says.slice(1, -1);
}

/** `[destinations]`. */
export const destinations: Entries<Destination> = {
  kind: "entries",
  says: "How other servers are dealt with, one by one. A key is a domain, " +
    "`.domain` for all domains below it, `*` for all others, or `host:port` " +
    "of a next hop in [routes] or outbound.smarthost, which is known by that " +
    "name alone, and not by the domains whose mail goes there; the order is " +
    "that of [routes]. Keys of a value: " +
    Object.entries(KEYS).map(([key, { says }]) =>
      `\`${key}\` (${inside(says)})`
    ).join(", ") + ".",
  type: "table of destination = { key = value, ... }",
  examples: [
    ["bank.test", { tls: "dane-only" }],
    [".partner.test", { tls: "secure", match: [".partner.test"] }],
    ["slow.test", { max_sessions: 2, interval: "1s" }],
  ],
  max: 10_000,
  read: readDestination,
};

/**
 * What counts for a destination: the entry of its own name, of the nearest
 * `.domain` above it, or of `*`. As with routes, one entry counts, and not
 * one key of each.
 *
 * @param name A domain, or `host:port` of a configured next hop
 */
export function destinationFor<T>(
  entries: ReadonlyMap<string, T>,
  name: string,
): T | undefined {
  const exact = entries.get(name);
  if (exact !== undefined) return exact;
  if (!name.includes(":") && !name.startsWith("[")) {
    for (let dot = name.indexOf(".", 1); dot > 0;) {
      const above = entries.get(name.slice(dot));
      if (above !== undefined) return above;
      dot = name.indexOf(".", dot + 1);
    }
  }
  return entries.get("*");
}

function readDestination(name: string, raw: unknown): Read<Destination> {
  const folded = destinationName(name);
  if (folded === undefined) {
    return bad(
      'is no destination: write "remote.test", ".remote.test", "*" or a next ' +
        'hop such as "mail.remote.test:25"',
    );
  }
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    return bad(`must be a table such as { tls = "dane" }; it is ${shown(raw)}`);
  }
  const table = new Map<string, unknown>(Object.entries(raw));
  const known = Object.keys(KEYS);
  const odd = [...table.keys()].find((key) => !known.includes(key));
  if (odd !== undefined) {
    return bad(`has no key ${shown(odd)}; it may have ${known.join(", ")}`);
  }
  const faults: string[] = [];
  const of = <T>(key: string, setting: Setting<T>): T | null => {
    if (!table.has(key)) return null;
    const read = setting.read(table.get(key));
    if (read.ok) return read.value;
    faults.push(`${key} ${read.message}`);
    return null;
  };
  const value: Destination = {
    name: folded,
    tls: of("tls", KEYS.tls),
    match: of("match", KEYS.match),
    fingerprints: of("fingerprints", KEYS.fingerprints),
    source: of("source", KEYS.source),
    maxSessions: of("max_sessions", KEYS.max_sessions),
    intervalMs: of("interval", KEYS.interval),
  };
  const fault = faults[0] ?? contradiction(value);
  return fault === undefined ? good(value) : bad(fault);
}

function contradiction(value: Destination): string | undefined {
  if (value.tls === "fingerprint" && value.fingerprints === null) {
    return 'tls = "fingerprint" needs fingerprints';
  }
  if (value.fingerprints !== null && value.tls !== "fingerprint") {
    return 'fingerprints count only with tls = "fingerprint"';
  }
  if (
    value.match !== null && value.tls !== "verify" && value.tls !== "secure"
  ) {
    return 'match counts only with tls = "verify" or tls = "secure"';
  }
  const families = value.source?.map((one) => one.includes(":")) ?? [];
  return new Set(families).size < families.length
    ? "source has two addresses of one family"
    : undefined;
}

function destinationName(name: string): string | undefined {
  const folded = foldAscii(name);
  if (folded === "*" || isDomainName(folded)) return folded;
  if (folded.startsWith(".")) {
    return isDomainName(folded.slice(1)) ? folded : undefined;
  }
  const hop = hostPort(folded);
  return hop === undefined ? undefined : hostPortText(hop);
}

function fingerprint(text: string): string | undefined {
  const hex = foldAscii(text).replaceAll(":", "");
  return /^[0-9a-f]{64}$/.test(hex) ? hex : undefined;
}
