/**
 * Sends the notice of what became of a message's recipients back into the
 * queue. Their rows stay in state `bounce` until one transaction inserts the
 * notice and removes them, so that no crash loses or doubles it. Those that
 * failed have a notice of their own (RFC 3461 §6.2: only that returns more than
 * a header).
 */
import { log } from "../core/log.ts";
import type { GroupCommit } from "./group_commit.ts";
import { endingOf, wantsDelay } from "./judge.ts";
import type { Message, Recipient } from "./message.ts";
import type { NoticeWriter } from "./notice_writer.ts";
import { reportedOf } from "./notice_plan.ts";
import type { Store } from "./store_io.ts";
import { SuccessLimit } from "./success_limit.ts";
import type { Surroundings } from "./surroundings.ts";
import { reversePathFor } from "./verp.ts";

/** Before a notice that could not be stored is tried again. */
const AGAIN_MS = 60_000;

/** Sends notices. */
export class Notices {
  readonly #writer: NoticeWriter;
  readonly #store: Store;
  readonly #commit: GroupCommit;
  readonly #around: Surroundings;
  readonly #limit = new SuccessLimit();

  constructor(options: {
    writer: NoticeWriter;
    store: Store;
    commit: GroupCommit;
    around: Surroundings;
  }) {
    this.#writer = options.writer;
    this.#store = options.store;
    this.#commit = options.commit;
    this.#around = options.around;
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
      const isTold = await this.#writer.write(message, {
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

  /** True if its sender, who may not be its sender, may hear of no failure. */
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
        id: message.id,
        to: address,
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
    const told = await this.#writer.write(message, {
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
