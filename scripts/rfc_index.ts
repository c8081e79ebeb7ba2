/**
 * Collects the RFCs that the code cites into `docs/rfc.md`.
 *
 *     deno run -A scripts/rfc_index.ts           writes the table
 *     deno run -A scripts/rfc_index.ts --check   fails if it is out of date
 *
 * How far each is supported stands in the list below, kept by hand. Citing an
 * RFC that is not in it is an error, and so is listing one that nobody cites
 * and that we do not say No to.
 */

/** One row of the table. */
export interface Rfc {
  readonly title: string;
  readonly support: "Yes" | "Partial" | "No";
  /** What is missing, or how it is used. */
  readonly note?: string;
}

const LIST = new Map<number, Rfc>([
  [1034, { title: "Domain names: concepts", support: "Yes" }],
  [1035, {
    title: "Domain names: implementation and specification",
    support: "Partial",
    note: "asking and reading; no answers, no zones",
  }],
  [1123, {
    title: "Requirements for Internet hosts",
    support: "Partial",
    note: "host name syntax",
  }],
  [1870, { title: "SMTP extension: SIZE", support: "Yes" }],
  [1985, {
    title: "SMTP extension: ETRN",
    support: "Yes",
    note: "for domains that are relayed",
  }],
  [2033, {
    title: "LMTP",
    support: "Yes",
    note: "as a client; with BDAT too",
  }],
  [1918, {
    title: "Address allocation for private internets",
    support: "Yes",
    note: "MTA-STS policies may be there",
  }],
  [2034, { title: "SMTP extension: ENHANCEDSTATUSCODES", support: "Yes" }],
  [2104, {
    title: "HMAC",
    support: "Yes",
    note: "digests of what messages are found by",
  }],
  [2142, { title: "Mailbox names for common services", support: "Yes" }],
  [2181, { title: "Clarifications to the DNS", support: "Partial" }],
  [2231, {
    title: "MIME parameter value and encoded word extensions",
    support: "Partial",
    note: "a language in an encoded word is passed over",
  }],
  [2308, {
    title: "Negative caching of DNS queries",
    support: "Yes",
    note: "a no counts with the zone's SOA only",
  }],
  [2606, {
    title: "Reserved top level DNS names",
    support: "Yes",
    note: "addresses for trying whether the server relays",
  }],
  [2782, { title: "DNS SRV", support: "Partial", note: "records to set" }],
  [2920, { title: "SMTP extension: PIPELINING", support: "Yes" }],
  [3030, { title: "SMTP extensions: CHUNKING, BINARYMIME", support: "Yes" }],
  [3207, { title: "SMTP extension: STARTTLS", support: "Yes" }],
  [3339, {
    title: "Date and time on the Internet",
    support: "Partial",
    note: "in TLS reports",
  }],
  [3461, {
    title: "SMTP extension: DSN",
    support: "Yes",
    note: "failure, delay, success, expanded and relayed",
  }],
  [2047, {
    title: "MIME: message header extensions for non-ASCII text",
    support: "Partial",
    note: "decoded, for the words of a subject",
  }],
  [3463, { title: "Enhanced mail system status codes", support: "Yes" }],
  [3464, { title: "Delivery status notifications", support: "Yes" }],
  [3596, { title: "DNS: IPv6 addresses", support: "Yes" }],
  [3597, { title: "DNS: unknown record types", support: "Yes" }],
  [3834, { title: "Automatic responses to mail", support: "Yes" }],
  [3927, {
    title: "IPv4 link-local addresses",
    support: "Yes",
    note: "MTA-STS policies may not be there",
  }],
  [3848, { title: "Transmission types: ESMTPS, ESMTPSA", support: "Yes" }],
  [4291, { title: "IPv6 addressing architecture", support: "Yes" }],
  [4954, { title: "SMTP extension: AUTH", support: "Yes" }],
  [5280, {
    title: "X.509 certificates",
    support: "Partial",
    note: "the self-signed one of the first start; chains for DANE-TA, " +
      "without name constraints and policies",
  }],
  [4055, {
    title: "RSA algorithms in X.509",
    support: "Partial",
    note: "names of the hashes; PKCS#1 and PSS with SHA-2",
  }],
  [4422, { title: "SASL", support: "Yes" }],
  [5929, {
    title: "Channel bindings for TLS",
    support: "Partial",
    note: "tls-server-end-point",
  }],
  [7372, {
    title: "Email authentication status codes",
    support: "Partial",
    note: "read, for people",
  }],
  [9266, {
    title: "Channel bindings for TLS 1.3",
    support: "No",
    note: "the runtime exports no keying material",
  }],
  [4616, { title: "SASL PLAIN", support: "Yes" }],
  [5801, { title: "GS2 mechanisms", support: "Partial", note: "the header" }],
  [5802, { title: "SCRAM", support: "Yes", note: "with SHA-256 alone" }],
  [7677, { title: "SCRAM-SHA-256", support: "Yes" }],
  [3454, {
    title: "Preparation of internationalized strings",
    support: "Partial",
    note: "the tables of SASLprep's mapping",
  }],
  [4013, {
    title: "SASLprep",
    support: "Partial",
    note: "passwords; no rules for right-to-left text",
  }],
  [4648, { title: "Base64", support: "Yes", note: "padded, strictly" }],
  [5321, { title: "Simple Mail Transfer Protocol", support: "Yes" }],
  [5322, {
    title: "Internet message format",
    support: "Partial",
    note: "of what comes, only names of fields are read",
  }],
  [5758, {
    title: "X.509: DSA and ECDSA algorithms",
    support: "Partial",
    note: "ECDSA with SHA-2",
  }],
  [5782, {
    title: "DNS blacklists and whitelists",
    support: "Yes",
    note: "A and TXT queries for IPv4 and IPv6; no lists of names",
  }],
  [5890, {
    title: "Internationalized domain names (IDNA 2008)",
    support: "Yes",
    note: "by the tables of UTS 46",
  }],
  [5952, { title: "IPv6 address text representation", support: "Yes" }],
  [5424, {
    title: "The syslog protocol",
    support: "Partial",
    note: "the numbers of severities",
  }],
  [5452, { title: "DNS: forged answers", support: "Yes" }],
  [5077, {
    title: "TLS session resumption by tickets",
    support: "Partial",
    note: "as a client, for TLS 1.2, where no authority has to vouch",
  }],
  [6066, {
    title: "TLS extensions",
    support: "Partial",
    note: "server names",
  }],
  [6068, {
    title: "mailto URIs",
    support: "Partial",
    note: "the first address, in ASCII",
  }],
  [1428, {
    title: "8-bit mail to SMTP and MIME",
    support: "Partial",
    note: "unknown-8bit, for what says nothing of its charset",
  }],
  [2045, {
    title: "MIME: format of bodies",
    support: "Partial",
    note: "encoding, for servers without 8BITMIME",
  }],
  [2046, {
    title: "MIME: media types",
    support: "Partial",
    note: "multipart and message/rfc822, for the same",
  }],
  [6125, {
    title: "Names in certificates of services",
    support: "Partial",
    note: "which names a certificate is for, as they are shown",
  }],
  [6152, { title: "SMTP extension: 8BITMIME", support: "Yes" }],
  [6409, { title: "Message submission for mail", support: "Yes" }],
  [6522, { title: "multipart/report", support: "Yes" }],
  [6531, { title: "SMTP extension: SMTPUTF8", support: "Yes" }],
  [6532, {
    title: "Internationalized headers",
    support: "Partial",
    note: "the Subject is read as UTF-8, for its words",
  }],
  [6533, {
    title: "Internationalized DSNs",
    support: "Partial",
    note: "no downgraded forms are read",
  }],
  [6604, { title: "DNS: RCODE and status bits of chains", support: "Yes" }],
  [1982, { title: "Serial number arithmetic", support: "Yes" }],
  [3110, { title: "DNSSEC: RSA/SHA-1 keys and signatures", support: "Yes" }],
  [4033, {
    title: "DNSSEC: introduction",
    support: "Partial",
    note: "validating only",
  }],
  [4034, {
    title: "DNSSEC: resource records",
    support: "Partial",
    note: "validating only",
  }],
  [4035, {
    title: "DNSSEC: protocol",
    support: "Partial",
    note: "validating only",
  }],
  [4509, { title: "DNSSEC: SHA-256 in DS", support: "Yes" }],
  [5011, {
    title: "Automated updates of DNSSEC trust anchors",
    support: "Partial",
    note: "revoked keys are not used; anchors come from the configuration",
  }],
  [5155, {
    title: "DNSSEC: hashed denial of existence (NSEC3)",
    support: "Partial",
    note: "validating only",
  }],
  [5702, { title: "DNSSEC: RSA with SHA-2", support: "Yes" }],
  [6605, { title: "DNSSEC: ECDSA", support: "Yes" }],
  [6672, {
    title: "DNAME redirection in the DNS",
    support: "Partial",
    note: "followed",
  }],
  [6840, { title: "DNSSEC: clarifications", support: "Yes" }],
  [8080, { title: "DNSSEC: EdDSA", support: "Yes" }],
  [8624, {
    title: "DNSSEC: algorithms and what to do with them",
    support: "Yes",
    note: "5, 7, 8, 10, 13 to 16; digests 1, 2, 4",
  }],
  [9276, {
    title: "DNSSEC: NSEC3 parameters",
    support: "Yes",
    note: "insecure above 50 iterations",
  }],
  [6186, {
    title: "Use of SRV records for locating email services",
    support: "Partial",
    note: "`up` and `check` say which records to set",
  }],
  [6698, {
    title: "DANE: TLSA",
    support: "Partial",
    note: "usages 2 and 3, as RFC 7672 wants it for SMTP",
  }],
  [6265, {
    title: "HTTP cookies",
    support: "Partial",
    note: "the console's one, with SameSite and __Host-",
  }],
  [6750, {
    title: "OAuth 2.0: bearer tokens",
    support: "Partial",
    note: "as a header, for /metrics",
  }],
  [7218, { title: "DANE: names of the values", support: "Yes" }],
  [7671, { title: "DANE: operational guidance", support: "Yes" }],
  [6891, { title: "DNS: EDNS(0)", support: "Yes" }],
  [6890, {
    title: "Special-purpose addresses",
    support: "Partial",
    note: "no zone leads dns to private IPv4 addresses",
  }],
  [8446, {
    title: "TLS 1.3",
    support: "Partial",
    note: "the runtime's; as a client, sessions are taken up again once",
  }],
  [8460, {
    title: "SMTP TLS reporting",
    support: "Partial",
    note: "reports by mail, not by HTTPS; no DKIM signature, so off unless " +
      "switched on",
  }],
  [7435, { title: "Opportunistic security", support: "Yes" }],
  [7504, {
    title: "SMTP 521 and 556",
    support: "Partial",
    note: "what they mean, to senders",
  }],
  [7505, { title: "Null MX", support: "Yes" }],
  [7208, {
    title: "Sender Policy Framework (SPF)",
    support: "Partial",
    note: "`check` reads the server's own policies; nobody else's",
  }],
  [7672, {
    title: "SMTP security via DANE TLS",
    support: "Yes",
    note: "not behind insecure MX records, where it is a may",
  }],
  [7766, { title: "DNS over TCP", support: "Yes" }],
  [7914, { title: "scrypt", support: "Yes", note: "user passwords" }],
  [8265, {
    title: "PRECIS: user names and passwords",
    support: "Partial",
    note: "logins: NFC",
  }],
  [8305, {
    title: "Happy Eyeballs version 2",
    support: "Partial",
    note: "among one host's addresses; not: races of DNS questions",
  }],
  [8314, {
    title: "TLS for submission and access",
    support: "Partial",
    note: "submission",
  }],
  [8410, { title: "X.509: Ed25519 and Ed448", support: "Yes" }],
  [8439, { title: "ChaCha20 and Poly1305", support: "Yes", note: "the spool" }],
  [8461, {
    title: "SMTP MTA strict transport security",
    support: "Partial",
    note: "for what is sent; policies by IPv4 alone, revocation not looked at",
  }],
  [8689, {
    title: "SMTP extension: REQUIRETLS",
    support: "Yes",
    note:
      "a host that DNSSEC, MTA-STS, the configuration or its name vouch for",
  }],
  [9110, {
    title: "HTTP semantics",
    support: "Partial",
    note: "as a client: one small text",
  }],
  [9112, {
    title: "HTTP/1.1",
    support: "Partial",
    note: "as a client: one small text",
  }],
  [8996, { title: "Deprecating TLS 1.0 and 1.1", support: "Yes" }],
  [9156, { title: "DNS: minimised questions", support: "No" }],
  [9609, { title: "DNS: priming", support: "No" }],
  [9715, { title: "DNS: fragmentation", support: "Yes" }],
  [9422, { title: "SMTP extension: LIMITS", support: "Yes" }],
]);

const FOLDERS = ["mod", "web"];
const DOCUMENT = "docs/rfc.md";

/** RFC numbers that a source text cites. */
export function citedIn(source: string): Set<number> {
  const found = new Set<number>();
  for (const [, digits] of source.matchAll(/\bRFC[\s*/]+(\d{3,5})\b/g)) {
    found.add(Number(digits));
  }
  return found;
}

/** What is wrong with the list, given who cites what. */
export function faultsOf(
  list: ReadonlyMap<number, Rfc>,
  citations: ReadonlyMap<number, ReadonlySet<string>>,
): string[] {
  const faults: string[] = [];
  for (const [number, where] of citations) {
    if (!list.has(number)) {
      const files = [...where].join(", ");
      faults.push(
        `RFC ${number} is cited (${files}) but not in scripts/rfc_index.ts`,
      );
    }
  }
  for (const [number, { support }] of list) {
    if (support !== "No" && !citations.has(number)) {
      faults.push(`RFC ${number} is "${support}" but no code cites it`);
    }
  }
  return faults;
}

/** The document. `citations` maps a number to folders. */
export function renderTable(
  list: ReadonlyMap<number, Rfc>,
  citations: ReadonlyMap<number, ReadonlySet<string>>,
): string {
  const rows = [...list].sort(([a], [b]) => a - b).map(([number, rfc]) => {
    const link = `[${number}](https://www.rfc-editor.org/rfc/rfc${number})`;
    const where = [...citations.get(number) ?? []].sort()
      .map((folder) => `\`${folder}\``).join(", ");
    return `| ${link} | ${rfc.title} | ${rfc.support} | ${
      rfc.note ?? ""
    } | ${where} |`;
  });
  return [
    "# RFCs",
    "",
    "What Bulkhead supports, and which folders cite it. Written by",
    "`scripts/rfc_index.ts`; change the list there.",
    "",
    "| RFC | Title | Support | Note | Cited in |",
    "| --- | ----- | ------- | ---- | -------- |",
    ...rows,
    "",
  ].join("\n");
}

function* sourcesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourcesBelow(path);
    else if (/\.tsx?$/.test(name) && !/_test\.tsx?$/.test(name)) yield path;
  }
}

function collect(nameOf: (path: string) => string): Map<number, Set<string>> {
  const citations = new Map<number, Set<string>>();
  for (const path of FOLDERS.flatMap((folder) => [...sourcesBelow(folder)])) {
    for (const number of citedIn(Deno.readTextFileSync(path))) {
      const where = citations.get(number) ?? new Set();
      citations.set(number, where.add(nameOf(path)));
    }
  }
  return citations;
}

async function formatted(markdown: string): Promise<string> {
  const path = Deno.makeTempFileSync({ suffix: ".md" });
  try {
    Deno.writeTextFileSync(path, markdown);
    await new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--quiet", "--no-config", path],
    }).output();
    return Deno.readTextFileSync(path);
  } finally {
    Deno.removeSync(path);
  }
}

function folderOf(path: string): string {
  return path.startsWith("web/")
    ? "web"
    : path.split("/").slice(0, 2).join("/");
}

async function main(): Promise<number> {
  Deno.chdir(new URL("..", import.meta.url));
  const faults = faultsOf(LIST, collect((path) => path));
  const document = await formatted(renderTable(LIST, collect(folderOf)));
  if (Deno.args.includes("--check")) {
    const written = await Deno.readTextFile(DOCUMENT).catch(() => "");
    if (written !== document) {
      faults.push(
        `${DOCUMENT} is out of date: deno run -A scripts/rfc_index.ts`,
      );
    }
  } else {
    Deno.writeTextFileSync(DOCUMENT, document);
  }
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
