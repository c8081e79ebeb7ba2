import assert from "node:assert/strict";
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { QueueUnusable } from "./database_io.ts";
import { type Event, wholeHost } from "./event.ts";
import { EventLog } from "./event_log.ts";
import { EventStore } from "./event_store_io.ts";
import { showMessage } from "./inspect.ts";
import { laboratory, newAsk, storyOf, tempDir, until } from "./laboratory.ts";

const LIMITS = { keepMs: 60_000, maxBytes: 2 ** 30 };

function event(n: number, change: Partial<Event> = {}): Event {
  return {
    atMs: n,
    queueId: `ID${n}`,
    recipient: "bob@home.test",
    what: "delivered",
    ...change,
  };
}

function rows(dir: string): { queue_id: string; story: string }[] {
  const db = new DatabaseSync(`${dir}/events.db`, { readOnly: true });
  const found = db.prepare("SELECT queue_id, story FROM events ORDER BY n")
    .all() as { queue_id: string; story: string }[];
  db.close();
  return found;
}

Deno.test("EventLog writes of a host only what is known, and reads all of it back", async () => {
  const dir = tempDir();
  const log = new EventLog({
    open: () => new EventStore(dir),
    limits: () => LIMITS,
    nowMs: () => 0,
  });
  const plain = wholeHost({ host: "h", address: "192.0.2.1", port: 25 });
  const whole = wholeHost({
    ...plain,
    profile: "dane",
    demand: "2 records",
    reached: "dane",
    tls: "TLSv1.3",
    certificate: "TLSA 3 1 1",
    dns: { mx: "secure", address: "insecure", tlsa: "" },
    mtaSts: "testing 1",
    result: "250 ok",
    tookMs: 7,
  });
  log.add([event(1, { hosts: [plain, whole], address: "::1", tookMs: 9 })]);
  await log.close();
  const [row] = rows(dir);
  assert.deepEqual(JSON.parse(row!.story)[0].hosts[0], {
    host: "h",
    address: "192.0.2.1",
    port: 25,
    profile: "none",
  });
  const lab = laboratory({ dir });
  const [shown] = showMessage({ queue: dir, events: dir }, "ID1")!.events;
  await lab[Symbol.asyncDispose]();
  assert.deepEqual(shown!.hosts, [plain, whole]);
  assert.deepEqual([shown!.address, shown!.tookMs], ["::1", 9]);
});

Deno.test("EventLog keeps events without their sessions when many wait", async () => {
  const dir = tempDir();
  let isWritable = false;
  const log = new EventLog({
    open: () => new EventStore(dir),
    limits: () => LIMITS,
    nowMs: () => 0,
    mayWrite: () => isWritable,
  });
  const hosts = [wholeHost({ host: "h" })];
  for (let n = 1; n <= 2_001; n++) {
    log.add([event(n, { hosts, transcript: ["S: 250"] })]);
  }
  isWritable = true;
  await log.close();
  const stories = rows(dir).map(({ story }) => JSON.parse(story)[0]);
  assert.equal(stories.length, 2_001);
  assert.equal(stories[1_999].hosts.length, 1);
  assert.deepEqual(Object.keys(stories[2_000]), ["atMs", "what", "recipient"]);
});

Deno.test("EventLog gathers events and writes those of a message as one row", async () => {
  const dir = tempDir();
  const log = new EventLog({
    open: () => new EventStore(dir),
    limits: () => LIMITS,
    nowMs: () => 0,
  });
  log.add([event(1, { what: "accepted", recipient: "" }), event(2)]);
  log.add([event(1, { host: "mx.test", code: 250, transcript: ["S: 250"] })]);
  assert.equal(fs.existsSync(`${dir}/events.db`), false, "not at once");
  await until(
    "written",
    () => fs.existsSync(`${dir}/events.db`) && rows(dir).length === 2,
  );
  const [first] = rows(dir);
  assert.equal(first!.queue_id, "ID1");
  assert.deepEqual(JSON.parse(first!.story), [
    { atMs: 1, what: "accepted" },
    {
      atMs: 1,
      what: "delivered",
      recipient: "bob@home.test",
      host: "mx.test",
      code: 250,
      transcript: ["S: 250"],
    },
  ]);
  log.add([event(3)]);
  await log.close();
  assert.equal(rows(dir).length, 3, "an orderly stop writes what is left");
});

Deno.test("EventLog keeps what it cannot write, drops the oldest beyond its limit, and says how many", async () => {
  const dir = tempDir();
  let isBroken = true;
  let counted = 0;
  const log = new EventLog({
    open: () => {
      if (!isBroken) return new EventStore(dir);
      throw Object.assign(new Error("disk is full"), { code: "ENOSPC" });
    },
    limits: () => LIMITS,
    nowMs: () => 0,
    count: (_, by = 1) => counted += by,
  });
  const many = Array.from({ length: 20_100 }, (_, n) => event(n));
  log.add(many);
  assert.equal(log.flush(), false);
  assert.equal(log.dropped, 100);
  assert.equal(counted, 100);
  isBroken = false;
  assert.equal(log.flush(), true);
  const found = rows(dir);
  assert.equal(found.length, 20_000);
  assert.equal(found[0]!.queue_id, "ID100", "the oldest are those dropped");
  await log.close();
});

Deno.test("EventLog does not hide an error of ours", () => {
  const log = new EventLog({
    open: () => {
      throw new RangeError("our bug");
    },
    limits: () => LIMITS,
    nowMs: () => 0,
  });
  log.add([]);
  assert.throws(() => log.takeOver([]), /our bug/);
});

Deno.test("EventStore forgets by age and by size, the oldest first", () => {
  const store = new EventStore(tempDir());
  store.write(Array.from({ length: 1_200 }, (_, n) => event(n)));
  assert.equal(store.forget(0, LIMITS.maxBytes), "none");
  assert.equal(store.forget(100, LIMITS.maxBytes), "some");
  assert.equal(store.forget(1_000, LIMITS.maxBytes), "more");
  assert.equal(store.forget(1_000, LIMITS.maxBytes), "some");
  assert.equal(store.forget(1_000, LIMITS.maxBytes), "none");
  const used = store.usedBytes;
  assert.equal(store.forget(0, used), "none");
  assert.equal(store.forget(0, used - 1), "some");
  assert.ok(store.usedBytes < used);
  store.close();
});

const BROKEN: { name: string; break: (path: string) => void }[] = [
  {
    name: "damaged",
    break: (path) => fs.writeFileSync(path, "x".repeat(9_000)),
  },
  { name: "a directory", break: (path) => fs.mkdirSync(path) },
  {
    name: "of a newer version",
    break: (path) => {
      const db = new DatabaseSync(path);
      db.exec("PRAGMA user_version = 9");
      db.close();
    },
  },
];

for (const { name, break: breakIt } of BROKEN) {
  Deno.test(`Queue delivers mail when its history is ${name}, and leaves that as it is`, async () => {
    const dir = tempDir();
    const path = `${dir}/events.db`;
    breakIt(path);
    const before = name === "a directory"
      ? ""
      : fs.readFileSync(path, "latin1");
    {
      await using lab = laboratory({ dir });
      const ask = newAsk(["bob@home.test"]);
      await lab.send(ask);
      await until("released", () => lab.fake.released.length === 1);
      // Long enough for it to be tried.
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.throws(
        () => showMessage({ queue: dir, events: dir }, ask.queueId),
        QueueUnusable,
      );
    }
    if (name !== "a directory") {
      assert.equal(fs.readFileSync(path, "latin1"), before);
    }
  });
}

Deno.test("Queue tells nothing of a transaction that was rolled back", async () => {
  await using lab = laboratory();
  const ask = newAsk(["bob@home.test"]);
  await lab.send(ask);
  await until("released", () => lab.fake.released.length === 1);
  lab.fake.deliver = () => new Promise(() => {});
  // The second accept inserts nothing and tells nothing.
  const again = newAsk(["amy@home.test"]);
  await lab.queue.accept(again, "smtpd.0");
  await lab.queue.accept(again, "smtpd.1");
  await storyOf(lab, again.queueId, 1);
  await new Promise((resolve) => setTimeout(resolve, 250));
  const story = await storyOf(lab, again.queueId, 1);
  assert.deepEqual(story.map(({ what }) => what), ["accepted"]);
});
