import assert from "node:assert/strict";
import { GroupCommit } from "./group_commit.ts";

/** What SQLite throws through node:sqlite. */
function sqliteError(errcode: number): Error {
  return Object.assign(new Error("sqlite says no"), { errcode });
}

function bench() {
  const log: string[] = [];
  const freed: number[] = [];
  const script: {
    fail: Error | undefined;
    isSafe: boolean;
    isLogged: boolean;
    /** Holds up the sync of the slots. */
    gate: Promise<void>;
  } = {
    gate: Promise.resolve(),
    fail: undefined,
    isSafe: true,
    isLogged: true,
  };
  const group = new GroupCommit({
    store: {
      transaction(work) {
        if (script.fail !== undefined) {
          log.push("rollback");
          throw script.fail;
        }
        work();
        log.push("commit");
      },
    },
    keys: {
      write: (slot) => void log.push(`write ${slot}`),
      wipe: (slot) => void log.push(`wipe ${slot}`),
      sync: () => {
        log.push("sync");
        return script.gate.then(() => script.isSafe);
      },
      free: (slot) => void freed.push(slot),
    },
    log: {
      sync: () => {
        log.push("log aside");
        return Promise.resolve(script.isLogged);
      },
      syncHere: () => {
        log.push("log here");
        return script.isLogged;
      },
    },
    onLost: () => void log.push("lost"),
    onFault: (refusal) => void log.push(`fault ${refusal}`),
    probe: () => void log.push("probe"),
  });
  const accept = (slot: number) =>
    group.accept({
      slot,
      id: `id${slot}`,
      key: new Uint8Array(32),
      work: () => void log.push(`row ${slot}`),
    });
  return { group, log, freed, script, accept };
}

Deno.test("GroupCommit shares one slot sync and one transaction, the sync begun first", async () => {
  const { group, log, accept } = bench();
  group.ride(() => void log.push("ride"));
  const done = [accept(1), accept(2), group.write(() => void log.push("out"))];
  await Promise.all(done);
  assert.deepEqual(log, [
    "write 1",
    "write 2",
    "sync",
    "row 1",
    "row 2",
    "out",
    "ride",
    "commit",
    "log aside",
  ]);
  await group.drain();
});

for (
  const { name, errcode, refusal } of [
    { name: "SQLITE_FULL", errcode: 13, refusal: "full" },
    {
      name: "SQLITE_IOERR_FSYNC",
      errcode: 10 | (4 << 8),
      refusal: "unhealthy",
    },
    { name: "SQLITE_READONLY", errcode: 8, refusal: "unhealthy" },
  ] as const
) {
  Deno.test(`GroupCommit refuses accepts with ${refusal} at ${name}, and keeps outcomes until it works`, async () => {
    const { group, log, freed, script, accept } = bench();
    script.fail = sqliteError(errcode);
    let isWritten = false;
    const writing = group.write(() => void log.push("out")).then(() => {
      isWritten = true;
    });
    assert.equal(await accept(1), refusal);
    assert.equal(await accept(2), refusal, "at once while it fails");
    assert.equal(isWritten, false);
    script.fail = undefined;
    let recovered = 0;
    group.onRecovered = () => recovered++;
    await writing;
    assert.equal(recovered, 1);
    assert.equal(log.filter((one) => one === "out").length, 1);
    assert.ok(log.includes("probe") && log.includes("wipe 1"));
    assert.deepEqual(freed.sort(), [1, 2]);
    assert.equal(await accept(3), "done");
    await group.drain();
  });
}

Deno.test("GroupCommit never frees a slot whose sync failed", async () => {
  const { group, freed, script, accept } = bench();
  script.isSafe = false;
  assert.equal(await accept(1), "unsafe");
  assert.equal(await group.wipeKey(2), false);
  script.isSafe = true;
  assert.equal(await group.wipeKey(3), true);
  assert.deepEqual(freed, [3]);
  await group.drain();
});

Deno.test("GroupCommit commits nothing after it was drained", async () => {
  const { group, log } = bench();
  void group.write(() => void log.push("early"));
  await group.drain();
  void group.write(() => void log.push("late"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(log, ["early", "commit", "log here"]);
});

Deno.test("GroupCommit syncs the log in place for a lone accept", async () => {
  const { group, log, accept } = bench();
  assert.equal(await accept(1), "done");
  assert.deepEqual(log, ["write 1", "sync", "row 1", "commit", "log here"]);
  await group.drain();
});

Deno.test("GroupCommit answers nobody once the log failed to sync", async () => {
  const { group, log, script, accept } = bench();
  script.isLogged = false;
  const answers: unknown[] = [];
  for (const slot of [1, 2]) accept(slot).then((said) => answers.push(said));
  group.write(() => {}).then(() => answers.push("written"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(log.includes("lost"));
  script.isLogged = true;
  void accept(3).then((said) => answers.push(said));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(answers, []);
  assert.ok(!log.includes("row 3"));
});

Deno.test("GroupCommit tries again although its rounds were all held up when it was time to", async () => {
  const { group, log, script } = bench();
  const gate = Promise.withResolvers<void>();
  script.gate = gate.promise;
  script.fail = sqliteError(13);
  let isWritten = false;
  const writing = group.write(() => {}).then(() => isWritten = true);
  const wiping = [group.wipeKey(1)];
  // The second round begins while the first one's slot is synced.
  while (!log.includes("wipe 1")) await new Promise(setImmediate);
  wiping.push(group.wipeKey(2));
  while (!log.includes("wipe 2")) await new Promise(setImmediate);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  script.fail = undefined;
  gate.resolve();
  await Promise.all(wiping);
  await Promise.race([
    writing,
    new Promise((resolve) => setTimeout(resolve, 2_000)),
  ]);
  assert.ok(isWritten);
  await group.drain();
});
