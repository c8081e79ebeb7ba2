/**
 * The histogram of delays as the queue's counters, one for each bucket: so the
 * supervisor draws the last hour for a console that may be resting. The dot
 * says that nobody else is shown them.
 */

/** The number of a bucket follows; see `mod/core/delay_histogram.ts`. */
export const DELAY_COUNTER = ".delay-";
