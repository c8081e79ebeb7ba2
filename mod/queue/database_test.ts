import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ownOutcome } from "../core/outcome.ts";
import { NO_WISHES } from "../core/shapes.ts";
import { openDatabase, QueueUnusable } from "./database_io.ts";
import { EventStore } from "./event_store_io.ts";
import { checkQueue, listQueue, showMessage } from "./inspect.ts";
import { KeyFile } from "./keys_io.ts";
import { laboratory, newAsk, tempDir } from "./laboratory.ts";
import { Store } from "./store_io.ts";
import { NOTHING_ASKED } from "./wishes.ts";

const NOT_NOW = ownOutcome("temporary", 451, "4.3.0", "not now");

/** A directory with a queue of some messages in it, closed. */
async function filled(): Promise<string> {
  const dir = tempDir();
  await using lab = laboratory({
    dir,
    change: { firstRetryMs: 60_000, maxRetryMs: 60_000 },
  });
  lab.fake.deliver = () => NOT_NOW;
  const asks = Array.from({ length: 200 }, () => newAsk(["bob@home.test"]));
  await Promise.all(asks.map((ask) => lab.send(ask)));
  return dir;
}

async function bytesOf(dir: string): Promise<Uint8Array> {
  return await Deno.readFile(`${dir}/queue.db`);
}

Deno.test("openDatabase sets what the promises rest on", async () => {
  const dir = tempDir();
  const db = openDatabase(dir);
  const value = (pragma: string) =>
    Object.values(db.prepare(`PRAGMA ${pragma}`).get()!)[0];
  assert.equal(value("journal_mode"), "wal");
  assert.equal(value("synchronous"), 1); // NORMAL: log_sync_io.ts syncs
  assert.equal(value("secure_delete"), 1);
  assert.equal(value("trusted_schema"), 0);
  assert.equal(value("wal_autocheckpoint"), 2_000);
  assert.equal(value("user_version"), 4);
  db.close();
  assert.equal((await Deno.stat(`${dir}/queue.db`)).mode! & 0o777, 0o600);
});

Deno.test("openDatabase refuses a newer version and changes nothing", async () => {
  const dir = await filled();
  const db = new DatabaseSync(`${dir}/queue.db`);
  db.exec("PRAGMA user_version = 7");
  db.close();
  const before = await bytesOf(dir);
  assert.throws(
    () => openDatabase(dir),
    (error) =>
      error instanceof QueueUnusable && /version 7/.test(error.message),
  );
  assert.deepEqual(await bytesOf(dir), before);
});

const DAMAGES: { name: string; damage: (bytes: Uint8Array) => Uint8Array }[] = [
  {
    name: "no database at all",
    damage: (b) => new Uint8Array(b.length).fill(120),
  },
  { name: "cut in half", damage: (b) => b.slice(0, b.length >> 1) },
  {
    name: "overwritten from its second page on",
    damage: (b) => b.slice().fill(0xa5, 4_096),
  },
];

for (const { name, damage } of DAMAGES) {
  Deno.test(`openDatabase refuses a database that is ${name}, names the command, and changes nothing`, async () => {
    const dir = await filled();
    const damaged = damage(await bytesOf(dir));
    await Deno.writeFile(`${dir}/queue.db`, damaged);
    assert.throws(
      () => openDatabase(dir),
      (error) =>
        error instanceof QueueUnusable &&
        error.message.includes(`${dir}/queue.db`) &&
        error.message.includes("bulkhead check"),
    );
    assert.throws(() => checkQueue({ queue: dir, events: dir }), QueueUnusable);
    assert.deepEqual(await bytesOf(dir), damaged);
  });
}

Deno.test("Queue refuses to start without its database while there are keys", async () => {
  const dir = await filled();
  await Deno.remove(`${dir}/queue.db`);
  await assert.rejects(
    async () => await laboratory({ dir }).queue.stop(),
    (error) =>
      error instanceof QueueUnusable &&
      /keys of 200 messages/.test(error.message),
  );
  await assert.rejects(() => Deno.stat(`${dir}/queue.db`));
});

Deno.test("Queue refuses to start without its key file while there are messages", async () => {
  const dir = await filled();
  await Deno.remove(`${dir}/keys`);
  await assert.rejects(
    async () => await laboratory({ dir }).queue.stop(),
    (error) =>
      error instanceof QueueUnusable &&
      /keys is missing.* 200 messages/s.test(error.message),
  );
  await assert.rejects(() => Deno.stat(`${dir}/keys`), "none was made");
});

Deno.test("checkQueue counts the messages of a whole database, running or not", async () => {
  const dir = await filled();
  assert.equal(checkQueue({ queue: dir, events: dir }), 200);
  await using _lab = laboratory({ dir });
  assert.equal(checkQueue({ queue: dir, events: dir }), 200);
  assert.equal(checkQueue({ queue: tempDir(), events: tempDir() }), 0);
});

// What version 0.1 wrote.
const VERSION_1 = `
CREATE TABLE messages (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  slot INTEGER NOT NULL,
  state INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  arrived_ms INTEGER NOT NULL,
  segment TEXT NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  size INTEGER NOT NULL,
  sender TEXT NOT NULL,
  is_8bit INTEGER NOT NULL,
  client_address TEXT NOT NULL,
  client_helo TEXT NOT NULL,
  client_protocol TEXT NOT NULL
) STRICT;
CREATE INDEX messages_due ON messages (due_ms) WHERE due_ms > 0;
CREATE TABLE recipients (
  message INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  address TEXT NOT NULL,
  original TEXT NOT NULL,
  depth INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  code INTEGER NOT NULL,
  enhanced TEXT NOT NULL,
  text TEXT NOT NULL,
  host TEXT NOT NULL,
  PRIMARY KEY (message, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
  n INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  queue_id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  what TEXT NOT NULL,
  host TEXT NOT NULL,
  tls TEXT NOT NULL,
  code INTEGER NOT NULL,
  text TEXT NOT NULL,
  transcript TEXT NOT NULL
) STRICT;
CREATE INDEX events_queue_id ON events (queue_id);
CREATE TABLE clock (one INTEGER PRIMARY KEY, last_ms INTEGER NOT NULL) STRICT;
INSERT INTO clock VALUES (1, 0);
PRAGMA user_version = 1;
`;

/** A version 1 queue: one message, one that is spent, and their history. */
async function version1(events: number): Promise<string> {
  const dir = tempDir();
  const db = new DatabaseSync(`${dir}/queue.db`);
  db.exec(`PRAGMA journal_mode = WAL; ${VERSION_1}`);
  const message = db.prepare(`INSERT INTO messages VALUES
    (?, ?, ?, ?, 0, 1, 's', 0, 100, 90, ?, 0, '::1', 'h', 'ESMTP')`);
  message.run(1, "KEPT", 0, 1, "zq5-kept@s.test");
  message.run(2, "SPENT", 1, 3, "zq5-spent@s.test");
  db.exec(`INSERT INTO recipients VALUES
    (1, 0, 'bob@home.test', '', 0, 2, 1, 9e15, 451, '4.3.0', 'no', '')`);
  const told = db.prepare(`INSERT INTO events (at_ms, queue_id, recipient, what,
    host, tls, code, text, transcript) VALUES (?,?,?,?,?,'',?,?,?)`);
  for (let n = 0; n < events; n++) {
    const lines = n === 0 ? '["S: 220 hi"]' : n === 1 ? "{damaged" : "";
    told.run(
      Date.now(),
      "KEPT",
      `zq5-${n}@h.test`,
      "deferred",
      "mx",
      451,
      "",
      lines,
    );
  }
  db.close();
  const keys = new KeyFile(`${dir}/keys`);
  assert.deepEqual([keys.take(), keys.take()], [0, 1]);
  keys.write(0, "KEPT", new Uint8Array(32).fill(1));
  keys.write(1, "SPENT", new Uint8Array(32).fill(2));
  await keys.sync();
  keys.close();
  return dir;
}

for (const events of [0, 3, 1_300]) {
  Deno.test(`openDatabase brings a version 1 database with ${events} events up to date`, async () => {
    const dir = await version1(events);
    const lab = laboratory({ dir });
    assert.deepEqual(listQueue(dir).map(({ id }) => id), ["KEPT"]);
    const shown = showMessage({ queue: dir, events: dir }, "KEPT")!;
    assert.equal(shown.message?.recipients[0]?.state, "deferred");
    assert.equal(shown.events.length, events);
    if (events > 2) {
      assert.deepEqual(shown.events[0]!.transcript, ["S: 220 hi"]);
      assert.deepEqual(shown.events[1]!.transcript, ["(unreadable)"]);
      assert.equal(shown.events[2]!.recipient, "zq5-2@h.test");
    }
    await lab[Symbol.asyncDispose]();
    const left = (await Deno.readTextFile(`${dir}/queue.db`)).match(
      /zq5-[a-z0-9]+/g,
    );
    assert.deepEqual(new Set(left), new Set(["zq5-kept"]));
    const keys = await Deno.readFile(`${dir}/keys`);
    assert.equal(keys.indexOf(2), -1, "the key of the spent one is wiped");
    assert.notEqual(keys.indexOf(1), -1);
    const again = laboratory({ dir });
    assert.deepEqual(listQueue(dir).map(({ id }) => id), ["KEPT"]);
    await again[Symbol.asyncDispose]();
  });
}

/** Columns that came after a version, newest versions first. */
const ADDED: {
  after: number;
  columns: Record<"messages" | "recipients", string[]>;
}[] = [
  {
    after: 3,
    columns: {
      messages: ["verp", "warned", "next_hop"],
      recipients: ["said", "account", "last_ms"],
    },
  },
  {
    after: 2,
    columns: {
      messages: ["client_login", "envid", "wishes"],
      recipients: ["notify", "orcpt", "action"],
    },
  },
];

/** Makes an older program's database of one, as far as columns go. */
function takeBack(dir: string, version: number): void {
  const db = new DatabaseSync(`${dir}/queue.db`);
  for (const { after, columns } of ADDED) {
    if (after < version) continue;
    for (const [table, names] of Object.entries(columns)) {
      for (const name of names) {
        db.exec(`ALTER TABLE ${table} DROP COLUMN ${name}`);
      }
    }
  }
  if (version === 2) {
    db.exec("ALTER TABLE messages RENAME COLUMN body TO is_8bit");
    db.exec("UPDATE messages SET is_8bit = 1 WHERE n = 1");
  } else db.exec("UPDATE messages SET body = 1 WHERE n = 1");
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}

for (const version of [2, 3]) {
  Deno.test(`openDatabase brings a version ${version} database up to date, with what is in it`, async () => {
    const dir = await filled();
    takeBack(dir, version);
    const before = listQueue(dir);
    assert.equal(before.length, 200);
    const store = new Store(openDatabase(dir), { add: () => {} });
    const of = (id: string) => store.load(store.byId(id)!, Date.now());
    assert.equal(of(before[0]!.id).bodyType, "8bitmime");
    const second = of(before[1]!.id);
    assert.equal(second.bodyType, "7bit");
    assert.equal(second.wishes, NO_WISHES);
    assert.equal(second.isWarned, false);
    const { wishes, last, account } = second.recipients[0]!;
    assert.equal(wishes, NOTHING_ASKED);
    assert.deepEqual([last, account], [NOT_NOW, ""]);
    store.close();
    await using lab = laboratory({ dir });
    await lab.send(newAsk(["bob@home.test"], {
      wishes: { ...NO_WISHES, envid: "new" },
    }));
  });
}

Deno.test("openDatabase takes the old history over once, although a start in between died", async () => {
  const dir = await version1(10);
  assert.throws(() =>
    openDatabase(dir, {
      takeEvents: (batches) => {
        const store = new EventStore(dir);
        store.replace(batches);
        store.close();
        throw new Error("killed here");
      },
    }), /killed here/);
  await using _lab = laboratory({ dir });
  const shown = showMessage({ queue: dir, events: dir }, "KEPT")!;
  assert.equal(shown.events.length, 10);
});

Deno.test("openDatabase goes on without the history that cannot be taken over", async () => {
  const dir = await version1(10);
  await Deno.mkdir(`${dir}/events.db`);
  await using _lab = laboratory({ dir });
  assert.deepEqual(listQueue(dir).map(({ id }) => id), ["KEPT"]);
});
