/**
 * Reads what a form posted (application/x-www-form-urlencoded), within bounds:
 * a few short fields, each once, in whole UTF-8. Pure.
 */

/** Octets of a body; a form of ours has some hundred. */
export const MAX_FORM_OCTETS = 8_192;
/** Those of a page of the queue, all chosen, and some. */
const MAX_FIELDS = 64;
const MAX_NAME = 64;
const MAX_VALUE = 1_000;

/** Its fields; undefined if it is more, or other, than a form of ours. */
export function readForm(
  octets: Uint8Array,
): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>();
  if (octets.length > MAX_FORM_OCTETS) return undefined;
  if (octets.length === 0) return fields;
  let from = 0;
  for (let at = 0; at <= octets.length; at++) {
    if (at < octets.length && octets[at] !== AMPERSAND) continue;
    if (fields.size === MAX_FIELDS) return undefined;
    const field = readField(octets.subarray(from, at));
    if (field === undefined || fields.has(field.name)) return undefined;
    fields.set(field.name, field.value);
    from = at + 1;
  }
  return fields;
}

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

function readField(
  octets: Uint8Array,
): { name: string; value: string } | undefined {
  const equals = octets.indexOf(EQUALS);
  if (equals < 0) return undefined;
  const name = decode(octets.subarray(0, equals));
  const value = decode(octets.subarray(equals + 1));
  if (name === undefined || name === "" || name.length > MAX_NAME) {
    return undefined;
  }
  return value === undefined || value.length > MAX_VALUE
    ? undefined
    : { name, value };
}

function decode(octets: Uint8Array): string | undefined {
  const decoded = new Uint8Array(octets.length);
  let length = 0;
  for (let at = 0; at < octets.length; at++) {
    let octet = octets[at]!;
    if (octet === PLUS) octet = SPACE;
    else if (octet === PERCENT) {
      const high = hexDigit(octets[at + 1]);
      const low = hexDigit(octets[at + 2]);
      if (high < 0 || low < 0) return undefined;
      octet = high * 16 + low;
      at += 2;
    }
    decoded[length++] = octet;
  }
  try {
    return strict.decode(decoded.subarray(0, length));
  } catch {
    return undefined;
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function hexDigit(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const folded = octet | 0x20;
  return folded >= 0x61 && folded <= 0x66 ? folded - 0x57 : -1;
}

/**
 * Reads at most as many octets as a form may have, and one more.
 *
 * @param body Null if there is none
 */
export async function bodyOctets(
  body: ReadableStream<Uint8Array> | null,
): Promise<Uint8Array> {
  if (body === null) return new Uint8Array(0);
  const room = new Uint8Array(MAX_FORM_OCTETS + 1);
  let length = 0;
  for await (const chunk of body) {
    const part = chunk.subarray(0, room.length - length);
    room.set(part, length);
    length += part.length;
    if (length === room.length) break;
  }
  return room.subarray(0, length);
}
