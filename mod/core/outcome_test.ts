import assert from "node:assert/strict";
import { type Outcome, outcome, ownOutcome, saidOf } from "./outcome.ts";

Deno.test("ownOutcome fits the shape, whatever its text", () => {
  const text = "x".repeat(501);
  const own = ownOutcome("temporary", 451, "4.3.0", text);
  assert.deepEqual(outcome.parse(own), {
    kind: "temporary",
    code: 451,
    enhanced: "4.3.0",
    text: "x".repeat(500),
    host: "",
  });
});

const good = ownOutcome("permanent", 550, "5.1.1", "No such user");

for (
  const [name, change] of [
    ["an unknown kind", { kind: "lost" }],
    ["a code that is no reply's", { code: 199 }],
    ["a code that is no number", { code: "550" }],
    ["an enhanced code of class 1", { enhanced: "1.1.1" }],
    ["an enhanced code that is too long", { enhanced: "5.1111.1" }],
    ["an enhanced code with a line end", { enhanced: "5.1.1\n" }],
    ["a text over the limit", { text: "x".repeat(501) }],
    ["a host over the limit", { host: "x".repeat(256) }],
    ["a reply over the limit", { said: "x".repeat(601) }],
    ["an unknown key", { more: 1 }],
  ] as const
) {
  Deno.test(`outcome refuses ${name}`, () => {
    assert.ok(outcome.safeParse(good).success);
    assert.ok(!outcome.safeParse({ ...good, ...change }).success);
  });
}

const SAID: { name: string; change: Partial<Outcome>; want: string }[] = [
  { name: "what we say", change: {}, want: "" },
  {
    name: "a reply with an enhanced code",
    change: { host: "mx.test" },
    want: "550 5.1.1 No such user",
  },
  {
    name: "a reply without",
    change: { host: "mx.test", said: "550 No such user" },
    want: "550 No such user",
  },
  {
    name: "a host that was silent",
    change: { host: "mx.test", said: "" },
    want: "",
  },
];

Deno.test("saidOf() gives a host's own words, and nobody else's", () => {
  for (const { name, change, want } of SAID) {
    assert.equal(saidOf({ ...good, ...change }), want, name);
  }
});
