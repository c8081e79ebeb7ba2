/**
 * XCLIENT, by which a listed client says for whom it speaks (Postfix's
 * XCLIENT_README; also nginx). Pure.
 *
 * Of the attributes ADDR, HELO and PROTO count. NAME, PORT, DESTADDR and
 * DESTPORT are checked and not used: names are not believed, and nothing here
 * depends on a port. LOGIN is ignored: port 25 knows no logins, and nobody gets
 * one by saying so.
 */
import { isIPv4, isIPv6 } from "node:net";
import { readXtext } from "./xtext.ts";

/** What EHLO announces. */
export const XCLIENT_ATTRIBUTES =
  "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

/** Whom a client spoke for; undefined where it did not say, or not know. */
export interface Introduced {
  /** As it was written; its disguise is not taken off yet. */
  readonly address: string | undefined;
  /** Not yet checked as EHLO's would be. */
  readonly helo: string | undefined;
  readonly protocol: "SMTP" | "ESMTP" | undefined;
}

/**
 * Reads the attributes. A name that is unknown or given twice, or a value that
 * is none, spoils all of them.
 *
 * @param text What follows `XCLIENT`
 * @returns undefined if it is no list of attributes
 */
export function readXclient(text: string): Introduced | undefined {
  const values = new Map<string, string | undefined>();
  for (const word of text.trim().split(" ")) {
    const equals = word.indexOf("=");
    const name = word.slice(0, Math.max(equals, 0)).toUpperCase();
    const check = ATTRIBUTES.get(name);
    const value = readXtext(word.slice(equals + 1));
    if (check === undefined || value === undefined || values.has(name)) {
      return undefined;
    }
    if (isUnavailable(value)) {
      values.set(name, undefined);
    } else if (check(value)) values.set(name, value);
    else return undefined;
  }
  const address = values.get("ADDR");
  const protocol = values.get("PROTO")?.toUpperCase();
  return {
    address: address === undefined ? undefined : bare(address),
    helo: values.get("HELO"),
    protocol: protocol === "SMTP" || protocol === "ESMTP"
      ? protocol
      : undefined,
  };
}

const ATTRIBUTES: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ["NAME", isText],
  ["ADDR", isAddress],
  ["PORT", isPort],
  ["PROTO", (value) => /^e?smtp$/i.test(value)],
  ["HELO", isText],
  ["LOGIN", isText],
  ["DESTADDR", isAddress],
  ["DESTPORT", isPort],
]);

function isUnavailable(value: string): boolean {
  const folded = value.toUpperCase();
  return folded === "[UNAVAILABLE]" || folded === "[TEMPUNAVAIL]";
}

function isText(value: string): boolean {
  return value.length <= 255;
}

/** IPv6 goes as `IPV6:2001:db8::1`; some leave the word out. */
function bare(address: string): string {
  return /^ipv6:/i.test(address) ? address.slice(5) : address;
}

function isAddress(value: string): boolean {
  const address = bare(value);
  return (isIPv4(address) && address === value) ||
    (isIPv6(address) && !address.includes("%"));
}

function isPort(value: string): boolean {
  return /^[0-9]{1,5}$/.test(value) && Number(value) <= 65_535;
}
