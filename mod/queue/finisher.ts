/**
 * The end of a message. Its rows are gone, in the transaction that wrote down
 * the last outcome; then its key is destroyed, then its content goes. After a
 * crash before its key is destroyed that is one that no row owns, and the
 * start-up sweep destroys it; content that is not given back is what the
 * queue's next complete adoption does not name, and goes then.
 */
import { log } from "../core/log.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { Message } from "./message.ts";
import type { SpoolLink } from "./spool_link.ts";

/** A message whose rows are gone. */
export type Ended = Pick<Message, "id" | "slot" | "ref">;

/** Finishes messages whose rows are gone. */
export class Finisher {
  readonly #commit: Pick<GroupCommit, "wipeKey">;
  readonly #spool: Pick<SpoolLink, "release">;
  readonly #onGone: () => void;
  readonly #onErased: (message: Ended) => void;

  constructor(options: {
    commit: Pick<GroupCommit, "wipeKey">;
    spool: Pick<SpoolLink, "release">;
    /** A message left the queue. */
    onGone: () => void;
    /** Its key is destroyed, and the disk knows it. */
    onErased: (message: Ended) => void;
  }) {
    this.#commit = options.commit;
    this.#spool = options.spool;
    this.#onGone = options.onGone;
    this.#onErased = options.onErased;
  }

  /**
   * Ends a message whose rows are committed as gone.
   *
   * @param holdsKey False if its slot is empty or another's by now
   */
  async finish(
    message: Ended,
    holdsKey = true,
  ): Promise<void> {
    if (holdsKey && !await this.#commit.wipeKey(message.slot)) {
      // Its slot is never used again, and the next start destroys the key.
      log("key-not-destroyed", { id: message.id, alarm: true });
      return;
    }
    if (holdsKey) this.#onErased(message);
    this.#spool.release(message.ref, this.#onGone);
  }
}
