/**
 * What stands between one client and its session: screening while it lasts,
 * the gate's verdicts, and what is counted of it. A client of a trusted network
 * has none, or, where access tables exist, one that asks for nothing else.
 */
import type { Check } from "../core/intake.ts";
import type { LogValue } from "../core/log.ts";
import {
  type Counted,
  type Dismissible,
  type GateAsker,
  refusalOf,
} from "./gate_asker.ts";
import type { Line } from "./line_reader.ts";
import { REPLIES } from "./replies.ts";
import {
  beginScreening,
  isOver,
  type Refusal,
  type Score,
  screen,
  type Screening,
  type ScreeningAction,
  type ScreeningEvent,
  type ScreeningRules,
  type ScreeningStep,
  type Test,
} from "./screening.ts";
import type { Answer, Session } from "./session.ts";

/** What all guards of a server share. */
export interface GuardPost {
  readonly gate: GateAsker;
  readonly rules: ScreeningRules & {
    /** There are access tables, so that silence of the gate is no yes. */
    readonly hasTables: boolean;
  };
  readonly log: (event: string, fields: Record<string, LogValue>) => void;
  readonly count: (name: string) => void;
}

/** What whoever holds the client's socket must do. */
export type GuardAction = ScreeningAction & { do: "tease" | "greet" | "drop" };

/** Of the client itself; what is said of its mail comes beside. */
const MAX_CLIENT_CHECKS = 5;

/** What there is to tell of clients that nothing was looked at. */
export const TRUSTED: readonly Check[] = [
  checkOf("screening", "skipped", "the client is of a trusted network"),
];
const NOT_ASKED: readonly Check[] = [];
const KNOWN: readonly Check[] = [
  checkOf(
    "screening",
    "skipped",
    "the client passed the tests lately, or none is made",
  ),
];

function checkOf(what: string, said: Check["said"], evidence: string): Check {
  return { what: what.slice(0, 32), said, evidence: evidence.slice(0, 300) };
}

/** See the file's header. */
export class Guard implements Dismissible {
  readonly #post: GuardPost;
  readonly #address: string;
  readonly #isTrusted: boolean;
  /** Undefined once nothing is left to be seen. */
  #screening: Screening | undefined;
  #refusal: Refusal | undefined;
  #helo = "";
  #checks: readonly Check[] = NOT_ASKED;
  /** Whoever holds the client's socket now. */
  onAction: (action: GuardAction) => void = () => {};

  /** @param options.address The client's, in plain form */
  constructor(
    post: GuardPost,
    options: { address: string; isTrusted: boolean },
  ) {
    this.#post = post;
    this.#address = options.address;
    this.#isTrusted = options.isTrusted;
  }

  /** What every recipient is refused with, if anything. */
  get refusal(): Refusal | undefined {
    return this.#refusal ?? this.#screening?.refusal;
  }

  /** What was looked at of the client so far, for the history. */
  get checks(): readonly Check[] {
    return this.#isTrusted ? TRUSTED : this.#checks;
  }

  /** Begins to screen; see {@link beginScreening}. */
  begin(tests: readonly Test[], refusal: Refusal | undefined, waitMs: number) {
    this.#checks = tests.length === 0 ? KNOWN : [];
    const nowMs = performance.now();
    this.#apply(beginScreening({ tests, refusal, waitMs, nowMs }));
  }

  /** Something happened before the session. */
  before(event: ScreeningEvent & { is: "spoke" | "clock" }): void {
    this.#screen(event);
  }

  /** A line of the session, before it is obeyed. */
  line(line: Line, moreFollows: boolean, session: Session): void {
    if (this.#screening === undefined) return;
    const hello = session.at === "start" ? undefined : session.hello;
    this.#helo = hello?.helo ?? "";
    const mayPipeline = hello?.esmtp ?? false;
    this.#screen({ is: "line", line, moreFollows, mayPipeline });
  }

  /** A message was taken from the client. */
  mailed(): void {
    this.#screen({ is: "mailed" });
  }

  /** Counts what the client did. */
  tally(what: Counted): void {
    if (!this.#isTrusted) this.#post.gate.tally(this.#address, what, this);
  }

  /** It did too much. */
  dismiss({ reply }: Refusal): void {
    this.#post.count("dismissed");
    this.onAction({ do: "drop", reply });
  }

  /** A recipient is refused because of what the client is. */
  refused(rule: string, session: Session, recipient: string): void {
    if (session.at !== "mail") return;
    this.#post.gate.refused({
      client: this.#address,
      rule,
      helo: session.hello.helo,
      reversePath: session.mail.reversePath,
      recipient,
    });
  }

  /** Asks the gate about a stage of a transaction. */
  async judge(
    stage: "sender" | "recipient",
    facts: {
      helo: string;
      reversePath: string;
      recipient: string;
      login: string;
    },
  ): Promise<Answer> {
    const { gate, rules, count, log } = this.#post;
    const reply = await gate.judge({
      stage,
      client: this.#address,
      ...facts,
      trusted: this.#isTrusted,
    });
    if (reply.kind !== "answered") {
      return rules.hasTables
        ? { is: "denied", reply: REPLIES.cannotJudge, closes: false }
        : { is: "granted", effect: "deliver" };
    }
    const { verdict } = reply.answer;
    const refusal = refusalOf(verdict);
    if (refusal === undefined) {
      const { action, rule, evidence } = verdict;
      const isSpecial = action === "discard" || action === "hold";
      const effect = isSpecial ? action : "deliver";
      return rule === "" ? { is: "granted", effect } : {
        is: "granted",
        effect,
        checks: [checkOf(rule, isSpecial ? "failed" : "passed", evidence)],
      };
    }
    // With its evidence, and what undoes it, the gate has it in its own log.
    const about = stage === "sender" ? facts.reversePath : facts.recipient;
    count(`${stage}s-judged`);
    log(`${stage}-refused`, {
      [stage === "sender" ? "from" : "to"]: about,
      why: refusal.rule,
      client: this.#address,
    });
    return { is: "denied", reply: refusal.reply, closes: refusal.closes };
  }

  #note(check: Check): void {
    if (this.#checks.length < MAX_CLIENT_CHECKS) {
      this.#checks = [...this.#checks, check];
    }
  }

  /** A failure is told with the tests. */
  #noteScore(score: Score): void {
    switch (score.is) {
      case "passed":
      case "allowed":
        return this.#note(checkOf("dnsbl", "passed", score.evidence ?? ""));
      case "unknown":
        return this.#note(checkOf("dnsbl", "skipped", "no list answered"));
      case "failed":
        return;
    }
  }

  #screen(event: ScreeningEvent): void {
    if (this.#screening === undefined) return;
    this.#apply(screen(this.#screening, event, this.#post.rules));
  }

  #apply([screening, actions]: ScreeningStep): void {
    this.#refusal = screening.refusal;
    this.#screening = isOver(screening) ? undefined : screening;
    for (const action of actions) this.#do(action);
  }

  #do(action: ScreeningAction): void {
    const { gate, log, count } = this.#post;
    switch (action.do) {
      case "tease":
      case "greet":
      case "drop":
        return this.onAction(action);
      case "score":
        gate.score(this.#address).then((score) => {
          this.#noteScore(score);
          this.#screen({ is: "scored", score });
        });
        return;
      case "tell": {
        const { passed, failed } = action;
        for (const test of passed) {
          count(`passed-${test}`);
          if (test !== "dnsbl") this.#note(checkOf(test, "passed", ""));
        }
        const client = this.#address;
        for (const one of failed) {
          this.#note(checkOf(one.rule, "failed", one.evidence));
          count(`failed-${one.rule}`);
          log("client-failed-test", { client, ...one });
        }
        gate.tested({
          client,
          passed: [...passed],
          failed: failed.map((one) => ({ ...one })),
          helo: this.#helo,
        });
      }
    }
  }
}
