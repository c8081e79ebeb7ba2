/** Holds the log back under a flood: what is left out is told as a number. */
export class LogBrake {
  readonly #mostEachSecond: number;
  #second = 0;
  #count = 0;
  #leftOut = 0;

  /** @param mostEachSecond Lines that may be written in one second */
  constructor(mostEachSecond: number) {
    this.#mostEachSecond = mostEachSecond;
  }

  /** True if a line may be written now. */
  mayWrite(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    if (++this.#count <= this.#mostEachSecond) return true;
    this.#leftOut++;
    return false;
  }

  /** How many were left out since this was asked last. */
  takeLeftOut(): number {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}
