/**
 * What TLS each host must have: gathers what `mod/dane` judges by. TLSA
 * records are asked for only where they can count, MTA-STS policies only where
 * no TLSA records speak, and nobody is asked about configured hosts whose
 * profile rests on nothing published.
 *
 * Whoever cannot say yes or no is a reason not to use the host: it never makes
 * a host's TLS a weaker one.
 */
import {
  askTlsa,
  type Demand,
  demandOf,
  type HostCase,
  keyOfDemand,
  type TlsaAnswer,
  tlsaBases,
} from "../dane/demand.ts";
import { usableRecords } from "../dane/tlsa.ts";
import type { Outcome } from "../core/outcome.ts";
import type { NextHop } from "../core/shapes.ts";
import type { Security } from "../dns/dns_ipc.ts";
import type { HostPolicy } from "./attempt.ts";
import type { TlsPolicies, TlsPolicy } from "./destination.ts";
import { noEncryption, noTls } from "./opening.ts";
import { type Candidate, type Names, whyOf } from "./route.ts";
import type { PolicyAsker, PolicyFound } from "./sts_memory.ts";
import { type TlsFault, type Wanted, wantedBy } from "./wanted.ts";

/** What was decided about one host. */
export interface Decided {
  readonly wanted: Wanted;
  /** For the event store and the reports. */
  readonly policy: HostPolicy;
  /** Why the host may not be used now; undefined if it may. */
  readonly unusable: Outcome | undefined;
  /** What is wrong with what is published, for the reports; or empty. */
  readonly fault: TlsFault;
  /** A session opened under an equal key may carry this mail. */
  readonly key: string;
  /** True if nothing that is published had a part in it. */
  readonly isFixed: boolean;
}

/** What it works with. */
export interface SafetyMeans {
  readonly policies: TlsPolicies;
  readonly names: Pick<Names, "tlsa" | "explain">;
  /** See `sts_memory.ts`; tells of no policy where MTA-STS is off. */
  readonly sts: PolicyAsker;
}

/** Decides about one host of a next hop; see the file's header. */
export async function decide(
  to: Candidate,
  asked: {
    readonly nextHop: NextHop;
    readonly requireTls: boolean;
    /** RFC 8460 §3: what is published must not keep it. */
    readonly isTlsReport?: boolean;
  },
  means: SafetyMeans,
): Promise<Decided> {
  const { nextHop, requireTls } = asked;
  const policy = policyOf(asked, means.policies);
  const exception = exceptionOf(to, { nextHop, policy }, means.policies);
  const about = {
    profile: policy.profile,
    isException: exception !== undefined,
    hop: hopOf(to, nextHop),
    host: {
      name: to.host,
      canonical: to.dns?.canonical ?? to.host,
      security: to.dns?.address ?? "insecure",
      nameSecurity: to.dns?.name ?? "insecure",
    },
    requireTls,
    match: policy.match,
    fingerprints: policy.fingerprints,
  } as const;
  const tlsa = await askTlsa(tlsaBases(about), async (base) => {
    const reply = await means.names.tlsa(`_${to.port}._tcp.${base}`);
    switch (reply.kind) {
      case "answered":
        return reply.answer;
      case "refused":
        return reply.refusal;
      case "failed":
        return "try-later";
    }
  });
  const sts = asksPolicy(about, { nextHop, tlsa })
    ? await means.sts(about.hop.domain)
    : NO_POLICY;
  const whole: HostCase = { ...about, tlsa, sts: sts.policy };
  const demand = sts.isUnknown ? withoutWord(demandOf(whole)) : demandOf(whole);
  return decided(demand, {
    to,
    nextHop,
    requireTls,
    policy,
    exception,
    tlsa,
    sts,
    why: tlsa.kind === "bogus" ? await whyBogus(about, to, means) : "",
  });
}

/** What an administrator demands holds for reports, too. */
function policyOf(
  { nextHop, isTlsReport }: { nextHop: NextHop; isTlsReport?: boolean },
  policies: TlsPolicies,
): TlsPolicy {
  const policy = policies.of(nextHop);
  return isTlsReport === true && policy.profile === "dane"
    ? { ...policy, profile: "may" }
    : policy;
}

const NO_POLICY: PolicyFound = {
  policy: undefined,
  lines: [],
  trouble: "",
  isUnknown: false,
};

function exceptionOf(
  to: Candidate,
  { nextHop, policy }: { nextHop: NextHop; policy: TlsPolicy },
  policies: TlsPolicies,
): string | undefined {
  if (policy.profile !== "dane") return undefined;
  const byDomain = nextHop.kind === "mx"
    ? policies.exceptionFor(nextHop.domain)
    : undefined;
  return byDomain ?? policies.exceptionFor(to.host);
}

function hopOf(to: Candidate, nextHop: NextHop): HostCase["hop"] {
  return nextHop.kind === "mx"
    ? {
      kind: "mx",
      domain: nextHop.domain,
      canonical: to.dns?.domain || nextHop.domain,
      security: to.dns?.mx ?? "insecure",
    }
    : { kind: "host" };
}

/** MTA-STS is about MX hosts of domains that DANE does not speak of. */
function asksPolicy<C extends Omit<HostCase, "tlsa" | "sts">>(
  about: C,
  { nextHop, tlsa }: { nextHop: NextHop; tlsa: TlsaAnswer },
): about is C & { readonly hop: HostCase["hop"] & { kind: "mx" } } {
  if (nextHop.kind !== "mx" || nextHop.domain.startsWith("[")) return false;
  switch (about.profile) {
    case "dane":
      break;
    case "may":
    case "encrypt":
      if (!about.requireTls) return false; // RFC 8689 §4.2.1 counts it
      break;
    case "none":
    case "verify":
    case "secure":
    case "dane-only":
    case "fingerprint":
      return false;
  }
  if (about.isException && !about.requireTls) return false;
  switch (tlsa.kind) {
    case "not-asked":
    case "none":
      return true;
    case "records":
      return usableRecords(tlsa.records).length === 0;
    case "try-later":
    case "bogus":
      return false;
  }
}

/** Whoever knows the cached policies is silent: one may be in force. */
function withoutWord(demand: Demand): Demand {
  return {
    ...demand,
    kind: "unusable",
    why: "MTA-STS policies cannot be asked for now",
    result: "",
    says: `${demand.says}; MTA-STS cannot be asked`.slice(0, 200),
  };
}

async function whyBogus(
  about: Pick<HostCase, "profile" | "isException" | "hop" | "host">,
  to: Candidate,
  { names }: SafetyMeans,
): Promise<string> {
  for (const base of tlsaBases(about)) {
    const why = await whyOf(`_${to.port}._tcp.${base}`, "TLSA", names);
    if (why !== "") return why;
  }
  return "";
}

function decided(demand: Demand, known: {
  readonly to: Candidate;
  readonly nextHop: NextHop;
  readonly requireTls: boolean;
  readonly policy: TlsPolicy;
  readonly exception: string | undefined;
  readonly tlsa: TlsaAnswer;
  readonly sts: PolicyFound;
  readonly why: string;
}): Decided {
  const { to, nextHop, requireTls, policy, sts } = known;
  const isUnusable = demand.kind === "unusable";
  const stsFault = faultOf(sts.trouble);
  return {
    wanted: wantedBy(demand, requireTls),
    policy: {
      profile: policy.profile,
      demand: known.exception === undefined
        ? demand.says
        : `${demand.says} (tls_exceptions: ${known.exception})`,
      dns: {
        mx: to.dns?.mx ?? "",
        address: to.dns?.address ?? "",
        tlsa: tlsaSecurity(known.tlsa),
      },
      mtaSts: demand.mtaSts,
      report: nextHop.kind !== "mx" || nextHop.domain.startsWith("[")
        ? undefined
        : reportOf(demand, { domain: nextHop.domain, sts, stsFault }),
    },
    unusable: isUnusable
      ? unusableOutcome(`${demand.why}${known.why}`, { to, requireTls, demand })
      : undefined,
    fault: isUnusable ? demand.result || stsFault : stsFault,
    key: `${requireTls ? "requiretls" : ""} ${keyOfDemand(demand)}`,
    isFixed: isFixed(policy, { to, nextHop, requireTls }),
  };
}

/** Whether all of it follows from the configuration alone. */
function isFixed(
  { profile }: TlsPolicy,
  { to, nextHop, requireTls }: {
    to: Candidate;
    nextHop: NextHop;
    requireTls: boolean;
  },
): boolean {
  if (nextHop.kind !== "mx" && to.dns === undefined) return true;
  return profile !== "dane" && profile !== "dane-only" && !requireTls;
}

function unusableOutcome(
  why: string,
  { to, requireTls, demand }: {
    to: Candidate;
    requireTls: boolean;
    demand: Demand & { kind: "unusable" };
  },
): Outcome {
  // RFC 8689 §4.2.1: for good where nothing is only missing for now.
  return requireTls && demand.result === "" &&
      demand.why.startsWith("REQUIRETLS")
    ? noEncryption(`${to.host}: ${why}`)
    : noTls(to.host, `${to.host}: ${why}`, "4.7.5");
}

/** What {@link PolicyFound} says is wrong, as RFC 8460 §4.3.2.2 has it. */
function faultOf(trouble: string): TlsFault {
  const word = trouble.split(":")[0]!;
  switch (word) {
    case "sts-policy-fetch-error":
    case "sts-policy-invalid":
    case "sts-webpki-invalid":
      return word;
    default:
      return "";
  }
}

function reportOf(
  demand: Demand,
  { domain, sts, stsFault }: {
    domain: string;
    sts: PolicyFound;
    stsFault: TlsFault;
  },
): NonNullable<HostPolicy["report"]> {
  const policy = demand.policy === "no-policy-found" && stsFault !== ""
    ? "sts"
    : demand.policy;
  const policyLines = policy === "sts" && sts.lines.length > 0
    ? sts.lines
    : demand.policyLines;
  return { policy, policyLines: [...policyLines], domain };
}

function tlsaSecurity({ kind }: TlsaAnswer): Security | "" {
  switch (kind) {
    case "records":
    case "none":
      return "secure";
    case "bogus":
      return "bogus";
    case "try-later":
      return "indeterminate";
    case "not-asked":
      return "";
  }
}
