/**
 * The messages of SCRAM (RFC 5802 §7), read strictly and left as they came:
 * both sides sign the octets, not their meaning.
 */

/** The GS2 header, RFC 5802 §6 and RFC 5801 §4. */
export interface Gs2Header {
  /** The header as it came, with its last comma. */
  readonly text: string;
  /**
   * - `none` (`n`): the client cannot bind to a channel
   * - `unoffered` (`y`): it could, and thinks that the server cannot
   * - otherwise (`p=`): the name of the binding that it uses
   */
  readonly binding: "none" | "unoffered" | { readonly name: string };
  /** Empty if not given. */
  readonly authzid: string;
}

/** client-first-message. */
export interface ClientFirst {
  readonly gs2: Gs2Header;
  /** client-first-message-bare. */
  readonly bare: string;
  readonly login: string;
  readonly nonce: string;
}

/** client-final-message. */
export interface ClientFinal {
  /** client-final-message-without-proof. */
  readonly bare: string;
  /** `c=`, in base64. */
  readonly channelBinding: string;
  readonly nonce: string;
  /** `p=`, in base64. */
  readonly proof: string;
}

/** Reads client-first-message; undefined if it is none. */
export function parseClientFirst(text: string): ClientFirst | undefined {
  const flagEnd = text.indexOf(",");
  const headerEnd = flagEnd < 0 ? -1 : text.indexOf(",", flagEnd + 1);
  if (headerEnd < 0) return undefined;
  const binding = parseFlag(text.slice(0, flagEnd));
  const authzid = parseAuthzid(text.slice(flagEnd + 1, headerEnd));
  const bare = text.slice(headerEnd + 1);
  const read = parseClientFirstBare(bare);
  if (
    binding === undefined || authzid === undefined || read === undefined
  ) return undefined;
  const gs2 = { text: text.slice(0, headerEnd + 1), binding, authzid };
  return { gs2, bare, ...read };
}

/**
 * Reads client-first-message-bare; undefined if it is none. `m=`, a mandatory
 * extension, is none that we know, and must fail (RFC 5802 §5.1).
 */
export function parseClientFirstBare(
  text: string,
): { readonly login: string; readonly nonce: string } | undefined {
  const [user, nonce, ...extensions] = text.split(",");
  const login = user?.startsWith("n=") ? decodeName(user.slice(2)) : undefined;
  if (
    login === undefined || !nonce?.startsWith("r=") ||
    !isNonce(nonce.slice(2)) || !extensions.every(isAttribute)
  ) return undefined;
  return { login, nonce: nonce.slice(2) };
}

/** Reads client-final-message; undefined if it is none. */
export function parseClientFinal(text: string): ClientFinal | undefined {
  const at = text.lastIndexOf(",p=");
  if (at < 0) return undefined;
  const bare = text.slice(0, at);
  const proof = text.slice(at + 3);
  const read = parseClientFinalBare(bare);
  return read === undefined || !isBase64(proof)
    ? undefined
    : { bare, proof, ...read };
}

/** Reads client-final-message-without-proof; undefined if it is none. */
export function parseClientFinalBare(
  text: string,
):
  | { readonly channelBinding: string; readonly nonce: string }
  | undefined {
  const [binding, nonce, ...extensions] = text.split(",");
  if (
    !binding?.startsWith("c=") || !isBase64(binding.slice(2)) ||
    !nonce?.startsWith("r=") || !isNonce(nonce.slice(2)) ||
    !extensions.every(isAttribute)
  ) return undefined;
  return { channelBinding: binding.slice(2), nonce: nonce.slice(2) };
}

/**
 * True for base64 as RFC 4648 §4 writes it, padded, and not empty. The bits
 * that fill up the last letter are not looked at.
 */
export function isBase64(text: string): boolean {
  if (text.length === 0 || text.length % 4 !== 0) return false;
  const end = text.endsWith("==")
    ? text.length - 2
    : text.endsWith("=")
    ? text.length - 1
    : text.length;
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    const isLetter = code >= 0x30 && code <= 0x39 ||
      code >= 0x41 && code <= 0x5a || code >= 0x61 && code <= 0x7a ||
      code === 0x2b || code === 0x2f;
    if (!isLetter) return false;
  }
  return true;
}

function parseFlag(text: string): Gs2Header["binding"] | undefined {
  if (text === "n") return "none";
  if (text === "y") return "unoffered";
  return text.startsWith("p=") && /^[A-Za-z0-9.-]{1,64}$/.test(text.slice(2))
    ? { name: text.slice(2) }
    : undefined;
}

function parseAuthzid(text: string): string | undefined {
  if (text === "") return "";
  return text.startsWith("a=") ? decodeName(text.slice(2)) : undefined;
}

/** saslname: `=2C` is a comma, `=3D` an equals sign, nothing else follows `=`. */
function decodeName(text: string): string | undefined {
  if (text === "" || text.includes("\0")) return undefined;
  const [first, ...parts] = text.split("=");
  let name = first!;
  for (const part of parts) {
    if (part.startsWith("2C")) name += ",";
    else if (part.startsWith("3D")) name += "=";
    else return undefined;
    name += part.slice(2);
  }
  return name;
}

/** Both nonces together, far above what anybody sends. */
const MAX_NONCE = 512;

function isNonce(text: string): boolean {
  if (text.length > MAX_NONCE) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) return false; // a comma ended it already
  }
  return text.length > 0;
}

/** attr-val that may be ignored. */
function isAttribute(text: string): boolean {
  return /^[A-Za-ln-z]=/.test(text) && text.length > 2;
}
