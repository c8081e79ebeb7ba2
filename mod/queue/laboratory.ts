/**
 * For tests only: a queue on a temporary directory, between edges that a test
 * scripts. Nothing in the program imports it.
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { newQueueId } from "../core/ids.ts";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import {
  type ContentRef,
  type MessageWishes,
  type NextHop,
  NO_WISHES,
  type RecipientWishes,
} from "../core/shapes.ts";
import type { Target } from "../resolve/resolve_ipc.ts";
import type { AttemptedHost, TlsResult } from "../smtpc/smtpc_ipc.ts";
import { showMessage, type ShownEvent } from "./inspect.ts";
import type { AcceptAsk } from "./intake.ts";
import { type Edges, Queue } from "./queue.ts";
import { queuePart } from "./role.ts";
import type { SteadyClock } from "./schedule.ts";
import type { Texts } from "./tls_reporter.ts";

const made: string[] = [];
globalThis.addEventListener("unload", () => {
  for (const dir of made) fs.rmSync(dir, { recursive: true, force: true });
});

/** A directory that goes when the tests are over. */
export function tempDir(): string {
  const dir = fs.mkdtempSync("/tmp/queue-");
  made.push(dir);
  return dir;
}

/** A settings part with short times. */
export function partFor(dir: string, change: Record<string, unknown> = {}) {
  return queuePart.parse({
    hostname: "mx.home.test",
    dir,
    eventsDir: dir,
    firstRetryMs: 100,
    maxRetryMs: 1_000,
    expireMs: 86_400_000,
    maxJobs: 20,
    maxJobsPerDestination: 5,
    maxActive: 1_000,
    maxMessages: 1_000_000,
    keepEventsMs: 86_400_000,
    maxEventsBytes: 1_073_741_824,
    forgetWithinMs: 30_000,
    minFreeBytes: 4_096,
    ...change,
  });
}

/** One job that a delivering role was asked to do. */
export interface Asked {
  readonly role: "maildir" | "smtpc";
  readonly queueId: string;
  readonly addresses: readonly string[];
  readonly reversePath: string;
  readonly key: string;
  readonly ref: ContentRef;
  readonly bodyType: string;
  /** Of the SMTP client only. */
  readonly wishes?: MessageWishes;
  readonly recipientWishes?: readonly RecipientWishes[];
  readonly nextHop?: NextHop;
  readonly isTlsReport?: boolean;
}

/** A notice that the spool was asked to store. */
export interface StoredNotice {
  readonly head: string;
  readonly tail: string;
  /** What it was to quote. */
  readonly quotes: "message" | "header" | "nothing";
}

type Reply = { kind: string; [key: string]: unknown };

const DELIVERED = ownOutcome("delivered", 250, "2.0.0", "ok");

/** Scripted edges: everything works until a test says otherwise. */
export class FakeEdges {
  readonly asked: Asked[] = [];
  /** What resolve was asked, such as `relay a@b`. */
  readonly resolved: string[] = [];
  readonly released: ContentRef[] = [];
  readonly adopted: { refs: readonly ContentRef[]; last: boolean }[] = [];
  readonly notices: StoredNotice[] = [];
  /** What the spool names as stragglers. */
  stragglers: ContentRef[] = [];
  /** What it was asked to move, and where it went. */
  readonly moved: { old: ContentRef; copy: ContentRef }[] = [];
  /** Before a move is answered. */
  moving: Promise<void> = Promise.resolve();
  /** Where an address goes; by default a mailbox of its local part. */
  readonly routes = new Map<
    string,
    readonly Target[] | "unknown-recipient" | "relay-denied"
  >();
  /** What comes of a delivery; by default it works. */
  deliver: (
    asked: Asked,
    address: string,
  ) =>
    | Outcome
    | "damaged"
    | "failed"
    | Promise<Outcome | "damaged" | "failed"> = () => DELIVERED;
  /** What a delivery to other servers says of TLS. */
  tlsResults: readonly TlsResult[] = [];
  /** The hosts that a delivery to other servers tried. */
  hosts: readonly AttemptedHost[] = [];
  /** What the spool says to `storeNotice` instead of storing. */
  noticeRefusal: string | undefined;
  /** True if no notice may return a whole message. */
  isWholeUnreadable = false;
  /** True if what notices quote has octets above 127. */
  hasHighOctets = false;
  /** Told of every ask, before and after it is answered. */
  onAsk: (what: string) => void = () => {};
  running = 0;
  mostRunning = 0;

  /** As the queue wants them. */
  get edges(): Edges {
    const edge = (answer: (name: string, ask: never) => unknown) => ({
      ask: async (name: string, ask: unknown) => {
        this.onAsk(`${name} asked`);
        const reply = await answer(name, ask as never);
        this.onAsk(`${name} answered`);
        return reply;
      },
    });
    return {
      spool: edge((name, ask) => this.#spool(name, ask)),
      resolve: edge((name, ask) => this.#resolve(name, ask)),
      maildir: edge((_, ask) => this.#maildir(ask)),
      smtpc: edge((_, ask) => this.#smtpc(ask)),
    } as unknown as Edges;
  }

  /** A target that is a host. */
  static remote(address: string, host: string): Target {
    return {
      kind: "remote",
      address,
      nextHop: { kind: "host", host, port: 25 },
    };
  }

  /** A target that is a mailbox. */
  static mailbox(address: string): Target {
    const [user, domain] = address.split("@") as [string, string];
    return { kind: "mailbox", mailbox: { user, domain }, address };
  }

  async #spool(name: string, ask: {
    ref: ContentRef;
    refs: ContentRef[];
    last: boolean;
    head: string;
    tail: string;
    quote: { isWhole: boolean; is8bit: boolean } | null;
  }): Promise<Reply> {
    switch (name) {
      case "adopt":
        this.adopted.push({ refs: ask.refs, last: ask.last });
        return { kind: "answered", answer: {} };
      case "release":
        this.released.push(...ask.refs);
        return { kind: "answered", answer: {} };
      case "stragglers":
        return { kind: "answered", answer: { refs: this.stragglers } };
      case "move": {
        await this.moving;
        const copy = newContent().ref;
        this.moved.push({ old: ask.ref, copy });
        return { kind: "answered", answer: { ref: copy } };
      }
      case "storeNotice": {
        if (this.noticeRefusal !== undefined) {
          return { kind: "refused", refusal: this.noticeRefusal };
        }
        const { head, tail, quote } = ask;
        if (quote?.isWhole && this.isWholeUnreadable) {
          return { kind: "refused", refusal: "unreadable" };
        }
        if (this.hasHighOctets && quote?.is8bit === false) {
          return { kind: "refused", refusal: "eight-bit" };
        }
        const quotes = quote === null
          ? "nothing"
          : quote.isWhole
          ? "message"
          : "header";
        this.notices.push({ head, tail, quotes });
        const { ref, key } = newContent();
        return { kind: "answered", answer: { ref, key } };
      }
    }
    throw new RangeError(`Cannot answer ${name}`);
  }

  #resolve(name: string, { address }: { address: string }): Reply {
    this.resolved.push(`${name} ${address}`);
    const route = this.routes.get(address) ?? [FakeEdges.mailbox(address)];
    return typeof route === "string"
      ? { kind: "refused", refusal: route }
      : { kind: "answered", answer: { targets: route } };
  }

  #maildir(ask: {
    queueId: string;
    reversePath: string;
    key: string;
    ref: ContentRef;
    bodyType: string;
    recipients: { address: string }[];
  }): Promise<Reply> {
    return this.#delivery({
      role: "maildir",
      queueId: ask.queueId,
      addresses: ask.recipients.map(({ address }) => address),
      reversePath: ask.reversePath,
      key: ask.key,
      ref: ask.ref,
      bodyType: ask.bodyType,
    });
  }

  async #smtpc(ask: {
    queueId: string;
    reversePath: string;
    key: string;
    ref: ContentRef;
    bodyType: string;
    wishes: MessageWishes;
    recipientWishes: RecipientWishes[];
    nextHop: NextHop;
    recipients: string[];
    isTlsReport: boolean;
  }): Promise<Reply> {
    const reply = await this.#delivery({
      role: "smtpc",
      queueId: ask.queueId,
      addresses: ask.recipients,
      reversePath: ask.reversePath,
      key: ask.key,
      ref: ask.ref,
      bodyType: ask.bodyType,
      wishes: ask.wishes,
      recipientWishes: ask.recipientWishes,
      nextHop: ask.nextHop,
      isTlsReport: ask.isTlsReport,
    });
    if (reply.kind !== "answered") return reply;
    const { outcomes } = reply["answer"] as { outcomes: Outcome[] };
    const attempt = {
      isServed: outcomes.some(({ host }) => host !== ""),
      host: "mail.remote.test",
      address: "127.0.0.1",
      tls: "TLSv1.3",
      tookMs: 1,
      transcript: ["C: EHLO", "S: 250"],
      hosts: this.hosts,
      tlsResults: this.tlsResults,
    };
    return { ...reply, answer: { ...reply["answer"] as object, attempt } };
  }

  async #delivery(asked: Asked): Promise<Reply> {
    this.asked.push(asked);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    const outcomes: Outcome[] = [];
    let reply: Reply = { kind: "answered", answer: { outcomes } };
    for (const address of asked.addresses) {
      const outcome = await this.deliver(asked, address);
      if (outcome === "damaged") {
        reply = { kind: "refused", refusal: "damaged" };
      } else if (outcome === "failed") {
        reply = { kind: "failed", why: "the answerer is gone" };
      } else outcomes.push(outcome);
    }
    this.running--;
    return reply;
  }
}

let contents = 0;

/** A record's place and key, never the same twice. */
export function newContent(): { ref: ContentRef; key: string } {
  const segment = `s${++contents}`;
  const ref = { segment, offset: 0, length: 2_100, sizeBytes: 2_048 };
  const key = crypto.getRandomValues(new Uint8Array(32));
  return { ref, key: Buffer.from(key).toString("base64") };
}

/** Who hands a message in after a login. */
export const LOGIN = {
  address: "192.0.2.1",
  helo: "client.test",
  protocol: "ESMTPSA",
  login: "alice@sender.test",
};

/** What smtpd would ask. */
export function newAsk(
  recipients: readonly string[],
  change: Partial<AcceptAsk> = {},
): AcceptAsk {
  return {
    queueId: newQueueId(),
    ...newContent(),
    reversePath: "alice@sender.test",
    recipients: [...recipients],
    bodyType: "7bit",
    wishes: NO_WISHES,
    recipientWishes: [],
    hold: false,
    client: {
      address: "192.0.2.1",
      helo: "client.test",
      protocol: "ESMTP",
      login: "",
    },
    ...change,
  };
}

/** A queue in a directory of its own, and its edges. */
export interface Laboratory extends AsyncDisposable {
  readonly dir: string;
  readonly queue: Queue;
  readonly fake: FakeEdges;
  readonly counters: Map<string, number>;
  /** Accepts. @throws {Error} If it is refused */
  send(ask: AcceptAsk): Promise<void>;
}

/** Opens a queue; on a given directory, the one that was left there. */
export function laboratory(options: {
  dir?: string;
  fake?: FakeEdges;
  change?: Record<string, unknown>;
  texts?: Texts;
  clock?: SteadyClock;
  /** Uniform in [0, 1); by default always 0. */
  random?: () => number;
} = {}): Laboratory {
  const dir = options.dir ?? tempDir();
  const fake = options.fake ?? new FakeEdges();
  const part = partFor(dir, options.change);
  const counters = new Map<string, number>();
  const queue = new Queue({
    part: () => part,
    edges: fake.edges,
    count: (name, by = 1) => counters.set(name, (counters.get(name) ?? 0) + by),
    random: options.random ?? (() => 0),
    ...(options.texts === undefined ? {} : { texts: options.texts }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  queue.start();
  queue.spoolPlugged();
  return {
    dir,
    queue,
    fake,
    counters,
    async send(ask) {
      const asker = ask.client.login === "" ? "smtpd.0" : "submission.0";
      const verdict = await queue.accept(ask, asker);
      if ("refusal" in verdict) throw new Error(`refused: ${verdict.refusal}`);
    },
    async [Symbol.asyncDispose]() {
      await queue.stop();
    },
  };
}

/** The files of a queue as its death leaves them now: a copy. */
export function copyOf(dir: string): string {
  const copy = tempDir();
  for (const name of ["queue.db", "queue.db-wal", "keys"]) {
    const from = `${dir}/${name}`;
    if (fs.existsSync(from)) fs.copyFileSync(from, `${copy}/${name}`);
  }
  return copy;
}

/** What a queue leaves that dies right after it accepted these. */
export async function leftIncoming(
  asks: readonly AcceptAsk[],
): Promise<string> {
  await using lab = laboratory();
  const gate = Promise.withResolvers<void>();
  lab.fake.deliver = () => gate.promise.then(() => DELIVERED);
  for (const ask of asks) await lab.send(ask);
  const dir = copyOf(lab.dir);
  gate.resolve();
  return dir;
}

/**
 * The history of a message, once it has that many events; without the one of
 * its key, which every message has in the end.
 */
export async function storyOf(
  lab: Laboratory,
  queueId: string,
  events: number,
): Promise<readonly ShownEvent[]> {
  const dirs = { queue: lab.dir, events: lab.dir };
  const story = () =>
    (showMessage(dirs, queueId)?.events ?? [])
      .filter(({ what }) => what !== "erased");
  await until(`${events} events`, () => story().length >= events);
  return story();
}

/** Waits until `claim` holds. @throws {Error} After five seconds */
export async function until(
  what: string,
  claim: () => boolean,
  withinMs = 5_000,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!claim()) {
    if (performance.now() > end) throw new Error(`Cannot see: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
