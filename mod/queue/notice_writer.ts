/**
 * Writes one notice: composes it, has the spool store it around what it quotes,
 * secures its key, and puts it into the queue in one transaction with what its
 * message's own rows need.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { newQueueId } from "../core/ids.ts";
import { log } from "../core/log.ts";
import { type ContentRef, NO_WISHES } from "../core/shapes.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { KeyFile } from "./keys_io.ts";
import { type Message, newMessage, newRecipient, NOTICE } from "./message.ts";
import { composeNotice } from "./notice.ts";
import type { NoticeFacts, Reported } from "./notice_facts.ts";
import { quotesFor } from "./notice_plan.ts";
import { isInternational } from "./notice_text.ts";
import { secureKey } from "./secure_key.ts";
import type { SpoolEdge, SpoolLink } from "./spool_link.ts";
import type { Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";

/** A notice to be written. */
interface Errand {
  /** Whom it goes to. */
  readonly to: string;
  /** Its own id. */
  readonly id: string;
  readonly reported: readonly Reported[];
}

const OURSELVES = { address: "", helo: "", protocol: NOTICE, login: "" };

/** What {@link NoticeWriter} works with. */
export interface WriterMeans {
  readonly spool: SpoolEdge;
  readonly link: SpoolLink;
  readonly store: Store;
  readonly keys: KeyFile;
  readonly commit: Pick<GroupCommit, "putKey" | "wipeKey">;
  readonly around: Surroundings;
  /** A notice is in the queue, ready to be delivered. */
  readonly onNotice: (message: Message) => void;
}

/** See the file's header. */
export class NoticeWriter {
  readonly #means: WriterMeans;

  constructor(means: WriterMeans) {
    this.#means = means;
  }

  /**
   * Stores a notice and puts it into the queue.
   *
   * @param what.settle Does `write` in a transaction, and beside it what the
   * message's own rows need
   * @returns Recipients that it speaks of; 0 if it could not be stored
   */
  async write(message: Message, what: {
    to: string;
    reported: readonly Reported[];
    settle: (write: (atMs: number) => void, told: number) => Promise<void>;
  }): Promise<number> {
    const { to, reported } = what;
    const id = newQueueId(this.#means.around.wallMs());
    const stored = await this.#storeContent(message, { to, id, reported });
    if (stored === undefined) return 0;
    const { ref, key, told, is8bit } = stored;
    this.#means.link.hold(ref);
    const slot = await secureKey({ key, id }, this.#means);
    if (slot === undefined) {
      this.#means.link.unhold(ref);
      this.#means.link.release(ref);
      return 0;
    }
    const notice = newMessage({
      n: this.#means.around.nextNumber(),
      id,
      slot,
      ref,
      reversePath: "",
      bodyType: is8bit || message.wishes.smtpUtf8 ? "8bitmime" : "7bit",
      wishes: {
        ...NO_WISHES,
        smtpUtf8: isInternational(to),
        // RFC 8689 §5: asked for, but no reason to lose the notice.
        requireTls: message.wishes.requireTls,
      },
      mayRelay: true,
      arrivedMs: this.#means.around.nowMs(),
    }, [newRecipient(0, to)]);
    const write = (atMs: number) => {
      if (!this.#means.store.insert(notice, "queued", OURSELVES)) {
        throw new RangeError(`Cannot queue notice: id ${id} is taken`);
      }
      this.#means.store.addEvent({
        atMs,
        queueId: message.id,
        recipient: to,
        what: "notified",
        text: `of ${reported[0]!.action} by ${id}`,
      });
      this.#means.store.addEvent({
        atMs,
        queueId: id,
        recipient: "",
        what: "accepted",
        text: `a notice of ours about ${message.id}`,
      });
    };
    await what.settle(write, told);
    this.#means.link.unhold(ref);
    this.#means.onNotice(notice);
    return told;
  }

  /** Composes it and has it stored, quoting of the original what it can. */
  async #storeContent(message: Message, errand: Errand): Promise<
    | { ref: ContentRef; key: string; told: number; is8bit: boolean }
    | undefined
  > {
    let is8bit = message.bodyType !== "7bit";
    const ways = [...quotesFor(message, errand.reported)];
    for (let quotes = ways.shift(); quotes !== undefined;) {
      const key = quotes === "nothing"
        ? undefined
        : this.#means.keys.read(message.slot, message.id);
      if (typeof key === "string") {
        quotes = ways.shift();
        continue;
      }
      const facts = this.#factsOf(message, { ...errand, quotes, is8bit });
      const { head, tail, told } = composeNotice(facts);
      const quote = key === undefined ? null : {
        ref: message.ref,
        key: Buffer.from(key).toString("base64"),
        isWhole: quotes === "message",
        is8bit,
      };
      key?.fill(0);
      const reply = await this.#means.spool.ask("storeNotice", {
        head,
        quote,
        tail,
      });
      if (reply.kind === "answered") return { ...reply.answer, told, is8bit };
      const why = reply.kind === "refused" ? reply.refusal : reply.why;
      // Its sender did not say so, and the notice must.
      if (why === "eight-bit" && !is8bit) {
        is8bit = true;
        continue;
      }
      if (why !== "unreadable" || quotes !== "message") {
        log("notice-deferred", { id: message.id, why });
      }
      if (why !== "unreadable") return undefined;
      quotes = ways.shift();
    }
    return undefined;
  }

  #factsOf(
    message: Message,
    about: Errand & Pick<NoticeFacts, "quotes" | "is8bit">,
  ): NoticeFacts {
    const { hostname, expireMs } = this.#means.around.part();
    return {
      hostname,
      noticeId: about.id,
      queueId: message.id,
      reversePath: about.to,
      envid: message.wishes.envid,
      arrivedMs: message.arrivedMs,
      nowMs: this.#means.around.wallMs(),
      retryUntilMs: message.arrivedMs + expireMs,
      is8bit: about.is8bit,
      isGlobal: message.wishes.smtpUtf8 || isInternational(about.to),
      quotes: about.quotes,
      boundary: randomBytes(16).toString("hex"),
      reported: about.reported,
    };
  }
}
