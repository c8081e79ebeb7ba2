/**
 * What a sender wants to be told, as parameters of MAIL and RCPT (RFC 3461 §4).
 * Pure. Everything foreign leaves as xtext: whatever was in it, no space and no
 * end of a line gets into a command.
 */
import type { MessageWishes, RecipientWishes } from "../core/shapes.ts";

/** Parameters of MAIL, each after a space; nothing if nothing was asked. */
export function mailParameters({ ret, envid }: MessageWishes): string {
  return (ret === "" ? "" : ` RET=${ret.toUpperCase()}`) +
    (envid === "" ? "" : ` ENVID=${xtext(envid)}`);
}

/** Parameters of RCPT, each after a space; nothing if nothing was asked. */
export function recipientParameters(
  { notify, orcpt }: RecipientWishes,
): string {
  return (notify.length === 0
    ? ""
    : ` NOTIFY=${notify.join(",").toUpperCase()}`) +
    addressParameter(orcpt);
}

/** ORCPT, of `addr-type;address`; nothing if it is not of that form. */
function addressParameter(orcpt: string): string {
  const at = orcpt.indexOf(";");
  if (at < 1) return "";
  const type = orcpt.slice(0, at);
  const address = orcpt.slice(at + 1);
  // RFC 6533 §3: such an address has an escape of its own, and no xtext in it.
  return type.toLowerCase() === "utf-8"
    ? ` ORCPT=utf-8;${utf8Xtext(address)}`
    : ` ORCPT=${xtext(type)};${xtext(address)}`;
}

const encoder = new TextEncoder();

/** RFC 3461 §4: all but printable ASCII, `+` and `=` as `+` and two digits. */
export function xtext(text: string): string {
  let out = "";
  for (const octet of encoder.encode(text)) {
    out += octet > 0x20 && octet < 0x7f && octet !== 0x2b && octet !== 0x3d
      ? String.fromCharCode(octet)
      : `+${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/** RFC 6533 §3, utf-8-addr-xtext: the rest as `\\x{HEX}`. */
function utf8Xtext(text: string): string {
  let out = "";
  for (const character of text) {
    const code = character.codePointAt(0)!;
    // A backslash stands for itself: it begins an escape that is one already.
    out += code > 0x20 && code < 0x7f && code !== 0x2b && code !== 0x3d
      ? character
      : `\\x{${code.toString(16).toUpperCase().padStart(2, "0")}}`;
  }
  return out;
}
