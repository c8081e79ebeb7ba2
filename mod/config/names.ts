/**
 * The forms of names that the configuration may hold: domains, address
 * literals, local parts, hosts with ports. A library; pure.
 *
 * This is for what an administrator writes, so it is strict: what strangers
 * send is judged by the roles that read it.
 */
import { isIP, isIPv4, isIPv6 } from "node:net";
import {
  beginsWithMark,
  isAscii,
  isSeen,
  utf8Length,
} from "../core/international.ts";

/**
 * A host and a port. `host` is a domain name or an IP address, without
 * brackets and in its short form.
 */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Folds A-Z only: no letter outside ASCII may turn into one inside. */
export function foldAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * True for a domain name in lower case: labels of letters, digits and
 * hyphens (RFC 1123 §2.1), at most 253 octets, the last one not a number.
 */
export function isDomainName(text: string): boolean {
  if (text.length === 0 || text.length > 253) return false;
  const labels = text.split(".");
  return labels.every(isLabel) && !/^[0-9]+$/.test(labels.at(-1)!);
}

/**
 * True for an address literal in lower case, RFC 5321 §4.1.3: `[192.0.2.1]`
 * or `[ipv6:2001:db8::1]`.
 */
export function isAddressLiteral(text: string): boolean {
  if (!text.startsWith("[") || !text.endsWith("]")) return false;
  const inside = text.slice(1, -1);
  return inside.startsWith("ipv6:")
    ? isIPv6(inside.slice(5)) && !inside.includes("%")
    : isIPv4(inside);
}

/** True for what may stand right of the `@` of an address, in lower case. */
export function isMailDomain(text: string): boolean {
  return isDomainName(text) || isAddressLiteral(text);
}

/**
 * True for the local part of an alias, A-Z in lower case and all in NFC: a
 * dot-string as in RFC 5321 §4.1.2 and RFC 6531 §3.3, of at most 64 octets,
 * without `%`, `!` and `/`, which no
 * address of ours has: the resolver refuses them as routes in disguise.
 */
export function isAliasLocalPart(text: string): boolean {
  return utf8Length(text) <= 64 && isInternational(text) &&
    text.split(".").every((atom) =>
      /^[a-z0-9#$&'*+=?^_`{|}~\x80-\uffff-]+$/.test(atom)
    );
}

/** True for ASCII, and beyond it for what addresses may have. */
export function isInternational(text: string): boolean {
  return isAscii(text) ||
    (isSeen(text) && !beginsWithMark(text) && text === text.normalize("NFC"));
}

/** Reads `host:port`, IPv6 in brackets: `[::1]:2600`. Undefined if it is not. */
export function hostPort(text: string): HostPort | undefined {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return undefined;
  const digits = text.slice(colon + 1);
  const port = Number(digits);
  if (!/^[0-9]{1,5}$/.test(digits) || port < 1 || port > 65_535) {
    return undefined;
  }
  const written = foldAscii(text.slice(0, colon));
  if (written.startsWith("[") && written.endsWith("]")) {
    const host = written.slice(1, -1);
    return isIPv6(host) && !host.includes("%")
      ? { host: shortIPv6(host), port }
      : undefined;
  }
  return isIPv4(written) || isDomainName(written)
    ? { host: written, port }
    : undefined;
}

/** `name`, or `.name` for all below it, in lower case; or undefined. */
export function nameOrBelow(text: string): string | undefined {
  const folded = foldAscii(text);
  const name = folded.startsWith(".") ? folded.slice(1) : folded;
  return isDomainName(name) ? folded : undefined;
}

/** Writes a host and a port so that {@link hostPort} reads it back. */
export function hostPortText({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True of a host that leads to this machine alone: 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}

/** True for an IP address without brackets. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes("%");
}

// One form for each address, RFC 5952, so that two spellings can be compared.
function shortIPv6(host: string): string {
  return new URL(`http://[${host}]/`).hostname.slice(1, -1);
}

function isLabel(label: string): boolean {
  return label.length <= 63 && /^[a-z0-9-]+$/.test(label) &&
    !label.startsWith("-") && !label.endsWith("-");
}
