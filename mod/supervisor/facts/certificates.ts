/** What is said of a certificate: for whom, by whom, until when. Pure. */
import { X509Certificate } from "node:crypto";
import type { Facts } from "../../../web/news.ts";

/** A certificate and where it is used. */
export interface UsedCertificate {
  readonly use: string;
  readonly file: string;
  readonly pem: string;
}

/** Facts of those that can be read. */
export function certificateFacts(
  used: readonly UsedCertificate[],
): Facts["certificates"] {
  return used.flatMap(({ use, file, pem }) => {
    let cert: X509Certificate;
    try {
      cert = new X509Certificate(pem);
    } catch {
      // It was read when the configuration was; what broke since is told then.
      return [];
    }
    return [{
      use,
      file,
      names: namesOf(cert),
      issuer: nameOf(cert.issuer),
      isSelfSigned: cert.issuer === cert.subject &&
        cert.verify(cert.publicKey),
      notBeforeMs: Date.parse(cert.validFrom) || 0,
      notAfterMs: Date.parse(cert.validTo) || 0,
    }];
  });
}

/** The names in it; the subject's, if it has no others (RFC 6125 §6.4.4). */
function namesOf(cert: X509Certificate): string[] {
  const names = (cert.subjectAltName ?? "").split(", ")
    .filter((one) => one.startsWith("DNS:") || one.startsWith("IP Address:"))
    .map((one) => one.slice(one.indexOf(":") + 1).slice(0, 255));
  return (names.length > 0 ? names : [nameOf(cert.subject).slice(0, 255)])
    .slice(0, 100);
}

/** A distinguished name in one line. */
function nameOf(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ").slice(0, 400);
}
