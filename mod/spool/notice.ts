/** Puts together a message that the queue writes itself. Pure. */

/** Most octets of another message's header block that a notice quotes. */
export const MAX_QUOTED_OCTETS = 65_536;

const CR = 13;
const LF = 10;

/**
 * Cuts the header block out of a message's first octets: whole lines with
 * their CRLF, up to and without the empty line that ends it (RFC 5322 §2.1).
 *
 * @param start The message's first octets, {@link MAX_QUOTED_OCTETS} or all
 * @returns A view; a block that does not end in `start` is cut after its last
 * whole line, and one that no other server would take (NUL, a bare CR or LF:
 * RFC 3030 §3 allows them) before the line with it
 */
export function headerBlock(start: Uint8Array): Uint8Array {
  const within = start.subarray(0, MAX_QUOTED_OCTETS);
  let line = 0;
  if (within[0] === LF || within[0] === 0) return within.subarray(0, 0);
  for (let at = 1; at < within.length; at++) {
    const isCrBefore = within[at - 1] === CR;
    if (within[at] !== LF) {
      if (isCrBefore || within[at] === 0) break;
      continue;
    }
    if (!isCrBefore) break;
    if (at - 1 === line) return within.subarray(0, line);
    line = at + 1;
  }
  return within.subarray(0, line);
}

/** True without NUL and bare CR or LF: what a notice may carry as it is. */
export function isReturnable(chunks: readonly Uint8Array[]): boolean {
  let last = 0x20;
  for (const chunk of chunks) {
    for (const octet of chunk) {
      if (octet === 0 || (last === CR) !== (octet === LF)) return false;
      last = octet;
    }
  }
  return last !== CR;
}

/** The first octets of a message, as much as {@link headerBlock} looks at. */
export function messageStart(chunks: Iterable<Uint8Array>): Uint8Array {
  const start = new Uint8Array(MAX_QUOTED_OCTETS);
  let length = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, start.length - length);
    start.set(part, length);
    length += part.length;
    // Leaving the loop closes the file.
    if (length === start.length) break;
  }
  return start.subarray(0, length);
}
