import assert from "node:assert/strict";
import { Agenda, type Owner } from "./agenda.ts";
import { DeadList } from "./dead_list.ts";

function owner(): Owner {
  return { tag: 0 };
}

function wide(all = 1_000, each = 1_000, slowStart = false) {
  return new Agenda<string>({
    atOnce: () => all,
    allowance: () => ({ most: each, intervalMs: 0 }),
    slowStart,
  });
}

Deno.test("Agenda lets a single message pass a list to a thousand destinations", () => {
  const agenda = wide(1);
  const list = owner();
  for (let i = 0; i < 1_000; i++) {
    agenda.add(`list ${i}`, { destination: `d${i}`, owner: list });
  }
  for (let i = 0; i < 5; i++) {
    agenda.done(agenda.next(0)!.destination, "reached");
  }
  agenda.add("single", { destination: "d999", owner: owner() });
  const after: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { job, destination } = agenda.next(0)!;
    after.push(job);
    agenda.done(destination, "reached");
  }
  assert.ok(after.includes("single"), after.join());
});

Deno.test("Agenda interleaves two lists to one destination", () => {
  const agenda = wide(1);
  const [a, b] = [owner(), owner()];
  for (let i = 0; i < 4; i++) agenda.add("a", { destination: "d", owner: a });
  for (let i = 0; i < 4; i++) agenda.add("b", { destination: "d", owner: b });
  let order = "";
  for (let one = agenda.next(0); one !== undefined; one = agenda.next(0)) {
    order += one.job;
    agenda.done(one.destination, "reached");
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
  const started = [
    agenda.next(0),
    agenda.next(0),
    agenda.next(0),
    agenda.next(0),
  ];
  assert.deepEqual(started.map((s) => s?.job), ["x", "x", "y", undefined]);
  assert.equal(agenda.running, 3);
  agenda.done("x", "reached");
  assert.equal(agenda.next(0)?.job, "x");
});

/** Starts all that have room; how many run then. */
function startAll(agenda: Agenda<string>): number {
  while (agenda.next(0) !== undefined);
  return agenda.running;
}

function addAll(agenda: Agenda<string>, jobs: number): void {
  const one = owner();
  for (let i = 0; i < jobs; i++) {
    agenda.add("x", { destination: "x", owner: one });
  }
}

Deno.test("Agenda gives a destination one more for a window full of successes", () => {
  const agenda = wide(100, 7, true);
  addAll(agenda, 100);
  const windows = [startAll(agenda)];
  for (let round = 0; round < 4; round++) {
    for (let i = agenda.running; i > 0; i--) {
      agenda.done("x", "reached");
      startAll(agenda);
    }
    windows.push(agenda.running);
  }
  assert.deepEqual(windows, [5, 6, 7, 7, 7]);
});

Deno.test("Agenda calls a destination dead after a window full of failures in a row, and not before", () => {
  const agenda = wide(100, 20, true);
  addAll(agenda, 50);
  startAll(agenda);
  const verdicts = [1, 2, 3, 4, 5].map(() => agenda.done("x", "failed"));
  assert.deepEqual(verdicts, [false, false, false, false, true]);
  assert.equal(agenda.withdraw("x").length, 45);
  assert.equal(agenda.waiting("x"), 0);
});

Deno.test("Agenda remembers the failures of a destination that was idle between them", () => {
  const agenda = wide(100, 20, true);
  const verdicts = [1, 2, 3, 4, 5].map(() => {
    addAll(agenda, 1);
    startAll(agenda);
    return agenda.done("x", "failed");
  });
  assert.deepEqual(verdicts, [false, false, false, false, true]);
});

Deno.test("Agenda makes a destination slower that fails among successes, and does not kill it", () => {
  const agenda = wide(100, 20, true);
  addAll(agenda, 400);
  startAll(agenda);
  for (let i = 0; i < 100; i++) {
    assert.equal(agenda.done("x", i % 2 === 0 ? "failed" : "reached"), false);
    startAll(agenda);
  }
  assert.ok(agenda.running < 5, `${agenda.running} at once`);
  for (let i = 0; i < 200; i++) {
    agenda.done("x", "reached");
    startAll(agenda);
  }
  assert.ok(agenda.running > 9, `${agenda.running} at once`);
});

Deno.test("Agenda probes with one job, and opens when it is back", () => {
  const agenda = wide(100, 20, true);
  addAll(agenda, 50);
  agenda.probe("x");
  assert.equal(startAll(agenda), 1);
  assert.equal(agenda.done("x", "failed"), true, "one failure is enough");
  agenda.probe("x");
  assert.equal(startAll(agenda), 1);
  assert.equal(agenda.done("x", "reached"), false);
  agenda.revive("x");
  assert.equal(startAll(agenda), 5);
});

Deno.test("Agenda keeps an interval between starts, and says when to come again", () => {
  const agenda = new Agenda<string>({
    atOnce: () => 100,
    allowance: (name) => ({ most: 20, intervalMs: name === "x" ? 100 : 0 }),
    slowStart: true,
  });
  addAll(agenda, 3);
  agenda.add("y", { destination: "y", owner: owner() });
  assert.equal(agenda.next(1_000)?.job, "x");
  assert.equal(agenda.next(1_000)?.job, "y", "others are not kept waiting");
  assert.equal(agenda.next(1_000), undefined);
  assert.equal(agenda.wakeMs, 1_100);
  addAll(agenda, 1);
  agenda.done("x", "reached");
  assert.equal(agenda.next(1_099), undefined);
  assert.equal(agenda.next(1_100)?.job, "x");
  assert.equal(agenda.next(1_100), undefined);
  assert.equal(agenda.next(1_200)?.job, "x");
  agenda.done("x", "reached");
  agenda.done("x", "reached");
  assert.equal(agenda.next(1_299), undefined);
  assert.equal(agenda.next(1_300)?.job, "x");
  agenda.done("x", "reached");
  addAll(agenda, 1);
  assert.equal(agenda.next(1_350), undefined, "an idle one keeps its time");
});

Deno.test("Agenda keeps room for those that answer, however many dead ones there are", () => {
  const agenda = wide(100, 20, true);
  agenda.add("live", { destination: "live", owner: owner() });
  agenda.next(0);
  agenda.done("live", "reached");
  const lives = owner();
  agenda.add("live", { destination: "live", owner: lives });
  agenda.next(0);
  for (let i = 0; i < 1_000; i++) {
    agenda.add(`dead${i % 200}`, {
      destination: `dead${i % 200}`,
      owner: owner(),
    });
  }
  const begun = new Map<string, number>();
  for (let one = agenda.next(0); one !== undefined; one = agenda.next(0)) {
    begun.set(one.destination, (begun.get(one.destination) ?? 0) + 1);
  }
  assert.equal(agenda.running, 91, "90 that may be dead, and the live one");
  assert.ok(Math.max(...begun.values()) <= 5);
  agenda.done("live", "reached");
  for (let i = 0; i < 9; i++) {
    agenda.add("live", { destination: "live", owner: owner() });
    assert.equal(agenda.next(0)?.job, "live");
    agenda.done("live", "reached");
  }
  // All of them get their turn, although none before them ever answers.
  const turns = new Set(begun.keys());
  const running = [...begun.keys()];
  for (let i = 0; i < 5_000 && running.length > 0; i++) {
    const name = running.shift()!;
    agenda.done(name, "nothing");
    for (let one = agenda.next(0); one !== undefined; one = agenda.next(0)) {
      turns.add(one.destination);
      running.push(one.destination);
    }
  }
  assert.equal(turns.size, 200);
});

Deno.test("Agenda takes back the waiting jobs of some owners only", () => {
  const agenda = wide(100, 1);
  const [a, b] = [owner(), owner()];
  for (const destination of ["x", "y"]) {
    for (let i = 0; i < 3; i++) {
      agenda.add(`a${i}`, { destination, owner: a });
      agenda.add(`b${i}`, { destination, owner: b });
    }
  }
  assert.equal(startAll(agenda), 2, "a0 to each");
  assert.deepEqual(
    agenda.withdrawOf(new Set([a])).sort(),
    ["a1", "a1", "a2", "a2"],
  );
  agenda.done("x", "reached");
  assert.equal(agenda.next(0)?.job, "b0");
});

Deno.test("Agenda handles 100,000 jobs in well under a second", () => {
  const agenda = wide(10, 2);
  const begin = performance.now();
  for (let i = 0; i < 100_000; i++) {
    agenda.add("x", { destination: `d${i % 50}`, owner: owner() });
  }
  let done = 0;
  for (let one = agenda.next(0); one !== undefined; one = agenda.next(0)) {
    agenda.done(one.destination, "reached");
    done++;
  }
  assert.equal(done, 100_000);
  assert.ok(performance.now() - begin < 5_000);
});

Deno.test("DeadList backs off further with every failure and forgets at success", () => {
  const list = new DeadList();
  const limits = { firstRetryMs: 1_000, maxRetryMs: 10_000 };
  const fail = (nowMs: number) =>
    list.unreachable("d", { nowMs, random: 0, limits });
  assert.equal(list.standing("d", 0).kind, "alive");
  assert.equal(fail(0), 1_000);
  assert.equal(fail(10), 1_000, "sessions that fail together count once");
  assert.deepEqual(list.standing("d", 999), { kind: "dead", untilMs: 1_000 });
  assert.equal(list.standing("d", 1_000).kind, "probation");
  assert.equal(fail(1_000), 2_500);
  assert.equal(list.reached("d"), true);
  assert.equal(list.reached("d"), false);
  assert.equal(list.standing("d", 1_001).kind, "alive");
});
