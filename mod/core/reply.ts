/**
 * SMTP replies as values, and their form on the wire (RFC 5321 §4.2,
 * enhanced status codes RFC 3463 and RFC 2034).
 *
 * Texts are ours, never the client's: what a client said is not echoed.
 */

/** One reply, of one line or several. */
export interface SmtpReply {
  /** Reply code, 200 to 599. */
  readonly code: number;
  /**
   * Enhanced status code such as `2.1.5`; absent where RFC 2034 §4 wants
   * none: greeting, EHLO, HELO, and 354.
   */
  readonly enhanced?: string;
  /** At least one line of printable ASCII, each short enough for 512 octets. */
  readonly lines: readonly string[];
}

/** Makes a reply of one line with an enhanced status code. */
export function smtpReply(
  code: number,
  enhanced: string,
  text: string,
): SmtpReply {
  return { code, enhanced, lines: [text] };
}

/**
 * Writes a reply as octets go out: every line with the code, all but the last
 * with a hyphen (RFC 5321 §4.2.1), each with CRLF.
 *
 * @throws {RangeError} If a line could be taken for two: a caller bug
 */
export function formatReply(reply: SmtpReply): string {
  const enhanced = reply.enhanced === undefined ? "" : `${reply.enhanced} `;
  const last = reply.lines.length - 1;
  let wire = "";
  for (let i = 0; i <= last; i++) {
    const line = reply.lines[i]!;
    if (!isPrintable(line)) {
      throw new RangeError("Cannot write reply: text is not printable ASCII");
    }
    wire += `${reply.code}${i === last ? " " : "-"}${enhanced}${line}\r\n`;
  }
  return wire;
}

/** True if a refusal is the client's fault or final: 500 to 599. */
export function isPermanent(reply: SmtpReply): boolean {
  return reply.code >= 500;
}

function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}
