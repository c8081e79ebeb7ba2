/**
 * A TLS report: its JSON (RFC 8460 §4.4) and the mail that carries it (§5.3).
 * Pure but for gzip.
 *
 * Not: a DKIM signature, which §3 demands; this server cannot sign yet.
 */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { field, mailDate, paragraph } from "./notice_text.ts";
import {
  type DayTally,
  type Failure,
  type PolicyTally,
  sessionsOf,
} from "./tls_tally.ts";

/** What a report is made from. */
export interface ReportFacts {
  /** Our name. */
  readonly hostname: string;
  /** The address it comes from, and where somebody may ask. */
  readonly from: string;
  readonly domain: string;
  readonly to: readonly string[];
  /** The time that it speaks of: [fromMs, untilMs). */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly nowMs: number;
  readonly tally: DayTally;
  /** Queue id of the message. */
  readonly id: string;
  /** Random: 32 hex digits. */
  readonly boundary: string;
}

/** The spool takes 65,536 octets of each part. */
const MOST_OCTETS = 60_000;

/** The report as JSON, RFC 8460 §4.4. */
export function reportJson(facts: ReportFacts): string {
  return JSON.stringify({
    "organization-name": facts.hostname,
    "date-range": {
      "start-datetime": timeText(facts.fromMs),
      // The last second of it: §4.4 has a day end at 23:59:59.
      "end-datetime": timeText(facts.untilMs - 1_000),
    },
    "contact-info": facts.from,
    "report-id": reportId(facts),
    policies: facts.tally.map((one) => policyJson(one, facts.domain)),
  });
}

/**
 * The whole message in two parts, each short enough for the spool. Where the
 * hosts are too many or their names too long, only their sums are told.
 *
 * @throws {RangeError} If that is too long, too: a tally that is not bounded
 */
export function reportMail(
  facts: ReportFacts,
): { readonly head: string; readonly tail: string } {
  const mail = mailOf(facts) ??
    mailOf({ ...facts, tally: withoutHosts(facts.tally) });
  if (mail === undefined) {
    throw new RangeError("Cannot compose a TLS report: the tally is too long");
  }
  return mail;
}

function mailOf(
  facts: ReportFacts,
): { readonly head: string; readonly tail: string } | undefined {
  const attached = Buffer.from(gzipSync(reportJson(facts))).toString("base64");
  const head = header(facts) + humanPart(facts) + attachmentHeader(facts);
  const room = Math.floor((MOST_OCTETS - head.length) / 78) * 76;
  const end = `--${facts.boundary}--\r\n`;
  const tail = lines(attached.slice(room)) + end;
  if (tail.length > MOST_OCTETS) return undefined;
  return { head: head + lines(attached.slice(0, room)), tail };
}

function withoutHosts(tally: DayTally): DayTally {
  return tally.map((one) => {
    const failures: Failure[] = [];
    for (const { result, count } of one.failures) {
      const found = failures.find((other) => other.result === result);
      if (found !== undefined) found.count += count;
      else failures.push({ result, mxHost: "", ours: "", theirs: "", count });
    }
    return { ...one, failures };
  });
}

/** The same for the same day and domain, so that a receiver can tell. */
function reportId({ fromMs, domain, hostname }: ReportFacts): string {
  return `${Math.floor(fromMs / 1_000)}.${domain}@${hostname}`;
}

function policyJson(
  { policy, lines, successes, failures }: PolicyTally,
  domain: string,
) {
  const hosts = lines.filter((line) => /^mx[ \t]*:/.test(line))
    .map((line) => line.slice(line.indexOf(":") + 1).trim());
  return {
    policy: {
      "policy-type": policy,
      ...(lines.length > 0 ? { "policy-string": lines } : {}),
      "policy-domain": domain,
      ...(policy === "sts" && hosts.length > 0 ? { "mx-host": hosts } : {}),
    },
    summary: {
      "total-successful-session-count": successes,
      "total-failure-session-count": failures.reduce(
        (sum, { count }) => sum + count,
        0,
      ),
    },
    ...(failures.length === 0 ? {} : {
      "failure-details": failures.map((one) => ({
        "result-type": one.result,
        ...(one.ours === "" ? {} : { "sending-mta-ip": one.ours }),
        ...(one.mxHost === "" ? {} : { "receiving-mx-hostname": one.mxHost }),
        ...(one.theirs === "" ? {} : { "receiving-ip": one.theirs }),
        "failed-session-count": one.count,
      })),
    }),
  };
}

function header(facts: ReportFacts): string {
  const { hostname, domain } = facts;
  return field("From", `TLS reports <${facts.from}>`) +
    field("To", facts.to.map((one) => `<${one}>`).join(", ")) +
    field("Date", mailDate(facts.nowMs)) +
    field("Message-ID", `<${facts.id}@${hostname}>`) +
    field(
      "Subject",
      `Report Domain: ${domain} Submitter: ${hostname} ` +
        `Report-ID: <${reportId(facts)}>`,
    ) +
    field("TLS-Report-Domain", domain) +
    field("TLS-Report-Submitter", hostname) +
    field("Auto-Submitted", "auto-generated") + // RFC 3834 §5
    field("MIME-Version", "1.0") +
    'Content-Type: multipart/report; report-type="tlsrpt";\r\n' +
    ` boundary="${facts.boundary}"\r\n\r\n`;
}

function humanPart(facts: ReportFacts): string {
  const { good, bad } = sessionsOf(facts.tally);
  return `--${facts.boundary}\r\n` +
    "Content-Type: text/plain; charset=us-ascii\r\n\r\n" +
    paragraph(
      `This is a report of the mail server ${facts.hostname} on TLS with the ` +
        `mail servers of ${facts.domain}, from ${timeText(facts.fromMs)} on ` +
        `(RFC 8460). ${good} sessions were as they should be, ${bad} were ` +
        "not. The attachment has the details.",
    ) + "\r\n";
}

/** §5.1: the name of the file says whose it is. */
function attachmentHeader(facts: ReportFacts): string {
  const seconds = (ms: number) => Math.floor(ms / 1_000);
  const name = `${facts.hostname}!${facts.domain}!${seconds(facts.fromMs)}!` +
    `${seconds(facts.untilMs) - 1}!${facts.id}.json.gz`;
  return `--${facts.boundary}\r\n` +
    "Content-Type: application/tlsrpt+gzip\r\n" +
    "Content-Transfer-Encoding: base64\r\n" +
    `Content-Disposition: attachment;\r\n filename="${name}"\r\n\r\n`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19) + "Z"; // RFC 3339
}

function lines(base64: string): string {
  let out = "";
  for (let at = 0; at < base64.length; at += 76) {
    out += base64.slice(at, at + 76) + "\r\n";
  }
  return out;
}
