/**
 * Everything between the calls and the sockets, put together as the
 * configuration says.
 */
import { parseAnchor, ROOT_ANCHORS } from "./anchors.ts";
import { automatic } from "./automatic.ts";
import type { Exchanger } from "./exchange_io.ts";
import type { Found } from "./follow.ts";
import { forwarding } from "./forward.ts";
import type { Validator, ValidatorOptions } from "./judgement.ts";
import type { Listings } from "./listed.ts";
import { listingsOver, type PlainAsk, plainForwarding } from "./listings.ts";
import { type Lookups, lookupsOver } from "./lookups.ts";
import type { Question } from "./message.ts";
import { Recursion } from "./recurse.ts";
import { Resolver } from "./resolver.ts";
import type { DnsPart } from "./role.ts";
import { ROOT_HINTS } from "./root_hints.ts";
import type { Server } from "./server_memory.ts";
import type { Source } from "./source.ts";

/** What an engine is made of. */
export interface EngineOptions {
  readonly part: DnsPart;
  readonly exchanger: Pick<Exchanger, "exchange" | "memory">;
  readonly makeValidator: (options: ValidatorOptions) => Validator;
  /** Told of each answer that was judged anew. */
  readonly onJudged: (question: Question, found: Found) => void;
  /** Told once if forwarders strip signatures and are given up. */
  readonly onStrips: (seen: string) => void;
}

/** What the calls need. */
export interface Engine {
  readonly resolver: Resolver;
  readonly lookups: Lookups;
  readonly listings: Listings;
}

/**
 * Longest that an asker waits for one answer and all that proves it: MX records
 * and then two lots of hosts are to fit into a call's 60 s.
 */
const MAX_WAIT_MS = 18_000;

/** Octets for zones' keys, where only what is bogus is asked. */
const OTHERS_ZONES = 2 ** 22;

/** Puts an engine together. */
export function engineOf(options: EngineOptions): Engine {
  const { part } = options;
  const { source, others = [], plain, hasSwitched = () => false } = waysOf(
    options,
  );
  const configured = part.trustAnchors.map(parseAnchor)
    .filter((anchor) => anchor !== undefined);
  const anchors = configured.some((anchor) => anchor.zone === "")
    ? configured
    : [...ROOT_ANCHORS, ...configured];
  const resolver = new Resolver({
    source,
    others,
    hasSwitched,
    validator: part.validate
      ? (fetch, of) =>
        options.makeValidator({
          anchors,
          fetch,
          nowS: () => Math.floor(Date.now() / 1_000),
          ...of === "other" ? { keptOctets: OTHERS_ZONES } : {},
        })
      : null,
    unsigned: part.unsignedDomains,
    ttl: {
      min: part.minTtlS,
      max: part.maxTtlS,
      maxNegative: part.maxNegativeTtlS,
    },
    cacheOctets: part.cacheBytes,
    withinMs: Math.min(MAX_WAIT_MS, 3 * part.withinMs),
    onJudged: options.onJudged,
  });
  return {
    resolver,
    lookups: lookupsOver((question) => resolver.lookUp(question)),
    listings: listingsOver(plain),
  };
}

/** Where answers come from. */
interface Ways {
  readonly source: Source;
  /** Where what is bogus is asked once more. */
  readonly others?: readonly Source[];
  readonly plain: PlainAsk;
  readonly hasSwitched?: () => boolean;
}

function waysOf({ part, exchanger, onStrips }: EngineOptions): Ways {
  const { memory, exchange } = exchanger;
  const { port, withinMs } = part;
  const servers = part.nameservers.map((address) => ({
    address: canonicalAddress(address),
    port,
  }));
  const over = (servers: readonly Server[]): Source =>
    forwarding({
      servers,
      trusted: new Set(part.trustedServers.map(canonicalAddress)),
      exchange,
      memory,
      withinMs,
    });
  const forward = over(servers);
  const others = servers.length > 1 ? [over(servers.slice(1))] : [];
  const plainForward = plainForwarding({ servers, exchange, memory });
  if (part.resolve === "forward") {
    return { source: forward, others, plain: plainForward };
  }
  const recursion = new Recursion({
    hints: part.rootHints.length === 0 ? ROOT_HINTS : part.rootHints,
    port,
    exchange,
    memory,
    withinMs,
    random: Math.random,
  });
  const recurse: Source = recursion.source;
  const plainRecurse: PlainAsk = (question, within) =>
    recursion.plain(question, within);
  if (part.resolve === "recurse" || servers.length === 0) {
    return { source: recurse, plain: plainRecurse };
  }
  // Without validation it is no matter what they strip.
  if (!part.validate) return { source: forward, plain: plainForward };
  // Lists need no signatures: forwarders that strip them serve as well.
  const { unsignedDomains: unsigned } = part;
  const { source, second, hasSwitched } = automatic({
    forward,
    recurse,
    unsigned,
    onStrips,
  });
  return {
    source,
    others: [...others, second],
    hasSwitched,
    plain: plainForward,
  };
}

/** As sockets write it, so that the source of an answer can be compared. */
function canonicalAddress(address: string): string {
  const canonical = URL.parse(`http://[${address}]/`)?.hostname;
  return canonical === undefined ? address : canonical.slice(1, -1);
}
