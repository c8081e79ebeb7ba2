/**
 * The score of a client by lists in the DNS (RFC 5782), with postscreen's
 * weights and filters. All lists are asked side by side; what has not answered
 * in time counts nothing. A list that is silent again and again is not asked
 * for a while, so that a dead one costs nobody any time.
 *
 * Pure: the lookup and the clock are parameters.
 */
import {
  type DnsblSite,
  parseDnsblSite,
  passesFilter,
} from "../config/dnsbl_site.ts";
import { type Address, bitsOf } from "../core/network.ts";
import { Turns } from "./turns.ts";

/** What one list said. */
export type Listed =
  | {
    readonly kind: "listed";
    readonly addresses: readonly string[];
    /** The list's own words; may be empty. */
    readonly text: string;
  }
  | { readonly kind: "not-listed" }
  | { readonly kind: "silent" };

/** The outcome for one client. */
export interface Score {
  readonly sum: number;
  /** `bl.home.test*3`, as far as it counted. */
  readonly hits: readonly string[];
  /** Of the heaviest list against the client, as strangers may see it. */
  readonly list: string;
  readonly text: string;
  /** Lists that did not answer, or were not asked for that. */
  readonly silent: number;
}

/** What happens around the lists. */
export interface ListSurroundings {
  /** Asks for `1.2.0.192.bl.home.test`; must settle within the time, or so. */
  ask(name: string, withinMs: number): Promise<Listed>;
  nowMs(): number;
  /** A list is not asked for a while, or is again. */
  onHealth(list: string, silentForMs: number): void;
}

/**
 * Questions under way at once, for dns opens a socket for each. Each list has
 * its share, so that one that is silent takes nothing from the others; who
 * does not come to its turn in time counts nothing.
 */
const MAX_OPEN = 300;
/** What dns takes for a question at least. */
const MIN_ASK_MS = 100;
/** Silences in a row after which a list is left alone. */
const MAX_SILENCES = 3;
const REST_MS = 30_000;
const MAX_REST_MS = 600_000;

interface Health {
  silences: number;
  /** When the last of them was learnt. */
  silentMs: number;
  restMs: number;
  untilMs: number;
}

/** The lists of one configuration. */
export class Lists {
  /** Entries by domain: one question serves all of them. */
  readonly #sites = new Map<string, DnsblSite[]>();
  readonly #health = new Map<string, Health>();
  readonly #around: ListSurroundings;
  readonly #turns = new Map<string, Turns>();

  constructor(sites: readonly string[], around: ListSurroundings) {
    this.#around = around;
    for (const text of sites) {
      const site = parseDnsblSite(text);
      if ("fault" in site) continue;
      const same = this.#sites.get(site.domain);
      if (same === undefined) this.#sites.set(site.domain, [site]);
      else same.push(site);
    }
  }

  get isEmpty(): boolean {
    return this.#sites.size === 0;
  }

  /** Asks all lists about a client; settles after `withinMs` at the latest. */
  async score(address: Address, withinMs: number): Promise<Score> {
    const said = await Promise.all(
      [...this.#sites].map(async ([domain, sites]) => ({
        domain,
        sites,
        listed: await this.#ask(domain, queryName(address, domain), withinMs),
      })),
    );
    let sum = 0;
    let silent = 0;
    let worst = { weight: 0, domain: "", text: "" };
    const hits: string[] = [];
    for (const { domain, sites, listed } of said) {
      if (listed.kind === "silent") silent++;
      if (listed.kind !== "listed") continue;
      for (const site of sites) {
        if (!listed.addresses.some((one) => passesFilter(site, one))) continue;
        sum += site.weight;
        hits.push(`${domain}*${site.weight}`);
        if (site.weight > worst.weight) {
          worst = { weight: site.weight, domain, text: listed.text };
        }
      }
    }
    return {
      sum,
      hits,
      silent,
      list: withoutKey(worst.domain),
      text: worst.text,
    };
  }

  async #ask(
    domain: string,
    name: string,
    withinMs: number,
  ): Promise<Listed> {
    if (this.#rests(domain)) return { kind: "silent" };
    const turns = this.#turnsOf(domain);
    const beganMs = performance.now();
    if (!await turns.take(withinMs)) return { kind: "silent" };
    // It may have fallen silent in the meantime.
    if (this.#rests(domain)) {
      turns.give();
      return { kind: "silent" };
    }
    const health = this.#health.get(domain);
    // One ask at a time finds out whether a rested list is back.
    if (health !== undefined && health.silences >= MAX_SILENCES) {
      health.untilMs = this.#around.nowMs() + withinMs;
    }
    const leftMs = withinMs - (performance.now() - beganMs);
    const askedMs = this.#around.nowMs();
    const late = Promise.withResolvers<Listed>();
    const timer = setTimeout(() => late.resolve({ kind: "silent" }), leftMs);
    const asked = this.#around.ask(name, Math.max(MIN_ASK_MS, leftMs | 0));
    asked.finally(() => turns.give());
    const listed = await Promise.race([asked, late.promise]);
    clearTimeout(timer);
    this.#learn(domain, listed.kind === "silent", askedMs);
    return listed;
  }

  #rests(domain: string): boolean {
    const health = this.#health.get(domain);
    return health !== undefined && this.#around.nowMs() < health.untilMs;
  }

  #turnsOf(domain: string): Turns {
    let turns = this.#turns.get(domain);
    if (turns === undefined) {
      turns = new Turns(Math.floor(MAX_OPEN / this.#sites.size));
      this.#turns.set(domain, turns);
    }
    return turns;
  }

  #learn(domain: string, isSilent: boolean, askedMs: number): void {
    const health = this.#health.get(domain);
    if (!isSilent) {
      this.#health.delete(domain);
      if (health !== undefined && health.silences >= MAX_SILENCES) {
        this.#around.onHealth(domain, 0);
      }
      return;
    }
    const silentMs = this.#around.nowMs();
    if (health === undefined) {
      const fresh = { silences: 1, silentMs, restMs: REST_MS, untilMs: 0 };
      this.#health.set(domain, fresh);
      return;
    }
    // What was asked before the last silence was learnt belongs to that one.
    if (askedMs < health.silentMs) return;
    health.silences++;
    health.silentMs = silentMs;
    if (health.silences < MAX_SILENCES) return;
    if (health.silences > MAX_SILENCES) {
      health.restMs = Math.min(health.restMs * 2, MAX_REST_MS);
    }
    health.untilMs = silentMs + health.restMs;
    this.#around.onHealth(domain, health.restMs);
  }
}

/** The name to ask for: RFC 5782 §2.1 for IPv4, §2.4 for IPv6. */
export function queryName(address: Address, domain: string): string {
  const isV4 = address.family === 4;
  const step = isV4 ? 8n : 4n;
  const labels: string[] = [];
  for (let shift = 0n; shift < BigInt(bitsOf(address.family)); shift += step) {
    const part = address.value >> shift & (isV4 ? 255n : 15n);
    labels.push(part.toString(isV4 ? 10 : 16));
  }
  return `${labels.join(".")}.${domain}`;
}

/** Lists that are paid for bear a key as a label; strangers must not see it. */
function withoutKey(domain: string): string {
  return domain.split(".").filter((label) => !/^[a-z0-9]{20,}$/.test(label))
    .join(".");
}
