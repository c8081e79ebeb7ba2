import assert from "node:assert/strict";
import {
  compareNames,
  isBelow,
  isWithin,
  labelCount,
  labelsOf,
  nameOctets,
  parentOf,
  parseName,
  readName,
} from "./labels.ts";

Deno.test("compareNames() puts names in the order of RFC 4034 §6.1", () => {
  const ordered = [
    "example.",
    "a.example.",
    "yljkjljk.a.example.",
    "Z.a.example.",
    "zABC.a.EXAMPLE.",
    "z.example.",
    "\\001.z.example.",
    "*.z.example.",
    "\\200.z.example.",
  ].map((text) => parseName(text)!);
  for (let i = 0; i < ordered.length; i++) {
    for (let j = 0; j < ordered.length; j++) {
      const sign = Math.sign(compareNames(ordered[i]!, ordered[j]!));
      assert.equal(sign, Math.sign(i - j), `${ordered[i]} ${ordered[j]}`);
    }
  }
  assert.ok(compareNames("", "a") < 0);
});

const PARSED: [string, string | undefined][] = [
  [".", ""],
  ["Example.COM.", "example.com"],
  ["a\\.b.test", "a\\046b.test"],
  ["a\\046b.test", "a\\046b.test"],
  ["a b.test", "a\\032b.test"],
  ["_25._tcp.*.test", "_25._tcp.*.test"],
  ["0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa"],
  ["a..b", undefined],
  [".a", undefined],
  ["a\\", undefined],
  ["a\\999", undefined],
  ["\u0131.test", undefined],
  ["x".repeat(64), undefined],
  [Array(5).fill("x".repeat(60)).join("."), undefined],
];

for (const [text, want] of PARSED) {
  Deno.test(`parseName() reads ${text.slice(0, 30)} as ${want}`, () => {
    assert.equal(parseName(text), want);
    if (want === undefined) return;
    assert.equal(readName(nameOctets(want), 0)?.name, want);
  });
}

Deno.test("labelsOf(), labelCount() and parentOf() take names apart", () => {
  assert.deepEqual(labelsOf("a.b\\046c.d"), ["a", "b\\046c", "d"]);
  assert.deepEqual(labelsOf(""), []);
  assert.equal(labelCount("a.b.c"), 3);
  assert.equal(labelCount(""), 0);
  assert.equal(parentOf("a.b.c"), "b.c");
  assert.equal(parentOf("c"), "");
  assert.equal(parentOf(""), undefined);
});

Deno.test("isWithin() and isBelow() look at whole labels", () => {
  assert.ok(isBelow("a.b", "b") && isBelow("b", "") && isWithin("b", "b"));
  assert.ok(isWithin("", "") && !isBelow("", "") && !isBelow("b", "b"));
  assert.ok(!isBelow("ab", "b") && !isWithin("ab", "b"));
  assert.ok(!isWithin("b", "a.b"));
});
