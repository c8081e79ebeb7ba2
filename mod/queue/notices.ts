/**
 * Sends the notice of what became of a message's recipients back into the
 * queue. Their rows stay in state `bounce` until one transaction inserts the
 * notice and removes them, so that no crash loses or doubles it. Those that
 * failed have a notice of their own (RFC 3461 §6.2: only that returns more than
 * a header).
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { newQueueId } from "../core/ids.ts";
import { log } from "../core/log.ts";
import { type ContentRef, NO_WISHES } from "../core/shapes.ts";
import { faultOf } from "./fault_io.ts";
import type { GroupCommit } from "./group_commit.ts";
import { endingOf, wantsDelay } from "./judge.ts";
import type { KeyFile } from "./keys_io.ts";
import {
  type Message,
  newMessage,
  newRecipient,
  NOTICE,
  type Recipient,
} from "./message.ts";
import { composeNotice } from "./notice.ts";
import type { NoticeFacts, Reported } from "./notice_facts.ts";
import { quotesFor, reportedOf } from "./notice_plan.ts";
import { isInternational } from "./notice_text.ts";
import type { SpoolEdge, SpoolLink } from "./spool_link.ts";
import type { Store } from "./store_io.ts";
import { SuccessLimit } from "./success_limit.ts";
import type { Surroundings } from "./surroundings.ts";
import { reversePathFor } from "./verp.ts";

/** Before a notice that could not be stored is tried again. */
const AGAIN_MS = 60_000;

/** A notice to be written. */
interface Errand {
  /** Whom it goes to. */
  readonly to: string;
  /** Its own id. */
  readonly id: string;
  readonly reported: readonly Reported[];
}

const OURSELVES = { address: "", helo: "", protocol: NOTICE, login: "" };

/** Writes notices. */
export class Notices {
  readonly #spool: SpoolEdge;
  readonly #link: SpoolLink;
  readonly #store: Store;
  readonly #keys: KeyFile;
  readonly #commit: GroupCommit;
  readonly #around: Surroundings;
  readonly #onNotice: (message: Message) => void;
  readonly #limit = new SuccessLimit();

  constructor(options: {
    spool: SpoolEdge;
    link: SpoolLink;
    store: Store;
    keys: KeyFile;
    commit: GroupCommit;
    around: Surroundings;
    /** A notice is in the queue, ready to be delivered. */
    onNotice: (message: Message) => void;
  }) {
    this.#spool = options.spool;
    this.#link = options.link;
    this.#store = options.store;
    this.#keys = options.keys;
    this.#commit = options.commit;
    this.#around = options.around;
    this.#onNotice = options.onNotice;
  }

  /**
   * Tells the sender of every recipient in state `bounce`, or parks the
   * message so that it is tried again.
   *
   * @returns True if the message's rows are gone
   */
  async send(message: Message): Promise<boolean> {
    while (true) {
      const due = message.recipients.filter(({ state }) => state === "bounce");
      if (due.length === 0) break;
      const failed = due.filter(({ action }) => action === "failed");
      // RFC 5321 §4.5.5: nobody is told of a notice's failure.
      const told = message.reversePath === ""
        ? await this.#drop(message, due)
        : failed.length === 0 && !this.#mayTell(message)
        ? await this.#withhold(message, due)
        : await this.#tell(message, failed.length > 0 ? failed : due);
      if (!told) {
        await this.#parkForNotice(message);
        return false;
      }
    }
    return message.rows === 0;
  }

  /**
   * Tells the sender, once, that these recipients of a message wait, and until
   * when they are tried. Their rows stay. Says nothing to whom it must not:
   * see `wantsDelay` in `judge.ts`.
   *
   * Call it while the message is in memory and none of it is under way.
   */
  async delayed(
    message: Message,
    recipients: readonly Recipient[],
  ): Promise<void> {
    if (message.isWarned) return;
    const late = recipients.filter((one) => wantsDelay(message, one));
    if (late.length === 0) return;
    message.isWarned = true;
    if (!this.#mayTell(message)) {
      this.#withheld(message);
      return this.#commit.write(() => this.#store.warn(message.n));
    }
    // One notice, however many wait; but each address is told of its own.
    const groups = message.wishes.verp === "" ? [late] : late.map((r) => [r]);
    for (const group of groups) {
      const reported = group.map((one) => reportedOf(one, "delayed"));
      const isTold = await this.#issue(message, {
        to: reversePathFor(message, group[0]!),
        reported,
        settle: (write) =>
          this.#commit.write(() => {
            write(this.#around.nowMs());
            this.#store.warn(message.n);
          }),
      });
      if (!isTold) return;
      this.#around.count("delays-told");
    }
  }

  /** True if its sender, who may not be its sender, may hear of success. */
  #mayTell({ mayRelay, reversePath }: Message): boolean {
    return mayRelay || this.#limit.allows(reversePath, this.#around.nowMs());
  }

  async #withhold(message: Message, due: Recipient[]): Promise<boolean> {
    this.#withheld(message);
    await this.#settled(message, due, () => {});
    return true;
  }

  #withheld(message: Message): void {
    this.#around.count("notices-withheld");
    log("notice-withheld", { id: message.id, from: message.reversePath });
  }

  async #drop(message: Message, failed: Recipient[]): Promise<boolean> {
    for (const { address, last } of failed) {
      log("double-bounce", {
        queueId: message.id,
        recipient: address,
        text: last?.text ?? "",
      });
    }
    await this.#settled(message, failed, (atMs) => {
      for (const { address, last } of failed) {
        this.#store.addEvent({
          atMs,
          queueId: message.id,
          recipient: address,
          what: "double-bounce",
          text: last?.text ?? "",
        });
      }
    });
    return true;
  }

  /** Tells of recipients in state `bounce`: as many as one notice can. */
  async #tell(message: Message, due: Recipient[]): Promise<boolean> {
    // With VERP each has a sender's address of its own.
    const group = message.wishes.verp === "" ? due : due.slice(0, 1);
    const told = await this.#issue(message, {
      to: reversePathFor(message, group[0]!),
      reported: group.map((one) => reportedOf(one, one.action)),
      settle: (write, told) =>
        this.#settled(message, group.slice(0, told), write),
    });
    if (told > 0 && group[0]!.action === "failed") {
      this.#around.count("bounced", told);
    }
    return told > 0;
  }

  /**
   * Stores a notice and puts it into the queue.
   *
   * @param what.settle Does `write` in a transaction, and beside it what the
   * message's own rows need
   * @returns Recipients that it speaks of; 0 if it could not be stored
   */
  async #issue(message: Message, what: {
    to: string;
    reported: readonly Reported[];
    settle: (write: (atMs: number) => void, told: number) => Promise<void>;
  }): Promise<number> {
    const { to, reported } = what;
    const id = newQueueId(this.#around.wallMs());
    const stored = await this.#storeContent(message, { to, id, reported });
    if (stored === undefined) return 0;
    const { ref, key, told, is8bit } = stored;
    this.#link.hold(ref);
    const slot = await this.#secure({ key, id });
    if (slot === undefined) {
      this.#link.unhold(ref);
      this.#link.release(ref);
      return 0;
    }
    const notice = newMessage({
      n: this.#around.nextNumber(),
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
      arrivedMs: this.#around.nowMs(),
    }, [newRecipient(0, to)]);
    const write = (atMs: number) => {
      if (!this.#store.insert(notice, "queued", OURSELVES)) {
        throw new RangeError(`Cannot queue notice: id ${id} is taken`);
      }
      this.#store.addEvent({
        atMs,
        queueId: message.id,
        recipient: to,
        what: "notified",
        text: `of ${reported[0]!.action} by ${id}`,
      });
    };
    await what.settle(write, told);
    this.#link.unhold(ref);
    this.#onNotice(notice);
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
        : this.#keys.read(message.slot, message.id);
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
      const reply = await this.#spool.ask("storeNotice", { head, quote, tail });
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
    const { hostname, expireMs } = this.#around.part();
    return {
      hostname,
      noticeId: about.id,
      queueId: message.id,
      reversePath: about.to,
      envid: message.wishes.envid,
      arrivedMs: message.arrivedMs,
      nowMs: this.#around.wallMs(),
      retryUntilMs: message.arrivedMs + expireMs,
      is8bit: about.is8bit,
      isGlobal: message.wishes.smtpUtf8 || isInternational(about.to),
      quotes: about.quotes,
      boundary: randomBytes(16).toString("hex"),
      reported: about.reported,
    };
  }

  /** The key on disk; its slot, or undefined if that failed. */
  async #secure(
    what: { key: string; id: string },
  ): Promise<number | undefined> {
    let slot: number;
    try {
      slot = this.#keys.take();
    } catch (error) {
      faultOf(error);
      return undefined;
    }
    const key = Buffer.from(what.key, "base64");
    const isSafe = await this.#commit.putKey(slot, what.id, key);
    key.fill(0);
    if (isSafe) return slot;
    void this.#commit.wipeKey(slot);
    return undefined;
  }

  /** Removes the rows of the told, with `more` in the same transaction. */
  async #settled(
    message: Message,
    told: Recipient[],
    more: (atMs: number) => void,
  ): Promise<void> {
    for (const recipient of told) recipient.state = "gone";
    message.rows -= told.length;
    const ending = endingOf(message);
    const nowMs = this.#around.nowMs();
    await this.#commit.write(() => {
      more(nowMs);
      for (const { ordinal } of told) {
        this.#store.deleteRecipient(message.n, ordinal);
      }
      if (ending.kind === "spent") {
        this.#store.deleteMessage(message.n);
      } else if (ending.kind === "parked") {
        this.#store.park(message.n, ending.dueMs);
      }
    });
  }

  async #parkForNotice(message: Message): Promise<void> {
    const againMs = Math.min(AGAIN_MS, this.#around.part().firstRetryMs);
    const dueMs = this.#around.nowMs() + againMs;
    await this.#commit.write(() => this.#store.park(message.n, dueMs));
  }
}
