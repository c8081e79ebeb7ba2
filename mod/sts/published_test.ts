import assert from "node:assert/strict";
import { published } from "./published.ts";

const octets = (text: string) => new TextEncoder().encode(text);
const GOOD = "version: STSv1\r\nmode: testing\r\nmx: *.Remote.test\r\n" +
  "max_age: 604800\r\n";

Deno.test("published() reads a policy, and keeps its lines for TLSRPT", () => {
  assert.deepEqual(published(octets(GOOD)), {
    kind: "policy",
    mode: "testing",
    mx: ["*.remote.test"],
    lines: [
      "version: STSv1",
      "mode: testing",
      "mx: *.Remote.test",
      "max_age: 604800",
    ],
    maxAgeMs: 604_800_000,
  });
});

const INVALID: { name: string; text: string }[] = [
  { name: "nothing", text: "" },
  { name: "another version", text: GOOD.replace("STSv1", "STSv2") },
  { name: "no mode", text: GOOD.replace("mode", "mood") },
  { name: "no mx", text: GOOD.replace("mx", "xm") },
  { name: "no max_age", text: GOOD.replace("max_age", "age") },
  { name: "a page", text: "<html><title>Hello: you</title></html>" },
];
for (const { name, text } of INVALID) {
  Deno.test(`published() says that it is no policy: ${name}`, () => {
    const got = published(octets(text));
    assert.ok(got.kind === "failed");
    assert.equal(got.failure, "sts-policy-invalid");
    assert.notEqual(got.why, "");
  });
}

Deno.test("published() keeps no more lines than a report has room for", () => {
  const more = "\x01\u00fc: x\n".repeat(30) + `z: ${"y".repeat(500)}\n`;
  const got = published(octets(GOOD + more));
  assert.ok(got.kind === "policy");
  assert.equal(got.lines.length, 20);
  assert.ok(got.lines.every((line) => /^[\x20-\x7e]{1,300}$/.test(line)));
});
