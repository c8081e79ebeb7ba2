/**
 * From a next hop to the addresses to try, in order. Pure but for the
 * questions it puts to the DNS role, which are a parameter.
 */
import net from "node:net";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import type { NextHop, Protocol } from "../core/shapes.ts";
import type { AnswerOf, Reply as Answer } from "../ipc/call.ts";
import type { dnsContract, MailHost } from "../dns/dns_ipc.ts";
import { troubleOutcome } from "./verdict.ts";

type DnsCalls = typeof dnsContract.calls;

/** The DNS role, as it is asked. */
export interface Names {
  mailHosts(domain: string): Promise<Answer<DnsCalls["mailHosts"]>>;
  addresses(name: string): Promise<Answer<DnsCalls["addresses"]>>;
  tlsa(name: string): Promise<Answer<DnsCalls["tlsa"]>>;
  explain(
    name: string,
    type: "A" | "AAAA" | "MX" | "TLSA",
  ): Promise<Answer<DnsCalls["explain"]>>;
}

/** One end to connect to. */
export interface Candidate {
  /** Name for outcomes and for TLS; the address itself if it has none. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** A Unix socket instead of address and port, which are empty and 0 then. */
  readonly path?: string;
  /** What DNSSEC says of it; undefined if nobody had to look anything up. */
  readonly dns?: HostSecurity;
}

/** What DNSSEC says of a host's names, RFC 7672 §2.2. */
export interface HostSecurity {
  /** Of the MX records that name it; undefined for a configured host. */
  readonly mx: MailHost["security"] | undefined;
  readonly address: MailHost["security"];
  readonly name: MailHost["security"];
  /** Where its aliases end. */
  readonly canonical: string;
  /** Where those of the recipients' domain end; empty for a configured host. */
  readonly domain: string;
}

/** Where a candidate is, for transcripts; never for the sender. */
export function placeOf({ host, address, port, path }: Candidate): string {
  return path === undefined
    ? `${host} [${address}]:${port}`
    : `the socket ${path}`;
}

/** Where to go, or why nowhere. */
export type Route =
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  | { readonly kind: "nowhere"; readonly outcome: Outcome };

/** Facts about us. */
export interface RouteFacts {
  readonly hostname: string;
  /** Port of MX hosts. */
  readonly port: number;
  /** True if an address can only be ourselves; see {@link isLoopback}. */
  readonly isOurs: (address: string) => boolean;
}

/** Finds the candidates for a next hop. */
export async function routeTo(
  nextHop: NextHop,
  names: Names,
  facts: RouteFacts,
): Promise<Route> {
  switch (nextHop.kind) {
    case "host":
      return await hostRoute(nextHop, names);
    case "unix":
      // The path is ours alone to know; outcomes name a host.
      return found([{
        host: "localhost",
        address: "",
        port: 0,
        path: nextHop.path,
      }]);
    case "mx": {
      const literal = literalOf(nextHop.domain);
      return literal === undefined
        ? await mxRoute(nextHop.domain, names, facts)
        : literalRoute(literal, facts);
    }
  }
}

/** Key under which sessions to this next hop are kept. */
export function keyOf(nextHop: NextHop): string {
  switch (nextHop.kind) {
    case "host":
      return `${protocolOf(nextHop)} ${nextHop.host.toLowerCase()} ` +
        nextHop.port;
    case "unix":
      return `unix ${nextHop.path}`;
    case "mx":
      return `mx ${nextHop.domain}`;
  }
}

/** What is spoken with a next hop. */
export function protocolOf(nextHop: NextHop): Protocol {
  switch (nextHop.kind) {
    case "host":
      return nextHop.protocol ?? "smtp";
    case "unix":
      return "lmtp";
    case "mx":
      return "smtp";
  }
}

async function hostRoute(
  { host, port }: NextHop & { kind: "host" },
  names: Names,
): Promise<Route> {
  const bare = host.startsWith("[") && host.endsWith("]")
    ? host.slice(1, -1)
    : host;
  if (net.isIP(bare) !== 0) {
    return found([{ host: bare, address: bare, port }]);
  }
  const name = bare.toLowerCase();
  const reply = await names.addresses(name);
  if (reply.kind === "answered") {
    const { addresses, security, nameSecurity, canonical } = reply.answer;
    const dns = {
      mx: undefined,
      address: security,
      name: nameSecurity,
      canonical,
      domain: "",
    };
    return found(
      addresses.map((address) => ({ host: name, address, port, dns })),
    );
  }
  // Also `no-such-domain`: it is our administrator's word that is wrong, not
  // the sender's, so the mail waits until it is mended.
  const why = reply.kind === "refused" ? reply.refusal : reply.why;
  return {
    kind: "nowhere",
    outcome: troubleOutcome(`Cannot look up ${name}: ${why}`, "", "4.4.4"),
  };
}

async function mxRoute(
  domain: string,
  names: Names,
  facts: RouteFacts,
): Promise<Route> {
  const reply = await names.mailHosts(domain);
  switch (reply.kind) {
    case "answered":
      return mxCandidates(reply.answer, facts);
    case "refused": {
      const outcome = refusalOutcome(reply.refusal);
      return {
        kind: "nowhere",
        outcome: reply.refusal === "bogus"
          ? {
            ...outcome,
            text: await bogusText(domain, names) ?? outcome.text,
          }
          : outcome,
      };
    }
    case "failed":
      return { kind: "nowhere", outcome: refusalOutcome("try-later") };
  }
}

/** MX hosts that are looked at to say which one is forged. */
const MAX_HOSTS_EXPLAINED = 4;

/** What is bogus of a domain, its MX records or a host of theirs, and why. */
async function bogusText(
  domain: string,
  names: Pick<Names, "explain">,
): Promise<string | undefined> {
  const mx = await names.explain(domain, "MX");
  if (mx.kind !== "answered") return undefined;
  const { security, records, why } = mx.answer;
  if (security === "bogus") {
    return `DNSSEC: domain is bogus: ${why.slice(0, 200)}`;
  }
  // Without MX records it is the domain's own address (RFC 5321 §5.1).
  const hosts = records.length === 0 ? [domain] : records.map(exchangeOf);
  for (const host of hosts.slice(0, MAX_HOSTS_EXPLAINED)) {
    for (const type of ["A", "AAAA"] as const) {
      const reply = await names.explain(host, type);
      if (reply.kind !== "answered" || reply.answer.security !== "bogus") {
        continue;
      }
      const why = reply.answer.why.slice(0, 200);
      return `DNSSEC: address of ${host} is bogus: ${why}`;
    }
  }
  return undefined;
}

/** The host of an MX record in presentation form. */
function exchangeOf(record: string): string {
  const name = record.slice(record.lastIndexOf(" ") + 1);
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

/** What DNSSEC finds wrong with a name, after a colon; or empty. */
export async function whyOf(
  name: string,
  type: "TLSA",
  names: Pick<Names, "explain">,
): Promise<string> {
  const reply = await names.explain(name, type);
  if (reply.kind !== "answered") return "";
  const { security, why } = reply.answer;
  // Of what is insecure it says why that is so, which is nothing wrong.
  const isWrong = security === "bogus" || security === "indeterminate";
  return isWrong && why !== "" ? `: ${why.slice(0, 200)}` : "";
}

function refusalOutcome(
  refusal: DnsCalls["mailHosts"]["refuses"][number],
): Outcome {
  switch (refusal) {
    case "null-mx": // RFC 7505 §4.1
      return ownOutcome("permanent", 556, "5.1.10", "Domain takes no mail");
    case "no-such-domain":
      return ownOutcome(
        "permanent",
        550,
        "5.1.2",
        "Domain does not exist, or has no host for mail",
      );
    case "try-later":
      return ownOutcome("temporary", 451, "4.4.3", "Cannot look up domain now");
    case "bogus":
      return ownOutcome("temporary", 451, "4.7.5", "DNSSEC: domain is bogus");
  }
}

// RFC 5321 §5.1: if we are in the list, only better hosts than us count, or
// mail runs in a circle.
function mxCandidates(
  { hosts, security: mx, canonical: domain }: AnswerOf<DnsCalls["mailHosts"]>,
  facts: RouteFacts,
): Route {
  const us = facts.hostname.toLowerCase();
  const isUs = (host: MailHost) =>
    host.name === us || host.addresses.some(facts.isOurs);
  const limit = Math.min(...hosts.filter(isUs).map((host) => host.preference));
  const candidates = hosts
    .filter((host) => host.preference < limit)
    .flatMap(({ name, addresses, security, nameSecurity, canonical }) => {
      const dns = {
        mx,
        address: security,
        name: nameSecurity,
        canonical,
        domain,
      };
      const { port } = facts;
      return addresses.map((address) => ({ host: name, address, port, dns }));
    });
  return candidates.length > 0
    ? found(candidates)
    : { kind: "nowhere", outcome: LOOP };
}

/** The recipients' domain is an address; nobody is asked about it. */
function literalRoute(address: string, { isOurs, port }: RouteFacts): Route {
  return isOurs(address)
    ? { kind: "nowhere", outcome: LOOP }
    : found([{ host: address, address, port }]);
}

/** The mail would come back to us, RFC 5321 §6.3. */
export const LOOP: Outcome = ownOutcome(
  "permanent",
  554,
  "5.4.6",
  "Mail for this domain loops back to this host",
);

function found(candidates: readonly Candidate[]): Route {
  return { kind: "candidates", candidates };
}

/** The address in `[192.0.2.1]` or `[ipv6:2001:db8::1]`, RFC 5321 §4.1.3. */
function literalOf(domain: string): string | undefined {
  if (!domain.startsWith("[") || !domain.endsWith("]")) return undefined;
  const inside = domain.slice(1, -1);
  const bare = inside.toLowerCase().startsWith("ipv6:")
    ? inside.slice(5)
    : inside;
  return net.isIP(bare) === 0 ? undefined : bare;
}

const OURS = new net.BlockList();
OURS.addSubnet("0.0.0.0", 8, "ipv4");
OURS.addSubnet("127.0.0.0", 8, "ipv4");
OURS.addSubnet("224.0.0.0", 3, "ipv4"); // multicast, reserved, broadcast
OURS.addAddress("::", "ipv6");
OURS.addAddress("::1", "ipv6");
OURS.addSubnet("ff00::", 8, "ipv6");

/**
 * True for loopback, unspecified and multicast addresses, in any notation:
 * no MX host of somebody else's domain can be there.
 */
export function isLoopback(address: string): boolean {
  switch (net.isIP(address)) {
    case 4:
      return OURS.check(address, "ipv4");
    case 6: {
      const mapped = mappedOf(address);
      return mapped === undefined
        ? OURS.check(address, "ipv6")
        : OURS.check(mapped, "ipv4");
    }
    default:
      return true; // not an address at all: nowhere to connect to
  }
}

/** The IPv4 address in `::ffff:a.b.c.d`, however it is written. */
function mappedOf(address: string): string | undefined {
  const { hostname } = new URL(`http://[${address.split("%")[0]}]`);
  const match = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (match === null) return undefined;
  const [high, low] = [parseInt(match[1]!, 16), parseInt(match[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
