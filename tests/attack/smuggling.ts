/**
 * Every sequence of octets that some server has taken, or may take, for the
 * end of a message, put into messages that carry a second one behind it.
 *
 * Only CRLF.CRLF ends a message (RFC 5321 §4.1.1.4); CVE-2023-51764 to 51766
 * came of others.
 */
import { attack } from "./attacked_session.ts";
import { printScript, type Script, type Step } from "./session_script.ts";

/** What ends of data, true and false, are made of. */
export const TOKENS: readonly { name: string; octets: string }[] = [
  { name: "CR", octets: "\r" },
  { name: "LF", octets: "\n" },
  { name: "NUL", octets: "\0" },
  { name: "VT", octets: "\x0b" },
  { name: "NEL", octets: "\xc2\x85" },
  { name: "85", octets: "\x85" },
  { name: "LS", octets: "\xe2\x80\xa8" },
  { name: "PS", octets: "\xe2\x80\xa9" },
  { name: "dot", octets: "." },
  { name: "SP", octets: " " },
  { name: "HT", octets: "\t" },
  { name: "^Z", octets: "\x1a" },
];

/** Where in a message a sequence stands. */
export type Place = "start" | "middle" | "end";

/** All of them. */
export const PLACES: readonly Place[] = ["start", "middle", "end"];

const ENVELOPE = "EHLO client.test\r\nMAIL FROM:<a@client.test>\r\n" +
  "RCPT TO:<me@home.test>\r\n";

/** The sender of the message that must never be one. */
export const SMUGGLED = "smuggled@evil.test";

const SECOND = `MAIL FROM:<${SMUGGLED}>\r\nRCPT TO:<me@home.test>\r\nDATA\r\n` +
  "Subject: second\r\n\r\nsecond";

/** Every sequence of exactly `length` tokens. */
export function* sequences(length: number): Generator<string> {
  if (length === 0) {
    yield "";
    return;
  }
  for (const head of sequences(length - 1)) {
    for (const { octets } of TOKENS) yield head + octets;
  }
}

/** A message with a second one in it, behind `sequence`; not yet ended. */
export function carrier(sequence: string, place: Place): string {
  switch (place) {
    case "start":
      return sequence + SECOND;
    case "middle":
      return `Subject: first\r\n\r\nfirst${sequence}${SECOND}`;
    case "end":
      return `Subject: first\r\n\r\n${SECOND}${sequence}`;
  }
}

/**
 * True if the sequence is or completes a true end of data: then what follows
 * was sent as commands, and may run as such.
 */
export function endsTruly(sequence: string, place: Place): boolean {
  const wire = "\r\n" + carrier(sequence, place) + "\r\n.\r\n";
  return wire.indexOf("\r\n.\r\n") !== wire.length - 5;
}

/** The carrier as DATA, its octets in the pieces given. */
export function throughData(pieces: readonly string[]): Script {
  return script([
    ENVELOPE + "DATA\r\n",
    ...pieces.with(-1, pieces.at(-1)! + "\r\n.\r\n"),
    "QUIT\r\n",
  ]);
}

/** The carrier as chunks, one for each piece given (RFC 3030 §2). */
export function throughChunks(pieces: readonly string[]): Script {
  const chunks = pieces.map((octets, at) => {
    const last = at + 1 === pieces.length ? " LAST" : "";
    return `BDAT ${octets.length}${last}\r\n${octets}`;
  });
  return script([ENVELOPE, ...chunks, "QUIT\r\n"]);
}

/** Why an attack succeeded; undefined if it did not. */
export async function smuggles(tried: Script): Promise<string | undefined> {
  const { faults, accepted } = await attack(tried);
  const bad = [...faults];
  if (accepted.length > 1) bad.push(`${accepted.length} messages`);
  if (accepted.some(({ ask }) => ask.reversePath === SMUGGLED)) {
    bad.push("the second message");
  }
  return bad.length === 0
    ? undefined
    : `${bad.join("; ")}: ${printScript(tried)}`;
}

function script(pieces: readonly string[]): Script {
  const steps = pieces.map((octets): Step => ({
    do: "send",
    octets,
    hops: 20,
  }));
  return { steps, answers: [] };
}
