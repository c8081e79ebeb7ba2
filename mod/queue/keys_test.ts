import assert from "node:assert/strict";
import { tempDir } from "./laboratory.ts";
import { KeyFile, SLOT_BYTES } from "./keys_io.ts";

function path(): string {
  return `${tempDir()}/keys`;
}

const KEY = new Uint8Array(32).map((_, i) => i + 1);

Deno.test("KeyFile gives a key back to its message only, also after a restart", async () => {
  const file = path();
  let keys = new KeyFile(file);
  const slot = keys.take();
  keys.write(slot, "A", KEY);
  assert.deepEqual(keys.read(slot, "A"), KEY);
  assert.equal(keys.read(slot, "B"), "missing");
  assert.equal(keys.read(slot + 1, "A"), "missing");
  assert.equal(keys.read(-1, "A"), "missing");
  assert.equal(keys.read(1_000_000, "A"), "missing");
  assert.equal(await keys.sync(), true);
  keys.close();
  keys = new KeyFile(file);
  assert.deepEqual(keys.read(slot, "A"), KEY);
  keys.close();
});

Deno.test("KeyFile notices every single changed bit of a slot", async () => {
  const file = path();
  const keys = new KeyFile(file);
  const slot = keys.take();
  keys.write(slot, "A", KEY);
  const whole = await Deno.readFile(file);
  for (let bit = 0; bit < SLOT_BYTES * 8; bit++) {
    const torn = whole.slice();
    torn[slot * SLOT_BYTES + (bit >> 3)]! ^= 1 << (bit & 7);
    await Deno.writeFile(file, torn);
    assert.equal(keys.read(slot, "A"), "missing", `bit ${bit}`);
  }
  keys.close();
});

Deno.test("KeyFile wipes in place: same file, same size, no octet of the key", async () => {
  const file = path();
  const keys = new KeyFile(file);
  const slot = keys.take();
  keys.write(slot, "A", KEY);
  const before = await Deno.stat(file);
  keys.wipe(slot);
  assert.equal(await keys.sync(), true);
  const after = await Deno.stat(file);
  assert.equal(after.ino, before.ino);
  assert.equal(after.size, before.size);
  assert.ok((await Deno.readFile(file)).every((octet) => octet === 0));
  assert.equal(keys.read(slot, "A"), "missing");
  keys.close();
});

Deno.test("KeyFile takes every slot once and grows by whole stretches", async () => {
  const file = path();
  const keys = new KeyFile(file);
  const taken = new Set<number>();
  for (let i = 0; i < 3_000; i++) taken.add(keys.take());
  assert.equal(taken.size, 3_000);
  assert.equal((await Deno.stat(file)).size, 3 * 1_024 * SLOT_BYTES);
  keys.close();
});

Deno.test("KeyFile refuses a file that has a second name", async () => {
  const file = path();
  new KeyFile(file).close();
  await Deno.link(file, `${file}.copy`);
  assert.throws(() => new KeyFile(file), /plain file/);
});
