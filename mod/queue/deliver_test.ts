import assert from "node:assert/strict";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import type { Attempt } from "../smtpc/smtpc_ipc.ts";
import { feedbackOf, type Job, type Reached } from "./deliver.ts";

const job = (destination: string) => ({ destination }) as Job;

function reached(outcomes: Outcome[], isServed: boolean): Reached {
  return { kind: "outcomes", outcomes, attempt: { isServed } as Attempt };
}

function said(kind: Outcome["kind"], code: number, host: string): Outcome {
  const enhanced = `${Math.floor(code / 100)}.4.1`;
  return { ...ownOutcome(kind, code, enhanced, "words"), host };
}

const CASES: { name: string; reached: Reached; want: string }[] = [
  {
    name: "nobody answered",
    reached: reached([said("temporary", 451, "")], false),
    want: "failed",
  },
  {
    name: "a host refused its greeting",
    reached: reached([said("temporary", 421, "mx.test")], false),
    want: "failed",
  },
  {
    name: "a host put every recipient off",
    reached: reached([said("temporary", 450, "mx.test")], true),
    want: "reached",
  },
  {
    name: "the domain takes no mail",
    reached: reached([said("permanent", 556, "")], false),
    want: "reached",
  },
  {
    name: "our own spool failed",
    reached: reached([ownOutcome("temporary", 451, "4.3.0", "disk")], false),
    want: "nothing",
  },
  {
    name: "nobody knows how it ended",
    reached: { kind: "unknown", why: "it died" },
    want: "nothing",
  },
];

for (const { name, reached, want } of CASES) {
  Deno.test(`feedbackOf() is ${want} when ${name}`, () => {
    assert.equal(feedbackOf(job("mx:remote.test"), reached), want);
    assert.equal(feedbackOf(job(""), reached), "nothing");
  });
}
