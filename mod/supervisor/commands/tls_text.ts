/** What `bulkhead tls` found, in plain words. Pure. */
import { visible } from "../../core/visible.ts";
import type { ExplainedHost } from "../../smtpc/smtpc_ipc.ts";
import type { ShownRecords, TlsShown } from "./tls.ts";

/** What would become of mail, in a sentence. */
export interface TlsVerdict {
  readonly kind: "delivered" | "deferred" | "returned";
  readonly words: string;
}

/** What would become of mail now. */
export function verdictOf({ asked, nowhere, hosts }: TlsShown): TlsVerdict {
  if (nowhere !== null) {
    const words = `${nowhere.code} ${nowhere.enhanced} ${nowhere.text}`;
    return nowhere.kind === "permanent"
      ? { kind: "returned", words: `Mail for ${asked} is returned: ${words}.` }
      : { kind: "deferred", words: `Mail for ${asked} waits: ${words}.` };
  }
  const best = hosts.find((one) => one.wouldDo);
  if (best === undefined) {
    const why = hosts[0]?.attempt.result ?? "no address";
    return {
      kind: "deferred",
      words: `Mail for ${asked} waits, and nothing of it is sent: no host ` +
        `may have it. The first one: ${why}`,
    };
  }
  const { host, address } = best.attempt;
  return {
    kind: "delivered",
    words: `Mail for ${asked} goes to ${host} [${address}] ${howSafe(best)}.`,
  };
}

function howSafe({ attempt }: ExplainedHost): string {
  switch (attempt.reached) {
    case "dane":
      return "over TLS, to the very server that its signed TLSA records name";
    case "verified":
      return `over TLS, to a server that proved its name (${
        attempt.certificate.slice(0, 100)
      })`;
    case "encrypted":
      return "over TLS; whether it is the right server, nobody vouches for";
    case "clear":
      return "in the clear: whoever is on the way can read it";
    case "":
      return "in a way that is not known";
  }
}

/** Everything, a line a fact. */
export function tlsText(shown: TlsShown, verdict: TlsVerdict): string {
  const { profile, entry, records, hosts } = shown;
  const by = entry === "" ? "outbound.tls" : `[destinations] "${entry}"`;
  const seen = new Set<string>();
  const lines = [
    `profile  ${profile}, by ${by}`,
    ...records.filter(({ type }) => type === "MX").flatMap(recordLines),
    ...hosts.flatMap((host) => {
      const isFirst = !seen.has(host.attempt.host);
      seen.add(host.attempt.host);
      return hostLines(host, isFirst ? recordsOf(host, records) : []);
    }),
    "",
    verdict.words,
  ];
  // Much of it was said by strangers, and goes to a terminal.
  return lines.map((line) => visible(line, "?")).join("\n");
}

function recordsOf(
  { attempt, tlsaNames }: ExplainedHost,
  records: readonly ShownRecords[],
): readonly ShownRecords[] {
  return records.filter(({ name, type }) =>
    type !== "MX" && (name === attempt.host || tlsaNames.includes(name))
  );
}

function hostLines(
  { attempt, certificates, policyLines, wouldDo }: ExplainedHost,
  records: readonly ShownRecords[],
): string[] {
  const { host, address, port, reached, tls } = attempt;
  const fact = (name: string, text: string) =>
    text === "" ? [] : [`  ${name.padEnd(11)} ${text}`];
  return [
    "",
    `${host} [${address}]:${port}`,
    ...records.flatMap(recordLines).map((line) => `  ${line}`),
    ...fact("MTA-STS", attempt.mtaSts),
    ...attempt.mtaSts === "" ? [] : policyLines.map((line) => `    ${line}`),
    ...fact("must have", attempt.demand),
    ...fact("has", tls === "" ? reached : `${reached}: ${tls}`),
    ...fact("certificate", attempt.certificate),
    ...certificates.flatMap((text, n) => fact(`shown ${n + 1}`, text)),
    ...fact(wouldDo ? "may have it" : "may not", attempt.result),
  ];
}

function recordLines(one: ShownRecords): string[] {
  const { name, type, security, status, records, proof, why } = one;
  // Nobody knows what there is where the answer cannot be believed.
  const isKnown = security === "secure" || security === "insecure";
  const none = records.length > 0
    ? ""
    : isKnown
    ? `, none (${status})`
    : ` (${status})`;
  return [
    `${type} ${name}: ${security}${none}${why === "" ? "" : `, ${why}`}`,
    ...records.map((text) => `    ${text}`),
    ...proof.map((step) => `      proof: ${step}`),
  ];
}
