import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { Exchanges } from "./exchanges.ts";
import { WorkQueue } from "./work_queue.ts";

/** Work that ends when it is told to. */
function works() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    end: async (name: string) => {
      ends.get(name)!();
      await new Promise((resolve) => setTimeout(resolve));
    },
    work: (name: string) => () => {
      started.push(name);
      const { promise, resolve } = Promise.withResolvers<string>();
      ends.set(name, () => resolve(name));
      return promise;
    },
  };
}

Deno.test("WorkQueue runs so many at once, in order, and has room for so many", async () => {
  const { started, end, work } = works();
  const queue = new WorkQueue({ atOnce: 2, waiting: 3, waitingOfOne: 2 });
  const run = (name: string) =>
    queue.run({ owner: name[0]!, isKnown: false }, work(name));
  const all = ["a1", "a2", "a3", "a4"].map(run);
  strictEqual(await run("a5"), undefined, "the owner's room is full");
  const more = run("b1");
  strictEqual(await run("c1"), undefined, "the room is full");
  deepStrictEqual(started, ["a1", "a2"]);
  await end("a2");
  deepStrictEqual(started, ["a1", "a2", "a3"]);
  await end("a1");
  await end("a3");
  deepStrictEqual(started, ["a1", "a2", "a3", "a4", "b1"]);
  await end("a4");
  await end("b1");
  deepStrictEqual(await Promise.all([...all, more]), [
    "a1",
    "a2",
    "a3",
    "a4",
    "b1",
  ]);
});

Deno.test("WorkQueue serves the known first, who have a room of their own", async () => {
  const { started, end, work } = works();
  const queue = new WorkQueue({ atOnce: 1, waiting: 2, waitingOfOne: 2 });
  const run = (name: string, isKnown: boolean) =>
    queue.run({ owner: name, isKnown }, work(name));
  const all = ["a", "b", "c"].map((name) => run(name, false));
  strictEqual(await run("d", false), undefined);
  all.push(run("me", true));
  for (const name of ["a", "me", "b", "c"]) await end(name);
  deepStrictEqual(started, ["a", "me", "b", "c"]);
  await Promise.all(all);
});

Deno.test("WorkQueue goes on after work that failed", async () => {
  const queue = new WorkQueue({ atOnce: 1, waiting: 1, waitingOfOne: 1 });
  const owner = { owner: "a", isKnown: false };
  await rejects(queue.run(owner, () => Promise.reject(new Error("no"))), /no/);
  strictEqual(await queue.run(owner, () => Promise.resolve("yes")), "yes");
});

Deno.test("Exchanges gives each out once, to its asker, for a minute", () => {
  const exchanges = new Exchanges<string>();
  const name = exchanges.begin("x", "submission.0", 0);
  strictEqual(exchanges.take(name, "submission.1", 0), undefined);
  strictEqual(exchanges.take(name, "submission.0", 59_999), "x");
  strictEqual(exchanges.take(name, "submission.0", 0), undefined);
  const late = exchanges.begin("y", "submission.0", 0);
  strictEqual(exchanges.take(late, "submission.0", 60_000), undefined);
  strictEqual(exchanges.take("nonsense", "submission.0", 0), undefined);
});

Deno.test("Exchanges keeps a bounded number, and forgets who is gone", () => {
  const exchanges = new Exchanges<number>();
  const first = exchanges.begin(0, "a", 0);
  for (let n = 1; n <= 10_000; n++) exchanges.begin(n, "a", 0);
  strictEqual(exchanges.size, 10_000);
  strictEqual(exchanges.take(first, "a", 0), undefined);
  exchanges.begin(1, "b", 60_000);
  strictEqual(exchanges.size, 1, "the old are gone");
  exchanges.forget("b");
  strictEqual(exchanges.size, 0);
});
