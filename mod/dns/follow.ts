/** Goes along aliases, judging each step; what mail needs to know of the way. */
import type { Security } from "./dns_ipc.ts";
import type { Finding, Judgement, Validator } from "./judgement.ts";
import {
  type Fetch,
  type Message,
  type Name,
  type Question,
  TYPE,
} from "./message.ts";

/** Aliases after which a chain counts as a loop. */
const MAX_ALIASES = 8;
const MAX_PROOF_LINES = 60;

/** Where a question led. */
export interface Found {
  /** The weakest of all steps. */
  readonly security: Security;
  /** Of the first step alone: RFC 7672 §2.2.2 and RFC 7671 §7 ask for it. */
  readonly nameSecurity: Security;
  /** Where the aliases end; the asked name if there are none. */
  readonly canonical: Name;
  /** Of the last step; never an alias. */
  readonly finding: Finding;
  readonly why: string;
  readonly proof: readonly string[];
  /** The earliest of all steps, see {@link Judgement}. */
  readonly untilS?: number | undefined;
  /** Response code of the last message; undefined without one. */
  readonly rcode: number | undefined;
  /** True if the last message has none of the asked records, whatever it is worth. */
  readonly saysNo?: boolean;
}

/** Asks, judges, and follows aliases to their end. Never rejects. */
export async function follow(
  { validator, fetch }: { validator: Validator; fetch: Fetch },
  question: Question,
): Promise<Found> {
  const steps: Judgement[] = [];
  const seen = new Set<Name>();
  let { name } = question;
  let message: Message | undefined;
  while (!seen.has(name) && seen.size <= MAX_ALIASES) {
    seen.add(name);
    const asked = { name, type: question.type };
    let isFresh = false;
    if (message === undefined || !speaksOf(message, asked)) {
      message = await fetch(asked);
      isFresh = true;
    }
    let step = await judged(validator, asked, message);
    if (!isFresh && step.finding.kind === "nothing") {
      // A server may add what it knows of the alias's target; that this part
      // is worthless does not make the target's own zone worthless.
      message = await fetch(asked);
      step = await judged(validator, asked, message);
    }
    steps.push(step);
    if (step.finding.kind !== "alias") {
      const saysNo = message !== undefined &&
        !message.answer.some(({ type }) => type === question.type);
      return { ...summary(steps, name, message), saysNo };
    }
    name = step.finding.target;
  }
  steps.push(nothing(`the aliases of ${spelled(question.name)} do not end`));
  return summary(steps, name, message);
}

/** True if the message has anything that answers the question. */
function speaksOf(message: Message, { name, type }: Question): boolean {
  return message.answer.some((record) =>
    record.name === name &&
    (record.type === type || record.type === TYPE.CNAME)
  );
}

function judged(
  validator: Validator,
  question: Question,
  message: Message | undefined,
): Promise<Judgement> {
  return message === undefined
    ? Promise.resolve(nothing(`no answer for ${spelled(question.name)}`))
    : validator.judge(question, message);
}

function nothing(why: string): Judgement {
  return {
    security: "indeterminate",
    finding: { kind: "nothing" },
    why,
    proof: [],
  };
}

function summary(
  steps: readonly Judgement[],
  canonical: Name,
  message: Message | undefined,
): Found {
  const last = steps.at(-1) as Judgement;
  const weakest = steps.reduce((a, b) => worth(b) < worth(a) ? b : a);
  const untils = steps.map((step) => step.untilS);
  return {
    security: weakest.security,
    nameSecurity: (steps[0] as Judgement).security,
    canonical,
    finding: last.finding,
    why: weakest.why,
    // A line that two steps share, such as the root's, is said once.
    proof: [...new Set(steps.flatMap((step) => step.proof))]
      .slice(0, MAX_PROOF_LINES),
    untilS: untils.includes(undefined)
      ? undefined
      : Math.min(...untils as number[]),
    rcode: message?.rcode,
  };
}

const WORTH: Readonly<Record<Security, number>> = {
  bogus: 0,
  indeterminate: 1,
  insecure: 2,
  secure: 3,
};

function worth({ security }: Judgement): number {
  return WORTH[security];
}

function spelled(name: Name): string {
  return name === "" ? "." : name;
}
