/**
 * Does what a server showed meet what it must have? Pure; the certificates are
 * a stranger's, and the time is a parameter.
 *
 * That the server holds the key of the certificate, the handshake has proven
 * before anything here is asked (see README.md).
 */
import { createHash } from "node:crypto";
import { authorityOver } from "./chain.ts";
import type { Demand, TlsFault } from "./demand.ts";
import { fittingName } from "./names.ts";
import {
  hexOf,
  isAbout,
  isAuthority,
  isEndEntity,
  type TlsaRecord,
  tlsaText,
} from "./tlsa.ts";
import { type Certificate, certificateOf, outlineOf } from "./x509.ts";

/** What a server showed in the handshake. */
export interface Shown {
  /** DER, the server's own certificate first, the others as they were sent. */
  readonly chain: readonly Uint8Array[];
  /** Whether the chain leads to a known authority; names do not count here. */
  readonly isTrusted: boolean;
  /** Why it does not, as the TLS library has it; or empty. */
  readonly whyNot: string;
}

/** What came of it. */
export interface Judgement {
  /** True if the message may go. */
  readonly met: boolean;
  readonly reached: "clear" | "encrypted" | "verified" | "dane";
  /** What matched, or what did not: at most 300 characters. */
  readonly what: string;
  /** Why it is not met; or empty. */
  readonly why: string;
  /** RFC 3463 of the deferral; empty if met. */
  readonly status: "" | "4.7.4" | "4.7.5";
  /** For TLSRPT; also of a policy that is only tested. */
  readonly result: TlsFault;
}

/** Judges a host that has shaken hands. */
export function judge(
  demand: Demand,
  shown: Shown,
  nowMs: number,
): Judgement {
  switch (demand.kind) {
    case "clear":
    case "opportunistic":
    case "encrypted": {
      const result = testingResult(demand, shown, nowMs);
      return { ...MET, reached: "encrypted", what: described(shown), result };
    }
    case "verified":
      return verified(demand, shown, nowMs);
    case "dane":
      return byTlsa(demand, shown, nowMs);
    case "fingerprint":
      return byFingerprint(demand.fingerprints, shown);
    case "unusable":
      return failed(demand.why, { what: "", result: demand.result });
  }
}

/**
 * Judges a host with which there is no TLS: it offers none, refuses it, or the
 * handshake fails.
 */
export function judgeWithoutTls(
  demand: Demand,
  trouble: {
    readonly kind: "not-offered" | "refused" | "no-handshake";
    /** In the words of whoever failed. */
    readonly why: string;
  },
): Judgement {
  const isReported = demand.kind !== "clear" &&
    demand.policy !== "no-policy-found";
  const result: TlsFault = !isReported
    ? ""
    : trouble.kind === "no-handshake"
    ? "validation-failure"
    : "starttls-not-supported";
  const why = trouble.kind === "not-offered"
    ? "TLS is required, and the host does not offer it"
    : trouble.kind === "refused"
    ? "TLS is required, and the host refuses it"
    : `TLS is required, and the handshake failed: ${trouble.why}`.slice(0, 200);
  switch (demand.kind) {
    case "clear":
    case "opportunistic":
      return { ...MET, reached: "clear", what: "", result };
    case "encrypted":
    case "verified":
    case "dane":
    case "fingerprint": {
      const status = trouble.kind === "no-handshake" ? "4.7.5" : "4.7.4";
      return { ...failed(why, { what: "", result }), reached: "clear", status };
    }
    case "unusable":
      return {
        ...failed(demand.why, { what: "", result: demand.result }),
        reached: "clear",
      };
  }
}

const MET = { met: true, why: "", status: "" } as const;

function failed(
  why: string,
  { what, result }: { what: string; result: TlsFault },
): Judgement {
  return {
    met: false,
    reached: "encrypted",
    what: what.slice(0, 300),
    why: why.slice(0, 300),
    status: "4.7.5",
    result,
  };
}

/** A fault of a certificate and its name for TLSRPT. */
interface Fault {
  readonly why: string;
  readonly result: TlsFault;
}

function verified(
  demand: Pick<Demand & { kind: "verified" }, "names" | "mayCommonName">,
  shown: Shown,
  nowMs: number,
): Judgement {
  const found = authorised(demand, shown, nowMs);
  return "why" in found
    ? failed(found.why, { what: described(shown), result: found.result })
    : {
      ...MET,
      reached: "verified",
      what: `a known authority's, for ${found.name}`.slice(0, 300),
      result: "",
    };
}

function authorised(
  { names, mayCommonName }: {
    readonly names: readonly string[];
    readonly mayCommonName: boolean;
  },
  shown: Shown,
  nowMs: number,
): { readonly name: string } | Fault {
  const leaf = certificateOf(shown.chain[0] ?? new Uint8Array());
  if (leaf === undefined) return UNREADABLE;
  // Before the library's word: a certificate that stands in the list of
  // authorities itself passes there, however old it is.
  const fault = leafFault(leaf, nowMs);
  if (fault !== undefined) return fault;
  if (!shown.isTrusted) {
    return /expired|not_yet_valid/i.test(shown.whyNot)
      ? { why: "a certificate of the chain has expired", result: EXPIRED }
      : {
        why: `no known authority vouches for the certificate (${shown.whyNot})`,
        result: "certificate-not-trusted",
      };
  }
  const name = fittingName(leaf, names, { mayCommonName });
  return name === undefined ? wrongName(leaf, names) : { name };
}

const EXPIRED = "certificate-expired";
const UNREADABLE: Fault = {
  why: "the certificate cannot be read",
  result: "validation-failure",
};

function leafFault(leaf: Certificate, nowMs: number): Fault | undefined {
  if (nowMs > leaf.notAfterMs) {
    return { why: "the certificate has expired", result: EXPIRED };
  }
  if (nowMs < leaf.notBeforeMs) {
    return { why: "the certificate is not valid yet", result: EXPIRED };
  }
  if (!leaf.mayServe) {
    return {
      why: "the certificate is not one for servers",
      result: "certificate-not-trusted",
    };
  }
  return leaf.unknownCritical.length === 0 ? undefined : {
    why: `the certificate demands what is not understood here: ${
      leaf.unknownCritical[0]
    }`,
    result: "certificate-not-trusted",
  };
}

function wrongName(leaf: Certificate, names: readonly string[]): Fault {
  const has = leaf.dnsNames.length > 0 ? leaf.dnsNames : [leaf.commonName];
  return {
    why:
      `the certificate is for ${
        has.slice(0, 3).join(", ") || "no host name"
      }, ` +
      `not for ${names.slice(0, 3).join(" or ")}`,
    result: "certificate-host-mismatch",
  };
}

/** RFC 7672 §3.1 and §3.2: any record that matches will do. */
function byTlsa(
  demand: Demand & { kind: "dane" },
  shown: Shown,
  nowMs: number,
): Judgement {
  const [leaf] = shown.chain;
  if (leaf === undefined) {
    return failed(UNREADABLE.why, { what: "", result: UNREADABLE.result });
  }
  // DANE-EE: neither name nor dates nor chain, RFC 7672 §3.1.1.
  const own = demand.records.find((one) =>
    isEndEntity(one) && isAbout(one, leaf)
  );
  if (own !== undefined) return matched(own);
  const authorities = demand.records.filter(isAuthority);
  if (authorities.length === 0) return mismatch(demand.records, leaf);
  const found = authorityOver(shown.chain, authorities, nowMs);
  if ("why" in found) {
    return found.result === ""
      ? mismatch(demand.records, leaf)
      : failed(found.why, { what: described(shown), result: found.result });
  }
  const { certificate, record } = found;
  const fault = leafFault(certificate, nowMs) ??
    (fittingName(certificate, demand.names, { mayCommonName: true }) ===
        undefined
      ? wrongName(certificate, demand.names)
      : undefined);
  return fault === undefined
    ? matched(record)
    : failed(fault.why, { what: tlsaText(record), result: fault.result });
}

function matched(record: TlsaRecord): Judgement {
  return { ...MET, reached: "dane", what: tlsaText(record), result: "" };
}

function mismatch(
  records: readonly TlsaRecord[],
  leaf: Uint8Array,
): Judgement {
  const digest = createHash("sha256").update(leaf).digest("hex");
  return failed("no TLSA record matches the certificate", {
    what: `none of ${records.length} TLSA records; SHA-256 ${digest}`,
    result: "certificate-not-trusted",
  });
}

/** As Postfix reads fingerprints: of the certificate, or of its public key. */
function byFingerprint(
  fingerprints: readonly string[],
  { chain }: Shown,
): Judgement {
  const leaf = chain[0] ?? new Uint8Array();
  const digests = [leaf, outlineOf(leaf)?.spki].map((octets) =>
    octets === undefined
      ? ""
      : createHash("sha256").update(octets).digest("hex")
  );
  const hit = fingerprints.find((one) => digests.includes(one));
  return hit === undefined
    ? failed("the certificate has another fingerprint", {
      what: `SHA-256 ${digests[0]}, of the key ${digests[1]}`,
      result: "",
    })
    : { ...MET, reached: "verified", what: `fingerprint ${hit}`, result: "" };
}

function testingResult(
  { testing }: Demand,
  shown: Shown,
  nowMs: number,
): TlsFault {
  if (testing === undefined) return "";
  if (testing.fault !== "") return testing.fault;
  const { names } = testing;
  const found = authorised({ names, mayCommonName: false }, shown, nowMs);
  return "why" in found ? found.result : "";
}

/** What a certificate is that nobody needed to look at, or that failed. */
function described({ chain, isTrusted, whyNot }: Shown): string {
  const leaf = chain[0] && certificateOf(chain[0]);
  if (leaf === undefined) return "a certificate that cannot be read";
  const names = leaf.dnsNames.length > 0 ? leaf.dnsNames : [leaf.commonName];
  const trust = isTrusted ? "a known authority's" : whyNot || "not trusted";
  return `${
    names.slice(0, 3).join(", ") || hexOf(leaf.subject).slice(0, 32)
  }: ${trust}`
    .slice(0, 300);
}
