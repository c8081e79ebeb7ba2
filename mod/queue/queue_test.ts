import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { ownOutcome } from "../core/outcome.ts";
import { listQueue } from "./inspect.ts";
import { KeyFile } from "./keys_io.ts";
import {
  FakeEdges,
  laboratory,
  leftIncoming,
  newAsk,
  newContent,
  storyOf,
  until,
} from "./laboratory.ts";
import { Store } from "./store_io.ts";

const DELIVERED = ownOutcome("delivered", 250, "2.0.0", "ok");
const NOT_NOW = ownOutcome("temporary", 451, "4.3.0", "not now");
const NEVER = ownOutcome("permanent", 550, "5.7.1", "never");

/** Lets nothing be delivered before the returned function is called. */
function gated(fake: FakeEdges): () => void {
  const gate = Promise.withResolvers<void>();
  fake.deliver = () => gate.promise.then(() => DELIVERED);
  return gate.resolve;
}

Deno.test("Queue delivers an accepted message, and forgets it", async () => {
  await using lab = laboratory();
  const { queue, fake, dir } = lab;
  const ask = newAsk(["bob@home.test"]);
  assert.deepEqual(await queue.accept(ask, "smtpd.0"), { answer: {} });
  await until("released", () => fake.released.length === 1);
  assert.deepEqual(fake.released, [ask.ref]);
  assert.equal(fake.asked.length, 1);
  assert.equal(fake.asked[0]?.key, ask.key);
  assert.deepEqual(fake.asked[0]?.addresses, ["bob@home.test"]);
  assert.equal(lab.counters.get("accepted"), 1);
  assert.equal(lab.counters.get("delivered"), 1);
  assert.equal(listQueue(dir).length, 0);
  const story = await storyOf(lab, ask.queueId, 2);
  assert.deepEqual(story.map(({ what }) => what), ["accepted", "delivered"]);
});

Deno.test("Queue calls no message queued before its key is on disk", async () => {
  const { sync } = KeyFile.prototype;
  const seen: string[] = [];
  await using lab = laboratory();
  lab.fake.deliver = () => NOT_NOW;
  KeyFile.prototype.sync = async function () {
    // The rows are committed while the key's sync is under way.
    await new Promise((resolve) => setTimeout(resolve, 20));
    seen.push(...listQueue(lab.dir).map(({ state }) => state));
    return sync.call(this);
  };
  try {
    const ask = newAsk(["bob@home.test"]);
    assert.deepEqual(await lab.queue.accept(ask, "smtpd.0"), { answer: {} });
  } finally {
    KeyFile.prototype.sync = sync;
  }
  assert.deepEqual(seen, ["incoming"]);
  await until("queued", () => listQueue(lab.dir)[0]?.state === "queued");
});

Deno.test("Queue records outcomes on a full disk in the room of its reserve", async () => {
  const { transaction } = Store.prototype;
  await using lab = laboratory();
  const ended = Promise.withResolvers<void>();
  lab.fake.deliver = async () => {
    await ended.promise;
    return DELIVERED;
  };
  await lab.send(newAsk(["bob@home.test"]));
  await until("a delivery", () => lab.fake.running === 1);
  // The disk is full: only what the reserve gives up is room, and it must
  // still be there when the commit is tried again after a second.
  let failedMs = Infinity;
  Store.prototype.transaction = function (work) {
    const size = fs.statSync(`${lab.dir}/reserve`).size;
    if (size > 0 || performance.now() - failedMs < 500) {
      failedMs = Math.min(failedMs, performance.now());
      throw Object.assign(new Error("full"), { errcode: 13 });
    }
    transaction.call(this, work);
  };
  try {
    ended.resolve();
    await until("released", () => lab.fake.released.length === 1);
  } finally {
    Store.prototype.transaction = transaction;
  }
  await until(
    "the reserve",
    () => fs.statSync(`${lab.dir}/reserve`).size > 0,
  );
  await lab.send(newAsk(["bob@home.test"]));
});

Deno.test("Queue tries again what was due before its last outcome was recorded", async () => {
  const { transaction } = Store.prototype;
  await using lab = laboratory();
  let attempts = 0;
  let failUntilMs = 0;
  lab.fake.deliver = () => {
    if (attempts++ > 0) return DELIVERED;
    failUntilMs = performance.now() + 500;
    return NOT_NOW;
  };
  // The next attempt is due after 100 ms; the commit that says so comes after
  // a second.
  Store.prototype.transaction = function (work) {
    if (performance.now() < failUntilMs) {
      throw Object.assign(new Error("full"), { errcode: 13 });
    }
    transaction.call(this, work);
  };
  try {
    await lab.send(newAsk(["bob@home.test"]));
    await until("released", () => lab.fake.released.length === 1);
  } finally {
    Store.prototype.transaction = transaction;
  }
});

Deno.test("Queue answers the same id and record again, and refuses another record", async () => {
  await using lab = laboratory();
  const ask = newAsk(["bob@home.test"]);
  const { queue, fake } = lab;
  const open = gated(fake);
  assert.deepEqual(await queue.accept(ask, "smtpd.0"), { answer: {} });
  assert.deepEqual(await queue.accept(ask, "smtpd.1"), { answer: {} });
  const other = { ...ask, ...newContent() };
  assert.deepEqual(await queue.accept(other, "smtpd.0"), {
    refusal: "unhealthy",
  });
  open();
  await until("released", () => fake.released.length === 1);
  assert.equal(fake.asked.length, 1);
  assert.equal(fake.asked[0]?.key, ask.key, "the first key, still whole");
});

Deno.test("Queue knows pickup's message again, in the queue and when it has left it", async () => {
  await using lab = laboratory();
  const ask = newAsk(["bob@home.test"]);
  ask.client.login = "uid 1000";
  const { queue, fake } = lab;
  const open = gated(fake);
  assert.deepEqual(await queue.accept(ask, "pickup.0"), { answer: {} });
  const again = { ...ask, ...newContent() };
  assert.deepEqual(await queue.accept(again, "pickup.0"), { refusal: "known" });
  open();
  await until("released", () => fake.released.length === 1);
  await storyOf(lab, ask.queueId, 2);
  const late = { ...ask, ...newContent() };
  assert.deepEqual(await queue.accept(late, "pickup.0"), { refusal: "known" });
  assert.equal(fake.asked.length, 1);
  const other = newAsk(["bob@home.test"]);
  assert.deepEqual(await queue.accept(other, "pickup.0"), { answer: {} });
});

Deno.test("Queue tries a deferred recipient again, and only that one", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  let bobs = 0;
  fake.deliver = (_, address) =>
    address === "bob@home.test" && ++bobs < 3
      ? NOT_NOW
      : ownOutcome("delivered", 250, "2.0.0", "ok");
  const ask = newAsk(["amy@home.test", "bob@home.test"]);
  await lab.send(ask);
  await until("released", () => fake.released.length === 1);
  assert.deepEqual(fake.asked.map(({ addresses }) => addresses), [
    ["amy@home.test", "bob@home.test"],
    ["bob@home.test"],
    ["bob@home.test"],
  ]);
  assert.equal(lab.counters.get("deferred"), 2);
});

Deno.test("Queue sends one notice for all that failed in a round, and none for it", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  fake.routes.set("eve@home.test", "unknown-recipient");
  fake.deliver = (asked, address) =>
    address === "amy@home.test" && asked.reversePath !== ""
      ? ownOutcome("delivered", 250, "2.0.0", "ok")
      : NEVER;
  const ask = newAsk(["amy@home.test", "bob@home.test", "eve@home.test"]);
  await lab.send(ask);
  // The notice fails too, and nobody is told of that.
  await until("both released", () => fake.released.length === 2);
  assert.equal(fake.notices.length, 1);
  const { head, quotes } = fake.notices[0]!;
  assert.ok(quotes);
  assert.match(head, /Final-Recipient: rfc822; bob@home\.test/);
  assert.match(head, /Final-Recipient: rfc822; eve@home\.test/);
  assert.match(head, /Status: 5\.7\.1/);
  assert.match(head, /Status: 5\.1\.1/);
  assert.doesNotMatch(head, /amy@home/);
  const back = fake.asked.at(-1)!;
  assert.equal(back.reversePath, "");
  assert.deepEqual(back.addresses, ["alice@sender.test"]);
  assert.equal(lab.counters.get("bounced"), 2);
});

Deno.test("Queue keeps failed rows until their notice is stored", async () => {
  await using lab = laboratory();
  const { fake, dir } = lab;
  fake.noticeRefusal = "full";
  fake.deliver = (asked) =>
    asked.reversePath === ""
      ? ownOutcome("delivered", 250, "2.0.0", "ok")
      : NEVER;
  await lab.send(newAsk(["bob@home.test"]));
  await until(
    "bounce",
    () => listQueue(dir)[0]?.recipients[0]?.state === "bounce",
  );
  fake.noticeRefusal = undefined;
  await until("both released", () => fake.released.length === 2);
  assert.equal(fake.notices.length, 1);
});

Deno.test("Queue names both addresses when an alias's target fails", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  fake.routes.set("team@home.test", [
    FakeEdges.remote("bob@far.test", "mx.far.test"),
  ]);
  fake.deliver = (asked) =>
    asked.reversePath === ""
      ? ownOutcome("delivered", 250, "2.0.0", "ok")
      : { ...NEVER, host: "mx.far.test" };
  await lab.send(newAsk(["team@home.test"]));
  await until("both released", () => fake.released.length === 2);
  const { head } = fake.notices[0]!;
  assert.match(head, /Original-Recipient: rfc822; team@home\.test/);
  assert.match(head, /Final-Recipient: rfc822; bob@far\.test/);
  assert.match(head, /Remote-MTA: dns; mx\.far\.test/);
});

Deno.test("Queue replaces an alias of several by its targets, each once", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  const box = FakeEdges.mailbox;
  fake.routes.set("team@home.test", [
    box("team@home.test"),
    box("amy@home.test"),
    box("bob@home.test"),
  ]);
  fake.routes.set("all@home.test", [
    box("amy@home.test"),
    box("cat@home.test"),
  ]);
  let tries = 0;
  fake.deliver = (_, address) =>
    address === "bob@home.test" && ++tries < 2
      ? NOT_NOW
      : ownOutcome("delivered", 250, "2.0.0", "ok");
  const ask = newAsk(["team@home.test", "all@home.test", "amy@home.test"]);
  await lab.send(ask);
  await until("released", () => fake.released.length === 1);
  const delivered = fake.asked.flatMap(({ addresses }) => addresses).sort();
  assert.deepEqual(delivered, [
    "amy@home.test",
    "bob@home.test",
    "bob@home.test",
    "cat@home.test",
    "team@home.test",
  ]);
  const story = await storyOf(lab, ask.queueId, 8);
  const whats = story
    .map(({ what }) => what);
  assert.equal(whats.filter((what) => what === "expanded").length, 2);
});

Deno.test("Queue keeps a damaged message as corrupt, and raises an alarm", async () => {
  await using lab = laboratory();
  const { fake, dir } = lab;
  fake.deliver = () => "damaged";
  const ask = newAsk(["bob@home.test"]);
  await lab.send(ask);
  await until("corrupt", () => listQueue(dir)[0]?.state === "corrupt");
  assert.equal(listQueue(dir)[0]?.recipients[0]?.state, "corrupt");
  assert.equal(fake.released.length, 0);
  assert.equal(lab.counters.get("corrupt"), 1);
});

Deno.test("Queue asks an unreachable destination once for all its messages", async () => {
  await using lab = laboratory({
    change: { firstRetryMs: 60_000, maxRetryMs: 60_000 },
  });
  const { fake, dir } = lab;
  fake.deliver = async (asked) => {
    if (asked.role === "maildir") {
      return ownOutcome("delivered", 250, "2.0.0", "ok");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    return ownOutcome("temporary", 451, "4.4.1", "timed out");
  };
  for (let i = 0; i < 100; i++) {
    const to = `u${i}@dead.test`;
    fake.routes.set(to, [FakeEdges.remote(to, "dead.test")]);
    await lab.send(newAsk([to]));
  }
  await lab.send(newAsk(["bob@home.test"]));
  await until("all deferred", () =>
    listQueue(dir).length === 100 &&
    listQueue(dir).every(({ recipients }) =>
      recipients[0]?.state === "deferred"
    ));
  const tries = fake.asked.filter(({ role }) => role === "smtpc").length;
  assert.ok(tries <= 5, `${tries} sessions to a dead destination`);
  assert.equal(lab.queue.counts().byState.deferred, 100);
});

Deno.test("Queue batches a list by destination and lets a single message pass", async () => {
  await using lab = laboratory({ change: { maxJobs: 2 } });
  const { fake } = lab;
  fake.deliver = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return { ...ownOutcome("delivered", 250, "2.0.0", "ok"), host: "x" };
  };
  const list: string[] = [];
  for (let i = 0; i < 800; i++) {
    const to = `u${i}@d${i % 8}.test`;
    fake.routes.set(to, [FakeEdges.remote(to, `d${i % 40}.test`)]);
    list.push(to);
  }
  fake.routes.set("one@single.test", [
    FakeEdges.remote("one@single.test", "single.test"),
  ]);
  await lab.send(newAsk(list));
  await lab.send(newAsk(["one@single.test"]));
  await until("both done", () => fake.released.length === 2);
  assert.equal(fake.asked.length, 41, "one job of 20 for each of 40 hosts");
  const place = fake.asked.findIndex(({ addresses }) =>
    addresses[0] === "one@single.test"
  );
  assert.ok(place < 6, `the single message was job ${place}`);
  assert.ok(fake.mostRunning <= 2);
});

Deno.test("Queue delivers what does not fit into memory, in time", async () => {
  await using lab = laboratory({ change: { maxActive: 10 } });
  const { fake, queue } = lab;
  await Promise.all(
    Array.from({ length: 300 }, () => lab.send(newAsk(["bob@home.test"]))),
  );
  await until("all released", () => fake.released.length === 300);
  assert.equal(fake.asked.length, 300);
  assert.equal(queue.counts().accepted, 300);
});

Deno.test("Queue keeps what its predecessor left incoming, and calls it corrupt if its record is", async () => {
  const [whole, damaged] = [newAsk(["a@home.test"]), newAsk(["b@home.test"])];
  const dir = await leftIncoming([whole, damaged]);
  assert.deepEqual(listQueue(dir).map(({ state }) => state), [
    "incoming",
    "incoming",
  ]);
  const fake = new FakeEdges();
  fake.deliver = ({ queueId }) =>
    queueId === damaged.queueId ? "damaged" : DELIVERED;
  await using lab = laboratory({ dir, fake });
  await until("the whole one released", () => fake.released.length === 1);
  assert.deepEqual(fake.released, [whole.ref]);
  await until("the other kept", () => {
    const [left, ...more] = listQueue(lab.dir);
    return left?.state === "corrupt" && more.length === 0;
  });
});

Deno.test("Queue refuses beyond its limit, and accepts again when there is room", async () => {
  await using lab = laboratory({ change: { maxMessages: 10 } });
  const { queue, fake } = lab;
  const open = gated(fake);
  const asks = Array.from({ length: 10 }, () => newAsk(["bob@home.test"]));
  for (const ask of asks) await queue.accept(ask, "smtpd.0");
  assert.deepEqual(await queue.accept(newAsk(["bob@home.test"]), "smtpd.0"), {
    refusal: "full",
  });
  open();
  await until("released", () => fake.released.length === 10);
  assert.deepEqual(await queue.accept(newAsk(["bob@home.test"]), "smtpd.0"), {
    answer: {},
  });
});

Deno.test("Queue tells a spool that plugs in about every record in use, the last page last", async () => {
  await using lab = laboratory({
    change: { firstRetryMs: 60_000, maxRetryMs: 60_000 },
  });
  const { queue, fake } = lab;
  fake.deliver = () => NOT_NOW;
  await until("empty adoption", () => fake.adopted.length === 1);
  assert.deepEqual(fake.adopted, [{ refs: [], last: true }]);
  const asks = Array.from({ length: 1_200 }, () => newAsk(["bob@home.test"]));
  await Promise.all(asks.map((ask) => queue.accept(ask, "smtpd.0")));
  fake.adopted.length = 0;
  queue.spoolPlugged();
  await until("adopted", () => fake.adopted.at(-1)?.last === true);
  assert.equal(fake.adopted.filter(({ last }) => last).length, 1);
  const told = new Set(
    fake.adopted.flatMap(({ refs }) => refs.map(({ segment }) => segment)),
  );
  assert.deepEqual(told, new Set(asks.map(({ ref }) => ref.segment)));
});

Deno.test("Queue tries again when the delivering role dies, and defers in the end", async () => {
  await using lab = laboratory({
    change: { firstRetryMs: 60_000, maxRetryMs: 60_000 },
  });
  const { fake, dir } = lab;
  fake.deliver = () => "failed";
  await lab.send(newAsk(["bob@home.test"]));
  await until(
    "deferred",
    () => listQueue(dir)[0]?.recipients[0]?.state === "deferred",
  );
  assert.equal(fake.asked.length, 3);
});

Deno.test("Queue's database and key file never hold each other's secrets", async () => {
  const lab = laboratory();
  const { queue, fake, dir } = lab;
  const open = gated(fake);
  const token = "zq7-unique-token";
  const asks = Array.from(
    { length: 20 },
    (_, i) =>
      newAsk([`${token}-${i}@home.test`], { reversePath: `${token}@s.test` }),
  );
  for (const ask of asks) await queue.accept(ask, "smtpd.0");
  const before = await readAll(dir);
  for (const ask of asks) {
    const key = Buffer.from(ask.key, "base64");
    assert.ok(before.keys.includes(key), "the key is in its slot");
    for (const file of [before.db, before.wal]) {
      assert.equal(file.includes(key), false, "the raw key is nowhere else");
      assert.equal(file.includes(ask.key), false, "nor in base64");
    }
  }
  open();
  await until("released", () => fake.released.length === 20);
  await lab[Symbol.asyncDispose]();
  const after = await readAll(dir);
  for (const ask of asks) {
    assert.equal(after.keys.includes(Buffer.from(ask.key, "base64")), false);
  }
  assert.equal(after.keys.every((octet) => octet === 0), true);
});

async function readAll(dir: string) {
  const read = async (name: string) => {
    try {
      return Buffer.from(await Deno.readFile(`${dir}/${name}`));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return Buffer.alloc(0);
      throw error;
    }
  };
  return {
    db: await read("queue.db"),
    wal: await read("queue.db-wal"),
    keys: await read("keys"),
  };
}

Deno.test("Queue tells of forged envelopes, and not of thousands", async () => {
  await using lab = laboratory();
  const ask = newAsk(["bob@home.test"]);
  const forged = { ...ask, client: { ...ask.client, login: "me@home.test" } };
  const { writeSync } = Deno.stderr;
  let text = "";
  Deno.stderr.writeSync = (octets) => {
    text += new TextDecoder().decode(octets);
    return octets.length;
  };
  try {
    for (let n = 0; n < 500; n++) {
      assert.deepEqual(await lab.queue.accept(forged, "smtpd.0"), {
        refusal: "unhealthy",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
  const lines = text.split("\n").filter((one) => one.includes("forged"));
  assert.ok(lines.length > 0 && lines.length < 50, `${lines.length} lines`);
});
