import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Event } from "./event.ts";
import { EventStore } from "./event_store_io.ts";
import { boundedStory } from "./finding.ts";
import { findMessages } from "./inspect.ts";
import { laboratory, newAsk, storyOf, tempDir, until } from "./laboratory.ts";
import { Terms } from "./terms_io.ts";
import { ownOutcome } from "../core/outcome.ts";

/** What a file holds, as searchable text. */
function octetsOf(dir: string): string {
  return ["events.db", "events.db-wal"]
    .map((name) => `${dir}/${name}`).filter((path) => fs.existsSync(path))
    .map((path) => fs.readFileSync(path, "latin1")).join("");
}

Deno.test("findMessages() finds by id, address and words of the subject, all of them", async () => {
  await using lab = laboratory();
  const ask = newAsk(["Bob@home.test", "carol@home.test"], {
    subjectWords: ["rechnung", "zwiebelkuchen"],
  });
  const other = newAsk(["bob@home.test", "eva@xn--mller-kva.test"], {
    subjectWords: ["zwiebelkuchen"],
  });
  await lab.send(ask);
  await lab.send(other);
  await storyOf(lab, ask.queueId, 3);
  await storyOf(lab, other.queueId, 3);
  const dirs = { queue: lab.dir, events: lab.dir };
  const both = [ask.queueId, other.queueId].sort().reverse();
  const rows = [
    { name: "id", words: [ask.queueId], ids: [ask.queueId] },
    {
      name: "id in lower case",
      words: [ask.queueId.toLowerCase()],
      ids: [ask.queueId],
    },
    { name: "sender", words: ["<alice@SENDER.test>"], ids: both },
    { name: "recipient", words: ["BOB@home.test"], ids: both },
    {
      name: "second recipient",
      words: ["carol@home.test"],
      ids: [ask.queueId],
    },
    { name: "word", words: ["Zwiebelkuchen"], ids: both },
    {
      name: "two words",
      words: ["zwiebelkuchen rechnung"],
      ids: [ask.queueId],
    },
    {
      name: "word and address",
      words: ["zwiebelkuchen", "carol@home.test"],
      ids: [ask.queueId],
    },
    { name: "part of a word", words: ["zwiebel"], ids: [] },
    {
      name: "a domain as people write it",
      words: ["<eva@Müller.test>"],
      ids: [other.queueId],
    },
    { name: "nobody", words: ["dave@home.test"], ids: [] },
    { name: "nothing", words: ["---"], ids: [] },
  ];
  for (const { name, words, ids } of rows) {
    const found = findMessages(dirs, { words, limit: 10 });
    assert.deepEqual(found.map((one) => one.queueId), ids, name);
    // The running queue says the same.
    const told = lab.queue.find({ words, limit: 10 }).found;
    assert.deepEqual(told.map((one) => one.queueId), ids, name);
  }
  const [one] = findMessages(dirs, { words: [ask.queueId], limit: 10 });
  assert.equal(one!.sender, "alice@sender.test");
  assert.deepEqual(one!.to, ["Bob@home.test", "carol@home.test"]);
  assert.equal(one!.state, "delivered");
  const events = () => lab.queue.story({ queueId: ask.queueId })!.events;
  await until("its key is gone", () => events().at(-1)!.what === "erased");
  assert.equal(events().at(-1)!.text, ask.ref.segment);
});

Deno.test("Queue.story() tells a message that waits, and one that is gone", async () => {
  await using lab = laboratory();
  lab.fake.deliver = () => ownOutcome("temporary", 450, "4.2.0", "not now");
  const ask = newAsk(["bob@home.test"], {
    intake: {
      tls: "TLSv1.3",
      name: "",
      tookMs: 12,
      checks: [{ what: "dnsbl", said: "passed", evidence: "no list has it" }],
    },
  });
  await lab.send(ask);
  await storyOf(lab, ask.queueId, 2);
  const story = lab.queue.story({ queueId: ask.queueId })!;
  assert.equal(story.message!.recipients[0]!.state, "deferred");
  assert.deepEqual(story.events[0]!.taken!.intake, ask.intake);
  assert.equal(story.events[0]!.taken!.segment, ask.ref.segment);
  assert.equal(lab.queue.story({ queueId: "0123456789ABCDEF" }), undefined);
  const [found] = lab.queue.find({ words: [ask.queueId], limit: 1 }).found;
  assert.match(found!.state, /^(active|deferred)$/);
});

Deno.test("The history holds no word of a subject, and none at all when they are not to be kept", async () => {
  for (const subjectWords of [true, false]) {
    await using lab = laboratory({ change: { subjectWords } });
    const ask = newAsk(["bob@home.test"], { subjectWords: ["zwiebelkuchen"] });
    await lab.send(ask);
    await storyOf(lab, ask.queueId, 2);
    assert.doesNotMatch(octetsOf(lab.dir), /zwiebelkuchen/i);
    const found = findMessages(
      { queue: lab.dir, events: lab.dir },
      { words: ["zwiebelkuchen"], limit: 10 },
    );
    assert.equal(found.length, subjectWords ? 1 : 0);
  }
});

Deno.test("Terms are HMAC-SHA-256, cut", () => {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const whole = createHmac("sha256", key).update("w:köln").digest();
  assert.deepEqual(new Terms(key).ofWord("köln"), whole.subarray(0, 8));
});

Deno.test("EventStore forgets the terms with the rows that they lead to", () => {
  const dir = tempDir();
  const store = new EventStore(dir);
  const event: Event = {
    atMs: 1,
    queueId: "A",
    recipient: "bob@home.test",
    what: "delivered",
    words: ["one", "two"],
  };
  store.write([event]);
  store.write([{ ...event, atMs: 9, queueId: "B" }]);
  store.forget(5, 2 ** 30);
  store.close();
  const db = new DatabaseSync(`${dir}/events.db`, { readOnly: true });
  const left = db.prepare("SELECT n FROM terms").all().map(({ n }) => n);
  db.close();
  assert.deepEqual(left, [2, 2, 2]);
});

Deno.test("EventStore brings a version 1 history up to date, and finds what comes after", () => {
  const dir = tempDir();
  const db = new DatabaseSync(`${dir}/events.db`);
  db.exec(`CREATE TABLE events (n INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL, queue_id TEXT NOT NULL, story TEXT NOT NULL) STRICT;
    CREATE INDEX events_queue_id ON events (queue_id);
    CREATE TABLE touch (one INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;
    INSERT INTO touch VALUES (1, 0);
    INSERT INTO events VALUES (1, 5, 'OLD', '[{"atMs":5,"what":"delivered"}]');
    PRAGMA user_version = 1;`);
  db.close();
  const store = new EventStore(dir);
  store.write([{
    atMs: 6,
    queueId: "NEW",
    recipient: "bob@home.test",
    what: "delivered",
  }]);
  const asked = { words: ["bob@home.test"], limit: 5 };
  assert.deepEqual(store.find(asked).map((one) => one.queueId), ["NEW"]);
  assert.equal(store.story("OLD")[0]!.what, "delivered");
  store.close();
});

Deno.test("EventStore keeps its key, and makes another if it is torn", async () => {
  const dir = tempDir();
  new EventStore(dir).close();
  const path = `${dir}/words.key`;
  const first = fs.readFileSync(path);
  assert.equal(fs.statSync(path).mode & 0o777, 0o600);
  new EventStore(dir).close();
  assert.deepEqual(fs.readFileSync(path), first);
  fs.writeFileSync(path, "torn");
  new EventStore(dir).close();
  await until("a new key", () => fs.readFileSync(path).length === 32);
});

Deno.test("boundedStory() keeps first and last, and fits into a frame", () => {
  const transcript = Array.from({ length: 60 }, () => "S: ".padEnd(200, "x"));
  const event = (atMs: number) => ({
    atMs,
    recipient: "",
    what: "deferred",
    host: "",
    tls: "",
    code: 450,
    text: "",
    address: "",
    tookMs: 1,
    hosts: [],
    transcript,
    taken: null,
  });
  const all = Array.from({ length: 1_000 }, (_, n) => event(n));
  const story = boundedStory(all, 200);
  assert.equal(story.length, 200);
  assert.deepEqual([story[0]!.atMs, story.at(-1)!.atMs], [0, 999]);
  assert.equal(story.at(-1)!.transcript.length, 60);
  assert.ok(JSON.stringify(story).length < 200_000);
});
