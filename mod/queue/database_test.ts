import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openDatabase, QueueUnusable } from "./database_io.ts";
import { checkQueue } from "./inspect.ts";
import { laboratory, newAsk, tempDir } from "./laboratory.ts";

/** A directory with a queue of some messages in it, closed. */
async function filled(): Promise<string> {
  const dir = tempDir();
  await using lab = laboratory({ dir });
  const asks = Array.from({ length: 200 }, () => newAsk(["bob@home.test"]));
  await Promise.all(asks.map((ask) => lab.queue.accept(ask, "smtpd.0")));
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
  assert.equal(value("user_version"), 1);
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
    assert.throws(() => checkQueue(dir), QueueUnusable);
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

Deno.test("checkQueue counts the messages of a whole database, running or not", async () => {
  const dir = await filled();
  assert.equal(checkQueue(dir), 200);
  await using _lab = laboratory({ dir });
  assert.equal(checkQueue(dir), 200);
  assert.equal(checkQueue(tempDir()), 0);
});
