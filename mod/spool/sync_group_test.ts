import assert from "node:assert/strict";
import type { Fault } from "./disk.ts";
import { SyncGroup } from "./sync_group.ts";

/** A group whose syncs end when the test says so. */
function gated() {
  const ends: ((fault?: Fault) => void)[] = [];
  const faults: Fault[] = [];
  let idle = 0;
  const group = new SyncGroup({
    sync: () => new Promise((resolve) => ends.push((fault) => resolve(fault))),
    onFault: (fault) => void faults.push(fault),
    onIdle: () => void idle++,
  });
  return { group, ends, faults, idle: () => idle };
}

async function turn(): Promise<void> {
  for (let n = 0; n < 10; n++) await Promise.resolve();
}

Deno.test("SyncGroup starts a lone message's sync at once, without a timer", async () => {
  const { group, ends } = gated();
  const durable = group.written();
  await turn();
  assert.equal(ends.length, 1);
  ends[0]!();
  assert.equal(await durable, "on-disk");
});

Deno.test("SyncGroup covers with one sync all that came while another ran", async () => {
  const { group, ends, idle } = gated();
  const first = group.written();
  await turn();
  const later = Array.from({ length: 100 }, () => group.written());
  await turn();
  assert.equal(ends.length, 1);
  ends[0]!();
  assert.equal(await first, "on-disk");
  await turn();
  assert.equal(ends.length, 2);
  ends[1]!();
  assert.ok((await Promise.all(later)).every((one) => one === "on-disk"));
  await turn();
  assert.equal(ends.length, 2);
  assert.equal(idle(), 1);
});

Deno.test("SyncGroup tells all waiters of a failed sync, and all later ones, that it is lost", async () => {
  const { group, ends, faults } = gated();
  const covered = group.written();
  await turn();
  const waiting = group.written();
  ends[0]!("failed");
  assert.equal(await covered, "lost");
  assert.equal(await waiting, "lost");
  assert.equal(await group.written(), "lost");
  assert.deepEqual(faults, ["failed"]);
  // Never a second sync of the same file.
  assert.equal(ends.length, 1);
});

Deno.test("SyncGroup.fail() lets the sync under way decide about its own", async () => {
  const { group, ends } = gated();
  const covered = group.written();
  await turn();
  const waiting = group.written();
  group.fail();
  ends[0]!();
  assert.equal(await covered, "on-disk");
  assert.equal(await waiting, "lost");
});
