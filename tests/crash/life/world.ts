/**
 * What no crash of ours ends: the sender, who remembers what it was told; the
 * mailboxes and what came into them; time; and the test that waits for the
 * step at which to strike.
 */
import { newQueueId } from "../../../mod/core/ids.ts";
import { type Outcome, ownOutcome } from "../../../mod/core/outcome.ts";
import type { ContentRef } from "../../../mod/core/shapes.ts";
import type { Target } from "../../../mod/resolve/resolve_ipc.ts";
import { SteadyClock } from "../../../mod/queue/schedule.ts";

/** Who sends; a notice comes to it. */
export const SENDER = "alice@sender.test";

/** So that seconds of waiting are hundredths. */
const SPEED = 30;

/** One message as its sender knows it. */
export interface Mail {
  readonly id: string;
  readonly to: readonly string[];
  readonly octets: Uint8Array;
  /** What stands at the end of data; undefined: nothing was said (yet). */
  told: "250" | "4xx" | undefined;
  /** Place and key, once smtpd has them; for looking, not for the program. */
  stored: { readonly ref: ContentRef; readonly key: string } | undefined;
  /** Some octets from the midst of its sealed record. */
  sealed: Uint8Array | undefined;
}

const began = performance.now();

/** See the file's head. */
export class World {
  readonly mails: Mail[] = [];
  /** `id address` for each copy in a mailbox, `notice address` for a notice. */
  readonly delivered: string[] = [];
  readonly aliases = new Map<string, readonly string[]>();
  /** What the mailbox of an address says; it takes everything by default. */
  outcome: (address: string) => Outcome = () =>
    ownOutcome("delivered", 250, "2.0.0", "ok");
  /** What the next sync of a file of the queue's comes to. */
  failsSync: (file: "keys" | "log") => boolean = () => false;
  /** Awaited before a mailbox takes anything. */
  deliveryGate: (isNotice: boolean) => Promise<void> = () => Promise.resolve();
  /** Awaited before shred touches anything. */
  shredGate: () => Promise<void> = () => Promise.resolve();
  /** Ends what a script's gate waits for. */
  open: () => void = () => {};
  /** The queue's first delay after a temporary failure. */
  retryMs = 100;
  /** Before a segment in which nothing is live is closed. */
  idleMs = 20_000;
  /** Time that the spool's clock is ahead. */
  skewMs = 0;
  #steps: readonly string[] = [];
  #strike: () => void = () => {};
  #waiting: { readonly step: string; readonly then: () => void }[] = [];

  /**
   * The same past, and a future of its own: for the many disks that one power
   * cut may leave.
   */
  fork(): World {
    const fork = new World();
    fork.mails.push(...this.mails.map((mail) => ({ ...mail })));
    fork.delivered.push(...this.delivered);
    for (const [alias, to] of this.aliases) fork.aliases.set(alias, to);
    fork.outcome = this.outcome;
    fork.skewMs = this.skewMs;
    fork.retryMs = this.retryMs;
    return fork;
  }

  /** Sends a message; see `Machine.send`. */
  newMail(to: readonly string[], sizeBytes: number): Mail {
    const octets = new Uint8Array(sizeBytes);
    const line = new TextEncoder().encode("Subject: life and death\r\n");
    for (let at = 0; at < sizeBytes; at += line.length) {
      octets.set(line.subarray(0, sizeBytes - at), at);
    }
    const mail = {
      id: newQueueId(),
      to,
      octets,
      told: undefined,
      stored: undefined,
      sealed: undefined,
    };
    this.mails.push(mail);
    return mail;
  }

  /** Calls `strike` when all `steps` have been seen in this order. */
  strikeAfter(steps: readonly string[], strike: () => void): void {
    this.#steps = steps;
    this.#strike = strike;
  }

  /** A step was done. */
  at(step: string): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((one) => one.step !== step);
    for (const one of waiting) if (one.step === step) one.then();
    if (this.#steps.length === 0 || this.#steps[0] !== step) return;
    this.#steps = this.#steps.slice(1);
    if (this.#steps.length === 0) this.#strike();
  }

  /** Resolves when `step` is done the next time. */
  next(step: string): Promise<void> {
    return new Promise((then) => this.#waiting.push({ step, then }));
  }

  /** Steps that are still waited for. */
  get ahead(): readonly string[] {
    return this.#steps;
  }

  /** The queue's clock: the same for all its lives. */
  clock(): SteadyClock {
    const nowMs = () => 1_700_000_000_000 + (performance.now() - began) * SPEED;
    return new SteadyClock({ wallMs: nowMs, monotonicMs: nowMs });
  }

  /** Where an address leads. */
  targets(address: string): Target[] {
    return (this.aliases.get(address) ?? [address]).map((one) => {
      const [user, domain] = one.split("@") as [string, string];
      return { kind: "mailbox", mailbox: { user, domain }, address: one };
    });
  }
}
