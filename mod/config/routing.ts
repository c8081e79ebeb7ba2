/**
 * The two tables whose keys are the administrator's own: `[aliases]` and
 * `[routes]`. A library; pure.
 */
import { address } from "../core/shapes.ts";
import { type NextHop, unixHop } from "../core/shapes.ts";
import {
  foldAscii,
  hostPort,
  isAliasLocalPart,
  isDomainName,
  isInternational,
  isMailDomain,
} from "./names.ts";
import { bad, good, type Read, shown, type Written } from "./kinds.ts";

/** A section whose keys are free. */
export interface Entries<T> {
  readonly kind: "entries";
  readonly says: string;
  /** Forms of keys and values, for the documentation. */
  readonly type: string;
  readonly examples: readonly (readonly [name: string, value: Written])[];
  /** Most entries. */
  readonly max: number;
  read(name: string, raw: unknown): Read<T>;
}

/** Where the mail for one name goes. Names in lower case. */
export interface Alias {
  /** `local`, `local@domain` or `@domain`. */
  readonly name: string;
  /** Addresses, or bare local parts, which are of the recipient's domain. */
  readonly targets: readonly string[];
}

/** The next hop for one domain. Names in lower case. */
export interface Route {
  /** `domain`, `.domain` for all below it, or `*` for all others. */
  readonly domain: string;
  /** A host, a socket, or the MX hosts of the recipient's own domain. */
  readonly nextHop:
    | Extract<NextHop, { kind: "host" | "unix" }>
    | { kind: "mx" };
}

/** `[aliases]`. */
export const aliases: Entries<Alias> = {
  kind: "entries",
  says: "Other names for mailboxes. A key is `name` (in every local domain), " +
    "`name@domain`, or `@domain` (whoever is not otherwise known there). A " +
    "value is one address or a list of them; an address without a domain is " +
    "in the domain of the recipient. An alias may name another alias, itself " +
    "(then its own mailbox gets a copy), or an address elsewhere. Local parts " +
    "may have letters beyond ASCII, which count as they are written.",
  type: "table of name = address, or name = list of addresses",
  examples: [
    ["webmaster", "me"],
    ["sales@home.test", ["me", "partner@remote.test"]],
    ["@home.test", "me"],
  ],
  max: 100_000,
  read: readAlias,
};

/** `[routes]`. */
export const routes: Entries<Route> = {
  kind: "entries",
  says: "Where mail for other domains goes: `host:port`, `lmtp:host:port` or " +
    "`lmtp:unix:/path` for a server that speaks LMTP, or `mx` for the " +
    "domain's own MX hosts, which is also what happens to a domain without a " +
    "route. A key is a domain, `.domain` for all domains below it, or `*` " +
    "for all others (a smart host). The domain itself is looked for first, " +
    "then the nearest `.domain`, then `*`. A route permits nothing: see " +
    "server.relay_domains.",
  type: 'table of domain = "host:port", "lmtp:host:port", ' +
    '"lmtp:unix:/path" or "mx"',
  examples: [
    ["remote.test", "127.0.0.1:2600"],
    [".lab.test", "[::1]:2600"],
    ["lists.test", "lmtp:unix:/run/lists/lmtp.sock"],
    ["*", "mx"],
  ],
  max: 10_000,
  read: readRoute,
};

const MAX_TARGETS = 1_000;

function readAlias(name: string, raw: unknown): Read<Alias> {
  const folded = foldAscii(name).normalize("NFC");
  if (!isAliasName(folded)) {
    return bad(
      "is no name for an alias: write name, name@domain or @domain",
    );
  }
  const written: unknown = typeof raw === "string" ? [raw] : raw;
  const targets = Array.isArray(written)
    ? written.map((one) => typeof one === "string" ? one.normalize("NFC") : one)
    : written;
  if (!Array.isArray(targets) || targets.length === 0) {
    return bad(`must be an address or a list of them; it is ${shown(raw)}`);
  }
  if (targets.length > MAX_TARGETS) {
    return bad(
      `has ${targets.length} targets; at most ${MAX_TARGETS} are possible`,
    );
  }
  const wrong = targets.find((target) => !isAliasTarget(target));
  if (wrong !== undefined) {
    return bad(
      `must name addresses; ${shown(wrong)} is none (commands, files and ` +
        "included lists are not supported)",
    );
  }
  return good({ name: folded, targets });
}

function isAliasName(name: string): boolean {
  const at = name.lastIndexOf("@");
  if (at < 0) return isAliasLocalPart(name);
  const localPart = name.slice(0, at);
  return isMailDomain(name.slice(at + 1)) &&
    (localPart === "" || isAliasLocalPart(localPart));
}

function isAliasTarget(target: unknown): boolean {
  if (typeof target !== "string") return false;
  const at = target.lastIndexOf("@");
  if (at < 0) return isAliasLocalPart(foldAscii(target));
  const localPart = target.slice(0, at);
  return address.safeParse(target).success &&
    isMailDomain(foldAscii(target.slice(at + 1))) &&
    // Any dot-string will do for another host, and any quoted string.
    (isQuoted(localPart) || localPart.split(".").every(isAtom));
}

function isAtom(text: string): boolean {
  return isInternational(text) &&
    /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\uffff-]+$/.test(text);
}

function isQuoted(text: string): boolean {
  if (text.length < 3 || !text.startsWith('"')) return false;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at === text.length - 1;
  }
  return false;
}

function readRoute(name: string, raw: unknown): Read<Route> {
  const domain = foldAscii(name);
  const below = domain.startsWith(".");
  const isName = domain === "*" ||
    (below ? isDomainName(domain.slice(1)) : isMailDomain(domain));
  if (!isName) {
    return bad('is no domain: write "remote.test", ".remote.test" or "*"');
  }
  if (raw === "mx") return good({ domain, nextHop: { kind: "mx" } });
  const nextHop = typeof raw === "string" ? readHop(raw) : undefined;
  return nextHop === undefined
    ? bad(
      'must be "mx", a host and a port such as "mail.remote.test:25", ' +
        '"127.0.0.1:2600" or "[::1]:2600", or "lmtp:unix:/path" or ' +
        `"lmtp:host:port"; it is ${shown(raw)}`,
    )
    : good({ domain, nextHop });
}

function readHop(
  text: string,
): Exclude<Route["nextHop"], { kind: "mx" }> | undefined {
  const isLmtp = text.startsWith("lmtp:");
  const place = isLmtp ? text.slice("lmtp:".length) : text;
  if (isLmtp && place.startsWith("unix:")) {
    const path = place.slice("unix:".length);
    return isSocketPath(path) ? { kind: "unix", path } : undefined;
  }
  const host = hostPort(place);
  if (host === undefined) return undefined;
  return isLmtp
    ? { kind: "host", ...host, protocol: "lmtp" }
    : { kind: "host", ...host };
}

/** As `mod/walls/flags.ts` can grant it, and unix(7) can hold it. */
function isSocketPath(path: string): boolean {
  const parts = path.split("/");
  return unixHop.shape.path.safeParse(path).success && parts[0] === "" &&
    parts.slice(1).every((part) =>
      part !== "" && part !== "." && part !== ".."
    );
}
