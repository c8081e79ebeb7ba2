/** Asks the role `dns`, in a jail of its own, about this server's records. */
import { dnsContract } from "../../dns/dns_ipc.ts";
import { certificateIn } from "../plan.ts";
import type { Opened } from "../site_io.ts";
import { withSmallServer } from "../small_server.ts";
import {
  type FoundRecords,
  isOfAuthority,
  judge,
  type Judged,
  type RecordFacts,
  type RecordType,
  type WantedRecord,
  wantedRecords,
} from "./records.ts";

/** A name that is signed and always there: its keys prove two things. */
const SIGNED = "org";
/** Time in which a resolver that works has answered. */
const RESOLVER_WITHIN_MS = 15_000;
/** Domains whose records are looked at. */
const MOST_DOMAINS = 20;

/** What the DNS says of one wanted record. */
export interface LookedUp extends Judged {
  readonly record: WantedRecord;
  readonly security: FoundRecords["security"];
}

/** All that was found out. */
export interface DnsFacts {
  /** How a name that everybody can look up was answered. */
  readonly resolver: FoundRecords;
  readonly records: readonly LookedUp[];
  /** Addresses of a server that takes mail for `reach`; for a try of port 25. */
  readonly elsewhere: readonly string[];
}

/** What is asked about. */
export interface DnsQuestions {
  readonly facts: RecordFacts;
  /** A domain whose mail hosts are looked up; null: none. */
  readonly reach: string | null;
}

/** The facts that this server's records are made from. */
export function recordFacts(
  { config, plan }: Opened,
  addresses: readonly string[],
): RecordFacts {
  const { submission, server, outbound } = config;
  return {
    domains: server.local_domains.slice(0, MOST_DOMAINS),
    hostname: server.hostname,
    addresses,
    certificate: certificateIn(plan),
    submission: plan.listen.has("submission")
      ? submission.listen[0]!.port
      : null,
    submissions: plan.listen.has("submissions")
      ? submission.tls_listen[0]!.port
      : null,
    hasSmarthost: outbound.smarthost !== null,
  };
}

/** True if others can check the certificate by its issuer. */
export function hasTrustedCertificate({ certificate }: RecordFacts): boolean {
  return certificate !== null && isOfAuthority(certificate);
}

/** Looks everything up; about two seconds for the role, and the answers. */
export async function askDns(
  opened: Opened,
  programs: ReadonlyMap<string, string>,
  { facts, reach }: DnsQuestions,
): Promise<DnsFacts> {
  return await withSmallServer(
    opened,
    programs,
    { roles: ["dns"], asker: "console", asks: ["dns"] },
    async (server) => {
      const edge = server.ask(dnsContract);
      const ask = async (
        name: string,
        type: RecordType,
      ): Promise<FoundRecords> => {
        const reply = await edge.ask("explain", { name, type });
        return reply.kind === "answered" ? reply.answer : NOTHING;
      };
      const resolver = await within(ask(SIGNED, "DNSKEY"), RESOLVER_WITHIN_MS);
      const isDead = resolver.records.length === 0 &&
        resolver.status !== "NOERROR" && resolver.status !== "NXDOMAIN" &&
        resolver.status !== "REFUSED";
      if (isDead) return { resolver, records: [], elsewhere: [] };
      const known = await withAddresses(facts, ask);
      const records = await Promise.all(
        wantedRecords(known).map(async (record): Promise<LookedUp> => {
          const found = await ask(record.name, record.type);
          const { security } = found;
          return { record, security, ...judge(record, found, known) };
        }),
      );
      const elsewhere = reach === null ? [] : await hostsOf(reach, ask);
      return { resolver, records, elsewhere };
    },
  );
}

type Ask = (name: string, type: RecordType) => Promise<FoundRecords>;

const NOTHING: FoundRecords = {
  status: "no answer",
  security: "indeterminate",
  records: [],
  why: "",
};

async function within(
  asked: Promise<FoundRecords>,
  ms: number,
): Promise<FoundRecords> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const never = new Promise<FoundRecords>((resolve) => {
    late = setTimeout(() => resolve(NOTHING), ms);
  });
  return await Promise.race([asked, never]).finally(() => clearTimeout(late));
}

/** Behind a translator only the DNS says by which addresses we are known. */
async function withAddresses(
  facts: RecordFacts,
  ask: Ask,
): Promise<RecordFacts> {
  if (facts.addresses.length > 0) return facts;
  const found = await Promise.all([
    ask(facts.hostname, "A"),
    ask(facts.hostname, "AAAA"),
  ]);
  return { ...facts, addresses: found.flatMap(addressesIn) };
}

function addressesIn({ records }: FoundRecords): string[] {
  return records.flatMap((line) => {
    const [, , , type, data] = line.split(" ");
    return (type === "A" || type === "AAAA") && data ? [data] : [];
  });
}

async function hostsOf(domain: string, ask: Ask): Promise<string[]> {
  const { records } = await ask(domain, "MX");
  const hosts = records.flatMap((line) => {
    const [, , , type, , host] = line.split(" ");
    return type === "MX" && host ? [host.replace(/\.$/, "")] : [];
  });
  const found = await Promise.all(
    hosts.slice(0, 3).map((host) => ask(host, "A")),
  );
  return found.flatMap(addressesIn).slice(0, 4);
}
