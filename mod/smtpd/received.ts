/** The trace field that we add to every message, RFC 5321 §4.4. */
import { internetDate } from "../core/internet_date.ts";

/**
 * How a message came, for `with`: RFC 3848, and where SMTPUTF8 was asked for
 * RFC 6531 §3.7.3.
 */
export type Protocol =
  | "SMTP"
  | `${"ESMTP" | "UTF8SMTP"}${"" | "S"}${"" | "A"}`;

/** Names the protocol of a transaction. */
export function protocolOf(how: {
  readonly esmtp: boolean;
  readonly secured: boolean;
  readonly authenticated: boolean;
  readonly smtpUtf8: boolean;
}): Protocol {
  if (!how.esmtp) return "SMTP";
  const base = how.smtpUtf8 ? "UTF8SMTP" : "ESMTP";
  return `${base}${how.secured ? "S" : ""}${how.authenticated ? "A" : ""}`;
}

/** What the trace tells. */
export interface Trace {
  /** As the client said in EHLO or HELO, already checked. */
  readonly helo: string;
  /** The client's IP address. */
  readonly address: string;
  /** True to leave out who the client is: address and name. */
  readonly hidesClient: boolean;
  readonly hostname: string;
  readonly protocol: Protocol;
  readonly queueId: string;
  readonly nowMs: number;
}

/** Writes the field with its CRLF. */
export function receivedField(trace: Trace): string {
  const { helo, address, hostname, protocol, queueId, nowMs } = trace;
  const tag = address.includes(":") ? "IPv6:" : "";
  // Without `from` it is no trace field of RFC 5321, which knows no secrets,
  // but one of RFC 5322 §3.6.7.
  const from = trace.hidesClient
    ? ""
    : `from ${helo} ([${tag}${address}])\r\n\t`;
  return `Received: ${from}by ${hostname} with ${protocol} id ${queueId};\r\n` +
    `\t${internetDate(nowMs)}\r\n`;
}
