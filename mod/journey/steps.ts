/** One event of a message's history as a step of its journey. Pure. */
import { causeOf, type Ending, splitText } from "./cause.ts";
import type { EventFacts, HostFacts } from "./facts.ts";
import type { Step } from "./journey.ts";
import { meaningOf } from "./meaning.ts";
import { span } from "./words.ts";

/** What an outcome's event says. */
export function endingOf({ code, text, host }: EventFacts): Ending {
  return { code, text, host };
}

/** A delivery that was tried. */
export function attemptStep(event: EventFacts, queueId: string): Step {
  const { what, recipient, atMs } = event;
  const details = [
    ...event.hosts.flatMap(hostLines),
    ...event.hosts.length === 0 ? bareHost(event) : [],
    ...event.transcript,
  ];
  const step = { atMs, kind: "attempt", recipient, details } as const;
  if (what === "delivered") {
    return { ...step, tone: "good", text: deliveredText(event) };
  }
  const isOver = what === "failed";
  const { says } = meaningOf(causeOf(endingOf(event)), {
    queueId,
    recipient,
    host: event.host,
    isOver,
  });
  const reply = quoted(event);
  return {
    ...step,
    tone: isOver ? "bad" : "waiting",
    text: `${isOver ? "Failed" : "Did not work yet"}: ${says}${reply}`,
  };
}

/** The words themselves, behind what they mean. */
function quoted({ code, text }: EventFacts): string {
  return text === "" ? "" : ` On record: ${code} ${text}`;
}

function deliveredText(event: EventFacts): string {
  const { host, address, text, code, tookMs } = event;
  const took = tookMs > 0 ? ` in ${span(tookMs)}` : "";
  if (host === "") {
    const { words } = splitText(text);
    return words === "Delivered to mailbox"
      ? "Written to its mailbox (Maildir, in new/), and on disk."
      : `Delivered: ${words || text}.`;
  }
  const last = event.hosts.findLast((one) => one.host === host);
  const place = address === "" || address === host ? "" : ` [${address}]`;
  return `Handed to ${host}${place}${took}, ${safety(last, event.tls)}; it ` +
    `said: ${code} ${text}`;
}

/** How well the way to it was protected. */
function safety(host: HostFacts | undefined, tls: string): string {
  const version = (host?.tls || tls).split(" ")[0] || "TLS";
  switch (host?.reached) {
    case "dane":
      return `over ${version} with a certificate that matched by DANE`;
    case "verified":
      return `over ${version} with a certificate that was found good`;
    case "encrypted":
      return `over ${version} with a certificate that nobody vouched for`;
    case "clear":
      return "in the clear, without TLS";
    case "":
    case undefined:
      return tls === "" ? "without TLS" : `over ${version}`;
  }
}

function bareHost({ host, address, tls }: EventFacts): string[] {
  if (host === "") return [];
  return [
    `${host}${address === "" ? "" : ` [${address}]`}${
      tls === "" ? "" : `, ${tls}`
    }`,
  ];
}

function hostLines(host: HostFacts): string[] {
  const place = host.address === ""
    ? "no connection"
    : `[${host.address}]:${host.port}`;
  const lines = [
    `${host.host} ${place}, ${span(host.tookMs)}: ${host.result}`,
    `  TLS wanted: ${wanted(host)}`,
  ];
  if (host.reached !== "") lines.push(`  TLS reached: ${reachedText(host)}`);
  const dns = dnsText(host);
  if (dns !== "") lines.push(`  DNSSEC: ${dns}`);
  if (host.mtaSts !== "") lines.push(`  MTA-STS: ${host.mtaSts}`);
  return lines;
}

function wanted({ profile, demand }: HostFacts): string {
  if (demand === "") return profile;
  return demand.startsWith(profile) ? demand : `${profile}: ${demand}`;
}

function reachedText({ reached, tls, certificate }: HostFacts): string {
  const more = [tls, certificate].filter((one) => one !== "").join(", ");
  switch (reached) {
    case "":
      return "";
    case "clear":
      return "none";
    case "encrypted":
      return `${more}; nobody vouched for the certificate`;
    case "verified":
      return `${more}; the certificate was found good`;
    case "dane":
      return `${more}; the certificate matched by DANE`;
  }
}

function dnsText({ dns: { mx, address, tlsa } }: HostFacts): string {
  return [["MX", mx], ["address", address], ["TLSA", tlsa]]
    .filter(([, state]) => state !== "")
    .map(([name, state]) => `${name} ${state}`).join(", ");
}

/** Everything that is neither an attempt nor how it came. */
export function otherStep(
  event: EventFacts,
  { isSegmentGone }: { readonly isSegmentGone?: boolean },
): Step {
  const { what, text, recipient, atMs } = event;
  const step = { atMs, recipient, details: [] } as const;
  switch (what) {
    case "duplicate":
      return {
        ...step,
        kind: "routed",
        tone: "plain",
        text: "Goes to the same place as another recipient; one copy is " +
          "enough.",
      };
    case "expanded":
      return {
        ...step,
        kind: "routed",
        tone: "plain",
        text: `Is an alias, and goes to ${text || "nobody else"}.`,
      };
    case "notified":
      return {
        ...step,
        kind: "notice",
        tone: "plain",
        text: noticeText(text, recipient),
      };
    case "double-bounce":
      return {
        ...step,
        kind: "notice",
        tone: "bad",
        text: "Nobody is told: it is a notice itself, and has no sender. " +
          text,
      };
    case "bounce-attributed":
      return {
        ...step,
        kind: "notice",
        tone: "plain",
        text: `By its address (VERP) this bounce is about <${text}>.`,
      };
    case "held":
      return order(step, "Put on hold: it is not tried until it is released.");
    case "released":
      return order(step, "Released by an administrator.");
    case "retried":
      return order(step, "An administrator had it tried at once.");
    case "rerouted":
      return order(step, `An administrator sent it another way: ${text}.`);
    case "deleted":
      return {
        ...order(step, "Deleted by an administrator; nobody was told."),
        tone: "bad",
      };
    case "removed":
      return {
        ...order(step, `Removed: ${text}.`),
        tone: "bad",
      };
    case "corrupt":
      return {
        ...step,
        kind: "attempt",
        tone: "bad",
        text: "Its content or key turned out to be damaged; it is kept for " +
          "a human.",
      };
    case "erased":
      return {
        ...step,
        kind: "erased",
        tone: "plain",
        text: erasedText(text, isSegmentGone),
      };
    default:
      return {
        ...step,
        kind: "order",
        tone: "plain",
        text: `${what}: ${text}`.trim(),
      };
  }
}

function order(
  step: Pick<Step, "atMs" | "recipient" | "details">,
  text: string,
): Step {
  return { ...step, kind: "order", tone: "plain", text };
}

/** From `of failed by 1M7Z...`. */
function noticeText(text: string, recipient: string): string {
  const [, action = "", , id = ""] = text.split(" ");
  const what = NOTICES.get(action) ?? action;
  return `<${recipient}> was sent a notice ${what}` +
    (id === "" ? "." : ` (${id}).`);
}

const NOTICES: ReadonlyMap<string, string> = new Map([
  ["failed", "that it failed"],
  ["delayed", "that it is late"],
  ["delivered", "that it was delivered"],
  ["relayed", "that it was passed on"],
  ["expanded", "that it went to the members of a list"],
]);

function erasedText(segment: string, isGone: boolean | undefined): string {
  const key = "Its key was destroyed, so nobody can read its content any more.";
  if (segment === "" || isGone === undefined) return key;
  return isGone
    ? `${key} Its segment ${segment} was overwritten and is gone.`
    : `${key} Its segment ${segment} is overwritten, too, once no message ` +
      "waits in it.";
}
