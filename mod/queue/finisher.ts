/**
 * The end of a message: its rows are marked, then its key is destroyed, then
 * its content goes, then the last row. A crash between any two leaves a
 * message marked `spent`, and the start-up sweep goes on from there.
 */
import { log } from "../core/log.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { Message } from "./message.ts";
import type { SpoolLink } from "./spool_link.ts";
import type { Store } from "./store_io.ts";

/** Finishes messages whose mark is committed. */
export class Finisher {
  readonly #commit: Pick<GroupCommit, "wipeKey" | "ride">;
  readonly #spool: Pick<SpoolLink, "release" | "rowGone">;
  readonly #store: Pick<Store, "deleteMessage">;
  readonly #onGone: () => void;

  constructor(options: {
    commit: Pick<GroupCommit, "wipeKey" | "ride">;
    spool: Pick<SpoolLink, "release" | "rowGone">;
    store: Pick<Store, "deleteMessage">;
    /** A message left the queue. */
    onGone: () => void;
  }) {
    this.#commit = options.commit;
    this.#spool = options.spool;
    this.#store = options.store;
    this.#onGone = options.onGone;
  }

  /**
   * Ends a message that is committed as `spent`.
   *
   * @param holdsKey False if its slot is empty or another's by now
   */
  async finish(
    message: Pick<Message, "n" | "id" | "slot" | "ref">,
    holdsKey = true,
  ): Promise<void> {
    if (holdsKey && !await this.#commit.wipeKey(message.slot)) {
      // The row stays, so that the next start destroys the key.
      log("key-not-destroyed", { id: message.id, alarm: true });
      return;
    }
    this.#spool.release(message.ref, () => {
      this.#commit.ride(() => {
        this.#store.deleteMessage(message.n);
        this.#spool.rowGone(message.ref);
      });
      this.#onGone();
    });
  }
}
