import assert from "node:assert/strict";
import {
  type AccessKind,
  type AccessResult,
  parseAccessTable,
} from "./access_table.ts";

const RESULTS: { text: string; want: AccessResult }[] = [
  { text: "OK", want: { is: "ok" } },
  { text: "ok  # a comment", want: { is: "ok" } },
  { text: "DUNNO", want: { is: "dunno" } },
  { text: "HOLD because", want: { is: "hold" } },
  { text: "discard", want: { is: "discard" } },
  { text: "WARN look at this", want: { is: "warn", text: "look at this" } },
  {
    text: "REJECT",
    want: { is: "reject", code: 554, enhanced: "", text: "" },
  },
  {
    text: "REJECT Go away",
    want: { is: "reject", code: 554, enhanced: "", text: "Go away" },
  },
  {
    text: "REJECT 5.7.9 Go away",
    want: { is: "reject", code: 554, enhanced: "5.7.9", text: "Go away" },
  },
  {
    text: "DEFER Later",
    want: { is: "defer", code: 450, enhanced: "", text: "Later" },
  },
  {
    text: "DEFER_IF_PERMIT Later",
    want: { is: "defer-if-permit", code: 450, enhanced: "", text: "Later" },
  },
  {
    text: "450 4.2.1 Full",
    want: { is: "defer", code: 450, enhanced: "4.2.1", text: "Full" },
  },
  {
    text: "521 Gone",
    want: { is: "reject", code: 521, enhanced: "", text: "Gone" },
  },
];

for (const { text, want } of RESULTS) {
  Deno.test(`parseAccessTable() reads the result ${text}`, () => {
    const { entries, faults } = parseAccessTable("sender", `a.test ${text}\n`);
    assert.deepEqual(faults, []);
    assert.deepEqual(entries, [{ pattern: "a.test", result: want, line: 1 }]);
  });
}

const PATTERNS: { kind: AccessKind; good: string[]; bad: string[] }[] = [
  {
    kind: "client",
    good: ["192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "192.0.2", "10"],
    bad: ["192.0.2.1/24", "mail.test", "*", "300.1"],
  },
  {
    kind: "helo",
    good: ["mail.test", ".mail.test", "[192.0.2.1]", "localhost", "Mail.TEST"],
    bad: ["a@b.test", "*", "-a.test"],
  },
  {
    kind: "sender",
    good: ["<>", "a@b.test", "b.test", ".b.test", "a@", "A+x@b.test"],
    bad: ["@b.test", "a b", "<a@b.test>", "a@b_c"],
  },
  { kind: "recipient", good: ["a@b.test", "postmaster@"], bad: ["<>"] },
];

for (const { kind, good, bad } of PATTERNS) {
  Deno.test(`parseAccessTable() knows the patterns of ${kind} tables`, () => {
    for (const pattern of good) {
      assert.deepEqual(
        parseAccessTable(kind, `${pattern} OK`).faults,
        [],
        pattern,
      );
    }
    for (const pattern of bad) {
      const { entries, faults } = parseAccessTable(kind, `${pattern} OK`);
      assert.equal(entries.length, 0, pattern);
      assert.equal(faults.length, 1, pattern);
    }
  });
}

const FAULTS: { name: string; text: string; line: number; says: string }[] = [
  {
    name: "a result that is none",
    text: "# c\n\na.test FILTER x",
    line: 3,
    says: "FILTER",
  },
  { name: "no result", text: "a.test", line: 1, says: "no result" },
  {
    name: "words behind OK",
    text: "a.test OK REJECT",
    line: 1,
    says: "behind",
  },
  {
    name: "a 2NN code",
    text: "a.test 250 fine",
    line: 1,
    says: "250",
  },
  {
    name: "codes that contradict",
    text: "a.test 550 4.7.1 x",
    line: 1,
    says: "4.7.1",
  },
  {
    name: "a line that goes on",
    text: "a.test REJECT\n  more",
    line: 2,
    says: "blank",
  },
  {
    name: "a pattern twice",
    text: "a.test OK\nA.test REJECT",
    line: 2,
    says: "line 1",
  },
  {
    name: "words that are not ASCII",
    text: "a.test REJECT n\u00f6",
    line: 1,
    says: "ASCII",
  },
];

for (const { name, text, line, says } of FAULTS) {
  Deno.test(`parseAccessTable() refuses ${name}`, () => {
    const { faults } = parseAccessTable("sender", text);
    assert.equal(faults.length, 1, JSON.stringify(faults));
    assert.equal(faults[0]!.line, line);
    assert.ok(faults[0]!.message.includes(says), faults[0]!.message);
  });
}

Deno.test("parseAccessTable() tells of some faults, not of a million", () => {
  const { entries, faults } = parseAccessTable("sender", "?\n".repeat(10_000));
  assert.deepEqual([entries.length, faults.length], [0, 20]);
});
