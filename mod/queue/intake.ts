/**
 * Takes messages over, and those that a former process left `incoming`: nobody
 * knows whether they were acknowledged. One with its key is kept, for its
 * content was on disk before it came; one without was not acknowledged.
 */
import { Buffer } from "node:buffer";
import { log } from "../core/log.ts";
import { LogBrake } from "../core/log_brake.ts";
import { type MessageWishes, NO_WISHES } from "../core/shapes.ts";
import type { AskedOf } from "../ipc/call.ts";
import type { Dispatcher } from "./dispatch.ts";
import { faultOf, type Refusal } from "./fault_io.ts";
import type { Finisher } from "./finisher.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { KeyFile } from "./keys_io.ts";
import {
  type Message,
  newMessage,
  newRecipient,
  NOTICE,
  type Recipient,
  TLS_REPORT,
} from "./message.ts";
import type { queueContract } from "./queue_ipc.ts";
import type { SpoolLink } from "./spool_link.ts";
import { MAX_TAKEN_RECIPIENTS, type Taken } from "./story_ipc.ts";
import type { Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";
import { verpPath } from "./verp.ts";
import { NOTHING_ASKED } from "./wishes.ts";

type RowFacts = Pick<Message, "n" | "id" | "slot" | "ref">;

/** What smtpd and the other ways in ask. */
export type AcceptAsk = AskedOf<typeof queueContract.calls.accept>;

/** Lines about asks that only an asker that was taken over makes in numbers. */
const ODD_EACH_SECOND = 5;
/** Most messages are delivered before this, and need no mark. */
const MARK_MS = 1_000;
/** What became of an accept's rows inside its transaction. */
type Inserted = "new" | "same" | "other";

/** Accepts, and what a former process left of them. */
export class Intake {
  readonly #store: Store;
  readonly #keys: KeyFile;
  readonly #commit: GroupCommit;
  readonly #link: SpoolLink;
  readonly #dispatcher: Dispatcher;
  readonly #finisher: Finisher;
  readonly #around: Surroundings;
  readonly #onAccepted: () => void;
  /** Queued, and not yet called so in the database. */
  #unmarked: Message[] = [];
  #marking: ReturnType<typeof setTimeout> | undefined;
  readonly #brake = new LogBrake(ODD_EACH_SECOND);

  constructor(options: {
    store: Store;
    keys: KeyFile;
    commit: GroupCommit;
    link: SpoolLink;
    dispatcher: Dispatcher;
    finisher: Finisher;
    around: Surroundings;
    /** A message is in the queue now. */
    onAccepted: () => void;
  }) {
    this.#store = options.store;
    this.#keys = options.keys;
    this.#commit = options.commit;
    this.#link = options.link;
    this.#dispatcher = options.dispatcher;
    this.#finisher = options.finisher;
    this.#around = options.around;
    this.#onAccepted = options.onAccepted;
  }

  /**
   * Takes a message over: resolves `done` when key and rows are on disk.
   *
   * An id that is there already is answered like the first time if it names
   * the same record; with another record it is somebody's error, and
   * `unhealthy`, so that the client comes again under a new id. But pickup's
   * ids are made of its files: from it, it is the same message.
   */
  async accept(
    ask: AcceptAsk,
    asker: string,
  ): Promise<"done" | "known" | Refusal> {
    if (isForged(ask, asker)) {
      this.#tellOdd("envelope-forged", ask, asker);
      return "unhealthy";
    }
    // It may have left the queue before pickup could remove its file.
    if (
      isOfPickup(asker) && this.#store.byId(ask.queueId) === undefined &&
      this.#store.wasWorkedOn(ask.queueId)
    ) return "known";
    let slot: number;
    try {
      slot = this.#keys.take();
    } catch (error) {
      return faultOf(error);
    }
    const message = this.#newMessage(ask, slot);
    let inserted: Inserted = "new";
    this.#link.hold(message.ref);
    const verdict = await this.#commit.accept({
      slot,
      id: ask.queueId,
      key: Buffer.from(ask.key, "base64"),
      work: () => inserted = this.#insert(message, ask),
    });
    this.#link.unhold(message.ref);
    // TypeScript does not see the assignment inside `work`.
    switch (inserted as Inserted) {
      case "new":
        break;
      case "same":
        if (verdict === "done") void this.#commit.wipeKey(slot);
        return verdict === "unsafe" ? "unhealthy" : verdict;
      case "other":
        if (verdict === "done") void this.#commit.wipeKey(slot);
        if (isOfPickup(asker)) {
          return verdict === "done"
            ? "known"
            : verdict === "unsafe"
            ? "unhealthy"
            : verdict;
        }
        this.#tellOdd("queue-id-taken", ask, asker);
        return "unhealthy";
    }
    if (verdict === "unsafe") {
      // Its asker gives the record back itself, for it was refused.
      void this.#commit.write(() => {
        this.#store.remove(message.n);
      });
      // A new write and its own sync; what the failed one left, nobody knows.
      void this.#commit.wipeKey(slot);
      return "unhealthy";
    }
    if (verdict === "done") {
      this.#around.count("accepted");
      logPlain(message);
      this.#onAccepted();
      this.#ready(message);
    }
    return verdict;
  }

  /** A message that a former process left `incoming`, with its key. */
  leftOver(message: Message): void {
    this.#ready(message);
  }

  /** A message whose key never reached the disk: nobody was told 250. */
  neverAcknowledged(message: RowFacts): Promise<void> {
    return this.#remove(message, "no key");
  }

  /**
   * Writes down what is queued, but for what is delivered by now: most of it,
   * and its row is gone or about to go.
   */
  mark(): void {
    clearTimeout(this.#marking);
    this.#marking = undefined;
    const unmarked = this.#unmarked.filter(({ rows }) => rows > 0);
    this.#unmarked = [];
    if (unmarked.length === 0) return;
    this.#commit.ride(() => {
      for (const { n } of unmarked) this.#store.mark(n);
    });
  }

  /** Not each: the lines of who delivers would drown in them. */
  #tellOdd(
    event: "envelope-forged" | "queue-id-taken",
    { queueId }: AcceptAsk,
    by: string,
  ): void {
    if (!this.#brake.mayWrite(this.#around.nowMs())) return;
    const unwritten = this.#brake.takeLeftOut() || undefined;
    const alarm = event === "envelope-forged" || undefined;
    log(event, { id: queueId, by, alarm, unwritten });
  }

  #newMessage(ask: AcceptAsk, slot: number): Message {
    return newMessage({
      n: this.#around.nextNumber(),
      id: ask.queueId,
      slot,
      ref: ask.ref,
      reversePath: ask.reversePath,
      bodyType: ask.bodyType,
      wishes: isPlain(ask.wishes) ? NO_WISHES : ask.wishes,
      mayRelay: ask.client.login !== "",
      arrivedMs: this.#around.nowMs(),
    }, recipientsOf(ask));
  }

  // As `incoming`, because the key is not yet on disk: rows that a crash leaves
  // without one must not look like damage.
  #insert(message: Message, ask: AcceptAsk): Inserted {
    const { client } = ask;
    if (this.#store.insert(message, "incoming", client)) {
      this.#store.addEvent({
        atMs: message.arrivedMs,
        queueId: message.id,
        recipient: "",
        what: "accepted",
        host: client.address,
        text: `from <${message.reversePath}> by ${client.protocol}` +
          (client.login === "" ? "" : ` of ${client.login}`),
        taken: takenOf(message, ask),
        words: this.#around.part().subjectWords ? ask.subjectWords ?? [] : [],
      });
      if (message.recipients.some(({ state }) => state === "hold")) {
        this.#store.addEvent({
          atMs: message.arrivedMs,
          queueId: message.id,
          recipient: "",
          what: "held",
        });
      }
      return "new";
    }
    const there = this.#store.byId(message.id)!.ref;
    const { segment, offset, length } = message.ref;
    return there.segment === segment && there.offset === offset &&
        there.length === length
      ? "same"
      : "other";
  }

  #ready(message: Message): void {
    if (this.#dispatcher.offer(message)) {
      this.#unmarked.push(message);
      this.#marking ??= setTimeout(() => this.mark(), MARK_MS);
      return;
    }
    // It is found in the database again, once it is marked there.
    void this.#commit.write(() => this.#store.mark(message.n))
      .then(() => this.#dispatcher.overflowed(message.n));
  }

  async #remove(message: RowFacts, why: string): Promise<void> {
    log("never-acknowledged", { id: message.id, why });
    const atMs = this.#around.nowMs();
    await this.#commit.write(() => {
      this.#store.remove(message.n);
      this.#store.addEvent({
        atMs,
        queueId: message.id,
        recipient: "",
        what: "removed",
        text: `never acknowledged: ${why}`,
      });
    });
    const key = this.#keys.read(message.slot, message.id);
    await this.#finisher.finish(message, key !== "missing");
  }
}

/** How it was taken over, for the history. */
function takenOf(message: Message, { client, intake }: AcceptAsk): Taken {
  const { recipients, ref, slot, reversePath: sender } = message;
  return {
    sender,
    recipients: recipients.slice(0, MAX_TAKEN_RECIPIENTS)
      .map(({ address }) => address),
    recipientCount: recipients.length,
    ...client,
    sizeBytes: ref.sizeBytes,
    segment: ref.segment,
    slot,
    intake: intake ?? null,
  };
}

function isPlain(wishes: MessageWishes): boolean {
  return wishes.envid === "" && wishes.ret === "" && !wishes.smtpUtf8 &&
    !wishes.requireTls && wishes.verp === "";
}

/** The recipients, each once: what was first asked for an address counts. */
function recipientsOf(ask: AcceptAsk): Recipient[] {
  const more = ask.hold ? { state: "hold" as const } : {};
  if (ask.recipientWishes.length === 0) {
    return [...new Set(ask.recipients)].map((address, i) =>
      newRecipient(i, address, more)
    );
  }
  const recipients = new Map<string, Recipient>();
  ask.recipients.forEach((address, i) => {
    if (recipients.has(address)) return;
    const asked = ask.recipientWishes[i];
    const isAsked = asked !== undefined &&
      (asked.notify.length > 0 || asked.orcpt !== "");
    const wishes = isAsked ? asked : NOTHING_ASKED;
    const ordinal = recipients.size;
    recipients.set(
      address,
      newRecipient(ordinal, address, { ...more, wishes }),
    );
  });
  return [...recipients.values()];
}

/** Tells of recipients whose copies leave with the sender's plain address. */
function logPlain({ id, reversePath, wishes, recipients }: Message): void {
  if (wishes.verp === "") return;
  const plain = recipients.filter(({ address }) =>
    verpPath(reversePath, address, wishes.verp) === undefined
  );
  if (plain.length === 0) return;
  log("verp-plain", { id, recipients: plain.length, first: plain[0]!.address });
}

/**
 * True for an envelope that claims what would let it be relayed and that its
 * asker cannot know: nobody logs in to smtpd, and notices are our own. VERP is
 * for those who logged in. Pickup knows its submitters by their files' owner.
 */
function isForged({ client, wishes }: AcceptAsk, asker: string): boolean {
  const { login, protocol } = client;
  return protocol === NOTICE || protocol === TLS_REPORT ||
    (login === "" && wishes.verp !== "") ||
    (login !== "" && !asker.startsWith("submission.") && !isOfPickup(asker));
}

function isOfPickup(asker: string): boolean {
  return asker.startsWith("pickup.");
}
