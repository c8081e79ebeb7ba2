/**
 * The DNS records that a mail server of one's own wants, and what is to be
 * said of those that the DNS has. Pure: it is told what the role `dns` found.
 */
import { createHash, X509Certificate } from "node:crypto";
import { ipv6Octets } from "../../core/ipv6.ts";

/** Types that are asked for. */
export type RecordType =
  | "MX"
  | "A"
  | "AAAA"
  | "PTR"
  | "TXT"
  | "TLSA"
  | "SRV"
  | "DNSKEY";

/** One record to set. */
export interface WantedRecord {
  /** Without the last dot. */
  readonly name: string;
  readonly type: RecordType;
  /** As a zone file has it. */
  readonly value: string;
  readonly what:
    | "mx"
    | "address"
    | "reverse"
    | "spf"
    | "helo-spf"
    | "dmarc"
    | "tlsa"
    | "tls-report"
    | "mta-sts"
    | "client";
  /** Without it mail is lost, goes worse, or is less convenient. */
  readonly weight: "needed" | "advised" | "convenient";
  readonly why: string;
}

/** What the records are made from. */
export interface RecordFacts {
  readonly domains: readonly string[];
  readonly hostname: string;
  /** Public addresses of this host; none if they are not known. */
  readonly addresses: readonly string[];
  /** PEM; null without TLS. */
  readonly certificate: string | null;
  /** Ports for mail programs; null if there is none. */
  readonly submission: number | null;
  readonly submissions: number | null;
  /** Mail leaves through a provider. */
  readonly hasSmarthost: boolean;
}

/** All records, in the order in which to set them. */
export function wantedRecords(facts: RecordFacts): WantedRecord[] {
  const { hostname } = facts;
  const records: WantedRecord[] = facts.addresses.flatMap((address) => [
    {
      name: hostname,
      type: address.includes(":") ? "AAAA" : "A",
      value: address,
      what: "address",
      weight: "needed",
      why: "where this server is",
    },
    {
      name: reverseName(address),
      type: "PTR",
      value: `${hostname}.`,
      what: "reverse",
      weight: "needed",
      why: "whoever rents you the address sets it; without it much mail is " +
        "refused",
    },
  ]);
  for (const domain of facts.domains) {
    records.push(...domainRecords(domain, facts));
  }
  // A name has one policy, RFC 7208 §3.2.
  if (!facts.domains.includes(hostname)) {
    records.push({
      name: hostname,
      type: "TXT",
      value: quoted("v=spf1 a -all"),
      what: "helo-spf",
      weight: "convenient",
      why: "who else greets with this name is not this server",
    });
  }
  if (facts.certificate !== null) {
    records.push({
      name: `_25._tcp.${hostname}`,
      type: "TLSA",
      value: tlsaOf(facts.certificate),
      what: "tlsa",
      weight: "advised",
      why: "mail to you cannot be listened to; counts in a signed zone only",
    });
  }
  return records;
}

function domainRecords(domain: string, facts: RecordFacts): WantedRecord[] {
  const { hostname, certificate, hasSmarthost } = facts;
  const records: WantedRecord[] = [
    {
      name: domain,
      type: "MX",
      value: `10 ${hostname}.`,
      what: "mx",
      weight: "needed",
      why: "mail for the domain comes here",
    },
    {
      name: domain,
      type: "TXT",
      // With a provider it is the provider's servers that send.
      value: quoted(hasSmarthost ? "v=spf1 mx ~all" : "v=spf1 mx -all"),
      what: "spf",
      weight: "needed",
      why: hasSmarthost
        ? "and the include: that your provider tells you, before ~all"
        : "mail from the domain comes from its MX, and from nowhere else",
    },
    {
      name: `_dmarc.${domain}`,
      type: "TXT",
      value: quoted(`v=DMARC1; p=none; rua=mailto:postmaster@${domain}`),
      what: "dmarc",
      weight: "advised",
      why: "large providers want one; p=none only asks for reports",
    },
    {
      name: `_smtp._tls.${domain}`,
      type: "TXT",
      value: quoted(`v=TLSRPTv1; rua=mailto:postmaster@${domain}`),
      what: "tls-report",
      weight: "convenient",
      why: "others report how their TLS to you went",
    },
  ];
  if (certificate !== null && isOfAuthority(certificate)) {
    records.push({
      name: `_mta-sts.${domain}`,
      type: "TXT",
      value: quoted(`v=STSv1; id=${policyId(hostname)}`),
      what: "mta-sts",
      weight: "convenient",
      why: `with the policy below at ${policyUrl(domain)}`,
    });
  }
  const service = (label: string, port: number): WantedRecord => ({
    name: `_${label}._tcp.${domain}`,
    type: "SRV",
    value: `0 1 ${port} ${hostname}.`,
    what: "client",
    weight: "convenient",
    why: "mail programs find the way by themselves (RFC 6186, RFC 8314)",
  });
  const { submission, submissions } = facts;
  if (submissions !== null) records.push(service("submissions", submissions));
  if (submission !== null) records.push(service("submission", submission));
  return records;
}

/** Where a domain's MTA-STS policy has to lie, RFC 8461 §3.3. */
export function policyUrl(domain: string): string {
  return `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
}

/** The policy, RFC 8461 §3.2: one that is tried before it is meant. */
export function policyText(hostname: string): string {
  return [
    "version: STSv1",
    "mode: testing",
    `mx: ${hostname}`,
    "max_age: 604800",
  ]
    .join("\r\n") + "\r\n";
}

/** Changes when the policy does, RFC 8461 §3.1. */
function policyId(hostname: string): string {
  return createHash("sha256").update(policyText(hostname)).digest("hex")
    .slice(0, 16);
}

/** DANE-EE, the key, SHA-256 (RFC 7672 §3.1): it outlives a renewal that keeps the key. */
export function tlsaOf(certificate: string): string {
  const key = new X509Certificate(certificate).publicKey
    .export({ type: "spki", format: "der" });
  return `3 1 1 ${createHash("sha256").update(key).digest("hex")}`;
}

/** True if somebody else signed it: MTA-STS wants a certificate to be known. */
export function isOfAuthority(certificate: string): boolean {
  const { issuer, subject } = new X509Certificate(certificate);
  return issuer !== subject;
}

/** Where an address's PTR record lies, RFC 1035 §3.5, RFC 3596 §2.5. */
export function reverseName(address: string): string {
  if (!address.includes(":")) {
    return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  }
  const nibbles = [...ipv6Octets(address)]
    .flatMap((octet) => [octet >> 4, octet & 15])
    .map((nibble) => nibble.toString(16));
  return `${nibbles.reverse().join(".")}.ip6.arpa`;
}

/** A text as a TXT record's one string. */
function quoted(text: string): string {
  return `"${text}"`;
}

/** What the role `dns` found under a record's name. */
export interface FoundRecords {
  readonly status: string;
  readonly security: "secure" | "insecure" | "bogus" | "indeterminate";
  /** In presentation form: name, TTL, class, type, data. */
  readonly records: readonly string[];
  readonly why: string;
}

/** What is to be said of one. */
export interface Judged {
  readonly state: "right" | "missing" | "other" | "harmful" | "unknown";
  /** What is there, in words; empty if all is right. */
  readonly found: string;
}

/** Compares what is wanted with what there is. */
export function judge(
  wanted: WantedRecord,
  found: FoundRecords,
  facts: Pick<RecordFacts, "hostname" | "addresses" | "certificate">,
): Judged {
  if (found.security === "bogus") {
    return {
      state: "unknown",
      found: `its signatures are wrong: ${found.why}`,
    };
  }
  if (found.status !== "NOERROR" && found.status !== "NXDOMAIN") {
    return { state: "unknown", found: found.status };
  }
  const data = found.records.flatMap((line) => dataOf(line, wanted.type));
  switch (wanted.what) {
    case "spf":
      return judgeSpf(data, facts);
    case "helo-spf":
      return judgeText(data, "v=spf1");
    case "dmarc":
      return judgeText(data, "v=dmarc1");
    case "tls-report":
      return judgeText(data, "v=tlsrptv1");
    case "mta-sts":
      return judgeText(data, "v=stsv1");
    case "mx":
      return judgeMx(data, facts.hostname);
    case "tlsa":
      return judgeTlsa(data, facts.certificate);
    case "address":
    case "reverse":
    case "client":
      return data.some((one) => sameData(one, wanted.value))
        ? RIGHT
        : elsewhere(data);
  }
}

const RIGHT: Judged = { state: "right", found: "" };

function elsewhere(data: readonly string[]): Judged {
  return data.length === 0
    ? { state: "missing", found: "" }
    : { state: "other", found: `there is ${data.slice(0, 3).join(", ")}` };
}

/** What stands behind the type; nothing of an alias's record. */
function dataOf(line: string, type: RecordType): string[] {
  const fields = line.split(" ");
  return fields[3] === type ? [fields.slice(4).join(" ")] : [];
}

function sameData(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function judgeMx(data: readonly string[], hostname: string): Judged {
  const hosts = data.map((one) => one.split(" ")[1]?.toLowerCase());
  if (hosts.includes(`${hostname}.`)) return RIGHT;
  return elsewhere(data);
}

/** The strings of a TXT record as one text (RFC 7208 §3.3). */
export function textOf(data: string): string {
  let text = "";
  let isInside = false;
  for (let at = 0; at < data.length; at++) {
    const char = data[at]!;
    if (char === '"') isInside = !isInside;
    else if (char === "\\" && isInside) text += data[++at] ?? "";
    else if (isInside) text += char;
  }
  return text;
}

function textsOf(data: readonly string[], version: string): string[] {
  return data.map(textOf).filter((one) => {
    const first = one.toLowerCase();
    return first === version || first.startsWith(`${version} `) ||
      first.startsWith(`${version};`);
  });
}

function judgeText(data: readonly string[], version: string): Judged {
  const texts = textsOf(data, version);
  if (texts.length === 0) return { state: "missing", found: "" };
  if (texts.length === 1) return RIGHT;
  return {
    state: "harmful",
    found: `there are ${texts.length}, and so it counts as none`,
  };
}

/**
 * Whether a policy names this server, as far as can be seen in its own terms:
 * what `include:` and `redirect=` lead to is not looked up.
 */
function judgeSpf(
  data: readonly string[],
  { hostname, addresses }: Pick<RecordFacts, "hostname" | "addresses">,
): Judged {
  const plain = judgeText(data, "v=spf1");
  if (plain.state !== "right") return plain;
  const text = textsOf(data, "v=spf1")[0]!;
  const terms = text.toLowerCase().split(" ").map((term) =>
    term.startsWith("+") ? term.slice(1) : term
  );
  const names = new Set([
    "mx",
    `a:${hostname}`,
    ...addresses.map((one) => one.includes(":") ? `ip6:${one}` : `ip4:${one}`),
  ]);
  return terms.some((term) => names.has(term)) ? RIGHT : {
    state: "other",
    found: `there is ${quoted(text)}, which does not name this server itself`,
  };
}

/** RFC 6698 §2.1; usages 0 and 1 mean nothing for SMTP, RFC 7672 §3.1.3. */
function judgeTlsa(
  data: readonly string[],
  certificate: string | null,
): Judged {
  const used = data.filter((one) =>
    one.startsWith("2 ") || one.startsWith("3 ")
  );
  if (used.length === 0) return elsewhere(data);
  if (used.some((one) => certificate !== null && fits(one, certificate))) {
    return RIGHT;
  }
  const anchors = used.filter((one) => one.startsWith("2 "));
  return anchors.length > 0
    ? elsewhere(anchors) // an authority's: its certificate is not at hand
    : {
      state: "harmful",
      found: "none of those there fits the certificate: whoever knows DANE " +
        "delivers nothing",
    };
}

function fits(record: string, certificate: string): boolean {
  const [usage, selector, matching, data] = record.split(" ");
  const { publicKey, raw } = new X509Certificate(certificate);
  const octets = selector === "1"
    ? publicKey.export({ type: "spki", format: "der" })
    : raw;
  const hash = matching === "0"
    ? octets.toString("hex")
    : createHash(matching === "2" ? "sha512" : "sha256").update(octets)
      .digest("hex");
  return usage === "3" && data?.toLowerCase() === hash;
}
