/** How a message came in: who handed it over, what was looked at. Pure. */
import type { CheckFacts, EventFacts, TakenFacts } from "./facts.ts";
import type { Step } from "./journey.ts";
import { listed, span } from "./words.ts";

/** The steps of the event `accepted`. */
export function handedIn(event: EventFacts): readonly Step[] {
  const { taken, atMs, text, host } = event;
  const step = { atMs, recipient: "", details: [] } as const;
  if (taken === null) {
    return [{
      ...step,
      kind: "handed-in",
      tone: "plain",
      text: host === "" ? `Made here: ${text}.` : `Taken [${host}]: ${text}.`,
    }];
  }
  return [
    {
      ...step,
      kind: "handed-in",
      tone: "plain",
      text: handedInText(taken),
      details: handedInDetails(taken),
    },
    ...(taken.intake?.checks ?? []).map((check): Step => ({
      ...step,
      kind: "checked",
      tone: check.said === "failed" ? "waiting" : "plain",
      text: checkText(check),
    })),
    {
      ...step,
      kind: "sealed",
      tone: "good",
      text: "Sealed under a key of its own, and on disk before it was " +
        "acknowledged.",
      details: [
        `ChaCha20-Poly1305, in segment ${taken.segment}; its key is in slot ` +
        `${taken.slot} of the queue's own file`,
        "synced before the acknowledgement: content, key and envelope",
      ],
    },
  ];
}

function handedInText(taken: TakenFacts): string {
  const { sender, recipients, recipientCount } = taken;
  const to = listed(recipients.map((one) => `<${one}>`));
  const more = recipientCount > recipients.length
    ? ` (${recipientCount} recipients in all)`
    : "";
  const from = sender === "" ? "<> (a notice)" : `<${sender}>`;
  return `From ${from} to ${to}${more}, handed in by ${whoText(taken)}` +
    `${protectionText(taken)}.`;
}

function whoText(taken: TakenFacts): string {
  const { protocol, helo, login } = taken;
  if (protocol === LOCAL) return `a program of ${helo} on this machine`;
  const client = clientText(taken);
  return login === "" ? client : `${login}, who logged in, at ${client}`;
}

function clientText({ address, helo, intake }: TakenFacts): string {
  const name = intake?.name || helo;
  return address === "" ? name : `${name} [${address}]`;
}

/** How mail of the drop directory is called, see `mod/submit`. */
const LOCAL = "local";

function protectionText({ intake, protocol }: TakenFacts): string {
  if (intake !== null && intake.tls !== "") {
    return ` over ${intake.tls.split(" ")[0]}`;
  }
  // RFC 3848: ESMTPS and ESMTPSA are inside TLS.
  if (protocol.includes("SMTPS")) return " over TLS";
  return protocol.includes("SMTP") ? " without TLS" : "";
}

function handedInDetails(taken: TakenFacts): string[] {
  const { protocol, sizeBytes, intake, helo } = taken;
  const lines = [`${protocol}, ${sizeBytes} octets, HELO ${helo || "none"}`];
  if (intake === null) return lines;
  if (intake.tls !== "") lines.push(intake.tls);
  lines.push(`it came within ${span(intake.tookMs)}`);
  return lines;
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ["screening", "Tests of the client"],
  ["pregreet", "Waits for the greeting"],
  ["dnsbl", "DNS lists"],
  ["deep", "Speaks SMTP as it should"],
  ["greylist", "Greylisting"],
  ["verify", "Address check at the next server"],
  ["recipient", "Recipient"],
  ["sender", "Sender"],
  ["pipelining", "Commands ahead of replies"],
  ["bare-newline", "Bare line feeds"],
  ["non-smtp-command", "Commands of other protocols"],
  ["owner", "Owner"],
]);

function checkText({ what, said, evidence }: CheckFacts): string {
  const name = NAMES.get(what) ?? what;
  const why = evidence === "" ? "" : ` (${evidence})`;
  switch (said) {
    case "passed":
      return `${name}: nothing against it${why}.`;
    case "failed":
      return `${name}: found something, and nothing came of it${why}.`;
    case "skipped":
      return `${name}: not looked at${why}.`;
  }
}
