/** The trace field that we add to every message, RFC 5321 §4.4. */

/** What the trace tells. */
export interface Trace {
  /** As the client said in EHLO or HELO, already checked. */
  readonly helo: string;
  /** The client's IP address. */
  readonly address: string;
  readonly hostname: string;
  /** RFC 3848. */
  readonly protocol: "SMTP" | "ESMTP" | "ESMTPS";
  readonly queueId: string;
  readonly nowMs: number;
}

/** Writes the field with its CRLF. */
export function receivedField(trace: Trace): string {
  const { helo, address, hostname, protocol, queueId, nowMs } = trace;
  const tag = address.includes(":") ? "IPv6:" : "";
  return `Received: from ${helo} ([${tag}${address}])\r\n` +
    `\tby ${hostname} with ${protocol} id ${queueId};\r\n` +
    `\t${internetDate(nowMs)}\r\n`;
}

/**
 * A date as RFC 5322 §3.3 writes it, in UTC: `Fri, 21 Nov 2025 02:10:00 +0000`.
 *
 * @param nowMs Time since the epoch
 */
export function internetDate(nowMs: number): string {
  // toUTCString is fixed by ECMA-262 §21.4.4.43, down to the commas.
  return new Date(nowMs).toUTCString().replace("GMT", "+0000");
}
