import assert from "node:assert/strict";
import fs from "node:fs";
import { ownOutcome } from "../core/outcome.ts";
import { listMatching, listQueue } from "./inspect.ts";
import { ALL_LISTED } from "./inspect_ipc.ts";
import { orderAndAwait } from "./inspect_orders.ts";
import {
  copyOf,
  FakeEdges,
  type Laboratory,
  laboratory,
  newAsk,
  storyOf,
  until,
} from "./laboratory.ts";
import { newOrder, type Order, type OrderAnswer } from "./order_ipc.ts";
import { giveOrder, orderNames } from "./orders_io.ts";

const DELIVERED = ownOutcome("delivered", 250, "2.0.0", "ok");
const NOT_NOW = {
  ...ownOutcome("temporary", 451, "4.3.0", "not now"),
  host: "mail.remote.test",
};
/** Nothing is tried twice by itself. */
const SLOW = { firstRetryMs: 3_600_000, maxRetryMs: 3_600_000 };

/** A queue with this many messages that were deferred, and their ids. */
async function deferred(
  messages: number,
): Promise<{ lab: Laboratory; ids: string[] }> {
  const lab = laboratory({ change: SLOW });
  lab.fake.deliver = () => NOT_NOW;
  const asks = Array.from(
    { length: messages },
    (_, i) => newAsk([`u${i}@home.test`, `v${i}@home.test`]),
  );
  for (const ask of asks) await lab.send(ask);
  await until(
    "all deferred",
    () =>
      listQueue(lab.dir).every(({ recipients }) =>
        recipients.every(({ state }) => state === "deferred")
      ),
  );
  await until("none active", () => lab.queue.counts().byState.active === 0);
  lab.fake.deliver = () => DELIVERED;
  return { lab, ids: asks.map(({ queueId }) => queueId) };
}

/** Gives an order to a queue that runs, and hears that it is over. */
async function done(lab: Laboratory, order: Order): Promise<OrderAnswer> {
  const awaiting = orderAndAwait(lab.dir, order);
  for (let look = 0; look < 5 && orderNames(lab.dir).length > 0; look++) {
    await lab.queue.carryOutOrders();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const answer = await awaiting;
  assert.equal(answer?.isOver, true);
  assert.deepEqual(
    fs.readdirSync(lab.dir).filter((name) => /^(order|answer|new)-/.test(name)),
    [],
  );
  return answer!;
}

function statesOf(lab: Laboratory): string[] {
  return listQueue(lab.dir).flatMap(({ recipients }) =>
    recipients.map(({ state }) => state)
  );
}

Deno.test("Queue holds, releases, retries and deletes as it is ordered, and the history tells", async () => {
  const { lab, ids } = await deferred(4);
  await using _ = lab;
  const [a, b, c, d] = ids as [string, string, string, string];
  const nobody = "0".repeat(16);
  const held = await done(lab, newOrder("hold", { ids: [a, b, nobody] }));
  assert.deepEqual(
    [held.messages, held.recipients, held.missing],
    [2, 4, [nobody]],
  );
  assert.deepEqual(statesOf(lab).filter((one) => one === "hold").length, 4);
  const again = await done(lab, newOrder("hold", { ids: [a] }));
  assert.deepEqual([again.messages, again.unchanged], [0, 1]);

  await done(lab, newOrder("retry", { ids: [c] }));
  await until("c is gone", () => lab.fake.released.length === 1);
  await done(lab, newOrder("retry", { ids: [a] }));
  assert.equal(lab.fake.released.length, 1, "what is held is not retried");
  await done(lab, newOrder("release", { ids: [a] }));
  await until("a is gone", () => lab.fake.released.length === 2);
  const gone = await done(lab, newOrder("delete", { all: true }));
  assert.deepEqual([gone.messages, gone.recipients], [2, 4]);
  await until("content is gone", () => lab.fake.released.length === 4);
  assert.deepEqual(listQueue(lab.dir), []);
  assert.equal(lab.fake.notices.length, 0);
  assert.ok(fs.readFileSync(`${lab.dir}/keys`).every((octet) => octet === 0));
  const told = async (id: string, events: number) =>
    (await storyOf(lab, id, events)).map(({ what }) => what)
      .filter((what) => what !== "delivered" && what !== "deferred");
  assert.deepEqual(await told(a, 7), ["accepted", "held", "released"]);
  assert.deepEqual(await told(b, 5), ["accepted", "held", "deleted"]);
  assert.deepEqual(await told(c, 6), ["accepted", "retried"]);
  assert.deepEqual(await told(d, 4), ["accepted", "deleted"]);
});

Deno.test("Queue gives up a message as ordered, with a notice to its sender", async () => {
  const { lab, ids } = await deferred(1);
  await using _ = lab;
  const answer = await done(lab, newOrder("expire", { ids }));
  assert.deepEqual([answer.messages, answer.recipients], [1, 2]);
  await until("a notice", () => lab.fake.notices.length === 1);
  assert.match(
    lab.fake.notices[0]!.head,
    /Given up by the administrator[^.]*\.\s+The\s+last\s+answer\s+was/,
  );
  await until("both are gone", () => lab.fake.released.length === 2);
});

Deno.test("Queue forgets the order to give up when that is written down, and a successor tells of it", async () => {
  const { lab, ids } = await deferred(1);
  await using _ = lab;
  await done(lab, newOrder("hold", { ids }));
  lab.fake.noticeRefusal = "full";
  giveOrder(lab.dir, newOrder("expire", { ids }), 1);
  while (orderNames(lab.dir).length > 0) await lab.queue.carryOutOrders();
  const dir = copyOf(lab.dir);
  const states = listQueue(dir).flatMap(({ recipients }) =>
    recipients.map(({ state }) => state)
  );
  assert.deepEqual(states, ["bounce", "bounce"]);
  await using next = laboratory({ dir, change: SLOW });
  await until("a notice", () => next.fake.notices.length === 1);
});

Deno.test("Queue reroutes a message as ordered, to a host, to MX hosts, and back, and remembers it", async () => {
  const { lab, ids } = await deferred(1);
  let dir = "";
  {
    await using _ = lab;
    lab.fake.deliver = () => NOT_NOW;
    const nextHop = "relay.test:2525";
    const answer = await done(lab, newOrder("reroute", { ids, nextHop }));
    assert.equal(answer.recipients, 2);
    await until("tried", () => lab.fake.asked.at(-1)?.role === "smtpc");
    assert.deepEqual(lab.fake.asked.at(-1)?.nextHop, {
      kind: "host",
      host: "relay.test",
      port: 2_525,
    });
    await until("idle", () => lab.queue.counts().byState.active === 0);
    assert.equal(listQueue(lab.dir)[0]?.nextHop, nextHop);
    dir = lab.dir;
  }
  const fake = new FakeEdges();
  await using later = laboratory({ dir, change: SLOW, fake });
  fake.deliver = () => NOT_NOW;
  await done(later, newOrder("retry", { ids }));
  await until("tried there", () => fake.asked.at(-1)?.role === "smtpc");
  await until("idle", () => later.queue.counts().byState.active === 0);
  await done(later, newOrder("reroute", { ids, nextHop: "" }));
  await until("tried here", () => fake.asked.at(-1)?.role === "maildir");
  await until("idle", () => later.queue.counts().byState.active === 0);
  await done(later, newOrder("reroute", { ids, nextHop: "mx" }));
  await until("tried at MX hosts", () => fake.asked.at(-1)?.role === "smtpc");
  assert.deepEqual(fake.asked.at(-1)?.nextHop, {
    kind: "mx",
    domain: "home.test",
  });
});

Deno.test("Queue recalls what waits in memory at once, and waits for what is under way", async () => {
  await using lab = laboratory({
    change: { ...SLOW, maxJobs: 1, maxJobsPerDestination: 1 },
  });
  const { fake } = lab;
  const gate = Promise.withResolvers<void>();
  fake.deliver = () => gate.promise.then(() => NOT_NOW);
  const asks = ["a@remote.test", "b@remote.test"].map((to) => {
    fake.routes.set(to, [FakeEdges.remote(to, "remote.test")]);
    return newAsk([to]);
  });
  for (const ask of asks) await lab.send(ask);
  await until("one under way", () => fake.running === 1);
  const ids = asks.map(({ queueId }) => queueId);
  const deleting = orderAndAwait(lab.dir, newOrder("delete", { ids }));
  await until("one is gone", () => fake.released.length === 1);
  assert.deepEqual(fake.released, [asks[1]?.ref]);
  assert.equal((await deleting)?.waiting, 1);
  assert.equal(orderNames(lab.dir).length, 1, "it waits for the other");
  gate.resolve();
  await until("both are gone", () => fake.released.length === 2);
  await until("the order is over", () => orderNames(lab.dir).length === 0);
  assert.equal(fake.asked.length, 1);
});

Deno.test("Queue carries out what was ordered while it was away, and nothing that came later", async () => {
  const { lab, ids } = await deferred(2);
  {
    await using _ = lab;
  }
  assert.equal(
    await orderAndAwait(lab.dir, newOrder("hold", { all: true }), 2),
    undefined,
    "nobody answers",
  );
  // The same order again: a queue that died before it forgot it.
  giveOrder(lab.dir, newOrder("hold", { ids }), 1);
  const dir = copyOf(lab.dir);
  for (const name of fs.readdirSync(lab.dir)) {
    if (name.startsWith("order-")) {
      fs.copyFileSync(`${lab.dir}/${name}`, `${dir}/${name}`);
    }
  }
  fs.writeFileSync(`${dir}/order-${"f".repeat(24)}`, "{}");
  await using next = laboratory({ dir, change: SLOW });
  await until("no order", () => orderNames(dir).length === 0);
  assert.deepEqual(statesOf(next), ["hold", "hold", "hold", "hold"]);
  await next.send(newAsk(["bob@home.test"]));
  await until("delivered", () => next.fake.released.length === 1);
});

Deno.test("Queue flushes all, or one domain, as ordered, and tries what was dead", async () => {
  await using lab = laboratory({ change: SLOW });
  const { fake } = lab;
  fake.deliver = () => ownOutcome("temporary", 451, "4.4.1", "timed out");
  for (let i = 0; i < 12; i++) {
    const to = `u${i}@d${i % 2}.test`;
    fake.routes.set(to, [FakeEdges.remote(to, `d${i % 2}.test`)]);
    await lab.send(newAsk([to]));
  }
  await until(
    "all deferred",
    () => statesOf(lab).every((s) => s !== "incoming"),
  );
  await until("idle", () => lab.queue.counts().byState.active === 0);
  const tried = fake.asked.length;
  assert.ok(tried <= 10, `${tried} tries, five for each`);
  fake.deliver = () => ({ ...DELIVERED, host: "d.test" });
  const one = await done(lab, newOrder("flush", { domain: "d1.test" }));
  assert.equal(one.recipients, 6);
  await until("d1 is done", () => fake.released.length === 6);
  assert.equal((await done(lab, newOrder("flush"))).recipients, 6);
  await until("all are done", () => fake.released.length === 12);
});

Deno.test("Queue hands out nothing of a message while an order about it is written down", async () => {
  // More than are loaded in one go: the rest is loaded a moment later.
  const { lab } = await deferred(150);
  await using _ = lab;
  const { messages, total } = listMatching(lab.dir, ALL_LISTED, 100);
  assert.deepEqual([messages.length, total], [100, 150]);
  const { fake } = lab;
  const gate = Promise.withResolvers<void>();
  fake.deliver = () => gate.promise.then(() => NOT_NOW);
  giveOrder(lab.dir, newOrder("flush"), 1);
  await until("all are due", () => orderNames(lab.dir).length === 0);
  giveOrder(lab.dir, newOrder("hold", { all: true }), 2);
  await until("some are tried", () => fake.running > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  gate.resolve();
  await until("no order", () => orderNames(lab.dir).length === 0);
  await until("idle", () => lab.queue.counts().byState.active === 0);
  assert.deepEqual(new Set(statesOf(lab)), new Set(["hold"]));
});

Deno.test("Queue spares what comes after an order for all that a crash repeats", async () => {
  const { lab } = await deferred(2);
  await using _ = lab;
  const dir = copyOf(lab.dir);
  // All were deleted, and it died before it forgot the order.
  giveOrder(dir, newOrder("delete", { all: true, upTo: 99 }), 1);
  await using next = laboratory({ dir, change: SLOW });
  next.fake.deliver = () => NOT_NOW;
  const ask = newAsk(["bob@home.test"]);
  await next.send(ask);
  await until("no order", () => orderNames(dir).length === 0);
  assert.deepEqual(listQueue(dir).map(({ id }) => id), [ask.queueId]);
});

Deno.test("Queue tries an order again that it could not write down", async () => {
  const { lab } = await deferred(1);
  await using _ = lab;
  await lab.queue.carryOutOrders(); // it cleans up
  const name = giveOrder(lab.dir, newOrder("hold", { all: true }), 1);
  const inTheWay = `${lab.dir}/new-order-${name}`;
  fs.symlinkSync("/dev/full", inTheWay);
  await lab.queue.carryOutOrders();
  assert.equal(orderNames(lab.dir).length, 1);
  fs.rmSync(inTheWay);
  await until("no order", () => orderNames(lab.dir).length === 0);
  assert.deepEqual(statesOf(lab), ["hold", "hold"]);
});

Deno.test("Queue notes in the history that a message is read, and changes nothing", async () => {
  const { lab, ids } = await deferred(2);
  await using _ = lab;
  const missing = "0000000000000000";
  const before = JSON.stringify(listQueue(lab.dir));
  const read = newOrder("read", { ids: [ids[0]!, missing] });
  const answer = await done(lab, read);
  assert.deepEqual([answer.messages, answer.missing], [1, [missing]]);
  assert.equal(JSON.stringify(listQueue(lab.dir)), before);
  const story = await storyOf(lab, ids[0]!, 4);
  assert.equal(story.at(-1)?.what, "read");
  const other = await storyOf(lab, ids[1]!, 3);
  assert.ok(other.every(({ what }) => what !== "read"));
});
