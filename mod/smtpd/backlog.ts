/**
 * How much of a message may be on its way to the spool before its client is
 * not read: the fewer messages come at once, the more each. So all of them
 * together stay within one bound, whatever the spool does.
 */

/** For all messages together, but for the least that each has. */
const MAX_TOTAL = 64 * 1_048_576;
/** For one message: enough for the network to go on while the disk syncs. */
const MAX_EACH = 262_144;
/** Less than a socket brings in one read is no bound at all. */
const MIN_EACH = 8_192;

/** The messages that are under way in one process. */
export class Backlog {
  #messages = 0;

  /** Octets that one message may have under way now. */
  get mostEach(): number {
    const share = MAX_TOTAL / Math.max(1, this.#messages);
    return Math.max(MIN_EACH, Math.min(MAX_EACH, share));
  }

  /** A message begins. */
  begin(): void {
    this.#messages++;
  }

  /**
   * A message is taken, or given up.
   *
   * @throws {RangeError} If none is under way: a caller bug
   */
  end(): void {
    if (this.#messages === 0) throw new RangeError("Cannot end: no message");
    this.#messages--;
  }
}
