/**
 * What smtpd asks the gate, and what it makes of the gate's silence: nothing.
 * Who cannot be judged is let in; only where access tables must be obeyed, a
 * client is told to come again (`guard.ts`). Nothing here rejects.
 */
import type { LogValue } from "../core/log.ts";
import { smtpReply } from "../core/reply.ts";
import type { AnswerOf, AskOf, Reply } from "../ipc/call.ts";
import type { COUNTED, DoorCalls, GateVerdict } from "../gate/gate_ipc.ts";
import type { Refusal, Score } from "./screening.ts";

type Calls = DoorCalls;

/** The edge to the gate, or a fake of it. */
export interface GateEdge {
  /** 0 while no gate is there: it is not waited for. */
  readonly answerers: number;
  readonly isResting: boolean;
  /** Has it started if it rests, whether that is known here or not. */
  wanted(): void;
  ask<K extends keyof Calls & string>(
    name: K,
    ask: AskOf<Calls[K]>,
  ): Promise<Reply<Calls[K]>>;
}

/** Who can be sent away in the middle of its session. */
export interface Dismissible {
  dismiss(refusal: Refusal): void;
}

/** What is counted: see `COUNTED`. */
export type Counted = (typeof COUNTED)[number];

interface Sum {
  readonly client: string;
  readonly what: Counted;
  by: number;
  readonly of: Set<Dismissible>;
}

/** A silence is not over sooner than this. */
const BLINK_MS = 10_000;
/** How long a gate that was silent is waited for. */
const SILENT_MS = 500;
/** Lists that are named in a message's history. */
const MAX_HITS = 4;
/** Most that one tally may say. */
const MAX_BY = 10_000;

/** See the file's header. */
export class GateAsker {
  readonly #edge: GateEdge;
  readonly #log: (event: string, fields: Record<string, LogValue>) => void;
  #sums = new Map<string, Sum>();
  #silentSinceMs: number | undefined;
  /** What was asked last was not answered. */
  #wasLate = false;

  constructor(
    edge: GateEdge,
    log: (event: string, fields: Record<string, LogValue>) => void,
  ) {
    this.#edge = edge;
    this.#log = log;
  }

  /** True if it must be started before it answers, which takes a moment. */
  get isResting(): boolean {
    return this.#edge.isResting;
  }

  /** How to treat a client; undefined if the gate does not say. */
  async arrive(client: string): Promise<AnswerOf<Calls["arrive"]> | undefined> {
    const reply = await this.#ask("arrive", { client });
    return reply.kind === "answered" ? reply.answer : undefined;
  }

  /** A client that has arrived is gone. */
  leave(client: string): void {
    this.#ask("leave", { client });
  }

  /** What the lists say of a client. */
  async score(client: string): Promise<Score> {
    const reply = await this.#ask("score", { client });
    if (reply.kind !== "answered") return { is: "unknown" };
    const { allowed, verdict, hits } = reply.answer;
    const evidence = hits.slice(0, MAX_HITS).join(" ");
    if (allowed) return { is: "allowed", evidence };
    const refusal = refusalOf(verdict);
    return refusal === undefined
      ? { is: "passed", evidence }
      : { is: "failed", refusal, evidence: verdict.evidence };
  }

  /** What a client's tests came to. */
  tested(ask: AskOf<Calls["tested"]>): void {
    this.#ask("tested", ask);
  }

  /** A recipient is refused because of what the client is. */
  refused(ask: AskOf<Calls["refused"]>): void {
    this.#ask("refused", ask);
  }

  /** What tables, rates and the like say of a stage of a transaction. */
  async judge(ask: AskOf<Calls["judge"]>): Promise<Reply<Calls["judge"]>> {
    const judged = this.#ask("judge", ask);
    if (!this.#wasLate) return await judged;
    // One that was late lately keeps nobody for as long as a call may take.
    const late = Promise.withResolvers<Reply<Calls["judge"]>>();
    const timer = setTimeout(
      () => late.resolve({ kind: "failed", why: "it is late" }),
      SILENT_MS,
    );
    const reply = await Promise.race([judged, late.promise]);
    clearTimeout(timer);
    return reply;
  }

  /** Counts; told to the gate with the next {@link flush}. */
  tally(client: string, what: Counted, of: Dismissible): void {
    const key = `${what} ${client}`;
    const sum = this.#sums.get(key) ?? { client, what, by: 0, of: new Set() };
    sum.by = Math.min(MAX_BY, sum.by + 1);
    sum.of.add(of);
    this.#sums.set(key, sum);
  }

  /** Tells what was counted; who did too much is dismissed. */
  flush(): void {
    if (this.#sums.size === 0) return;
    const sums = this.#sums;
    this.#sums = new Map();
    for (const { client, what, by, of } of sums.values()) {
      this.#ask("tally", { client, what, by }).then((reply) => {
        if (reply.kind !== "answered") return;
        const refusal = refusalOf(reply.answer.verdict);
        if (refusal === undefined) return;
        for (const one of of) one.dismiss({ ...refusal, closes: true });
      });
    }
  }

  /** The gate did not answer in the time that a client can be kept for it. */
  late(): void {
    this.#heard(false, "it is late");
  }

  async #ask<K extends keyof Calls & string>(
    name: K,
    ask: AskOf<Calls[K]>,
  ): Promise<Reply<Calls[K]>> {
    const isThere = this.isResting || this.#edge.answerers > 0;
    if (!isThere) this.#edge.wanted();
    const reply: Reply<Calls[K]> = isThere
      ? await this.#edge.ask(name, ask)
      : { kind: "failed", why: "it is not there" };
    if (reply.kind === "failed") this.#heard(false, reply.why);
    else this.#heard(true, "");
    return reply;
  }

  /** Said once, not for each client, nor each time that a slow gate blinks. */
  #heard(answers: boolean, why: string): void {
    this.#wasLate = !answers;
    const isSilent = this.#silentSinceMs !== undefined;
    if (answers !== isSilent) return;
    const nowMs = performance.now();
    if (!answers) {
      this.#silentSinceMs = nowMs;
      this.#log("gate-silent", { why });
    } else if (nowMs - this.#silentSinceMs! >= BLINK_MS) {
      this.#silentSinceMs = undefined;
      this.#log("gate-answers", {});
    }
  }
}

/** What the client is told; undefined if there is nothing against it. */
export function refusalOf(verdict: GateVerdict): Refusal | undefined {
  const { action, code, enhanced, reply, rule } = verdict;
  switch (action) {
    case "pass":
    case "permit":
    case "discard":
    case "hold":
      return undefined;
    case "reject":
    case "defer": {
      const fallback = action === "reject" ? 550 : 450;
      const known = code >= 400 ? code : fallback;
      const status = enhanced === "" ? `${known / 100 | 0}.7.1` : enhanced;
      return {
        reply: smtpReply(known, printable(status), printable(reply)),
        closes: known === 421 || known === 521,
        rule,
      };
    }
  }
}

// What is not printable would be a bug of the gate, not worth a session.
function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}
