/**
 * What the DNS says of a domain's policy: whether there is one (RFC 8461 §3.1),
 * and where its server is. Pure but for the questions, which are a parameter.
 */
import { announcedId } from "../dane/sts.ts";
import type { dnsContract } from "../dns/dns_ipc.ts";
import type { Edge } from "../ipc/edge.ts";
import type { Failed } from "./fetch_io.ts";
import type { Sight } from "./policies.ts";
import { isReachable, type Reach } from "./reachable.ts";

/** The DNS role, as it is asked. */
export type Dns = Pick<Edge<typeof dnsContract.calls>, "ask">;

/** Addresses that are tried in one fetch. */
const MOST_ADDRESSES = 4;

/** The name of the server of a domain's policy, RFC 8461 §3.3. */
export function policyHost(domain: string): string {
  return `mta-sts.${domain}`;
}

/** Looks at a domain's record. Who cannot be asked has none. */
export async function look(dns: Dns, domain: string): Promise<Sight> {
  const name = `_mta-sts.${domain}`;
  if (!isName(name) || !isCertifiable(domain)) return { kind: "none" };
  const reply = await dns.ask("texts", { name });
  const id = reply.kind === "answered"
    ? announcedId(reply.answer.texts)
    : undefined;
  return id === undefined ? { kind: "none" } : { kind: "record", id };
}

/** The addresses of a policy's server that may be asked, or why there are none. */
export async function addressesOf(
  dns: Dns,
  host: string,
  reach: Reach,
): Promise<string[] | Failed> {
  const reply = await dns.ask("addresses", { name: host });
  if (reply.kind !== "answered") {
    const why = reply.kind === "refused" ? reply.refusal : reply.why;
    return fetchError(`${host}: ${why}`);
  }
  const addresses = reply.answer.addresses
    .filter((one) => isReachable(one, reach)).slice(0, MOST_ADDRESSES);
  return addresses.length > 0
    ? addresses
    : fetchError(`${host} has no IPv4 address that may be asked`);
}

function fetchError(why: string): Failed {
  return {
    kind: "failed",
    failure: "sts-policy-fetch-error",
    why: why.slice(0, 200),
  };
}

/** An address literal has no names below it, and a name has an end. */
function isName(name: string): boolean {
  return !name.includes("[") && !name.includes(":") && name.length <= 253;
}

/**
 * True of a name that a certificate can be checked for: TLS throws for labels
 * that begin or end with a hyphen, and for names that look like addresses.
 */
function isCertifiable(name: string): boolean {
  const labels = name.split(".");
  return labels.every((one) => !one.startsWith("-") && !one.endsWith("-")) &&
    !/^[0-9]+$/.test(labels.at(-1)!);
}
