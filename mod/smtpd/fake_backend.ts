/**
 * A {@link Backend} for tests: keeps messages in memory, fails on demand. What
 * it is asked must have the shape that the real role demands: that one would
 * close smtpd's channel, and nobody could send.
 */
import { authContract } from "../auth/auth_ipc.ts";
import type { Call } from "../ipc/call.ts";
import { queueContract } from "../queue/queue_ipc.ts";
import { resolveContract } from "../resolve/resolve_ipc.ts";
import type {
  AcceptAsk,
  Backend,
  ContentStream,
  LoginBackend,
  StoreReply,
} from "./backend.ts";
import type { SaslAnswer, SaslQuestion } from "./sasl_step.ts";

/** What the fake answers; a test replaces what it is about. */
export type Answers = {
  -readonly [K in "recipient" | "store" | "accept" | "flush"]: Backend[K];
};

/** A message that the fake has taken over. */
export interface Taken {
  readonly ask: AcceptAsk;
  readonly body: string;
}

const REF = { segment: "seg", offset: 0, length: 1, sizeBytes: 1 };
const KEY = "A".repeat(43) + "=";

/** @throws {TypeError} If the role that answers it would not have the ask */
export function mustFit({ ask }: Pick<Call, "ask">, asked: unknown): void {
  const read = ask.safeParse(asked);
  if (!read.success) throw new TypeError(`Breaks contract: ${read.error}`);
}

/** Records what smtpd does to the roles behind it. */
export class FakeBackend implements Backend {
  /** Calls in order, such as `accept ID`. */
  readonly calls: string[] = [];
  readonly taken: Taken[] = [];
  readonly bodies: string[] = [];
  readonly answers: Answers;
  /** Streams that were opened and neither completed nor given up. */
  openStreams = 0;
  aborted = 0;
  storeReply: StoreReply = {
    kind: "answered",
    answer: { ref: REF, key: KEY },
  };
  /** Delays every write, as a slow spool would. */
  writeGate: Promise<void> = Promise.resolve();

  constructor() {
    this.answers = {
      recipient: (address) => Promise.resolve(recipientReply(address)),
      store: () => Promise.resolve(this.#stream()),
      accept: (ask) => {
        this.taken.push({ ask, body: this.bodies.at(-1)! });
        return Promise.resolve({ kind: "answered", answer: {} });
      },
      flush: (domain) =>
        Promise.resolve(domain === "away.test" ? "not-ours" : "started"),
    };
  }

  recipient: Backend["recipient"] = (address) => {
    this.calls.push(`recipient ${address}`);
    mustFit(resolveContract.calls.recipient, { address });
    return this.answers.recipient(address);
  };
  store: Backend["store"] = () => {
    this.calls.push("store");
    return this.answers.store();
  };
  accept: Backend["accept"] = (ask) => {
    this.calls.push("accept");
    mustFit(queueContract.calls.accept, ask);
    return this.answers.accept(ask);
  };
  flush: Backend["flush"] = (domain, andBelow) => {
    this.calls.push(`flush ${andBelow ? "@" : ""}${domain}`);
    mustFit(queueContract.calls.flush, { domain, andBelow });
    return this.answers.flush(domain, andBelow);
  };
  drop = (): Promise<void> => {
    this.calls.push("drop");
    return Promise.resolve();
  };

  #stream(): ContentStream {
    this.openStreams++;
    let body = "";
    let open = true;
    const { promise, resolve } = Promise.withResolvers<StoreReply>();
    const close = () => {
      if (open) this.openStreams--;
      open = false;
    };
    let written = Promise.resolve();
    return {
      reply: promise,
      write: (bytes) =>
        written = Promise.all([written, this.writeGate]).then(() => {
          if (!open) return;
          for (let at = 0; at < bytes.length; at += 8_192) {
            body += String.fromCharCode(...bytes.subarray(at, at + 8_192));
          }
        }),
      end: () => {
        written.then(() => {
          if (open) this.bodies.push(body);
          close();
          resolve(this.storeReply);
        });
        return promise;
      },
      abort: () => {
        if (open) this.aborted++;
        close();
        resolve({ kind: "failed", why: "given up" });
      },
    };
  }
}

/** The same with what submission may ask. */
export class FakeSubmissionBackend extends FakeBackend {
  /** What auth answers; `me@home.test` with the password `right`, if not said. */
  loginAnswer: (question: SaslQuestion) => SaslAnswer = passwordAnswer;
  /** Relays everywhere but to `nobody`; a login has its own address alone. */
  forLogins: LoginBackend = {
    login: (question) => {
      this.calls.push(`login ${question.call}`);
      mustFit(authContract.calls[question.call], question.ask);
      return Promise.resolve(this.loginAnswer(question));
    },
    relay: (address) => {
      this.calls.push(`relay ${address}`);
      mustFit(resolveContract.calls.relay, { address });
      const reply = address.startsWith("nobody")
        ? { kind: "refused", refusal: "unknown-recipient" } as const
        : recipientReply("me@home.test") as Awaited<
          ReturnType<LoginBackend["relay"]>
        >;
      return Promise.resolve(reply);
    },
    sender: (address, login) => {
      this.calls.push(`sender ${address} of ${login.user}@${login.domain}`);
      mustFit(resolveContract.calls.sender, { address, login });
      return Promise.resolve(
        address === `${login.user}@${login.domain}`
          ? { kind: "answered", answer: {} }
          : { kind: "refused", refusal: "not-yours" },
      );
    },
  };
}

function passwordAnswer({ call, ask }: SaslQuestion): SaslAnswer {
  if (call !== "password") {
    return { call, reply: { kind: "failed", why: "test" } };
  }
  const isRight = ask.login === "me@home.test" && ask.password === "right";
  const mailbox = { domain: "home.test", user: "me" };
  return isRight
    ? {
      call,
      reply: { kind: "answered", answer: { mailbox, appPassword: "" } },
    }
    : { call, reply: { kind: "refused", refusal: "denied" } };
}

function recipientReply(
  address: string,
): Awaited<ReturnType<Backend["recipient"]>> {
  const mailbox = { domain: "home.test", user: "me" };
  if (!address.endsWith("@home.test")) {
    return { kind: "refused", refusal: "relay-denied" };
  }
  if (address.startsWith("nobody")) {
    return { kind: "refused", refusal: "unknown-recipient" };
  }
  const targets = [{ kind: "mailbox" as const, mailbox, address }];
  return { kind: "answered", answer: { targets } };
}
