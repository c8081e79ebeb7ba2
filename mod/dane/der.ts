/**
 * A reader of DER (X.690), as much of it as certificates need. Pure, linear,
 * and made for octets that an attacker chose: every length is checked against
 * what is there, nothing recurses, nothing is copied.
 *
 * Refuses: indefinite lengths, lengths over 2^24, tags over one octet.
 */

/** One element: its tag, the octets of its value, and the whole of it. */
export interface Element {
  readonly tag: number;
  readonly value: Uint8Array;
  readonly whole: Uint8Array;
  /** What follows it. */
  readonly rest: Uint8Array;
}

/** Tags met in certificates. */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** The element at the start; undefined if there is none in full. */
export function elementOf(octets: Uint8Array): Element | undefined {
  const [tag, first] = octets;
  if (tag === undefined || first === undefined) return undefined;
  if ((tag & 0x1f) === 0x1f) return undefined;
  let length = first;
  let start = 2;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count < 1 || count > 3 || octets.length < 2 + count) return undefined;
    length = 0;
    for (let at = 0; at < count; at++) length = length * 256 + octets[2 + at]!;
    start = 2 + count;
  }
  const end = start + length;
  if (end > octets.length) return undefined;
  return {
    tag,
    value: octets.subarray(start, end),
    whole: octets.subarray(0, end),
    rest: octets.subarray(end),
  };
}

/** The value of octets that are one SEQUENCE and nothing behind it. */
export function sequenceOf(octets: Uint8Array): Uint8Array | undefined {
  const element = elementOf(octets);
  return element?.tag === TAG.SEQUENCE && element.rest.length === 0
    ? element.value
    : undefined;
}

/** All elements, one behind the other; undefined if anything is torn. */
export function elementsOf(
  octets: Uint8Array,
  max: number,
): readonly Element[] | undefined {
  const elements: Element[] = [];
  let rest = octets;
  while (rest.length > 0) {
    const element = elementOf(rest);
    if (element === undefined || elements.length === max) return undefined;
    elements.push(element);
    rest = element.rest;
  }
  return elements;
}

/** An object identifier's value as text, such as `2.5.29.17`. */
export function oidText(value: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const octet of value.subarray(0, 32)) {
    number = number * 128 + (octet & 0x7f);
    if (octet < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const first = numbers.shift() ?? 0;
  const arc = Math.min(2, Math.floor(first / 40));
  return [arc, first - arc * 40, ...numbers].join(".");
}
