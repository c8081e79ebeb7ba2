/**
 * Who takes mail for a domain: MX records, their order, and the cases without
 * any. Pure: lookups and randomness are parameters.
 */
import type { Verdict } from "../ipc/call.ts";
import type { dnsContract, MailHost } from "./dns_ipc.ts";
import type { Looked, Lookups, Mx, Standing, Usable } from "./lookups.ts";
import { hostName } from "./name.ts";

/**
 * Mail hosts looked up of one domain, and addresses of one host. A domain's
 * owner makes us ask twice as many questions as the first.
 */
export const MAX_HOSTS = 20;
/** See {@link MAX_HOSTS}. */
export const MAX_ADDRESSES = 20;

/** Hosts whose addresses are looked up side by side. */
const AT_ONCE = 8;
/** Longest for all hosts of a domain; whoever is not looked up is unclear. */
const HOSTS_WITHIN_MS = 20_000;

type Calls = typeof dnsContract.calls;

/** Answers `dns.mailHosts`. */
export async function mailHosts(
  domain: string,
  lookups: Lookups,
  random: () => number = Math.random,
): Promise<Verdict<Calls["mailHosts"]>> {
  const name = hostName(domain);
  if (name === undefined) return { refusal: "no-such-domain" };
  const found = await lookups.mx(name);
  switch (found.kind) {
    case "records":
      return await hostsOf(found, lookups, random);
    case "no-name":
      return { refusal: "no-such-domain" };
    case "no-data": {
      // Implicit MX of preference 0, RFC 5321 §5.1.
      const verdict = await addresses(name, lookups);
      if ("refusal" in verdict) return verdict;
      const host = { name, preference: 0, ...verdict.answer };
      const { security, canonical } = found;
      return { answer: { hosts: [host], security, canonical } };
    }
    case "unclear":
      return { refusal: "try-later" };
    case "bogus":
      return { refusal: "bogus" };
  }
}

/** Answers `dns.addresses`: IPv6 and IPv4, IPv6 first. */
export async function addresses(
  raw: string,
  lookups: Lookups,
): Promise<Verdict<Calls["addresses"]>> {
  const name = hostName(raw);
  if (name === undefined) return { refusal: "no-such-domain" };
  const both = await Promise.all([lookups.aaaa(name), lookups.a(name)]);
  const [v6, v4] = both.map((found) =>
    found.kind === "records" ? [...new Set(found.records)] : []
  ) as [string[], string[]];
  // Half of the room for each family, so that one cannot crowd out the other.
  const room = Math.max(MAX_ADDRESSES / 2, MAX_ADDRESSES - v4.length);
  const all = [...v6.slice(0, room), ...v4].slice(0, MAX_ADDRESSES);
  if (all.length > 0) return { answer: { addresses: all, ...standing(both) } };
  const kinds = both.map((found) => found.kind);
  if (kinds.includes("bogus")) return { refusal: "bogus" };
  return {
    refusal: kinds.includes("unclear") ? "try-later" : "no-such-domain",
  };
}

/** Of the families that have addresses, the weakest of each. */
function standing(both: readonly Looked<string>[]): Standing {
  const good = both.filter((found) => found.kind === "records");
  return {
    security: weakest(good.map((found) => found.security)),
    nameSecurity: weakest(good.map((found) => found.nameSecurity)),
    canonical: good[0]!.canonical,
  };
}

function weakest(all: readonly Usable[]): Usable {
  return all.includes("insecure") ? "insecure" : "secure";
}

async function hostsOf(
  { records, security, canonical }: Standing & { records: readonly Mx[] },
  lookups: Lookups,
  random: () => number,
): Promise<Verdict<Calls["mailHosts"]>> {
  if (records.length === 1 && records[0]!.exchange === "") {
    return { refusal: "null-mx" }; // RFC 7505 §3
  }
  const ordered = inOrder(records, random);
  const hosts: MailHost[] = [];
  const refusals = new Set<string>();
  const untilMs = performance.now() + HOSTS_WITHIN_MS;
  for (let at = 0; at < ordered.length; at += AT_ONCE) {
    if (performance.now() > untilMs) {
      refusals.add("try-later");
      break;
    }
    const some = ordered.slice(at, at + AT_ONCE);
    const verdicts = await Promise.all(
      some.map(({ name }) => addresses(name, lookups)),
    );
    verdicts.forEach((verdict, i) => {
      if ("answer" in verdict) {
        hosts.push({ ...some[i]!, ...verdict.answer });
      } else {
        refusals.add(verdict.refusal);
      }
    });
  }
  if (hosts.length > 0) return { answer: { hosts, security, canonical } };
  // MX records are there but none is usable: an error, and never the fallback
  // to the domain's own address, RFC 5321 §5.1.
  if (refusals.has("bogus")) return { refusal: "bogus" };
  return {
    refusal: refusals.has("try-later") ? "try-later" : "no-such-domain",
  };
}

/**
 * Orders hosts by ascending preference, at random among equals, so that load
 * spreads (RFC 5321 §5.1). Drops names that are none, and repetitions.
 */
export function inOrder(
  records: readonly Mx[],
  random: () => number,
): { name: string; preference: number }[] {
  const drawn = records.map((mx) => ({ mx, lot: random() }));
  drawn.sort((a, b) => a.mx.preference - b.mx.preference || a.lot - b.lot);
  const seen = new Map<string, number>();
  for (const { mx } of drawn) {
    const name = hostName(mx.exchange);
    if (name === undefined || seen.has(name)) continue;
    if (seen.size === MAX_HOSTS) break;
    seen.set(name, mx.preference);
  }
  return [...seen].map(([name, preference]) => ({ name, preference }));
}
