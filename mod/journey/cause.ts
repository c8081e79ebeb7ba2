/**
 * Why an attempt did not work, as one of a closed list: from the code, the
 * enhanced status code (RFC 3463) and the words, ours or the other server's.
 * Pure. Where codes and words disagree, the words win: many servers answer
 * everything with 550 5.7.1.
 */

/** Each has its sentence and its advice in `meaning.ts`. */
export type Cause =
  // The way there.
  | "no-domain"
  | "null-mx"
  | "dns-later"
  | "dnssec-bogus"
  | "connection-refused"
  | "no-connection"
  | "no-answer"
  | "connection-lost"
  | "no-way"
  | "dead"
  | "crowded"
  | "loop-to-us"
  | "alias-loop"
  | "unroutable"
  // What protects it.
  | "no-starttls"
  | "dane-mismatch"
  | "dane-missing"
  | "dane-lookup"
  | "sts-host"
  | "sts-later"
  | "certificate-expired"
  | "certificate-name"
  | "certificate-untrusted"
  | "certificate-wrong"
  | "fingerprint"
  | "handshake"
  | "requiretls"
  | "login-refused"
  | "login-failed"
  // The recipient.
  | "no-such-user"
  | "no-such-user-here"
  | "moved"
  | "disabled"
  | "full"
  | "full-here"
  | "bad-address"
  // The message.
  | "too-large"
  | "eight-bit"
  | "binary"
  | "international"
  | "content"
  | "loop"
  | "damaged"
  // What they think of us.
  | "greylisted"
  | "listed"
  | "reverse-name"
  | "authentication"
  | "spam"
  | "too-many"
  | "they-want-tls"
  | "they-want-login"
  | "relay-denied"
  | "bad-sender"
  | "policy"
  // Their state, and ours.
  | "they-are-full"
  | "they-are-busy"
  | "they-fail"
  | "disk-full-here"
  | "broken-here"
  | "given-up"
  | "expired"
  | "protocol"
  | "other-temporary"
  | "other-permanent";

/** What is known of an outcome. */
export interface Ending {
  readonly code: number;
  /** The enhanced status code and the words, as the history has them. */
  readonly text: string;
  /** Who had the last word; empty if it was us. */
  readonly host: string;
}

/** Enhanced code and words of an ending. */
export function splitText(text: string): { enhanced: string; words: string } {
  const space = text.indexOf(" ");
  const first = space < 0 ? text : text.slice(0, space);
  return /^[245]\.\d{1,3}\.\d{1,3}$/.test(first)
    ? { enhanced: first, words: space < 0 ? "" : text.slice(space + 1) }
    : { enhanced: "", words: text };
}

/** See the file's head. */
export function causeOf(ending: Ending): Cause {
  const { code, text } = whole(ending);
  const { enhanced, words } = splitText(text);
  const low = words.toLowerCase();
  return ours(low, enhanced, ending.host) ??
    inTheirWords(withoutAddresses(low), code, enhanced) ??
    byEnhanced(enhanced) ??
    byCode(code);
}

/**
 * What the other server said. Where its 5xx was made temporary, the words
 * begin with its own code: see `softened()` in `mod/smtpc/verdict.ts`.
 */
function whole({ code, text, host }: Ending): { code: number; text: string } {
  const { words } = splitText(text);
  return host !== "" && code < 500 && /^5\d\d( |$)/.test(words)
    ? { code: Number(words.slice(0, 3)), text: words.slice(4) }
    : { code, text };
}

/** Servers repeat addresses, and a person may be called `spfeiffer`. */
function withoutAddresses(low: string): string {
  return low.split(" ").filter((word) => !word.includes("@")).join(" ");
}

/** True if a word of `low` begins with the mark; a short one is all of it. */
function hasMark(low: string, mark: string): boolean {
  for (let at = low.indexOf(mark); at >= 0; at = low.indexOf(mark, at + 1)) {
    const end = at + mark.length;
    if (
      !isLetter(low, at - 1) && !(mark.length < 4 && isLetter(low, end))
    ) return true;
  }
  return false;
}

function isLetter(low: string, at: number): boolean {
  const code = low.charCodeAt(at);
  return code >= 0x61 && code <= 0x7a;
}

type Row = readonly [cause: Cause, ...marks: readonly string[]];

/** Sentences that this server itself makes; any mark says it. */
const OURS: readonly Row[] = [
  ["expired", "not delivered within "],
  ["given-up", "given up by the administrator"],
  ["null-mx", "domain takes no mail"],
  ["no-domain", "domain does not exist, or has no host for mail"],
  [
    "dnssec-bogus",
    "dnssec: domain is bogus",
    "dnssec: tlsa records are bogus",
    "dnssec: address of ",
  ],
  ["loop-to-us", "mail for this domain loops back", "greets with our own name"],
  ["alias-loop", "the aliases of this address lead nowhere"],
  ["no-way", "no address that may be connected to"],
  ["dane-lookup", "tlsa records cannot be looked up"],
  ["dane-missing", "no usable tlsa records", "no tlsa records"],
  ["dane-mismatch", "no tlsa record"],
  ["sts-host", "the mta-sts policy does not list"],
  ["sts-later", "mta-sts policies cannot be asked"],
  ["fingerprint", "another fingerprint"],
  [
    "certificate-expired",
    "the certificate has expired",
    "certificate of the chain has expired",
    "certificate is not valid yet",
    "certificate of the chain is not valid now",
  ],
  [
    "certificate-name",
    "the certificate is for ",
    "the certificate names ",
    "certificate is not for",
  ],
  [
    "certificate-untrusted",
    "no known authority vouches",
    "unable_to_verify_leaf_signature in the tls handshake",
  ],
  ["certificate-wrong", "is not whom it must be"],
  [
    "requiretls",
    "requiretls",
    "encryption needed:",
  ],
  ["handshake", " answers starttls with "],
  ["no-starttls", "tls is demanded and"],
  ["handshake", "tls handshake", "no tls with "],
  ["login-failed", "cannot log in to "],
  ["eight-bit", "message has 8-bit content"],
  ["binary", "message is binary and the server takes no binarymime"],
  [
    "international",
    "sender needs smtputf8",
    "recipient needs smtputf8",
    "message header needs smtputf8",
  ],
  ["bad-address", "bad recipient address"],
  ["bad-sender", "bad reverse-path"],
  [
    "protocol",
    "unexpected reply",
    "text that nobody asked for",
    "reply line without a code",
    "reply line over ",
    "reply lines with different codes",
  ],
];

function ours(
  low: string,
  enhanced: string,
  host: string,
): Cause | undefined {
  if (low.startsWith("cannot connect to ")) return unconnected(low);
  const row = OURS.find(([, ...marks]) =>
    marks.some((mark) => low.includes(mark))
  );
  if (row !== undefined) return row[0];
  if (low.startsWith("message of ") && low.includes("they take at most")) {
    return "too-large";
  }
  if (host === "") return atHome(low);
  // RFC 3463 §3.5: X.4.2, with which we say that a session broke off.
  if (enhanced === "4.4.2") {
    return low.includes(" ms ") || low.endsWith(" ms")
      ? "no-answer"
      : "connection-lost";
  }
  return undefined;
}

function unconnected(low: string): Cause {
  if (low.includes("econnrefused")) return "connection-refused";
  return "no-connection";
}

/** What this server says of its own mailboxes. */
function atHome(low: string): Cause | undefined {
  switch (low) {
    case "no such user here":
      return "no-such-user-here";
    case "mailbox is full":
      return "full-here";
    case "mail system is full":
      return "disk-full-here";
    case "mail loop detected":
      return "loop";
    case "too busy, try later":
    case "cannot write to mailbox":
      return "broken-here";
    case "the record is damaged":
      return "damaged";
    case "its server could not be reached a moment ago":
      return "dead";
    case "many messages wait for the same server":
      return "crowded";
    default:
      if (low.startsWith("cannot look up ")) return "dns-later";
      return low.startsWith("cannot read:") ? "damaged" : undefined;
  }
}

/** Words by which servers of all makes say what their codes do not. */
const THEIRS: readonly Row[] = [
  ["greylisted", "greylist", "graylist", "grey-list", "gray-list", "postgrey"],
  [
    "reverse-name",
    "reverse dns",
    "reverse hostname",
    "rdns",
    "ptr record",
    "cannot find your hostname",
    "cannot find your reverse",
  ],
  [
    "listed",
    "spamhaus",
    "blacklist",
    "black list",
    "blocklist",
    "block list",
    "blocked using",
    "dnsbl",
    "listed by",
    "listed in",
    "listed at",
    "barracuda",
    "spamcop",
    "sorbs",
    "poor reputation",
    "bad reputation",
    "low reputation",
  ],
  [
    "authentication",
    "spf",
    "dkim",
    "dmarc",
    "unauthenticated email",
    "not authenticated",
  ],
  [
    "they-want-tls",
    "must issue a starttls",
    "starttls first",
    "encryption required",
    "tls required",
  ],
  [
    "they-want-login",
    "authentication required",
    "authentication is required",
    "must authenticate",
  ],
  [
    "relay-denied",
    "relay access denied",
    "relaying denied",
    "relay denied",
    "not permitted to relay",
    "unable to relay",
    "relay not permitted",
  ],
  [
    "full",
    "mailbox full",
    "mailbox is full",
    "over quota",
    "overquota",
    "quota exceeded",
    "exceeded storage",
    "out of storage",
    "inbox is full",
    "insufficient space in mailbox",
  ],
  [
    "too-many",
    "too many connections",
    "too many messages",
    "too many recipients",
    "rate limit",
    "rate-limit",
    "ratelimit",
    "throttl",
    "slow down",
    "unusual rate",
    "unexpected volume",
  ],
  [
    "disabled",
    "account disabled",
    "account is disabled",
    "mailbox disabled",
    "mailbox unavailable: disabled",
    "suspended",
    "account inactive",
    "inactive account",
  ],
  [
    "bad-sender",
    "sender address rejected",
    "sender verify failed",
    "sender verification failed",
    "domain of sender",
    "sender domain",
  ],
  [
    "no-such-user",
    // Exchange Online of an address that its directory does not have.
    "recipient address rejected: access denied",
    "user unknown",
    "unknown user",
    "no such user",
    "no such mailbox",
    "no such recipient",
    "unknown recipient",
    "recipient unknown",
    "does not exist",
    "user not found",
    "recipient not found",
    "no mailbox here",
    "mailbox not found",
    "invalid recipient",
    "unrouteable address",
    "recipient rejected",
  ],
  ["spam", "spam", "antispam", "junk mail", "unsolicited", "virus", "malware"],
  ["moved", "user not local", "has moved", "address changed"],
  [
    "too-large",
    "message too large",
    "size exceeds",
    "message size",
    "too big",
  ],
  ["loop", "too many hops", "mail loop", "routing loop"],
];

function inTheirWords(
  low: string,
  code: number,
  enhanced: string,
): Cause | undefined {
  // RFC 3207 §4 and RFC 4954 §6: what these mean is not up to words.
  if (code === 534 || code === 535 || code === 435) return "login-refused";
  if (code === 530) {
    return low.includes("tls") ? "they-want-tls" : "they-want-login";
  }
  const row = THEIRS.find(([, ...marks]) =>
    marks.some((mark) => hasMark(low, mark))
  );
  // That a relay refuses unknown users is what this code says, too.
  if (row?.[0] === "no-such-user" && enhanced === "5.7.1") return "policy";
  return row?.[0];
}

/** RFC 3463 §3, RFC 7372 §3, RFC 7505 §4.2, RFC 8689 §4. */
const BY_DETAIL: ReadonlyMap<string, Cause> = new Map([
  ["1.0", "no-such-user"],
  ["1.1", "no-such-user"],
  ["1.2", "no-domain"],
  ["1.3", "bad-address"],
  ["1.6", "moved"],
  ["1.7", "bad-sender"],
  ["1.8", "bad-sender"],
  ["1.10", "null-mx"],
  ["2.1", "disabled"],
  ["2.2", "full"],
  ["2.3", "too-large"],
  ["3.1", "they-are-full"],
  ["3.2", "they-are-busy"],
  ["3.4", "too-large"],
  ["4.5", "they-are-busy"],
  ["4.6", "loop"],
  ["4.7", "expired"],
  ["5.3", "too-many"],
  ["6.3", "eight-bit"],
  ["6.7", "international"],
  ["7.10", "requiretls"],
  ["7.30", "requiretls"],
  ["7.20", "authentication"],
  ["7.21", "authentication"],
  ["7.22", "authentication"],
  ["7.23", "authentication"],
  ["7.24", "authentication"],
  ["7.25", "reverse-name"],
  ["7.26", "authentication"],
  ["7.27", "null-mx"],
  ["7.8", "login-refused"],
]);

const BY_SUBJECT: ReadonlyMap<string, Cause> = new Map([
  ["6", "content"],
  ["7", "policy"],
]);

function byEnhanced(enhanced: string): Cause | undefined {
  const [digit, subject = "", detail = ""] = enhanced.split(".");
  const cause = BY_DETAIL.get(`${subject}.${detail}`) ??
    BY_SUBJECT.get(subject);
  // RFC 3463 §3.8: X.7.1 for now is how greylisting is most often said.
  return cause === "policy" && digit === "4" && detail === "1"
    ? "greylisted"
    : cause;
}

function byCode(code: number): Cause {
  switch (code) {
    case 421:
      return "they-are-busy";
    case 451:
      return "they-fail";
    case 452:
      return "they-are-full";
    case 551:
      return "moved";
    case 552:
      return "too-large";
    case 553:
      return "bad-address";
    default:
      return code >= 500 ? "other-permanent" : "other-temporary";
  }
}
