/**
 * Makes the TLS context of STARTTLS from PEM texts.
 *
 * Deno's createSecureContext takes any text and fails at the first handshake
 * (seen on 2.9.6), so certificate and key are checked here: a server must not
 * offer what it cannot do.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import tls from "node:tls";

/** A context, or a sentence on why there is none. */
export type TlsContext =
  | { readonly ok: true; readonly secureContext: tls.SecureContext }
  | { readonly ok: false; readonly why: string };

/** Checks certificate and key, and that they belong together. */
export function tlsContext(pem: { cert: string; key: string }): TlsContext {
  try {
    const certificate = new X509Certificate(pem.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(pem.key))) {
      return { ok: false, why: "the key is not the certificate's" };
    }
    const secureContext = tls.createSecureContext({
      ...pem,
      minVersion: "TLSv1.2", // RFC 8996
    });
    return { ok: true, secureContext };
  } catch (error) {
    // The files are the administrator's: the environment, not a bug of ours.
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, why: `cannot read certificate or key: ${why}` };
  }
}
