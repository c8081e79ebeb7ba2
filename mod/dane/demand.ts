/**
 * What TLS one host must have before it gets a message: the profile of the
 * destination, and what DNSSEC, TLSA records (RFC 7672), MTA-STS (RFC 8461)
 * and REQUIRETLS (RFC 8689) make of it. Pure.
 *
 * Every failure to find out is a reason not to use the host, and never a
 * reason to ask less of it.
 */
import type { Profile } from "./profile.ts";
import { isNamed } from "./names.ts";
import { matchesPolicy, type Policy } from "./sts.ts";
import { type TlsaRecord, tlsaText, usableRecords } from "./tlsa.ts";

/** Whether a chain of signatures leads to what the DNS said. */
export type Secured = "secure" | "insecure";

/** A host, as the DNS role answers it. */
export interface HostFacts {
  /** As the MX record or the configuration has it; perhaps an address. */
  readonly name: string;
  /** Where its aliases end. */
  readonly canonical: string;
  /** Of addresses and aliases. */
  readonly security: Secured;
  /** Of the first record at its name. */
  readonly nameSecurity: Secured;
}

/** Where the host's name comes from. */
export type Hop =
  | {
    readonly kind: "mx";
    /** The recipients' domain. */
    readonly domain: string;
    /** Where its aliases end. */
    readonly canonical: string;
    /** Of its MX records, or of the proof that there are none. */
    readonly security: Secured;
  }
  /** Named in the configuration. */
  | { readonly kind: "host" };

/** What came of asking for TLSA records, at {@link tlsaBases} in their order. */
export type TlsaAnswer =
  | { readonly kind: "not-asked" }
  | {
    readonly kind: "records";
    /** The name without `_25._tcp.`, RFC 7672 §2.2.3. */
    readonly base: string;
    readonly records: readonly TlsaRecord[];
  }
  /** Proven that there are none. */
  | { readonly kind: "none" }
  | { readonly kind: "try-later" }
  | { readonly kind: "bogus" };

/** All that is known of one host before it is connected to. */
export interface HostCase {
  readonly profile: Profile;
  /** One of the known broken sites: what it publishes is not looked at. */
  readonly isException: boolean;
  readonly hop: Hop;
  readonly host: HostFacts;
  readonly tlsa: TlsaAnswer;
  /** The policy of the recipients' domain; undefined for none. */
  readonly sts: Policy | undefined;
  /** RFC 8689: the sender asked for verified TLS or no delivery. */
  readonly requireTls: boolean;
  /** Names or `.names` instead of the profile's own; null for those. */
  readonly match: readonly string[] | null;
  /** SHA-256 of certificates or keys in lower-case hex. */
  readonly fingerprints: readonly string[] | null;
}

/** Results of RFC 8460 §4.3 that are known here; empty is success. */
export type TlsFault =
  | ""
  | "starttls-not-supported"
  | "certificate-host-mismatch"
  | "certificate-expired"
  | "certificate-not-trusted"
  | "validation-failure"
  | "tlsa-invalid"
  | "dnssec-invalid"
  | "dane-required";

/** What every demand says besides. */
interface Said {
  /** In words, for the event store: at most 200 characters. */
  readonly says: string;
  /** The name for SNI (RFC 7672 §8.1); empty for none. */
  readonly sni: string;
  /** Which policy it is, for TLSRPT (RFC 8460 §4.4). */
  readonly policy: "tlsa" | "sts" | "no-policy-found";
  /** The policy as TLSRPT shows it: at most 20 lines of 300 characters. */
  readonly policyLines: readonly string[];
  /** The mode of the MTA-STS policy that counted, and its id; or empty. */
  readonly mtaSts: string;
  /** A policy that only asks for reports, RFC 8461 §5. */
  readonly testing?: {
    readonly names: readonly string[];
    readonly fault: TlsFault;
  };
}

/**
 * What one host must have.
 *
 * - `clear`: no TLS
 * - `opportunistic`: TLS if it can be had, else in the clear
 * - `encrypted`: TLS, whatever the certificate
 * - `verified`: TLS with a certificate of a known authority for a name
 * - `dane`: TLS with a certificate that the records name
 * - `fingerprint`: TLS with a certificate or key named beforehand
 * - `unusable`: this host may not have the message now; another one may
 */
export type Demand =
  & Said
  & (
    | { readonly kind: "clear" | "opportunistic" | "encrypted" }
    | {
      readonly kind: "verified";
      /** Names, or `.name` for all below it; any one will do. */
      readonly names: readonly string[];
      readonly mayCommonName: boolean;
    }
    | {
      readonly kind: "dane";
      /** Usable ones only; at least one. */
      readonly records: readonly TlsaRecord[];
      /** Reference identifiers for DANE-TA, RFC 7672 §3.2.2. */
      readonly names: readonly string[];
    }
    | { readonly kind: "fingerprint"; readonly fingerprints: readonly string[] }
    | {
      readonly kind: "unusable";
      /** For the outcome, such as `TLSA records are bogus`. */
      readonly why: string;
      readonly result: TlsFault;
    }
  );

/**
 * The names to ask TLSA records for, the best first; the next one only if the
 * one before is proven to have none. Empty if DANE has no say in this case:
 * records there would prove nothing, or the profile does not want them.
 *
 * RFC 7672 §2.2.2 and §2.2.3: the end of the aliases if all of them are
 * secure, then the name itself; the name alone if only its own record is. An
 * alias whose end is insecure says nothing of other aliases. For MX hosts
 * nothing counts unless the MX records are secure, too (§2.2.1).
 */
export function tlsaBases(
  { profile, isException, hop, host }: Pick<
    HostCase,
    "profile" | "isException" | "hop" | "host"
  >,
): readonly string[] {
  const isWanted = profile === "dane-only" ||
    profile === "dane" && !isException;
  if (!isWanted || (hop.kind === "mx" && hop.security !== "secure")) return [];
  if (host.security === "secure") {
    return host.canonical === host.name
      ? [host.name]
      : [host.canonical, host.name];
  }
  return host.nameSecurity === "secure" && host.canonical !== host.name
    ? [host.name]
    : [];
}

/**
 * Asks for TLSA records as {@link tlsaBases} says.
 *
 * @param ask Asks for `_PORT._tcp.BASE` and never throws
 */
export async function askTlsa(
  bases: readonly string[],
  ask: (base: string) => Promise<
    | { readonly records: readonly TlsaRecord[] }
    | "none"
    | "try-later"
    | "bogus"
  >,
): Promise<TlsaAnswer> {
  for (const base of bases) {
    const answer = await ask(base);
    if (typeof answer !== "string") {
      return { kind: "records", base, records: answer.records };
    }
    // Trouble here says nothing of the next name: going on would let whoever
    // makes it choose the records (RFC 7672 §2.1.2).
    if (answer !== "none") return { kind: answer };
  }
  return { kind: bases.length === 0 ? "not-asked" : "none" };
}

/**
 * What the host must have.
 *
 * @throws {RangeError} If TLSA records were to be asked for and were not
 */
export function demandOf(about: HostCase): Demand {
  const plain = byProfile(about);
  const demand = about.requireTls ? verifiedAtLeast(plain, about) : plain;
  return { ...demand, says: demand.says.slice(0, 200) };
}

/**
 * Equal for two demands exactly if a session opened for one may carry
 * messages of the other: both ask the same of the same names.
 */
export function keyOfDemand(demand: Demand): string {
  const more = demand.kind === "verified"
    ? [demand.mayCommonName, demand.names]
    : demand.kind === "dane"
    ? [demand.records, demand.names]
    : demand.kind === "fingerprint"
    ? [demand.fingerprints]
    : [];
  return JSON.stringify([demand.kind, demand.sni, demand.testing, more]);
}

function byProfile(about: HostCase): Demand {
  const { profile, host, match } = about;
  const plain = said(about);
  switch (profile) {
    case "none":
      return { ...plain, kind: "clear", says: "none: no TLS" };
    case "may":
      return opportunistic(about, "may: TLS if offered");
    case "encrypt":
      return { ...plain, kind: "encrypted", says: "encrypt: any certificate" };
    case "verify":
      return verified(about, match ?? [host.name]);
    case "secure":
      return verified(about, match ?? ownNames(about));
    case "fingerprint":
      return {
        ...plain,
        kind: "fingerprint",
        fingerprints: about.fingerprints ?? [],
        says: `fingerprint: ${about.fingerprints?.length ?? 0} known`,
      };
    case "dane":
    case "dane-only":
      return byRecords(about);
  }
}

/** The names that a destination has by itself, for `secure`. */
function ownNames({ hop, host }: HostCase): readonly string[] {
  switch (hop.kind) {
    case "mx":
      return [hop.domain, `.${hop.domain}`];
    case "host":
      return [host.name, `.${host.name}`];
  }
}

function byRecords(about: HostCase): Demand {
  const { profile, tlsa, host } = about;
  const bases = tlsaBases(about);
  if (bases.length > 0 && tlsa.kind === "not-asked") {
    throw new RangeError(`Cannot judge ${host.name}: TLSA was not asked for`);
  }
  // Records that nobody should have asked for count for nothing.
  const answer: TlsaAnswer = bases.length === 0 ? { kind: "not-asked" } : tlsa;
  switch (answer.kind) {
    case "try-later":
      return unusable(about, {
        why: "TLSA records cannot be looked up now",
        result: "dnssec-invalid",
      });
    case "bogus":
      return unusable(about, {
        why: "DNSSEC: TLSA records are bogus",
        result: "dnssec-invalid",
      });
    case "records":
      return byFound(about, answer);
    case "none":
    case "not-asked":
      return profile === "dane-only"
        ? unusable(about, {
          why: answer.kind === "none"
            ? "no TLSA records"
            : "no TLSA records that DNSSEC could vouch for",
          result: "dane-required",
        })
        : byPolicy(about, answer);
  }
}

function byFound(
  about: HostCase,
  found: TlsaAnswer & { kind: "records" },
): Demand {
  const { profile, hop } = about;
  const usable = usableRecords(found.records);
  const count = `${usable.length} usable of ${found.records.length} TLSA`;
  const common: Said = {
    ...said(about),
    says: `${profile}: ${count} at ${found.base}`,
    sni: found.base,
    policy: "tlsa",
    policyLines: found.records.slice(0, 20).map((record) =>
      tlsaText(record, 250).slice("TLSA ".length)
    ),
  };
  if (usable.length > 0) {
    // RFC 7672 §3.2.2: the recipients' domain, too, as it stands and where its
    // aliases end, since its MX records are secure.
    const names = hop.kind === "mx"
      ? [...new Set([found.base, hop.domain, hop.canonical])]
      : [found.base];
    return { ...common, kind: "dane", records: usable, names };
  }
  if (profile === "dane-only") {
    return {
      ...common,
      kind: "unusable",
      why: "no usable TLSA records",
      result: "tlsa-invalid",
    };
  }
  // RFC 7672 §2.2: TLS is a must, and nothing is there to verify it by; but
  // where a policy asks for more than nothing, it gets it.
  const policy = byPolicy(about, found);
  return policy.kind === "opportunistic"
    ? { ...common, kind: "encrypted", says: `${common.says}: any certificate` }
    : policy;
}

/** MTA-STS, where DANE does not speak of the host: RFC 8461 §2. */
function byPolicy(about: HostCase, { kind }: TlsaAnswer): Demand {
  const { sts, hop, host, profile, isException } = about;
  const why = kind === "none"
    ? "no TLSA"
    : kind === "records"
    ? "no usable TLSA"
    : isException
    ? "an exception"
    : "not signed";
  if (sts === undefined || isException || hop.kind !== "mx") {
    return opportunistic(about, `${profile}: ${why}: TLS if offered`);
  }
  const { mode, id } = sts;
  const common: Omit<Said, "says"> = {
    ...said(about),
    mtaSts: `${mode} ${id}`.slice(0, 64),
    policy: mode === "none" ? "no-policy-found" : "sts",
    policyLines: mode === "none" ? [] : linesOf(sts),
  };
  const isListed = matchesPolicy(host.name, sts);
  switch (mode) {
    case "none":
      return {
        ...common,
        kind: "opportunistic",
        says: `${profile}: ${why}, MTA-STS none: TLS if offered`,
      };
    case "testing":
      return {
        ...common,
        kind: "opportunistic",
        says: `${profile}: ${why}, MTA-STS testing: TLS if offered`,
        testing: {
          names: [host.name],
          fault: isListed ? "" : "validation-failure",
        },
      };
    case "enforce":
      return isListed
        ? {
          ...common,
          kind: "verified",
          names: [host.name],
          mayCommonName: false, // RFC 8461 §4.2
          says: `${profile}: ${why}, MTA-STS enforce: ${host.name}`,
        }
        : {
          ...common,
          kind: "unusable",
          why: "the MTA-STS policy does not list the host",
          result: "validation-failure",
          says: `${profile}: ${why}, MTA-STS enforce: not listed`,
        };
  }
}

function linesOf({ mode, mx }: Policy): readonly string[] {
  const hosts = mx.slice(0, 18).map((one) => `mx: ${one}`);
  return ["version: STSv1", `mode: ${mode}`, ...hosts];
}

/**
 * RFC 8689 §4.2.1: verified TLS, to a host whose name somebody vouches for: the
 * configuration, DNSSEC, MTA-STS, or the recipients' own domain, in which no
 * stranger gets a certificate.
 */
function verifiedAtLeast(demand: Demand, about: HostCase): Demand {
  const { hop, host, sts, profile } = about;
  switch (demand.kind) {
    case "verified":
    case "dane":
    case "fingerprint":
    case "unusable":
      return demand;
    case "clear":
      return unusable(about, {
        why: "REQUIRETLS, and its profile is none",
        result: "",
      });
    case "opportunistic":
    case "encrypted":
      break;
  }
  const isVouchedFor = hop.kind === "host" || hop.security === "secure" ||
    isNamed(host.name, hop.domain) || isNamed(host.name, `.${hop.domain}`) ||
    (sts !== undefined && sts.mode !== "none" && matchesPolicy(host.name, sts));
  return isVouchedFor
    ? {
      ...demand,
      kind: "verified",
      names: [host.name],
      mayCommonName: true,
      says: `${profile}: REQUIRETLS: ${host.name}`,
    }
    : unusable(about, {
      why: "REQUIRETLS, and nobody vouches for the host's name",
      result: "",
    });
}

function said({ host }: HostCase): Omit<Said, "says"> {
  const isName = !host.name.includes(":") && !/^[0-9.]+$/.test(host.name);
  return {
    sni: isName ? host.name : "",
    policy: "no-policy-found",
    policyLines: [],
    mtaSts: "",
  };
}

function opportunistic(about: HostCase, says: string): Demand {
  return { ...said(about), kind: "opportunistic", says };
}

function verified(about: HostCase, names: readonly string[]): Demand {
  return {
    ...said(about),
    kind: "verified",
    names,
    mayCommonName: true,
    says: `${about.profile}: ${names.join(" ")}`,
  };
}

function unusable(
  about: HostCase,
  { why, result }: { why: string; result: TlsFault },
): Demand {
  const isTlsa = about.profile === "dane" || about.profile === "dane-only";
  return {
    ...said(about),
    kind: "unusable",
    why,
    result,
    policy: isTlsa && result !== "" ? "tlsa" : "no-policy-found",
    says: `${about.profile}: ${why}`,
  };
}
