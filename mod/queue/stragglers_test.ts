import assert from "node:assert/strict";
import { ownOutcome } from "../core/outcome.ts";
import type { ContentRef } from "../core/shapes.ts";
import { listQueue } from "./inspect.ts";
import {
  copyOf,
  FakeEdges,
  laboratory,
  leftIncoming,
  newAsk,
  tempDir,
  until,
} from "./laboratory.ts";
import { Store } from "./store_io.ts";

const NOT_NOW = ownOutcome("temporary", 451, "4.3.0", "not now");
const OK = ownOutcome("delivered", 250, "2.0.0", "ok");
const LATER = { firstRetryMs: 60_000, maxRetryMs: 60_000 };

/** A queue with one deferred message, and the record that it was stored in. */
async function deferred(dir = tempDir()) {
  const lab = laboratory({ dir, change: LATER });
  lab.fake.deliver = () => NOT_NOW;
  const ask = newAsk(["bob@home.test"]);
  await lab.send(ask);
  await until(
    "deferred",
    () => listQueue(dir)[0]?.recipients[0]?.state === "deferred",
  );
  lab.fake.stragglers = [ask.ref];
  return { lab, ask };
}

Deno.test("Queue moves a deferred straggler, releases the old record, and delivers from the new one", async () => {
  const dir = tempDir();
  const { lab, ask } = await deferred(dir);
  await lab.queue.moveStragglers();
  await until("released", () => lab.fake.released.length === 1);
  assert.deepEqual(lab.fake.released, [ask.ref]);
  const [{ old, copy }] = lab.fake.moved as [typeof lab.fake.moved[0]];
  assert.deepEqual(old, ask.ref);
  assert.equal(lab.counters.get("moved"), 1);
  await lab[Symbol.asyncDispose]();

  await using again = laboratory({ dir, change: LATER });
  await until("adopted", () => again.fake.adopted.at(-1)?.last === true);
  const told = again.fake.adopted.flatMap(({ refs }) => refs);
  assert.deepEqual(told, [copy]);
});

Deno.test("Queue moves nothing that is being delivered, or unknown", async () => {
  const [incoming, active] = [newAsk(["a@home.test"]), newAsk(["b@home.test"])];
  const dir = await leftIncoming([incoming]);
  assert.deepEqual(listQueue(dir).map(({ state }) => state), ["incoming"]);
  await using lab = laboratory({ dir, change: LATER });
  const { fake, queue } = lab;
  fake.deliver = () => new Promise(() => {});
  await lab.send(active);
  await until("both delivered", () => fake.asked.length === 2);
  fake.stragglers = [incoming.ref, active.ref, newAsk(["c@home.test"]).ref];
  await queue.moveStragglers();
  assert.deepEqual(fake.released, []);
  // What was copied, if anything, would have been released.
  assert.deepEqual(fake.moved, []);
});

Deno.test("Queue keeps the record of a message that is loaded while it is moved, and releases the copy", async () => {
  await using lab = laboratory();
  const { fake, queue } = lab;
  let tries = 0;
  let finish = () => {};
  fake.deliver = () =>
    ++tries === 1 ? NOT_NOW : new Promise((resolve) => {
      finish = () => resolve(OK);
    });
  const ask = newAsk(["bob@home.test"]);
  // The copy takes until the second attempt has begun.
  fake.moving = until("tried again", () => tries === 2);
  await lab.send(ask);
  await until(
    "deferred",
    () => listQueue(lab.dir)[0]?.recipients[0]?.state === "deferred",
  );
  fake.stragglers = [ask.ref];
  await queue.moveStragglers();
  await until("copy released", () => fake.released.length === 1);
  assert.deepEqual(fake.released, [fake.moved[0]!.copy]);
  finish();
  await until("delivered", () => fake.released.length === 2);
  assert.deepEqual(fake.released[1], ask.ref);
  assert.deepEqual(fake.asked.map(({ ref }) => ref), [ask.ref, ask.ref]);
});

interface Copy {
  readonly dir: string;
  readonly step: string;
  readonly released: readonly ContentRef[];
}

Deno.test("Queue never names a released record, wherever it crashes while it moves", async () => {
  const { lab, ask } = await deferred();
  const { fake } = lab;
  const copies: Copy[] = [];
  const snap = (step: string) => {
    copies.push({ dir: copyOf(lab.dir), step, released: [...fake.released] });
  };
  const { transaction } = Store.prototype;
  Store.prototype.transaction = function (work) {
    snap("committing");
    transaction.call(this, work);
    snap("committed");
  };
  fake.onAsk = snap;
  try {
    await lab.queue.moveStragglers();
    await until("released", () => fake.released.length === 1);
  } finally {
    Store.prototype.transaction = transaction;
    fake.onAsk = () => {};
  }
  await lab[Symbol.asyncDispose]();
  const { copy } = fake.moved[0]!;
  const steps = copies.map(({ step }) => step);
  for (const step of ["move asked", "move answered", "committed"]) {
    assert.ok(steps.includes(step), step);
  }
  const named: ContentRef[] = [];
  for (const { dir, step, released } of copies) {
    await using again = laboratory({
      dir,
      change: LATER,
      fake: new FakeEdges(),
    });
    await until("adopted", () => again.fake.adopted.at(-1)?.last === true);
    const told = again.fake.adopted.flatMap(({ refs }) => refs);
    assert.equal(told.length, 1, step);
    named.push(told[0]!);
    for (const gone of released) assert.notDeepEqual(told[0], gone, step);
  }
  assert.deepEqual(named[0], ask.ref);
  assert.deepEqual(named.at(-1), copy);
});
