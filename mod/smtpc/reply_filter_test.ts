import assert from "node:assert/strict";
import { replyFilter } from "../config/filter_rule.ts";
import { type Outcome, outcome as shape } from "../core/outcome.ts";
import { meets } from "./delivery_fixture.ts";
import { filtered, fits } from "./reply_filter.ts";

const FITTING: [pattern: string, text: string, want: boolean][] = [
  ["550 x", "550 x", true],
  ["550 x", "550 xy", false],
  ["*", "", true],
  ["550*", "550 x", true],
  ["*x", "550 x", true],
  ["*x", "550 xy", false],
  ["550 *listed*", "550 5.7.1 you are listed here", true],
  ["550 *listed*", "450 5.7.1 you are listed here", false],
  ["a*b*c", "abc", true],
  ["a*b*c", "acb", false],
  ["ab*ba", "aba", false],
  ["a*a*a", "aa", false],
  ["**a**", "bab", true],
];

for (const [pattern, text, want] of FITTING) {
  Deno.test(`fits() says ${want} of ${pattern} and ${text}`, () => {
    assert.equal(fits(pattern, text), want);
  });
}

const rule = (pattern: string, reply: string) => {
  const read = replyFilter.read(pattern, reply);
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
};
const RULES = [
  rule("550 5.7.1 *LISTED*", "450 4.7.1 *"),
  rule("452 4.2.2 *", "552 5.2.2 The mailbox is full for ever"),
  rule("250 *", "250 2.6.0 Fine"),
  rule("*551 *", "250 2.0.0 Never mind"),
  rule("* x", "450 4.0.0 *"),
];

const OUTCOMES: [kind: Outcome["kind"], was: string, want: string][] = [
  [
    "permanent",
    "550 5.7.1 you are listed",
    "temporary 450 4.7.1 you are listed",
  ],
  ["temporary", "452 4.2.2 full", "permanent 552 5.2.2 The mailbox"],
  ["delivered", "250 2.0.0 queued", "delivered 250 2.6.0 Fine"],
  ["permanent", "551 5.1.6 gone", "permanent 551 5.1.6 gone"],
  ["delivered", "251 2.0.0 x", "delivered 251 2.0.0 x"],
  ["permanent", "554 5.6.0 no", "permanent 554 5.6.0 no"],
];

for (const [kind, was, want] of OUTCOMES) {
  Deno.test(`filtered() makes ${want} of ${was}`, () => {
    const [code, enhanced, ...words] = was.split(" ");
    const text = words.join(" ");
    const outcome = shape.parse({
      kind,
      code: Number(code),
      enhanced,
      text,
      host: "mx.test",
    });
    const got = shape.parse(filtered(RULES, outcome));
    const said = `${got.kind} ${got.code} ${got.enhanced} ${got.text}`;
    assert.ok(said.startsWith(want), said);
    const isChanged = got.code !== outcome.code ||
      got.enhanced !== outcome.enhanced;
    assert.equal(got.text.includes(`it was ${was}`), isChanged);
    if (isChanged) assert.equal(got.said, was);
  });
}

Deno.test("replyFilter refuses what is no reply", () => {
  for (
    const reply of [
      "",
      "450",
      "450 4.7.1",
      "450 5.7.1 *",
      "350 3.0.0 x",
      5,
      "450 4.7.1 \n",
    ]
  ) assert.ok(!replyFilter.read("550 *", reply).ok, String(reply));
  // These would never count.
  assert.ok(!replyFilter.read("550 *", "250 2.0.0 ok").ok);
  assert.ok(!replyFilter.read("2* *", "450 4.0.0 ok").ok);
  assert.ok(replyFilter.read("25* *", "250 2.6.0 *").ok);
  assert.ok(!replyFilter.read("", "450 4.7.1 *").ok);
  assert.ok(!replyFilter.read("x".repeat(201), "450 4.7.1 *").ok);
});

Deno.test("deliver() tells the outcome that the filter makes", async () => {
  const { said, outcomes } = await meets(
    { RCPT: ["250 ok", "550 5.7.1 listed"] },
    { part: { replyFilter: RULES } },
  );
  assert.equal(said, "delivered 250 2.6.0, temporary 450 4.7.1");
  assert.match(outcomes![1]!.text, /by reply_filter; it was 550 5\.7\.1/);
});
