/**
 * The roles behind a server, answering as a script says: at once or late, with
 * consent, a refusal or a failure. Keeps what was accepted.
 */
import type {
  AcceptAsk,
  Backend,
  ContentStream,
  LoginBackend,
  StoreReply,
} from "../../mod/smtpd/backend.ts";
import { authContract } from "../../mod/auth/auth_ipc.ts";
import { queueContract } from "../../mod/queue/queue_ipc.ts";
import { resolveContract } from "../../mod/resolve/resolve_ipc.ts";
import { mustFit } from "../../mod/smtpd/fake_backend.ts";
import type { SaslAnswer, SaslQuestion } from "../../mod/smtpd/sasl_step.ts";
import type { Answer } from "./session_script.ts";

/** A message that the queue took responsibility for. */
export interface Accepted {
  readonly ask: AcceptAsk;
  /** With the field that the server added; octets as UTF-16 units. */
  readonly stored: string;
}

const KEY = "A".repeat(43) + "=";
const CONSENT: Answer = { is: "ok", isHeld: false };

/** See the file's header. */
export class ScriptedBackend implements Backend {
  readonly accepted: Accepted[] = [];
  /** How often the queue was asked to accept. */
  acceptAsks = 0;
  /** Streams that are neither completed nor given up. */
  openStreams = 0;
  readonly forLogins?: LoginBackend;
  readonly #answers: readonly Answer[];
  #calls = 0;
  readonly #held: (() => void)[] = [];
  readonly #stored = new Map<string, string>();

  /** @param takesLogins Stands behind submission */
  constructor(answers: readonly Answer[], takesLogins = false) {
    this.#answers = answers;
    if (!takesLogins) return;
    this.forLogins = {
      login: (question) => {
        mustFit(authContract.calls[question.call], question.ask);
        return this.#answer((is): SaslAnswer => this.#login(is, question));
      },
      relay: (address) => {
        mustFit(resolveContract.calls.relay, { address });
        return this.#answer((is) =>
          is === "ok"
            ? { kind: "answered", answer: toMe(address) }
            : is === "refused"
            ? { kind: "refused", refusal: "unknown-recipient" }
            : { kind: "failed", why: "timeout" }
        );
      },
      sender: (address, login) => {
        mustFit(resolveContract.calls.sender, { address, login });
        return this.#answer((is) =>
          is === "ok"
            ? { kind: "answered", answer: {} }
            : is === "refused"
            ? { kind: "refused", refusal: "not-yours" }
            : { kind: "failed", why: "timeout" }
        );
      },
    };
  }

  /** Lets held answers come. */
  release(count: number): void {
    for (const answer of this.#held.splice(0, count)) answer();
  }

  /** How often anything was asked. */
  get calls(): number {
    return this.#calls;
  }

  /** Answers that are held. */
  get held(): number {
    return this.#held.length;
  }

  recipient(address: string): ReturnType<Backend["recipient"]> {
    mustFit(resolveContract.calls.recipient, { address });
    return this.#answer((is) => {
      if (is === "failed") return { kind: "failed", why: "timeout" };
      if (is === "refused") {
        return { kind: "refused", refusal: "unknown-recipient" };
      }
      if (!address.endsWith("@home.test")) {
        return { kind: "refused", refusal: "relay-denied" };
      }
      return { kind: "answered", answer: toMe(address) };
    });
  }

  store(): Promise<ContentStream | undefined> {
    return this.#answer((is) => is === "ok" ? this.#stream() : undefined);
  }

  accept(ask: AcceptAsk): ReturnType<Backend["accept"]> {
    this.acceptAsks++;
    mustFit(queueContract.calls.accept, ask);
    return this.#answer((is) => {
      if (is === "failed") return { kind: "failed", why: "timeout" };
      if (is === "refused") return { kind: "refused", refusal: "full" };
      const stored = this.#stored.get(ask.ref.segment) ?? "";
      this.accepted.push({ ask, stored });
      return { kind: "answered", answer: {} };
    });
  }

  flush(domain: string, andBelow: boolean): ReturnType<Backend["flush"]> {
    mustFit(queueContract.calls.flush, { domain, andBelow });
    return this.#answer((is) =>
      is === "ok" ? "started" : is === "refused" ? "not-ours" : "failed"
    );
  }

  drop(): Promise<void> {
    return Promise.resolve();
  }

  /** Every password is right; SCRAM is not answered. */
  #login(is: Answer["is"], { call }: SaslQuestion): SaslAnswer {
    if (call !== "password" || is === "failed") {
      return { call, reply: { kind: "failed", why: "timeout" } };
    }
    if (is === "refused") {
      return { call, reply: { kind: "refused", refusal: "denied" } };
    }
    const mailbox = { domain: "home.test", user: "me" };
    const answer = { mailbox, appPassword: "" };
    return { call, reply: { kind: "answered", answer } };
  }

  #answer<T>(make: (is: Answer["is"]) => T): Promise<T> {
    const { is, isHeld } = this.#answers[this.#calls++] ?? CONSENT;
    if (!isHeld) return Promise.resolve(make(is));
    return new Promise((resolve) => {
      this.#held.push(() => resolve(make(is)));
    });
  }

  #stream(): ContentStream {
    this.openStreams++;
    let stored = "";
    let isOpen = true;
    const { promise, resolve } = Promise.withResolvers<StoreReply>();
    const close = (reply: StoreReply) => {
      if (!isOpen) return;
      isOpen = false;
      this.openStreams--;
      resolve(reply);
    };
    return {
      reply: promise,
      write: (bytes) => {
        if (isOpen) stored += latin1(bytes);
        return Promise.resolve();
      },
      end: () => {
        void this.#answer((is) => close(this.#keep(is, stored)));
        return promise;
      },
      abort: () => close({ kind: "failed", why: "given up" }),
    };
  }

  #keep(is: Answer["is"], stored: string): StoreReply {
    if (is === "failed") return { kind: "failed", why: "timeout" };
    if (is === "refused") return { kind: "refused", refusal: "full" };
    const segment = `seg-${this.#stored.size}`;
    this.#stored.set(segment, stored);
    const sizeBytes = stored.length;
    const ref = { segment, offset: 0, length: sizeBytes, sizeBytes };
    return { kind: "answered", answer: { ref, key: KEY } };
  }
}

function toMe(address: string) {
  const mailbox = { domain: "home.test", user: "me" };
  return { targets: [{ kind: "mailbox" as const, mailbox, address }] };
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8_192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  }
  return text;
}
