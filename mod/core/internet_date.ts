/** Dates as mail writes them. */

/**
 * A date as RFC 5322 §3.3 writes it, in UTC: `Fri, 21 Nov 2025 02:10:00 +0000`.
 *
 * @param nowMs Time since the epoch
 */
export function internetDate(nowMs: number): string {
  // toUTCString is fixed by ECMA-262 §21.4.4.43, down to the commas.
  return new Date(nowMs).toUTCString().replace("GMT", "+0000");
}
