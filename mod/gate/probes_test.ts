import assert from "node:assert/strict";
import { type Probed, Probes } from "./probes.ts";

const PART = { positiveMs: 1_000_000, negativeMs: 100_000 };
const NO: Probed = { is: "no", words: "550 5.1.1 who" };

/** Probes that count what they ask. */
function probes(answer: Probed | Promise<Probed>) {
  const made = {
    now: 0,
    asked: 0,
    of: (key: string, waitMs = 1_000) =>
      held.of(key, PART, {
        ask: () => {
          made.asked++;
          return Promise.resolve(answer);
        },
        waitMs,
      }),
  };
  const held = new Probes(() => made.now);
  return made;
}

const KEPT: { name: string; answer: Probed; forMs: number }[] = [
  { name: "a yes", answer: { is: "yes" }, forMs: 1_000_000 },
  { name: "a no", answer: NO, forMs: 100_000 },
  {
    name: "what was not to be learnt",
    answer: { is: "unknown", words: "later" },
    forMs: 60_000,
  },
];

for (const { name, answer, forMs } of KEPT) {
  Deno.test(`Probes remembers ${name} for its time`, async () => {
    const made = probes(answer);
    for (const now of [0, 1, forMs - 1]) {
      made.now = now;
      assert.deepEqual(await made.of("a"), answer);
    }
    assert.equal(made.asked, 1);
    made.now = forMs;
    await made.of("a");
    assert.equal(made.asked, 2);
  });
}

Deno.test("Probes asks once for many who wait for the same", async () => {
  const made = probes({ is: "yes" });
  await Promise.all(Array.from({ length: 20 }, () => made.of("a")));
  assert.equal(made.asked, 1);
});

Deno.test("Probes does not wait long, and learns from what comes late", async () => {
  const { promise, resolve } = Promise.withResolvers<Probed>();
  const made = probes(promise);
  assert.equal((await made.of("a", 10)).is, "unknown");
  resolve(NO);
  await promise;
  await Promise.resolve();
  assert.deepEqual(await made.of("a", 10), NO);
  assert.equal(made.asked, 1);
});

Deno.test("Probes asks about so many at once, and no more", async () => {
  const { promise, resolve } = Promise.withResolvers<Probed>();
  const made = probes(promise);
  const all = Array.from({ length: 200 }, (_, n) => made.of(`${n}`, 10));
  const said = await Promise.all(all);
  assert.ok(said.every(({ is }) => is === "unknown"));
  assert.equal(made.asked, 50);
  resolve({ is: "yes" });
});
