import assert from "node:assert/strict";
import {
  BEGIN_WITHIN_MS,
  BIG_BYTES,
  Dispatcher,
  MAX_BATCH,
  MAX_BATCHES,
  MAX_BIG,
} from "./dispatcher.ts";
import type { Draft } from "./draft.ts";
import type { Durability } from "./durability.ts";
import { deliveryTo, toolsOn } from "./fake_delivery.ts";
import { FakeFiles } from "./fake_files.ts";

/** A way whose syncs end when the test says so, and that notes its rounds. */
function heldWay() {
  const rounds: number[] = [];
  const held: (() => void)[] = [];
  const way: Durability = {
    octets: (drafts: readonly Draft[]) => {
      rounds.push(drafts.length);
      return new Promise((resolve) => held.push(resolve));
    },
    names: () => Promise.resolve(),
  };
  return { way, rounds, held, free: () => held.splice(0).forEach((f) => f()) };
}

function setUp(syncfsFrom = 4, monotonicMs = () => 0) {
  const files = new FakeFiles("/mail");
  const lone = heldWay();
  const alone = heldWay();
  const together = heldWay();
  const dispatcher = new Dispatcher({
    tools: toolsOn(files, "/mail"),
    lone: lone.way,
    alone: alone.way,
    together: together.way,
    syncfsFrom: () => syncfsFrom,
    monotonicMs,
  });
  return { files, lone, alone, together, dispatcher };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("Dispatcher delivers a lone message at once and alone", async () => {
  const { lone, alone, together, dispatcher } = setUp();
  const came = dispatcher.deliver(deliveryTo("a"));
  while (lone.rounds.length < 1) await turn();
  assert.deepEqual(lone.rounds, [1]);
  const second = dispatcher.deliver(deliveryTo("a"));
  while (alone.rounds.length < 1) await turn();
  assert.deepEqual(alone.rounds, [1], "not alone any more");
  assert.deepEqual(together.rounds, []);
  lone.free();
  alone.free();
  assert.equal((await came).kind, "done");
  assert.equal((await second).kind, "done");
});

Deno.test("Dispatcher delivers a few side by side, and many together", async () => {
  const { alone, together, dispatcher } = setUp(4);
  const few = [1, 2, 3].map(() => dispatcher.deliver(deliveryTo("a")));
  await turn();
  assert.deepEqual(alone.rounds, [1, 1, 1]);
  const many = [1, 2, 3, 4, 5].map(() => dispatcher.deliver(deliveryTo("a")));
  await turn();
  assert.deepEqual(together.rounds, [5]);
  alone.free();
  together.free();
  await Promise.all([...few, ...many]);
});

Deno.test("Dispatcher counts mailboxes and not messages", async () => {
  const { together, dispatcher } = setUp(4);
  const came = dispatcher.deliver(deliveryTo("a", "b", "c", "d"));
  await turn();
  assert.deepEqual(together.rounds, [4]);
  together.free();
  await came;
});

Deno.test("Dispatcher collects while a batch is under way", async () => {
  const { lone, together, dispatcher } = setUp(4);
  const first = [1, 2, 3, 4].map(() => dispatcher.deliver(deliveryTo("a")));
  await turn();
  const second = [];
  for (let i = 0; i < 9; i++) {
    second.push(dispatcher.deliver(deliveryTo("b")));
    await turn();
  }
  assert.deepEqual(together.rounds, [4]);
  together.free();
  await Promise.all(first);
  await turn();
  assert.deepEqual(together.rounds, [4, 9]);
  const last = dispatcher.deliver(deliveryTo("c"));
  await turn();
  together.free();
  await Promise.all(second);
  await turn();
  assert.deepEqual(lone.rounds, [1], "too few for a batch: alone, at once");
  lone.free();
  await last;
});

Deno.test("Dispatcher bounds a batch, and how many there are", async () => {
  const { together, dispatcher } = setUp(4);
  const came = Array.from(
    { length: 2 * MAX_BATCH + 50 },
    () => dispatcher.deliver(deliveryTo("a")),
  );
  while (together.rounds.length < MAX_BATCHES) await turn();
  await turn();
  assert.deepEqual(together.rounds, [MAX_BATCH, MAX_BATCH]);
  together.free();
  while (together.rounds.length < 3) await turn();
  assert.deepEqual(together.rounds, [MAX_BATCH, MAX_BATCH, 50]);
  together.free();
  await Promise.all(came);
});

Deno.test("Dispatcher lets big messages hold up no batch", async () => {
  const { alone, together, dispatcher } = setUp(4);
  const big = deliveryTo("a");
  big.ref.sizeBytes = BIG_BYTES;
  const bigs = Array.from(
    { length: MAX_BIG + 2 },
    () => dispatcher.deliver(big),
  );
  const small = [1, 2, 3, 4].map(() => dispatcher.deliver(deliveryTo("a")));
  await turn();
  assert.deepEqual(together.rounds, [4]);
  assert.equal(alone.rounds.length, MAX_BIG);
  together.free();
  await Promise.all(small);
  alone.free();
  await turn();
  assert.equal(alone.rounds.length, MAX_BIG + 2);
  alone.free();
  await Promise.all(bigs);
});

Deno.test("Dispatcher.idle() waits for what is under way", async () => {
  const { lone, dispatcher } = setUp();
  let isIdle = false;
  const came = dispatcher.deliver(deliveryTo("a"));
  await turn();
  const idle = dispatcher.idle().then(() => isIdle = true);
  await turn();
  assert.equal(isIdle, false);
  lone.free();
  await came;
  await idle;
  assert.equal(isIdle, true);
});

Deno.test("Dispatcher puts off what nobody waits for any more", async () => {
  let nowMs = 0;
  const { files, together, dispatcher } = setUp(4, () => nowMs);
  const first = [1, 2, 3, 4].map(() => dispatcher.deliver(deliveryTo("a")));
  await turn();
  const late = dispatcher.deliver(deliveryTo("b", "c"));
  nowMs = BEGIN_WITHIN_MS;
  together.free();
  await Promise.all(first);
  const came = await late;
  assert.ok(came.kind === "done");
  assert.deepEqual(came.outcomes.map((o) => o.code), [451, 451]);
  assert.equal(files.within("/mail/home.test/b/new").size, 0);
});

Deno.test("Dispatcher begins a repeat when the first has ended", async () => {
  const { files, lone, alone, dispatcher } = setUp();
  const delivery = deliveryTo("a");
  const first = dispatcher.deliver(delivery);
  await turn();
  const repeat = dispatcher.deliver({ ...delivery, isRepeat: true });
  const other = dispatcher.deliver({
    ...deliveryTo("b"),
    queueId: "FEDCBA9876543210",
    isRepeat: true,
  });
  await turn();
  assert.deepEqual(lone.rounds, [1], "the first");
  assert.deepEqual(alone.rounds, [1], "the other");
  alone.free();
  lone.free();
  assert.equal((await first).kind, "done");
  assert.equal((await other).kind, "done");
  await turn();
  lone.free();
  const came = await repeat;
  assert.ok(came.kind === "done");
  assert.equal(came.outcomes[0]!.kind, "delivered");
  assert.equal(files.within("/mail/home.test/a/new").size, 1);
});
