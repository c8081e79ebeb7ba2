/** Keeps long work from holding up the event loop. */
import { setImmediate } from "node:timers";

/** How long we work before others get a turn, in milliseconds. */
export const TURN_MS = 8;

/** Lets the event loop run when this process has worked for a while. */
export class Breather {
  #sinceMs = performance.now();

  /** Work begins after a rest: the turn is new. */
  begin(): void {
    this.#sinceMs = performance.now();
  }

  /** Returns at once, or, if a turn is used up, when others have had theirs. */
  breathe(): Promise<void> | undefined {
    if (performance.now() - this.#sinceMs < TURN_MS) return undefined;
    return new Promise((resolve) =>
      // Not setTimeout: its shortest wait is a millisecond and more.
      setImmediate(() => {
        this.#sinceMs = performance.now();
        resolve();
      })
    );
  }
}
