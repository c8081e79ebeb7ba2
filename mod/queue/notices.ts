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
import { MAX_RETURNED_OCTETS } from "../spool/spool_ipc.ts";
import { faultOf } from "./fault_io.ts";
import type { GroupCommit } from "./group_commit.ts";
import { endingOf } from "./judge.ts";
import type { KeyFile } from "./keys_io.ts";
import {
  type Message,
  newMessage,
  newRecipient,
  NOTICE,
  type Recipient,
} from "./message.ts";
import { composeNotice, type NoticeFacts, type Reported } from "./notice.ts";
import { isInternational } from "./notice_text.ts";
import type { SpoolEdge, SpoolLink } from "./spool_link.ts";
import type { Store } from "./store_io.ts";
import { SuccessLimit } from "./success_limit.ts";
import type { Surroundings } from "./surroundings.ts";

/** Before a notice that could not be stored is tried again. */
const AGAIN_MS = 60_000;

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
    await Promise.resolve([message, recipients]);
  }

  /** True if its sender, who may not be its sender, may hear of success. */
  #mayTell({ mayRelay, reversePath }: Message): boolean {
    return mayRelay || this.#limit.allows(reversePath, this.#around.nowMs());
  }

  async #withhold(message: Message, due: Recipient[]): Promise<boolean> {
    this.#around.count("notices-withheld");
    log("notice-withheld", { id: message.id, from: message.reversePath });
    await this.#settled(message, due, () => {});
    return true;
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

  async #tell(message: Message, reported: Recipient[]): Promise<boolean> {
    const id = newQueueId(this.#around.wallMs());
    const stored = await this.#storeContent(message, { id, reported });
    if (stored === undefined) return false;
    const { ref, key, told } = stored;
    this.#link.hold(ref);
    const slot = await this.#secure({ key, id });
    if (slot === undefined) {
      this.#link.unhold(ref);
      this.#link.release(ref);
      return false;
    }
    const notice = newMessage({
      n: this.#around.nextNumber(),
      id,
      slot,
      ref,
      reversePath: "",
      bodyType: message.bodyType === "7bit" && !message.wishes.smtpUtf8
        ? "7bit"
        : "8bitmime",
      wishes: {
        ...NO_WISHES,
        smtpUtf8: isInternational(message.reversePath),
        // RFC 8689 §5: asked for, but no reason to lose the notice.
        requireTls: message.wishes.requireTls,
      },
      mayRelay: true,
      arrivedMs: this.#around.nowMs(),
    }, [newRecipient(0, message.reversePath)]);
    await this.#settled(message, reported.slice(0, told), (atMs) => {
      if (!this.#store.insert(notice, "queued", OURSELVES)) {
        throw new RangeError(`Cannot queue notice: id ${id} is taken`);
      }
      this.#store.addEvent({
        atMs,
        queueId: message.id,
        recipient: message.reversePath,
        what: "notified",
        text: `by ${id}`,
      });
    });
    this.#link.unhold(ref);
    if (reported[0]!.action === "failed") {
      this.#around.count("bounced", told);
    }
    this.#onNotice(notice);
    return true;
  }

  /** Composes it and has it stored, quoting of the original what it can. */
  async #storeContent(
    message: Message,
    about: { id: string; reported: Recipient[] },
  ): Promise<{ ref: ContentRef; key: string; told: number } | undefined> {
    for (const quotes of quotesFor(message, about.reported)) {
      const key = quotes === "nothing"
        ? undefined
        : this.#keys.read(message.slot, message.id);
      if (typeof key === "string") continue;
      const { head, tail, told } = this.#compose(message, { ...about, quotes });
      const quote = key === undefined ? null : {
        ref: message.ref,
        key: Buffer.from(key).toString("base64"),
        isWhole: quotes === "message",
      };
      key?.fill(0);
      const reply = await this.#spool.ask("storeNotice", { head, quote, tail });
      if (reply.kind === "answered") return { ...reply.answer, told };
      const why = reply.kind === "refused" ? reply.refusal : reply.why;
      if (why === "unreadable" && quotes === "message") continue;
      log("notice-deferred", { id: message.id, why });
      if (why !== "unreadable") return undefined;
    }
    return undefined;
  }

  #compose(
    message: Message,
    about: {
      id: string;
      reported: Recipient[];
      quotes: NoticeFacts["quotes"];
    },
  ) {
    return composeNotice({
      hostname: this.#around.part().hostname,
      noticeId: about.id,
      queueId: message.id,
      reversePath: message.reversePath,
      envid: message.wishes.envid,
      arrivedMs: message.arrivedMs,
      nowMs: this.#around.wallMs(),
      is8bit: message.bodyType !== "7bit",
      isGlobal: message.wishes.smtpUtf8 || isInternational(message.reversePath),
      quotes: about.quotes,
      boundary: randomBytes(16).toString("hex"),
      reported: about.reported.map(reportedOf),
    });
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

/** What to quote, the best first. */
function quotesFor(
  message: Message,
  reported: readonly Recipient[],
): readonly NoticeFacts["quotes"][] {
  const { ret, requireTls } = message.wishes;
  // RFC 3461 §4.3: only with a failure. RFC 8689 §5: with REQUIRETLS never.
  // And octets that are neither 7 nor 8 bit need a way that nobody promised.
  const isWhole = ret === "full" && reported[0]!.action === "failed" &&
    !requireTls && message.bodyType !== "binarymime" &&
    message.ref.sizeBytes <= MAX_RETURNED_OCTETS;
  return isWhole ? ["message", "header", "nothing"] : ["header", "nothing"];
}

function reportedOf(recipient: Recipient): Reported {
  const { action, address, original, wishes, last } = recipient;
  if (last === undefined) {
    throw new RangeError("Cannot notify: a recipient without outcome");
  }
  const { code, enhanced, text, host } = last;
  const { orcpt } = wishes;
  return { action, address, original, orcpt, code, enhanced, text, host };
}
