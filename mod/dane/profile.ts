/**
 * The eight TLS profiles of a destination, by Postfix's names
 * (`smtp_tls_security_level`). Pure.
 *
 * - `none`: never TLS
 * - `may`: TLS if it is offered, with any certificate; else in the clear
 * - `encrypt`: TLS, with any certificate
 * - `verify`: TLS, with a certificate of a known authority for the host's name
 * - `secure`: the same for a name within the destination's own domain, which
 *   no forged MX record can choose
 * - `dane`: what the destination's TLSA records say (RFC 7672); MTA-STS where
 *   it has none (RFC 8461); `may` where it has neither
 * - `dane-only`: TLSA records that are secure and usable, or no delivery
 * - `fingerprint`: TLS, with a certificate or key that was named beforehand
 */
export const PROFILES = [
  "none",
  "may",
  "encrypt",
  "verify",
  "secure",
  "dane",
  "dane-only",
  "fingerprint",
] as const;

/** See {@link PROFILES}. */
export type Profile = (typeof PROFILES)[number];
