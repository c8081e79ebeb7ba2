/** Signals that ask a command to end: the terminal's, or its going away. */

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Takes the signals as long as it lives, so that work can end in order. */
export class StopSignals implements Disposable {
  readonly #onStop: () => void;
  #isStopped = false;

  /** @param told Called at each signal */
  constructor(told: () => void = () => {}) {
    this.#onStop = () => {
      this.#isStopped = true;
      told();
    };
    for (const one of STOP_SIGNALS) Deno.addSignalListener(one, this.#onStop);
  }

  /** True once there was one. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Takes them no longer. */
  [Symbol.dispose](): void {
    for (const one of STOP_SIGNALS) {
      Deno.removeSignalListener(one, this.#onStop);
    }
  }
}
