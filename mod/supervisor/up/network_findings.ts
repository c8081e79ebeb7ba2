/** What only the network can tell, and what can be said of it from inside. */
import { isLoopback } from "../../config/names.ts";
import { wordsOf } from "../care/words.ts";
import type { Opened } from "../site_io.ts";
import { readStatus } from "../status_file.ts";
import { hasWayOut, ownAddresses } from "./addresses.ts";
import {
  askDns,
  type DnsFacts,
  type LookedUp,
  recordFacts,
} from "./ask_dns.ts";
import { type Finding, finding } from "./finding.ts";
import { answers, tryRelay } from "./probe_io.ts";
import type { RecordFacts } from "./records.ts";

/** What to ask. */
export interface NetworkOptions {
  readonly offline: boolean;
  /** Public addresses; those of the machine if there are none. */
  readonly address: readonly string[];
  /** Whose port 25 to try. */
  readonly reach: string;
}

/** All that came of it. */
export interface NetworkFacts {
  readonly findings: readonly Finding[];
  /** Null if the DNS was not asked, or did not answer. */
  readonly records: readonly LookedUp[] | null;
  readonly facts: RecordFacts;
}

/** Asks. */
export async function askNetwork(
  opened: Opened,
  programs: ReadonlyMap<string, string>,
  options: NetworkOptions,
): Promise<NetworkFacts> {
  const addresses = options.address.length > 0
    ? options.address
    : ownAddresses();
  const facts = recordFacts(opened, addresses);
  const own = await wayIn(opened, ownAddresses());
  const skip = whyNot(opened, options);
  if (skip !== undefined) {
    return {
      findings: [...own, finding("dns", "hint", skip)],
      records: null,
      facts,
    };
  }
  const hasSmarthost = opened.config.outbound.smarthost !== null;
  let dns: DnsFacts;
  try {
    dns = await askDns(opened, programs, {
      facts,
      reach: hasSmarthost ? null : options.reach,
    });
  } catch (error) {
    if (error instanceof TypeError) throw error;
    const why = `cannot ask: ${wordsOf(error)}`;
    return {
      findings: [...own, finding("resolver", "wrong", why)],
      records: null,
      facts,
    };
  }
  return {
    findings: [
      ...own,
      ...resolverFindings(dns),
      ...await wayOut(dns, options.reach),
      ...recordFindings(dns.records),
      ...addresses.length === 0 ? [NO_ADDRESS] : [],
    ],
    records: dns.records.length > 0 ? dns.records : null,
    facts,
  };
}

const NO_ADDRESS = finding(
  "dns",
  "hint",
  "this machine has no public address of its own: it is behind a router, " +
    "which must send port 25 here",
  "--address ADDRESS says by which the world sees it",
);

function whyNot(
  opened: Opened,
  { offline }: NetworkOptions,
): string | undefined {
  if (offline) return "the network was not asked: --offline";
  const { config, plan } = opened;
  if (config.smtp.listen.every(({ host }) => isLoopback(host))) {
    return "the server listens on the loopback alone, so nothing in the DNS " +
      "can lead here: it was not asked";
  }
  const isNear = plan.site.nameservers.some(isLoopback);
  return hasWayOut() || isNear
    ? undefined
    : "this machine has no way to the network: the DNS was not asked";
}

/** A stranger's words to our own addresses. */
async function wayIn(
  { config, paths }: Opened,
  addresses: readonly string[],
): Promise<Finding[]> {
  if (readStatus(paths.runDir) === undefined) return [];
  const { hostname, local_domains: domains } = config.server;
  const places = config.smtp.listen.flatMap(({ host, port }) => {
    if (host !== "0.0.0.0" && host !== "::") return [{ hostname: host, port }];
    const own = addresses.filter((one) =>
      one.includes(":") === (host === "::")
    );
    const loopback = host === "::" ? "::1" : "127.0.0.1";
    return (own.length > 0 ? own : [loopback]).map((one) => ({
      hostname: one,
      port,
    }));
  });
  const domain = domains[0] ?? hostname;
  const tried = await Promise.all(
    places.slice(0, 8).map(async (place) => {
      const at = `${place.hostname} port ${place.port}`;
      const trial = await tryRelay(place, { hostname, domain });
      switch (trial.kind) {
        case "no connection":
          return finding(
            "way in",
            "wrong",
            `nothing answers at ${at}, tried from this machine itself`,
            "look at its firewall (nft list ruleset), and at smtp.listen",
          );
        case "no server":
          return finding(
            "way in",
            "wrong",
            `something else answers at ${at}: ${JSON.stringify(trial.heard)}`,
            "look what stands between (a firewall, a proxy)",
          );
        case "relays":
          return finding(
            "way in",
            "wrong",
            `${at} relays for strangers: it took mail ${trial.how}`,
            "look at server.relay_domains and [routes], now",
          );
        case "refused":
          return finding(
            "way in",
            "good",
            `${at} answers, and relays nothing for strangers (tried)`,
          );
      }
    }),
  );
  const isOpen = places.some(({ hostname: one }) => !isLoopback(one));
  return isOpen
    ? [
      ...tried,
      finding(
        "way in",
        "hint",
        "whether the world gets through to port 25 cannot be seen from inside",
        `from a machine elsewhere: nc -v ${hostname} 25`,
      ),
    ]
    : tried;
}

/** The dates of signatures bound the clock: days, not seconds. */
function resolverFindings({ resolver }: DnsFacts): Finding[] {
  const { security, status, records, why } = resolver;
  switch (security) {
    case "secure":
      return [
        finding("resolver", "good", "the DNS answers, and DNSSEC proves it"),
        finding(
          "clock",
          "good",
          "the clock is right to within days: signatures of today are valid " +
            "(seconds cannot be checked so)",
        ),
      ];
    case "bogus":
      return [finding(
        "resolver",
        "wrong",
        `the DNS's signatures are refused: ${why}`,
        "if the clock is wrong (`date -u`), set it; if not, a name server on " +
          "the way changes answers: outbound.nameservers",
      )];
    case "insecure":
    case "indeterminate":
      return records.length > 0 || status === "NXDOMAIN" || status === "NOERROR"
        ? [finding(
          "resolver",
          "warning",
          "the DNS answers, and DNSSEC proves nothing of it: DANE will not be " +
            "used, and the clock cannot be checked",
        )]
        : [finding(
          "resolver",
          "wrong",
          `no name server answers (${status}): mail to others waits`,
          "look at /etc/resolv.conf, or set outbound.nameservers",
        )];
  }
}

/** A connection to somebody's port 25; nothing is said. */
async function wayOut(dns: DnsFacts, reach: string): Promise<Finding[]> {
  const { elsewhere } = dns;
  if (elsewhere.length === 0) return [];
  const tried = await Promise.all(
    elsewhere.map((hostname) => answers({ hostname, port: 25 })),
  );
  return [
    tried.some(Boolean)
      ? finding(
        "way out",
        "good",
        `port 25 is open to the outside (tried: ${reach})`,
      )
      : finding(
        "way out",
        "wrong",
        `no connection to port 25 of ${reach} (${
          elsewhere.join(", ")
        }): many ` +
          "providers block it, and mail to others waits",
        "ask the provider to open it, or set outbound.smarthost",
      ),
  ];
}

/** A sentence for each record; one for all that cannot be seen for one reason. */
export function recordFindings(records: readonly LookedUp[]): Finding[] {
  const unseen = records.filter(({ state }) => state === "unknown");
  const [first] = unseen;
  const isOneReason = unseen.length > 1 &&
    unseen.every(({ found }) => found === first!.found);
  const told = isOneReason
    ? records.filter(({ state }) => state !== "unknown")
    : records;
  return [
    ...isOneReason
      ? [finding(
        "dns",
        "warning",
        `${unseen.length} records cannot be seen: ${first!.found}`,
      )]
      : [],
    ...findingsOf(told),
  ];
}

function findingsOf(records: readonly LookedUp[]): Finding[] {
  return records.map((one) => {
    const { name, type, value, weight, why } = one.record;
    const what = `${name} ${type}`;
    const record = `${name}. ${type} ${value}`;
    switch (one.state) {
      case "right":
        return one.record.what === "tlsa" && one.security !== "secure"
          ? finding(
            "dns",
            "hint",
            `${what} is right, and counts only once the zone is signed (DNSSEC)`,
          )
          : finding("dns", "good", `${what} is right`);
      case "harmful":
        return finding("dns", "wrong", `${what}: ${one.found}`, record);
      case "unknown":
        return finding(
          "dns",
          "warning",
          `${what} cannot be seen: ${one.found}`,
        );
      case "missing":
        return finding(
          "dns",
          KIND[weight],
          `${what} is missing: ${why}`,
          record,
        );
      case "other":
        return finding("dns", KIND[weight], `${what}: ${one.found}`, record);
    }
  });
}

const KIND = {
  needed: "wrong",
  advised: "warning",
  convenient: "hint",
} as const;
