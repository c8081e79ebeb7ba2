/**
 * Sends a message that this server writes by itself and that is no notice of
 * another: stores its content, secures its key, and inserts it with the null
 * reverse-path, so that no notice about it can ever be due (RFC 5321 §4.5.5).
 */
import { log } from "../core/log.ts";
import { NO_WISHES } from "../core/shapes.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { KeyFile } from "./keys_io.ts";
import {
  type Message,
  newMessage,
  newRecipient,
  TLS_REPORT,
} from "./message.ts";
import { secureKey } from "./secure_key.ts";
import type { SpoolEdge, SpoolLink } from "./spool_link.ts";
import type { Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";

/** A message to be sent. */
export interface OwnMessage {
  /** Its queue id. */
  readonly id: string;
  readonly to: readonly string[];
  /** All of it in two parts of at most 65,536 octets, in 7 bit. */
  readonly head: string;
  readonly tail: string;
}

/** Sends them. */
export class OwnMail {
  readonly #spool: SpoolEdge;
  readonly #link: SpoolLink;
  readonly #store: Store;
  readonly #keys: KeyFile;
  readonly #commit: GroupCommit;
  readonly #around: Surroundings;
  readonly #mayAccept: () => boolean;
  readonly #onQueued: (message: Message) => void;

  constructor(options: {
    spool: SpoolEdge;
    link: SpoolLink;
    store: Store;
    keys: KeyFile;
    commit: GroupCommit;
    around: Surroundings;
    /** False while the queue takes no more. */
    mayAccept: () => boolean;
    /** A message is in the queue, ready to be delivered. */
    onQueued: (message: Message) => void;
  }) {
    this.#spool = options.spool;
    this.#link = options.link;
    this.#store = options.store;
    this.#keys = options.keys;
    this.#commit = options.commit;
    this.#around = options.around;
    this.#mayAccept = options.mayAccept;
    this.#onQueued = options.onQueued;
  }

  /**
   * Sends a TLS report.
   *
   * @param about.ready Called when all but the commit is done; false gives it up
   * @returns False if nothing was sent
   */
  async sendTlsReport(
    mail: OwnMessage,
    about: { text: string; ready: () => boolean },
  ): Promise<boolean> {
    if (!this.#mayAccept()) return false;
    const { id, to, head, tail } = mail;
    const reply = await this.#spool.ask("storeNotice", {
      head,
      quote: null,
      tail,
    });
    if (reply.kind !== "answered") {
      const why = reply.kind === "refused" ? reply.refusal : reply.why;
      log("notice-deferred", { id, why });
      return false;
    }
    const { ref, key } = reply.answer;
    if (!this.#mayAccept()) {
      this.#link.release(ref);
      return false;
    }
    this.#link.hold(ref);
    const slot = await secureKey({ key, id }, {
      keys: this.#keys,
      commit: this.#commit,
    });
    if (slot === undefined || !about.ready()) {
      if (slot !== undefined) void this.#commit.wipeKey(slot);
      this.#link.unhold(ref);
      this.#link.release(ref);
      return false;
    }
    const message = newMessage({
      n: this.#around.nextNumber(),
      id,
      slot,
      ref,
      reversePath: "",
      bodyType: "7bit",
      wishes: NO_WISHES,
      mayRelay: true,
      isTlsReport: true,
      arrivedMs: this.#around.nowMs(),
    }, to.map((address, ordinal) => newRecipient(ordinal, address)));
    await this.#commit.write(() => {
      const client = { address: "", helo: "", protocol: TLS_REPORT, login: "" };
      if (!this.#store.insert(message, "queued", client)) {
        throw new RangeError(`Cannot queue a report: id ${id} is taken`);
      }
      this.#store.addEvent({
        atMs: this.#around.nowMs(),
        queueId: id,
        recipient: "",
        what: "accepted",
        text: about.text,
      });
    });
    this.#link.unhold(ref);
    this.#onQueued(message);
    return true;
  }
}
