/** A gate for tests: lets everything pass, unless it is told otherwise. */
import type { AnswerOf, AskOf, Reply } from "../ipc/call.ts";
import {
  type DoorCalls,
  gateContract,
  type GateVerdict,
  PASS,
} from "../gate/gate_ipc.ts";
import { mustFit } from "./fake_backend.ts";
import type { GateEdge } from "./gate_asker.ts";

type Calls = DoorCalls;

/** A verdict that refuses. */
export function rejects(code: number, reply: string): GateVerdict {
  return {
    ...PASS,
    action: code < 500 ? "defer" : "reject",
    code,
    enhanced: `${code / 100 | 0}.7.1`,
    reply,
    rule: "fake",
    evidence: "a test",
    undo: "nothing",
  };
}

/** Records what it is asked. */
export class FakeGate implements GateEdge {
  answerers = 1;
  isResting = false;
  wantedTimes = 0;
  /** Calls in order, such as `arrive 127.0.0.1`. */
  readonly calls: string[] = [];
  readonly tested: AskOf<Calls["tested"]>[] = [];
  readonly judged: AskOf<Calls["judge"]>[] = [];
  arriving: AnswerOf<Calls["arrive"]> = { verdict: PASS, tests: [] };
  scoring: AnswerOf<Calls["score"]> = {
    verdict: PASS,
    hits: [],
    allowed: false,
  };
  judging: (ask: AskOf<Calls["judge"]>) => GateVerdict = () => PASS;
  tallying: GateVerdict = PASS;
  /** Delays every answer to these calls. */
  readonly delays = new Map<string, Promise<void>>();
  /** Calls that fail. */
  readonly fails = new Set<string>();

  wanted(): void {
    this.wantedTimes++;
  }

  async ask<K extends keyof Calls & string>(
    name: K,
    ask: AskOf<Calls[K]>,
  ): Promise<Reply<Calls[K]>> {
    mustFit(gateContract.calls[name], ask);
    const by = "by" in ask ? ` ${ask.what} ${ask.by}` : "";
    this.calls.push(`${name} ${ask.client}${by}`);
    await this.delays.get(name);
    if (this.fails.has(name)) return { kind: "failed", why: "test" };
    const answer = this.#answer(name, ask);
    return { kind: "answered", answer } as Reply<Calls[K]>;
  }

  /** Asks of one call so far. */
  count(name: string): number {
    return this.calls.filter((one) => one.startsWith(`${name} `)).length;
  }

  #answer(name: keyof Calls, ask: unknown): unknown {
    switch (name) {
      case "arrive":
        return this.arriving;
      case "score":
        return this.scoring;
      case "judge": {
        const question = ask as AskOf<Calls["judge"]>;
        this.judged.push(question);
        return { verdict: this.judging(question) };
      }
      case "tally":
        return { verdict: this.tallying };
      case "tested":
        this.tested.push(ask as AskOf<Calls["tested"]>);
        return {};
      case "refused":
      case "leave":
        return {};
    }
  }
}
