/**
 * The look-up tables, built once from the role's part and then only read.
 * A reload builds new ones and swaps them as a whole.
 */
import type { Mailbox } from "../core/shapes.ts";
import { fold, withoutExtension } from "./local_part.ts";
import type { ResolvePart } from "./role.ts";

/** Where a route leads. */
export type RouteHop = ResolvePart["routes"][number]["nextHop"];

/** See the file's header. All keys in lower case, local parts unquoted. */
export interface Tables {
  readonly hostname: string;
  readonly localDomains: ReadonlySet<string>;
  readonly relayDomains: ReadonlySet<string>;
  /** By `user@domain`. */
  readonly mailboxes: ReadonlyMap<string, Mailbox>;
  /** By `local@domain`, `local` or `@domain`. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  /** By `domain`, `.domain` or `*`. */
  readonly routes: ReadonlyMap<string, RouteHop>;
  readonly delimiters: string;
  /** Address that postmaster and abuse fall back to. */
  readonly postmaster: string | null;
  readonly maxTargets: number;
}

/** Builds the tables. */
export function buildTables(part: ResolvePart): Tables {
  return {
    hostname: fold(part.hostname),
    localDomains: new Set(part.localDomains.map(fold)),
    relayDomains: new Set(part.relayDomains.map(fold)),
    mailboxes: new Map(
      part.mailboxes.map((one) => [`${one.user}@${one.domain}`, one]),
    ),
    aliases: new Map(
      part.aliases.map(({ name, targets }) => [fold(name), targets]),
    ),
    routes: new Map(
      part.routes.map(({ domain, nextHop }) => [fold(domain), nextHop]),
    ),
    delimiters: part.recipientDelimiter,
    postmaster: part.postmaster === null
      ? null
      : `${part.postmaster.user}@${part.postmaster.domain}`,
    maxTargets: part.maxTargets,
  };
}

/** What the tables know of one local address. */
export type Entry =
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox }
  | {
    readonly kind: "alias";
    /** Names the alias, to notice when it comes back to itself. */
    readonly key: string;
    readonly targets: readonly string[];
  }
  | {
    readonly kind: "unknown";
    /** True if it would be known but for the aliases passed over. */
    readonly looped: boolean;
  };

const POSTMASTER_NAMES: readonly string[] = ["postmaster", "abuse"];
const POSTMASTER_KEY = "postmaster of last resort";

/**
 * Looks up an address of a local domain.
 *
 * First the local part as written, then without its extension; of each the
 * alias in this domain, the alias in every domain, the mailbox. Then
 * postmaster and abuse, which every domain must have (RFC 5321 §4.5.1,
 * RFC 2142 §4), then the catch-all. A mailbox goes before a catch-all:
 * in Postfix's virtual table it is the other way round, a well-known trap.
 *
 * @param isPassed True for the key of an alias that this address came from:
 * an alias that names itself means what stands behind it
 */
export function lookUp(
  tables: Tables,
  at: { readonly localPart: string; readonly domain: string },
  isPassed: (key: string) => boolean = () => false,
): Entry {
  let looped = false;
  const alias = (key: string, targets?: readonly string[]) => {
    if (targets === undefined) return undefined;
    if (!isPassed(key)) return { kind: "alias", key, targets } as const;
    looped = true;
    return undefined;
  };
  const base = withoutExtension(at.localPart, tables.delimiters);
  const names = base === undefined ? [at.localPart] : [at.localPart, base];
  for (const name of names) {
    const here = `${name}@${at.domain}`;
    const found = alias(here, tables.aliases.get(here)) ??
      alias(name, tables.aliases.get(name));
    if (found !== undefined) return found;
    const mailbox = tables.mailboxes.get(here);
    if (mailbox !== undefined) return { kind: "mailbox", mailbox };
  }
  const last = names.some((name) => POSTMASTER_NAMES.includes(name)) &&
      tables.postmaster !== null
    ? alias(POSTMASTER_KEY, [tables.postmaster])
    : undefined;
  const catchAll = `@${at.domain}`;
  return last ?? alias(catchAll, tables.aliases.get(catchAll)) ??
    { kind: "unknown", looped };
}

/** True for an address that must work although its domain is not local. */
export function isHostPostmaster(
  tables: Tables,
  at: { readonly localPart: string; readonly domain: string },
): boolean {
  // RFC 5321 §4.5.1: postmaster without a domain, which smtpd asks for under
  // the host's own name.
  return at.domain === tables.hostname &&
    POSTMASTER_NAMES.includes(at.localPart);
}
