import assert from "node:assert/strict";
import { ASK_SYNC } from "./sync_ipc.ts";
import { MAX_OPEN_ASKS, SyncChannel } from "./sync_channel.ts";
import { SyncTurns } from "./sync_turns.ts";

/** A sync that ends when the test says so. */
function heldSync() {
  const running: ((synced: boolean) => void)[] = [];
  let begun = 0;
  const sync = () => {
    begun++;
    return new Promise<boolean>((resolve) => running.push(resolve));
  };
  const settle = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return {
    sync,
    settle,
    begun: () => begun,
    async finish(synced: boolean) {
      running.shift()!(synced);
      await settle();
    },
  };
}

Deno.test("SyncTurns answers all that waited at once after one sync", async () => {
  const held = heldSync();
  const turns = new SyncTurns(held.sync);
  const told: boolean[] = [];
  for (let i = 0; i < 5; i++) turns.ask((synced) => told.push(synced));
  await held.settle();
  assert.equal(held.begun(), 1);
  assert.deepEqual(told, []);
  await held.finish(true);
  assert.deepEqual(told, [true, true, true, true, true]);
  assert.equal(held.begun(), 1);
});

Deno.test("SyncTurns gives an ask that came during a sync one of its own", async () => {
  const held = heldSync();
  const turns = new SyncTurns(held.sync);
  const told: string[] = [];
  turns.ask((synced) => told.push(`first ${synced}`));
  await held.settle();
  turns.ask((synced) => told.push(`second ${synced}`));
  await held.finish(true);
  assert.deepEqual(told, ["first true"]);
  assert.equal(held.begun(), 2);
  await held.finish(false);
  assert.deepEqual(told, ["first true", "second false"]);
});

Deno.test("SyncTurns starts again after it was idle", async () => {
  const held = heldSync();
  const turns = new SyncTurns(held.sync);
  const told: boolean[] = [];
  turns.ask((synced) => told.push(synced));
  await held.settle();
  await held.finish(false);
  turns.ask((synced) => told.push(synced));
  await held.settle();
  await held.finish(true);
  assert.deepEqual(told, [false, true]);
});

Deno.test("SyncChannel answers one octet an ask: 0 done, 1 failed", async () => {
  const sent: number[] = [];
  const turns = new SyncTurns(() => Promise.resolve(sent.length < 2));
  const channel = new SyncChannel(turns, (octets) => sent.push(...octets));
  assert.equal(channel.push(Uint8Array.of(ASK_SYNC, ASK_SYNC)), undefined);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  channel.push(Uint8Array.of(ASK_SYNC));
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.deepEqual(sent, [0, 0, 1]);
});

Deno.test("SyncChannel refuses every octet but the ask", () => {
  for (let octet = 0; octet < 256; octet++) {
    const turns = new SyncTurns(() => new Promise(() => {}));
    const channel = new SyncChannel(turns, () => {});
    const breach = channel.push(Uint8Array.of(octet));
    assert.equal(breach === undefined, octet === 0x73, `octet ${octet}`);
  }
});

Deno.test("SyncChannel bounds the asks that are open", () => {
  const turns = new SyncTurns(() => new Promise(() => {}));
  const channel = new SyncChannel(turns, () => {});
  const flood = new Uint8Array(MAX_OPEN_ASKS).fill(ASK_SYNC);
  assert.equal(channel.push(flood), undefined);
  assert.equal(channel.push(Uint8Array.of(ASK_SYNC)), "too many open asks");
});
