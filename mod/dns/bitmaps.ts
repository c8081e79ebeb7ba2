/** The list of types in NSEC and NSEC3 records, RFC 4034 §4.1.2. */

const MAX_WINDOW_OCTETS = 32;

/**
 * Reads the types from `at` to the end.
 *
 * @returns undefined if it is malformed: windows out of order, empty, too long
 */
export function readTypes(
  data: Uint8Array,
  at: number,
): ReadonlySet<number> | undefined {
  const types = new Set<number>();
  let last = -1;
  while (at < data.length) {
    const window = data[at]!;
    const length = data[at + 1] ?? 0;
    const end = at + 2 + length;
    if (window <= last || length < 1 || length > MAX_WINDOW_OCTETS) {
      return undefined;
    }
    if (end > data.length) return undefined;
    for (let i = 0; i < length; i++) {
      const octet = data[at + 2 + i]!;
      for (let bit = 0; bit < 8; bit++) {
        if ((octet & (0x80 >> bit)) !== 0) {
          types.add(window * 256 + i * 8 + bit);
        }
      }
    }
    last = window;
    at = end;
  }
  return types;
}
