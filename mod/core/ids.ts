/** Queue ids: unique, sortable by time, safe in a file name and in a reply. */

// Crockford's base 32, upper case: no I, L, O, U to mistake or to swear with.
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** What a queue id looks like: 16 characters. */
export const QUEUE_ID_PATTERN = /^[0-9A-HJKMNP-TV-Z]{16}$/;

/**
 * Makes a queue id: 9 characters of milliseconds, 7 of randomness.
 *
 * Ids of one process in different milliseconds sort by time. 35 random bits
 * make two equal ids in one millisecond a matter of one in 34 billion, and the
 * queue refuses an id it already has.
 *
 * @param nowMs Time since the epoch
 * @param random Five random octets; a parameter so that tests are exact
 */
export function newQueueId(
  nowMs: number = Date.now(),
  random: Uint8Array = crypto.getRandomValues(new Uint8Array(5)),
): string {
  let id = "";
  for (let n = nowMs, i = 0; i < 9; i++, n = Math.floor(n / 32)) {
    id = DIGITS[n % 32]! + id;
  }
  let bits = 0;
  let held = 0;
  for (const octet of random) {
    held = (held << 8) | octet;
    bits += 8;
    while (bits >= 5 && id.length < 16) {
      bits -= 5;
      id += DIGITS[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return id;
}
