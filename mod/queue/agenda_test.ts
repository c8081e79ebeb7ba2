import assert from "node:assert/strict";
import { Agenda, type Owner } from "./agenda.ts";
import { DeadList } from "./dead_list.ts";

function owner(): Owner {
  return { tag: 0 };
}

function wide(all = 1_000, each = 1_000, slowStart = false) {
  return new Agenda<string>({ limits: () => ({ all, each }), slowStart });
}

Deno.test("Agenda lets a single message pass a list to a thousand destinations", () => {
  const agenda = wide(1);
  const list = owner();
  for (let i = 0; i < 1_000; i++) {
    agenda.add(`list ${i}`, { destination: `d${i}`, owner: list });
  }
  for (let i = 0; i < 5; i++) {
    agenda.done(agenda.next()!.destination, true);
  }
  agenda.add("single", { destination: "d999", owner: owner() });
  const after: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { job, destination } = agenda.next()!;
    after.push(job);
    agenda.done(destination, true);
  }
  assert.ok(after.includes("single"), after.join());
});

Deno.test("Agenda interleaves two lists to one destination", () => {
  const agenda = wide(1);
  const [a, b] = [owner(), owner()];
  for (let i = 0; i < 4; i++) agenda.add("a", { destination: "d", owner: a });
  for (let i = 0; i < 4; i++) agenda.add("b", { destination: "d", owner: b });
  let order = "";
  for (let one = agenda.next(); one !== undefined; one = agenda.next()) {
    order += one.job;
    agenda.done(one.destination, true);
  }
  assert.equal(order, "abababab");
});

Deno.test("Agenda keeps to its limits, in all and to one destination", () => {
  const agenda = wide(3, 2);
  const one = owner();
  for (let i = 0; i < 5; i++) {
    agenda.add("x", { destination: "x", owner: one });
  }
  for (let i = 0; i < 5; i++) {
    agenda.add("y", { destination: "y", owner: one });
  }
  const started = [agenda.next(), agenda.next(), agenda.next(), agenda.next()];
  assert.deepEqual(started.map((s) => s?.job), ["x", "x", "y", undefined]);
  assert.equal(agenda.running, 3);
  agenda.done("x", true);
  assert.equal(agenda.next()?.job, "x");
});

Deno.test("Agenda starts slowly and shrinks to one when unreachable", () => {
  const agenda = wide(100, 20, true);
  const one = owner();
  for (let i = 0; i < 50; i++) {
    agenda.add("x", { destination: "x", owner: one });
  }
  let running = 0;
  while (agenda.next() !== undefined) running++;
  assert.equal(running, 5);
  for (let i = 0; i < 5; i++) agenda.done("x", true);
  running = 0;
  while (agenda.next() !== undefined) running++;
  assert.equal(running, 5, "5 successes at 5 to 5.9 are not quite one more");
  for (let i = 0; i < 5; i++) agenda.done("x", true);
  running = 0;
  while (agenda.next() !== undefined) running++;
  assert.equal(running, 6);
  for (let i = 0; i < 6; i++) agenda.done("x", false);
  running = 0;
  while (agenda.next() !== undefined) running++;
  assert.equal(running, 1);
  assert.equal(agenda.withdraw("x").length, 50 - 17);
  assert.equal(agenda.waiting("x"), 0);
});

Deno.test("Agenda handles 100,000 jobs in well under a second", () => {
  const agenda = wide(10, 2);
  const begin = performance.now();
  for (let i = 0; i < 100_000; i++) {
    agenda.add("x", { destination: `d${i % 50}`, owner: owner() });
  }
  let done = 0;
  for (let one = agenda.next(); one !== undefined; one = agenda.next()) {
    agenda.done(one.destination, true);
    done++;
  }
  assert.equal(done, 100_000);
  assert.ok(performance.now() - begin < 5_000);
});

Deno.test("DeadList backs off further with every failure and forgets at success", () => {
  const list = new DeadList();
  const limits = { firstRetryMs: 1_000, maxRetryMs: 10_000 };
  assert.equal(list.unreachable("d", { nowMs: 0, random: 0, limits }), 1_000);
  assert.equal(
    list.unreachable("d", { nowMs: 10, random: 0, limits }),
    1_000,
    "sessions that fail together count once",
  );
  assert.equal(list.untilMs("d", 999), 1_000);
  assert.equal(list.untilMs("d", 1_000), undefined);
  assert.equal(
    list.unreachable("d", { nowMs: 1_000, random: 0, limits }),
    2_500,
  );
  list.reached("d");
  assert.equal(list.untilMs("d", 1_001), undefined);
});
