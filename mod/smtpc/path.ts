/**
 * Whether an address can be written into a command as it is. The shape that
 * crossed the wall forbids control characters; this forbids what would end
 * the path early and become an ESMTP parameter (`<a> NOTIFY=...@b`).
 */

/** True if `<address>` reads as one path, RFC 5321 §4.1.2. Empty is `<>`. */
export function isSendable(address: string): boolean {
  if (address === "") return true;
  const at = address.lastIndexOf("@");
  if (at < 1 || at === address.length - 1) return false;
  const local = address.slice(0, at);
  const isLocal = local.startsWith('"') ? isQuoted(local) : isDotString(local);
  return isLocal && isDomain(address.slice(at + 1));
}

/** True if it needs SMTPUTF8, RFC 6531. */
export function isInternational(address: string): boolean {
  for (let i = 0; i < address.length; i++) {
    if (address.charCodeAt(i) > 0x7f) return true;
  }
  return false;
}

function isQuoted(local: string): boolean {
  if (local.length < 2 || !local.endsWith('"')) return false;
  const last = local.length - 1;
  for (let i = 1; i < last; i++) {
    if (isControl(local.charCodeAt(i)) || local[i] === '"') return false;
    // A backslash takes the next character along, which must be inside.
    if (local[i] === "\\" && (++i >= last || isControl(local.charCodeAt(i)))) {
      return false;
    }
  }
  return true;
}

function isDotString(local: string): boolean {
  for (let i = 0; i < local.length; i++) {
    const unit = local.charCodeAt(i);
    if (unit <= 0x20 || isControl(unit)) return false;
    if ('<>()[]\\,;:@"'.includes(local[i]!)) return false;
  }
  return true;
}

function isDomain(domain: string): boolean {
  for (let i = 0; i < domain.length; i++) {
    const unit = domain.charCodeAt(i);
    if (unit <= 0x20 || isControl(unit)) return false;
    if ('<>()\\,;@"'.includes(domain[i]!)) return false;
  }
  return true;
}

function isControl(unit: number): boolean {
  return unit < 0x20 || unit === 0x7f;
}
