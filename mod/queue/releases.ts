/** Lets go of messages on hold, as `orders_io.ts` finds them named. */
import { log } from "../core/log.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { GroupCommit } from "./group_commit.ts";
import { forgetRelease, releaseOrders } from "./orders_io.ts";
import type { Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";

/** Releases. */
export class Releases {
  readonly #store: Store;
  readonly #commit: Pick<GroupCommit, "write" | "failing">;
  readonly #dispatcher: Pick<Dispatcher, "hasten" | "isActive" | "refill">;
  readonly #around: Surroundings;
  #isBusy = false;

  constructor(options: {
    store: Store;
    commit: Pick<GroupCommit, "write" | "failing">;
    dispatcher: Pick<Dispatcher, "hasten" | "isActive" | "refill">;
    around: Surroundings;
  }) {
    this.#store = options.store;
    this.#commit = options.commit;
    this.#dispatcher = options.dispatcher;
    this.#around = options.around;
  }

  /** Carries out the orders that there are. Called on a timer. */
  async look(): Promise<void> {
    if (this.#isBusy || this.#commit.failing !== undefined) return;
    this.#isBusy = true;
    const { dir } = this.#around.part();
    for (const id of releaseOrders(dir)) {
      // Its rows are about to be parked: the next look finds it again.
      if (await this.#release(id)) forgetRelease(dir, id);
    }
    this.#isBusy = false;
  }

  async #release(id: string): Promise<boolean> {
    const row = this.#store.byId(id);
    if (row === undefined || row.state === "corrupt") return true;
    if (this.#dispatcher.isActive(row.n)) return false;
    const atMs = this.#around.nowMs();
    let recipients = 0;
    await this.#commit.write(() => {
      recipients = this.#store.releaseRecipients(row.n);
      if (recipients === 0) return;
      this.#store.park(row.n, atMs);
      this.#store.addEvent({
        atMs,
        queueId: id,
        recipient: "",
        what: "released",
      });
    });
    if (recipients === 0) return true;
    log("message-released", { id, recipients });
    this.#dispatcher.hasten([], atMs);
    this.#dispatcher.refill();
    return true;
  }
}
