import assert from "node:assert/strict";
import fs from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { databasePath, openDatabase, QueueUnusable } from "./database_io.ts";
import { queueErasure } from "./erasure_ipc.ts";
import { inspectErasure } from "./inspect_erasure.ts";
import { inspectLog } from "./inspect_log.ts";
import { KeyFile, SLOT_BYTES } from "./keys_io.ts";
import { tempDir } from "./laboratory.ts";

interface Lab {
  readonly dir: string;
  readonly db: DatabaseSync;
  readonly keys: KeyFile;
}

async function inLab(body: (lab: Lab) => Promise<void>): Promise<void> {
  const dir = tempDir();
  const db = openDatabase(dir);
  const keys = new KeyFile(`${dir}/keys`);
  try {
    await body({ dir, db, keys });
  } finally {
    keys.close();
    db.close();
  }
}

/** A message's row, and its key if it has one. */
function message(
  { db, keys }: Lab,
  id: string,
  { state = 1, hasKey = true, segment = "pool-0123456789abcdef" } = {},
): number {
  const slot = keys.take();
  if (hasKey) keys.write(slot, id, new Uint8Array(32).fill(7));
  const columns = db.prepare("PRAGMA table_info(messages)").all();
  const values = new Map<string, string | number>([
    ["id", id],
    ["slot", slot],
    ["state", state],
    ["segment", segment],
  ]);
  const names = columns.map((one) => String(one["name"])).filter((name) =>
    name !== "n"
  );
  db.prepare(
    `INSERT INTO messages (${names.join(", ")}) VALUES (${
      names.map(() => "?").join(", ")
    })`,
  ).run(...names.map((name, n) =>
    values.get(name) ??
      (columns.find((one) => one["name"] === name)!["type"] === "TEXT" ? "" : n)
  ));
  return slot;
}

Deno.test("inspectErasure() finds nothing odd in a queue at rest", () =>
  inLab(async (lab) => {
    message(lab, "one");
    message(lab, "two", { segment: "big-0123456789abcdef" });
    const found = await inspectErasure(lab.dir);
    queueErasure.parse(found);
    assert.equal(found.messages, 2);
    assert.equal(found.keySlots, 1_024);
    assert.equal(found.strayKeys, 0);
    assert.equal(found.unclearSlots, 0);
    assert.equal(found.keylessMessages, 0);
    assert.deepEqual(found.segments, [
      "big-0123456789abcdef",
      "pool-0123456789abcdef",
    ]);
  }));

Deno.test("inspectErasure() finds a key that no message owns", () =>
  inLab(async (lab) => {
    message(lab, "one");
    lab.keys.write(lab.keys.take(), "gone", new Uint8Array(32).fill(9));
    assert.equal((await inspectErasure(lab.dir)).strayKeys, 1);
  }));

Deno.test("inspectErasure() takes no key that is destroyed meanwhile for a stray", () =>
  inLab(async (lab) => {
    const slot = lab.keys.take();
    lab.keys.write(slot, "going", new Uint8Array(32).fill(9));
    const looking = inspectErasure(lab.dir);
    lab.keys.wipe(slot);
    assert.equal((await looking).strayKeys, 0);
  }));

Deno.test("inspectErasure() finds one octet in a free slot", () =>
  inLab(async (lab) => {
    const fd = fs.openSync(`${lab.dir}/keys`, "r+");
    const slot = message(lab, "one") + 1;
    fs.writeSync(fd, new Uint8Array([1]), 0, 1, slot * SLOT_BYTES + 63);
    fs.closeSync(fd);
    assert.equal((await inspectErasure(lab.dir)).unclearSlots, 1);
  }));

Deno.test("inspectErasure() finds messages without their key", () =>
  inLab(async (lab) => {
    message(lab, "keyless", { hasKey: false });
    const slot = message(lab, "another's");
    lab.keys.write(slot, "somebody else's", new Uint8Array(32).fill(1));
    assert.equal((await inspectErasure(lab.dir)).keylessMessages, 2);
  }));

Deno.test("inspectErasure() says plainly what it cannot read", async () => {
  await assert.rejects(inspectErasure(tempDir()), QueueUnusable);
});

Deno.test("inspectLog() counts the frames in use and those of before", () =>
  inLab((lab) => {
    const path = `${databasePath(lab.dir)}-wal`;
    for (let n = 0; n < 20; n++) message(lab, `m${n}`);
    const full = inspectLog(path, Date.now());
    assert.equal(full.isHeaderSound, 1);
    assert.ok(full.frames >= 20, JSON.stringify(full));
    assert.equal(full.oldFrames, 0);
    // Everything is in the database: the next commit begins the log anew.
    lab.db.prepare("PRAGMA wal_checkpoint(RESTART)").all();
    message(lab, "after");
    const anew = inspectLog(path, Date.now() + 5_000);
    assert.equal(anew.bytes, full.bytes);
    assert.ok(anew.frames > 0 && anew.frames < full.frames);
    assert.equal(anew.frames + anew.oldFrames, full.frames);
    assert.ok(anew.quietMs >= 4_000 && anew.quietMs < 60_000);
    return Promise.resolve();
  }));

Deno.test("inspectLog() takes no random octets for frames of before", () =>
  inLab((lab) => {
    const path = `${databasePath(lab.dir)}-wal`;
    for (let n = 0; n < 20; n++) message(lab, `m${n}`);
    lab.db.prepare("PRAGMA wal_checkpoint(RESTART)").all();
    message(lab, "after");
    const { frames, bytes } = inspectLog(path, Date.now());
    const pageBytes = 4_096;
    const from = 32 + frames * (24 + pageBytes);
    const fd = fs.openSync(path, "r+");
    const octets = crypto.getRandomValues(new Uint8Array(65_536));
    for (let at = from; at < bytes; at += octets.length) {
      fs.writeSync(fd, octets, 0, Math.min(octets.length, bytes - at), at);
    }
    fs.closeSync(fd);
    // A random salt is near the header's once in 65,536.
    assert.ok(inspectLog(path, Date.now()).oldFrames <= 1);
    return Promise.resolve();
  }));

Deno.test("inspectLog() knows no log, an empty one and garbage apart", () => {
  const path = `${tempDir()}/log`;
  const nothing = {
    bytes: 0,
    quietMs: 0,
    isHeaderSound: 1,
    frames: 0,
    oldFrames: 0,
  };
  assert.deepEqual(inspectLog(path, 0), nothing);
  fs.writeFileSync(path, "");
  assert.deepEqual(inspectLog(path, 0), nothing);
  for (const garbage of ["x", "x".repeat(5_000), "\x37\x7f\x06\x82"]) {
    fs.writeFileSync(path, garbage, "latin1");
    assert.equal(inspectLog(path, Date.now()).isHeaderSound, 0);
  }
});
