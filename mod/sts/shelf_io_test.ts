import assert from "node:assert/strict";
import type { Kept } from "./known.ts";
import { Shelf } from "./shelf_io.ts";

function kept(id: string, fetchedMs = 1_000): Kept {
  return {
    policy: {
      mode: "enforce",
      id,
      mx: ["mx.remote.test"],
      lines: ["version: STSv1"],
      untilMs: fetchedMs + 1_000,
    },
    fetchedMs,
  };
}

function open(): { dir: string; shelf: Shelf; failing: string[] } {
  const dir = Deno.makeTempDirSync({ prefix: "bulkhead-sts-" });
  const failing: string[] = [];
  return { dir, failing, shelf: new Shelf(dir, (why) => failing.push(why)) };
}

Deno.test("Shelf keeps policies for the next process, the oldest first", () => {
  const { dir, shelf } = open();
  shelf.keep("b.test", kept("1", 2_000));
  shelf.keep("a.test", kept("1", 3_000));
  shelf.keep("b.test", kept("2", 1_000));
  const found = new Shelf(dir, () => {}).all();
  assert.deepEqual(found, [
    { domain: "b.test", kept: kept("2", 1_000) },
    { domain: "a.test", kept: kept("1", 3_000) },
  ]);
  assert.equal(Deno.statSync(`${dir}/a.test`).mode! & 0o777, 0o600);
});

Deno.test("Shelf forgets one, and does not mind one that is gone", () => {
  const { shelf, failing } = open();
  shelf.keep("a.test", kept("1"));
  shelf.forget("a.test");
  shelf.forget("a.test");
  assert.deepEqual(shelf.all(), []);
  assert.deepEqual(failing, []);
});

const DAMAGED: { name: string; text: string }[] = [
  { name: "nothing, as a power cut leaves it", text: "" },
  { name: "half of it", text: JSON.stringify(kept("1")).slice(0, 40) },
  { name: "another shape", text: '{"policy":{},"fetchedMs":1}' },
  { name: "more than there may be", text: " ".repeat(200_000) + "{}" },
];
for (const { name, text } of DAMAGED) {
  Deno.test(`Shelf throws a file away with ${name}`, () => {
    const { dir, shelf } = open();
    Deno.writeTextFileSync(`${dir}/a.test`, text);
    assert.deepEqual(shelf.all(), []);
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  });
}

Deno.test("Shelf removes what a process that died had not finished", () => {
  const { dir, shelf } = open();
  Deno.writeTextFileSync(`${dir}/New-1`, "{");
  shelf.keep("a.test", kept("1"));
  assert.equal(shelf.all().length, 1);
  assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), [
    "a.test",
  ]);
});

Deno.test("Shelf writes nowhere else, whatever a domain is called", () => {
  const { dir, shelf } = open();
  Deno.mkdirSync(`${dir}/in`);
  const inner = new Shelf(`${dir}/in`, () => {});
  for (const name of ["..", "../out", ".hidden", "[192.0.2.1]", "A.test", ""]) {
    inner.keep(name, kept("1"));
    inner.forget(name);
  }
  assert.deepEqual([...Deno.readDirSync(`${dir}/in`)], []);
  assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["in"]);
  assert.deepEqual(shelf.all(), []);
});

Deno.test("Shelf tells once that the disk says no, and goes on", () => {
  const failing: string[] = [];
  // What is no directory, nobody can write into; root too.
  const shelf = new Shelf("/dev/null", (why) => failing.push(why));
  shelf.keep("a.test", kept("1"));
  shelf.keep("b.test", kept("1"));
  assert.equal(failing.length, 1);
});
