/** What a name must look like before it is asked for or handed on. */

const MAX_NAME = 253;
const MAX_LABEL = 63;

/**
 * Brings a host name from an ask or from an MX record into one form: lower
 * case, no trailing dot.
 *
 * @returns undefined if it is no host name: empty labels, over 253 octets
 * (RFC 1035 §2.3.4), or anything but letters, digits, hyphens and underscores
 * (what hostile zones put into names must not reach logs or sessions)
 */
export function hostName(raw: string): string | undefined {
  const name = (raw.endsWith(".") ? raw.slice(0, -1) : raw).toLowerCase();
  if (name.length < 1 || name.length > MAX_NAME) return undefined;
  let label = 0;
  for (let i = 0; i < name.length; i++) {
    const octet = name.charCodeAt(i);
    if (octet === 0x2e) {
      if (label === 0) return undefined;
      label = 0;
    } else if (isNameOctet(octet)) {
      if (++label > MAX_LABEL) return undefined;
    } else {
      return undefined;
    }
  }
  return label === 0 ? undefined : name;
}

function isNameOctet(octet: number): boolean {
  return (octet >= 0x61 && octet <= 0x7a) || (octet >= 0x30 && octet <= 0x39) ||
    octet === 0x2d || octet === 0x5f;
}
