import assert from "node:assert/strict";
import { parseAddress } from "../core/network.ts";
import { AccessTables } from "./access.ts";
import { QUIET } from "./gate_fixture.ts";

function tables(access: Partial<Record<string, string[]>>) {
  const files = (kind: string) =>
    (access[kind] ?? []).map((text, n) => ({ path: `${kind}${n}`, text }));
  return new AccessTables({
    ...QUIET,
    access: {
      client: files("client"),
      helo: files("helo"),
      sender: files("sender"),
      recipient: files("recipient"),
    },
  });
}

const SENDER = `a+x@b.test WARN 1
a@b.test WARN 2
b.test WARN 3
.b.test WARN 4
c.b.test WARN 5
root@ WARN 6
<> WARN 7
test WARN 8
`;

const SENDERS: { path: string; line: number | undefined }[] = [
  { path: "a+x@b.test", line: 1 },
  { path: "A+X@b.test", line: 1 },
  { path: "a@b.test", line: 2 },
  { path: "a+y@b.test", line: 2 },
  { path: "z@b.test", line: 3 },
  { path: "z@d.b.test", line: 4 },
  { path: "z@c.b.test", line: 5 },
  { path: "z@e.c.b.test", line: 5 },
  { path: "root@elsewhere.example", line: 6 },
  { path: "root+x@elsewhere.example", line: 6 },
  { path: "", line: 7 },
  { path: "z@other.test", line: 8 },
  { path: "z@elsewhere.example", line: undefined },
  { path: "z@notb.example", line: undefined },
  { path: "z@[192.0.2.1]", line: undefined },
];

for (const { path, line } of SENDERS) {
  Deno.test(`AccessTables finds line ${line} for the sender <${path}>`, () => {
    const hits = tables({ sender: [SENDER] }).sender(path);
    assert.deepEqual(
      hits.map(({ source }) => source),
      line === undefined ? [] : [`sender0:${line}`],
    );
  });
}

Deno.test("AccessTables asks every table, in order", () => {
  const two = tables({ recipient: ["a@b.test DUNNO", "b.test REJECT"] });
  assert.deepEqual(
    two.recipient("a@b.test").map(({ source }) => source),
    ["recipient0:1", "recipient1:1"],
  );
});

Deno.test("AccessTables finds the narrowest network of a client", () => {
  const one = tables({
    client: ["192.0.2 REJECT\n192.0.2.7 OK\n2001:db8::/32 HOLD"],
  });
  const line = (text: string) => one.client(parseAddress(text)!)[0]?.source;
  assert.equal(line("192.0.2.1"), "client0:1");
  assert.equal(line("192.0.2.7"), "client0:2");
  assert.equal(line("2001:db8::1"), "client0:3");
  assert.equal(line("198.51.100.1"), undefined);
});

Deno.test("AccessTables finds a HELO name and its domains", () => {
  const one = tables({ helo: ["bad.test REJECT\n[192.0.2.1] REJECT"] });
  assert.equal(one.helo("MX.Bad.Test")[0]?.source, "helo0:1");
  assert.equal(one.helo("[192.0.2.1]")[0]?.source, "helo0:2");
  assert.deepEqual(one.helo("x".repeat(255)), []);
});

Deno.test("AccessTables loads 100,000 entries and stays fast", () => {
  const lines = Array.from(
    { length: 100_000 },
    (_, n) => `u${n}@a.test REJECT`,
  );
  const started = performance.now();
  const one = tables({ sender: [lines.join("\n")] });
  const loaded = performance.now() - started;
  assert.equal(one.size, 100_000);
  assert.ok(loaded < 5_000, `${loaded} ms`);
  const asked = performance.now();
  for (let n = 0; n < 10_000; n++) one.sender(`u${n}@a.test`);
  assert.ok((performance.now() - asked) / 10_000 < 0.1);
});

Deno.test("AccessTables is not slowed down by a name of many labels", () => {
  const one = tables({ helo: ["bad.test REJECT"] });
  const name = "a.".repeat(125) + "bad.test";
  const asked = performance.now();
  for (let n = 0; n < 1_000; n++) {
    assert.equal(one.helo(name).length, 1);
  }
  assert.ok((performance.now() - asked) / 1_000 < 1);
});
