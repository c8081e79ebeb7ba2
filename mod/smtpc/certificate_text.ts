/** A certificate in one line, for people. Pure. */
import { createHash, X509Certificate } from "node:crypto";
import { certificateOf } from "../dane/x509.ts";

/** Most characters of {@link certificateText}. */
export const MAX_CERTIFICATE_TEXT = 400;

/** Its names, who issued it, until when, and the TLSA record that names it. */
export function certificateText(der: Uint8Array): string {
  const read = certificateOf(der);
  if (read === undefined) return `unreadable, ${der.length} octets`;
  const names = read.dnsNames.length > 0 ? read.dnsNames : [read.commonName];
  const key = createHash("sha256").update(read.spki).digest("hex");
  return `for ${cut(names.slice(0, 5).join(" "), 120) || "nobody"}, by ` +
    `${cut(issuerOf(der), 80)}, ${day(read.notBeforeMs)} to ` +
    `${day(read.notAfterMs)}, TLSA 3 1 1 ${key}`;
}

function issuerOf(der: Uint8Array): string {
  try {
    return new X509Certificate(der).issuer.replaceAll("\n", ", ");
  } catch {
    return "somebody unreadable";
  }
}

function day(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8e15
    ? new Date(ms).toISOString().slice(0, 10)
    : "?";
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}
