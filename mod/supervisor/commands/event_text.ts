/**
 * One event of a message's history in plain words: what happened, then each
 * host that was tried, how well the way to it was protected and by what, then
 * the session. Pure.
 */
import type { Showing } from "../../queue/inspect_ipc.ts";

type Shown = Showing["events"][number];
type Host = Shown["hosts"][number];

/** The lines of an event, unescaped. */
export function eventLines(event: Shown): string[] {
  return [
    headline(event),
    ...event.hosts.flatMap(hostLines),
    ...event.transcript.map((line) => `    ${line}`),
  ];
}

function headline(event: Shown): string {
  const parts = [new Date(event.atMs).toISOString(), event.what];
  if (event.recipient !== "") parts.push(`<${event.recipient}>`);
  if (event.host !== "") parts.push(`at ${event.host}`);
  if (event.address !== "" && event.address !== event.host) {
    parts.push(`[${event.address}]`);
  }
  if (event.tls !== "") parts.push(`(${event.tls})`);
  if (event.code !== 0) parts.push(String(event.code));
  parts.push(event.text);
  if (event.tookMs > 0) parts.push(`in ${seconds(event.tookMs)}`);
  return parts.join(" ").trimEnd();
}

function hostLines(host: Host): string[] {
  const lines = [
    `    ${host.host} ${placeOf(host)}, ${
      seconds(host.tookMs)
    }: ${host.result}`,
  ];
  const add = (name: string, text: string) => {
    if (text !== "") lines.push(`        ${name.padEnd(10)} ${text}`);
  };
  add("asked for", demandOf(host));
  add("reached", reachedOf(host));
  add("DNSSEC", dnssecOf(host));
  add("MTA-STS", host.mtaSts);
  return lines;
}

function placeOf({ address, port }: Host): string {
  return address === "" ? "(no connection)" : `[${address}]:${port}`;
}

/** The profile, unless the words begin with it. */
function demandOf({ profile, demand }: Host): string {
  if (demand === "") return profile;
  return demand.startsWith(profile) ? demand : `${profile}: ${demand}`;
}

function reachedOf({ reached, tls, certificate }: Host): string {
  const more = [tls, certificate].filter((text) => text !== "").join(", ");
  switch (reached) {
    case "":
      return "";
    case "clear":
      return "no TLS";
    case "encrypted":
      return `TLS with a certificate that nobody vouched for: ${more}`;
    case "verified":
      return `TLS with a certificate that was found good: ${more}`;
    case "dane":
      return `TLS with a certificate that matched by DANE: ${more}`;
  }
}

function dnssecOf({ dns: { mx, address, tlsa } }: Host): string {
  return [["MX", mx], ["address", address], ["TLSA", tlsa]]
    .filter(([, security]) => security !== "")
    .map(([what, security]) => `${what} ${security}`).join(", ");
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
