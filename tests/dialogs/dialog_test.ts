import assert from "node:assert/strict";
import { parseDialogs } from "./dialog.ts";
import { unescape } from "./octets.ts";
import {
  type Heard,
  isGlob,
  matches,
  parsePattern,
  replyFault,
} from "./reply_pattern.ts";

const TEXT = `# A note.

== a title
RFC 5321 §4.1.1.4, §4.5.2; RFC 2920 §3.1
config: maxRecipients=100, tls=null
plain-only
(hello)
C: MAIL FROM:<>
C| DATA\\r
(wait 5ms)
S: 2 times 250|251 *
S: (silence)
(taken 1)

== another
RFC 3207 §4
pending: not built
C:
S: (closed)
`;

Deno.test("parseDialogs() reads head and steps", () => {
  const [first, second] = parseDialogs("a.txt", TEXT);
  assert.ok(first && second);
  assert.equal(first.title, "a title");
  assert.equal(first.line, 3);
  assert.deepEqual(first.cites, [
    "RFC 5321 §4.1.1.4",
    "RFC 5321 §4.5.2",
    "RFC 2920 §3.1",
  ]);
  assert.deepEqual(first.over, ["plain"]);
  assert.deepEqual([...first.settings], [["maxRecipients", 100], [
    "tls",
    null,
  ]]);
  assert.deepEqual(first.steps.map((step) => step.do), [
    "send",
    "expect",
    "send",
    "wait",
    "expect",
    "expect",
    "silence",
    "taken",
  ]);
  const sent = first.steps[2];
  assert.ok(sent?.do === "send");
  assert.equal(
    String.fromCharCode(...sent.octets),
    "MAIL FROM:<>\r\nDATA\r",
    "C lines in a row are one write",
  );
  assert.deepEqual(second.over, ["plain", "tls"]);
  assert.equal(second.pending, "not built");
  assert.equal(second.inProcess, false);
});

const BROKEN: { name: string; text: string; why: RegExp }[] = [
  { name: "no citation", text: "== a\nC: NOOP\n", why: /a:1: cites no RFC/ },
  { name: "no section", text: "== a\nRFC 5321\nC: X\n", why: /a:2: no cit/ },
  { name: "no steps", text: "== a\nRFC 5321 §2\n", why: /a:1: has no steps/ },
  { name: "text in front", text: "C: NOOP\n", why: /a:1: a dialog begins/ },
  {
    name: "an unknown step",
    text: "== a\nRFC 5321 §2\nC: NOOP\n(dance)\n",
    why: /a:4: unknown step/,
  },
  {
    name: "a head line behind steps",
    text: "== a\nRFC 5321 §2\nC: NOOP\nplain-only\n",
    why: /a:4: neither/,
  },
  {
    name: "a reply that is none",
    text: "== a\nRFC 5321 §2\nS: hello\n",
    why: /a:3: no reply code/,
  },
  {
    name: "an unknown escape",
    text: "== a\nRFC 5321 §2\nC: \\q\n",
    why: /a:3: unknown escape/,
  },
  {
    name: "a greeting inside TLS",
    text: "== a\nRFC 5321 §2\nS: 220 *\n",
    why: /plain-only/,
  },
];

for (const { name, text, why } of BROKEN) {
  Deno.test(`parseDialogs() refuses ${name}`, () => {
    assert.throws(() => parseDialogs("a", text), why);
  });
}

const OCTETS: [text: string, octets: string][] = [
  ["a\\r\\n\\0\\t\\x7f\\\\", "a\r\n\0\t\x7f\\"],
  ["{ab*3}", "ababab"],
  ["{u{n}\\r*2}", "u1\ru2\r"],
  ["${run{/bin/id}}", "${run{/bin/id}}"],
  ["\\{a*2}", "{a*2}"],
  ["{a*}{*x}", "{a*}{*x}"],
  ["{\\x00*2}", "\0\0"],
  ["é", "\xc3\xa9"],
  ["{", "{"],
  ["{64:\\0a\\0b}", "AGEAYg=="],
];

for (const [text, octets] of OCTETS) {
  Deno.test(`unescape() reads ${text}`, () => {
    assert.equal(unescape(text), octets);
  });
}

const REPLIES: [pattern: string, heard: string, is: boolean][] = [
  ["250 *", "250 2.0.0 Ok", true],
  ["250", "250 2.0.0 Ok", true],
  ["250 *", "251 2.0.0 Ok", false],
  ["250|251 *", "251 2.0.0 Ok", true],
  ["5xx *", "554 5.5.1 No", true],
  ["5xx *", "454 4.5.1 No", false],
  ["250 2.1.0 *", "250 2.1.5 Ok", false],
  ["250 mx", "250 mx.test", false],
  ["421|(closed)", "closed", true],
  ["(closed)", "421 4.0.0 Bye", false],
  ["421", "closed", false],
  ["250 {SIZE *, STARTTLS}", "250-mx|250-STARTTLS|250 SIZE 10", true],
  ["250 {SIZE *, STARTTLS}", "250-mx|250 SIZE 10", false],
  ["250 {SIZE *, !STARTTLS}", "250-mx|250 SIZE 10", true],
  ["250 {!STARTTLS}", "250-mx|250 STARTTLS", false],
  ["250 {mx}", "250-mx|250 HELP", false],
];

for (const [pattern, heard, is] of REPLIES) {
  Deno.test(`matches() is ${is} of ${pattern} and ${heard}`, () => {
    const reply: Heard = heard === "closed"
      ? "closed"
      : { lines: heard.split("|") };
    assert.equal(matches(parsePattern(pattern), reply), is);
  });
}

Deno.test("isGlob() finds parts in order, none twice", () => {
  assert.ok(isGlob("a*b*c", "aXbYc"));
  assert.ok(!isGlob("a*b*c", "acb"));
  assert.ok(!isGlob("ab*b", "ab"));
  assert.ok(isGlob("*", ""));
});

const FAULTS: [reply: string, fault: RegExp | undefined][] = [
  ["250 2.0.0 Ok", undefined],
  ["250-a|250 b", undefined],
  ["354 go", undefined],
  ["500 No", /no enhanced code/],
  ["550 4.1.1 No", /another class/],
  ["250-a|251 b", /codes differ/],
  ["250-a|250-b", /no space/],
  ["250 a|250 b", /no hyphen/],
  ["hello", /no reply code/],
  ["250 \x07", /printable/],
  [`250 ${"a".repeat(510)}`, /over 512/],
];

for (const [reply, fault] of FAULTS) {
  Deno.test(`replyFault() judges ${reply.slice(0, 40)}`, () => {
    const found = replyFault(reply.split("|"));
    if (fault === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "", fault);
  });
}
