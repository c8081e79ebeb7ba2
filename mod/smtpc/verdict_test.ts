import assert from "node:assert/strict";
import { outcome, saidOf } from "../core/outcome.ts";
import { outcomeOf, softened, troubleOutcome } from "./verdict.ts";

const ROWS: { reply: [number, ...string[]]; want: string }[] = [
  { reply: [250, "2.1.5 ok"], want: "delivered 250 2.1.5 ok" },
  { reply: [250, "queued"], want: "delivered 250 2.0.0 queued" },
  { reply: [450, "4.2.1 busy"], want: "temporary 450 4.2.1 busy" },
  { reply: [421, ""], want: "temporary 421 4.0.0 " },
  {
    reply: [550, "5.7.1 no", "5.7.1 see http"],
    want: "permanent 550 5.7.1 no see http",
  },
  // A code that contradicts the reply is not believed, RFC 3463 §2.
  { reply: [550, "2.0.0 no"], want: "permanent 550 5.0.0 no" },
  { reply: [550, "5.7.1234 no"], want: "permanent 550 5.0.0 5.7.1234 no" },
  { reply: [354, "go"], want: "temporary 451 4.5.0 unexpected reply 354 go" },
];

for (const { reply: [code, ...lines], want } of ROWS) {
  Deno.test(`outcomeOf() makes "${want}" of ${code} ${lines}`, () => {
    const got = outcomeOf({ code, lines }, "mx.example");
    const { kind, code: number, enhanced, text, host } = outcome.parse(got);
    assert.equal(`${kind} ${number} ${enhanced} ${text}`, want);
    assert.equal(host, "mx.example");
    // Whatever we make of it, its own words are kept as they were.
    assert.equal(saidOf(got), `${code} ${lines.join(" ")}`.trimEnd());
  });
}

Deno.test("softened() keeps the words of a 5xx and makes it temporary", () => {
  const reply = { code: 554, lines: ["5.7.1 go away"] };
  const got = outcome.parse(softened(reply, "h"));
  assert.deepEqual([got.kind, got.code, got.enhanced, got.text], [
    "temporary",
    454,
    "4.7.1",
    "554 5.7.1 go away",
  ]);
  assert.equal(saidOf(got), "554 5.7.1 go away");
  assert.equal(saidOf(troubleOutcome("connection lost", "h")), "");
});

Deno.test("outcomes stay within their shape for the longest replies and names", () => {
  const lines = Array.from({ length: 100 }, () => "x".repeat(500));
  const host = "h".repeat(300);
  for (const code of [250, 354, 450, 550]) {
    outcome.parse(outcomeOf({ code, lines }, host));
    outcome.parse(softened({ code, lines }, host));
  }
  outcome.parse(troubleOutcome("w".repeat(1_000), host));
});
