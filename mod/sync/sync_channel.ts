/** One asker's channel as a value: octets in, octets out, or a breach. */
import { ASK_SYNC, SYNC_FAILED, SYNCED } from "./sync_ipc.ts";
import type { SyncTurns } from "./sync_turns.ts";

/** Asks that one channel may have open; one more is a breach. */
export const MAX_OPEN_ASKS = 4_096;

/** Reads single octets and answers each with one. */
export class SyncChannel {
  readonly #turns: SyncTurns;
  readonly #answer: (octets: Uint8Array) => void;
  #open = 0;

  constructor(turns: SyncTurns, answer: (octets: Uint8Array) => void) {
    this.#turns = turns;
    this.#answer = answer;
  }

  /** Takes what arrived; returns what was wrong with it, if anything. */
  push(octets: Uint8Array): string | undefined {
    for (const octet of octets) {
      if (octet !== ASK_SYNC) return `octet ${octet} is no ask`;
      if (++this.#open > MAX_OPEN_ASKS) return "too many open asks";
      this.#turns.ask((synced) => {
        this.#open--;
        this.#answer(Uint8Array.of(synced ? SYNCED : SYNC_FAILED));
      });
    }
    return undefined;
  }
}
