/** So many of something for each client and minute. Pure; time is given. */

const MINUTE_MS = 60_000;
/** Clients that are told apart; beyond it the oldest is forgotten. */
const MAX_CLIENTS = 10_000;

/** See the file's head. */
export class Places {
  readonly #most: number;
  readonly #clients = new Map<string, { untilMs: number; left: number }>();

  /** @param most For one client in a minute */
  constructor(most: number) {
    this.#most = most;
  }

  /** Takes one; false if there is none left. */
  take(client: string, nowMs: number): boolean {
    const known = this.#clients.get(client);
    if (known !== undefined && nowMs < known.untilMs) {
      return known.left-- > 0;
    }
    this.#clients.delete(client);
    if (this.#clients.size >= MAX_CLIENTS) {
      this.#clients.delete(this.#clients.keys().next().value!);
    }
    const untilMs = nowMs + MINUTE_MS;
    this.#clients.set(client, { untilMs, left: this.#most - 1 });
    return true;
  }
}
