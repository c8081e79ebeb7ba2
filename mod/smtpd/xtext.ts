/**
 * Values that DSN parameters carry in a coat: xtext (RFC 3461 §4) and the
 * UTF-8 addresses of RFC 6533 §3. Decoding is where an injection would come
 * out of its coat, so what is decoded is checked here and not by whoever
 * prints it: no CR, LF, NUL or other control character ever leaves.
 */
import { isSeen, seenText } from "../core/international.ts";

/** Text as `xtext` writes it: printable ASCII after decoding, blanks too. */
export function readXtext(coated: string): string | undefined {
  const said = uncoated(coated);
  return said !== undefined && /^[ -~]+$/.test(said) ? said : undefined;
}

/**
 * `addr-type ";" address` of ORCPT, RFC 3461 §4.2, decoded.
 *
 * @param coated Octets as UTF-16 units; above 127 only where the caller
 * allows it, and then only in the type `utf-8` (`utf-8-addr-unitext`)
 */
export function readOriginalRecipient(coated: string): string | undefined {
  const at = coated.indexOf(";");
  const type = coated.slice(0, Math.max(at, 0)).toLowerCase();
  if (!/^[a-z0-9-]+$/.test(type)) return undefined;
  const rest = coated.slice(at + 1);
  const address = type === "utf-8" ? readUtf8Address(rest) : readXtext(rest);
  return address === undefined ? undefined : `${type};${address}`;
}

/**
 * `utf-8-addr-xtext` and `utf-8-addr-unitext`. A `+` is none of theirs, but
 * of the xtext that a server wraps around what it does not know.
 */
function readUtf8Address(coated: string): string | undefined {
  const octets = uncoated(coated);
  const text = octets === undefined ? undefined : seenText(octets);
  if (text === undefined || text === "") return undefined;
  let said = "";
  let from = 0;
  for (;;) {
    const at = text.indexOf("\\", from);
    if (at < 0) break;
    // Six digits at most, so the search for the end is bounded.
    const written = text.slice(at, at + 10);
    const digits = /^\\x\{([0-9A-Fa-f]{2,6})\}/.exec(written)?.[1];
    const point = digits === undefined ? Infinity : parseInt(digits, 16);
    if (point > 0x10ffff) return undefined;
    said += text.slice(from, at) + String.fromCodePoint(point);
    from = at + digits!.length + 4;
  }
  said += text.slice(from);
  return isSeen(said) ? said : undefined;
}

/** Takes `+HH` away; octets as UTF-16 units. */
function uncoated(coated: string): string | undefined {
  let said = "";
  let from = 0;
  for (;;) {
    const at = coated.indexOf("+", from);
    if (at < 0) break;
    const digits = coated.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined;
    said += coated.slice(from, at) + String.fromCharCode(parseInt(digits, 16));
    from = at + 3;
  }
  return said + coated.slice(from);
}
