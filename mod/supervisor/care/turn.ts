/** Long work that can be ended by whoever waits for it. */
import { CareError } from "./words.ts";

/** What is said when it was ended. */
export const STOPPED = "stopped: nothing of it is left";

/** What waits gets its turn so often, signals among it. */
const TURN_MS = 100;

/**
 * Makes what long work calls now and then: it lets signals come.
 *
 * @returns Throws {@link CareError} when the work is to end
 */
export function turnOf(isStopped: () => boolean): () => Promise<void> {
  let lastMs = 0;
  return async () => {
    if (Date.now() < lastMs + TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    lastMs = Date.now();
    if (isStopped()) throw new CareError(STOPPED);
  };
}
