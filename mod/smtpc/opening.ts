/**
 * The start of a session as a value: greeting, EHLO or HELO, STARTTLS, EHLO
 * again. Pure: a reply goes in, the next state and what to do come out.
 */
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import type { Protocol } from "../core/shapes.ts";
import type { Reply } from "./reply.ts";
import {
  meaningOf,
  outcomeOf,
  softened,
  troubleOutcome,
  wordsOf,
} from "./verdict.ts";
import type { Wanted } from "./wanted.ts";

/** What the server said it can, in the last EHLO. */
export interface Peer {
  /** RFC 2920. */
  readonly pipelining: boolean;
  /** RFC 6152. */
  readonly eightBitMime: boolean;
  /** RFC 6531. */
  readonly smtpUtf8: boolean;
  /** RFC 3207. */
  readonly startTls: boolean;
  /** RFC 3461. */
  readonly dsn: boolean;
  /** RFC 3030: both CHUNKING and BINARYMIME. */
  readonly binaryMime: boolean;
  /** Mechanisms of AUTH, in capitals, RFC 4954. */
  readonly auth: readonly string[];
  /** RFC 8689; never true but over verified TLS. */
  readonly requireTls: boolean;
  /** RFC 1870: undefined if not offered, 0 if without a limit. */
  readonly maxSize: number | undefined;
}

/** A server that knows HELO only. */
export const PLAIN_PEER: Peer = {
  pipelining: false,
  eightBitMime: false,
  smtpUtf8: false,
  startTls: false,
  dsn: false,
  binaryMime: false,
  auth: [],
  requireTls: false,
  maxSize: undefined,
};

/** Which reply is awaited. */
export interface Opening {
  readonly at: "greeting" | "ehlo" | "helo" | "starttls";
  /** True once the session is encrypted. */
  readonly inTls: boolean;
}

/** What to do next. */
export type OpeningAction =
  | { readonly do: "send"; readonly line: string }
  /** Shake hands, then go on with {@link afterHandshake}. */
  | { readonly do: "handshake" }
  | { readonly do: "ready"; readonly peer: Peer }
  /** This host is of no use now; another may be. */
  | {
    readonly do: "give-up";
    readonly outcome: Outcome;
    /** True if that there is no TLS is why. */
    readonly isWithoutTls?: true;
  }
  /** The host greets with our own name: mail would run in a circle. */
  | { readonly do: "loop" }
  /** Opportunistic TLS failed: a new connection, once, in the clear. */
  | { readonly do: "without-tls"; readonly why: string };

/** What the steps need to know. */
export interface OpeningFacts {
  /** Our name. */
  readonly hostname: string;
  /** Theirs, for outcomes. */
  readonly host: string;
  /** See `wanted.ts`; `never` after a failed handshake with this host, too. */
  readonly tls: Wanted["tls"];
  /** True if without REQUIRETLS this host is of no use: RFC 8689. */
  readonly requireTls: boolean;
  /** True if a host that greets with our own name is a mail loop. */
  readonly noLoop: boolean;
  /** What is spoken; LMTP greets with LHLO and has no HELO. */
  readonly protocol: Protocol;
}

/** Where a new connection stands. */
export const FIRST: Opening = { at: "greeting", inTls: false };

/** Handles the awaited reply. */
export function onOpeningReply(
  state: Opening,
  reply: Reply,
  facts: OpeningFacts,
): [Opening, OpeningAction] {
  switch (state.at) {
    case "greeting":
      return [...onGreeting(state, reply, facts)];
    case "ehlo":
      return [...onEhlo(state, reply, facts)];
    case "helo":
      if (reply.code !== 250) return [state, giveUp(reply, facts)];
      return [state, readyWith(PLAIN_PEER, { ...state, facts })];
    case "starttls":
      if (reply.code === 220) return [state, { do: "handshake" }];
      return [
        state,
        facts.tls === "must"
          ? noStartTls(facts, {
            why: `answers STARTTLS with ${wordsOf(reply)}`,
            isForNow: meaningOf(reply) !== "permanent",
          })
          : { do: "without-tls", why: `STARTTLS: ${reply.code}` },
      ];
  }
}

/** What follows a handshake: all knowledge is void, RFC 3207 §4.2. */
export function afterHandshake(
  facts: OpeningFacts,
): [Opening, OpeningAction] {
  return [{ at: "ehlo", inTls: true }, ehlo(facts)];
}

function onGreeting(
  state: Opening,
  reply: Reply,
  facts: OpeningFacts,
): [Opening, OpeningAction] {
  // Exactly 220: a 235 or 250 here is somebody else's text (PREAUTH class).
  if (reply.code !== 220) return [state, giveUp(reply, facts)];
  const name = firstWord(reply.lines[0]!).toLowerCase();
  if (facts.noLoop && name === facts.hostname.toLowerCase()) {
    return [state, { do: "loop" }];
  }
  return [{ ...state, at: "ehlo" }, ehlo(facts)];
}

function onEhlo(
  state: Opening,
  reply: Reply,
  facts: OpeningFacts,
): [Opening, OpeningAction] {
  if (meaningOf(reply) === "permanent" && facts.protocol === "smtp") {
    // RFC 5321 §3.2: a server too old for EHLO is greeted with HELO.
    const line = `HELO ${facts.hostname}`;
    return [{ ...state, at: "helo" }, { do: "send", line }];
  }
  if (reply.code !== 250) return [state, giveUp(reply, facts)];
  const peer = readPeer(reply);
  if (peer.startTls && facts.tls !== "never" && !state.inTls) {
    return [{ ...state, at: "starttls" }, { do: "send", line: "STARTTLS" }];
  }
  // Without a certificate that was verified, its offer is nobody's.
  const requireTls = peer.requireTls && state.inTls && facts.requireTls;
  return [state, readyWith({ ...peer, requireTls }, { ...state, facts })];
}

function readyWith(
  peer: Peer,
  { inTls, facts }: { inTls: boolean; facts: OpeningFacts },
): OpeningAction {
  if (facts.tls === "must" && !inTls) {
    return noStartTls(facts, {
      why: "does not offer STARTTLS",
      isForNow: false,
    });
  }
  return facts.requireTls && !peer.requireTls
    ? { do: "give-up", outcome: noRequireTls(facts.host) }
    : { do: "ready", peer };
}

/** A host without TLS, or somebody between us who takes its offer away. */
function noStartTls(
  facts: OpeningFacts,
  { why, isForNow }: { why: string; isForNow: boolean },
): OpeningAction {
  const outcome = facts.requireTls && !isForNow
    ? noEncryption(`${facts.host} ${why}`)
    : noTls(facts.host, `TLS is demanded and ${facts.host} ${why}`);
  return { do: "give-up", outcome, isWithoutTls: true };
}

/** The mail waits: what is demanded may be there again later. */
export function noTls(host: string, why: string, enhanced = "4.7.4"): Outcome {
  return troubleOutcome(why, host, enhanced);
}

/**
 * RFC 8689 §4.2.1: there is no TLS with this host that its certificate proves,
 * so it cannot have the message.
 */
export function noEncryption(why: string): Outcome {
  const words = `Encryption needed: ${why}`;
  return ownOutcome("permanent", 550, "5.7.10", words);
}

/** RFC 8689 §4.2.1: this host would not ask for TLS from there on. */
export function noRequireTls(host: string): Outcome {
  return ownOutcome(
    "permanent",
    550,
    "5.7.30",
    `REQUIRETLS support required, ${host} does not offer it`,
  );
}

function ehlo(facts: OpeningFacts): OpeningAction {
  // RFC 2033 §4.1
  const verb = facts.protocol === "lmtp" ? "LHLO" : "EHLO";
  return { do: "send", line: `${verb} ${facts.hostname}` };
}

// RFC 5321 §4.2.4.2 and §5.1: a 5xx here is about the host, not the mail, so
// the next host is tried, and with none left the mail waits, as in Postfix.
function giveUp(reply: Reply, facts: OpeningFacts): OpeningAction {
  switch (meaningOf(reply)) {
    case "permanent":
      return { do: "give-up", outcome: softened(reply, facts.host) };
    case "temporary":
    case "closing":
      return { do: "give-up", outcome: outcomeOf(reply, facts.host) };
    case "done":
    case "go-on": {
      const why = `unexpected reply ${reply.code}`;
      const outcome = troubleOutcome(why, facts.host, "4.5.0");
      return { do: "give-up", outcome };
    }
  }
}

/** Reads the keywords of an EHLO reply; unknown ones are ignored. */
export function readPeer(reply: Reply): Peer {
  const offered = new Map<string, string>();
  for (const line of reply.lines.slice(1)) { // the first names the host
    const keyword = firstWord(line);
    offered.set(keyword.toUpperCase(), line.slice(keyword.length + 1).trim());
  }
  const size = offered.get("SIZE");
  return {
    pipelining: offered.has("PIPELINING"),
    eightBitMime: offered.has("8BITMIME"),
    smtpUtf8: offered.has("SMTPUTF8"),
    startTls: offered.has("STARTTLS"),
    dsn: offered.has("DSN"),
    binaryMime: offered.has("CHUNKING") && offered.has("BINARYMIME"),
    auth: (offered.get("AUTH") ?? "").toUpperCase().split(" ")
      .filter((name) => name !== ""),
    requireTls: offered.has("REQUIRETLS"),
    // An absurd limit is no limit: the server will say so itself.
    maxSize: size === undefined
      ? undefined
      : /^\d{1,15}$/.test(size)
      ? Number(size)
      : 0,
  };
}

function firstWord(text: string): string {
  const space = text.indexOf(" ");
  return space < 0 ? text : text.slice(0, space);
}
