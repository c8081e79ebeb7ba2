import assert from "node:assert/strict";
import { flushLog } from "../core/log.ts";
import type { ContentRef } from "../core/shapes.ts";
import { fakeShred } from "./fake_shred.ts";
import { GRACE_MS } from "./ledger.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { Spool, type SpoolOptions } from "./spool.ts";
import type { Stored } from "./store_stream.ts";

const SEGMENT = 65_536;
const LAST = { last: true, asker: "queue.0" };

function begin(
  disk: MemoryDisk,
  options: Partial<SpoolOptions> = {},
): Spool & AsyncDisposable {
  const spool = new Spool(disk, {
    segmentBytes: SEGMENT,
    readySegments: 1,
    maxBytes: 20 * SEGMENT,
    minFreeBytes: 0,
    probeEveryMs: 5,
    shred: fakeShred(disk),
    adoptWithinMs: 50,
    placeWithinMs: 500,
    wallMs: () => disk.nowMs,
    ...options,
  });
  spool.open();
  return Object.assign(spool, { [Symbol.asyncDispose]: () => spool.close() });
}

function put(spool: Spool, size: number, asker = "smtpd.0"): Promise<Stored> {
  const stream = spool.store(asker);
  stream.push(new Uint8Array(size));
  stream.end();
  return stream.verdict;
}

async function stored(spool: Spool, size: number): Promise<ContentRef> {
  const verdict = await put(spool, size);
  assert.equal(verdict.kind, "stored");
  return verdict.kind === "stored" ? verdict.ref : assert.fail();
}

async function refused(verdict: Promise<Stored>): Promise<string> {
  const got = await verdict;
  return got.kind === "refused" ? got.refusal : assert.fail("was stored");
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 400 && !condition(); n++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(condition(), "it never came to pass");
}

/** Keeps expected log lines off the terminal and counts them by event. */
function quiet(): { readonly events: string[] } & Disposable {
  const events: string[] = [];
  const { writeSync } = Deno.stderr;
  Deno.stderr.writeSync = (bytes) => {
    for (const line of new TextDecoder().decode(bytes).trimEnd().split("\n")) {
      events.push(JSON.parse(line).event);
    }
    return bytes.length;
  };
  return {
    get events() {
      flushLog();
      return events;
    },
    [Symbol.dispose]: () => {
      flushLog();
      Deno.stderr.writeSync = writeSync;
    },
  };
}

Deno.test("Spool covers 100 messages at once with few syncs", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  await using spool = begin(disk, { segmentBytes: 16 * SEGMENT });
  spool.adopt([], LAST);
  await until(() => spool.facts.readySegments === 1);
  const before = disk.calls.get("sync")!;
  const refs = await Promise.all(
    Array.from({ length: 100 }, () => stored(spool, 2_048)),
  );
  const kept = await Promise.all(refs.map((ref) => spool.sync(ref)));
  assert.ok(kept.every((one) => one === "on-disk"));
  const syncs = disk.calls.get("sync")! - before;
  // One of them may be a ready segment in the making.
  assert.ok(syncs <= 8, `${syncs} syncs`);
});

Deno.test("Spool never writes into a page that an earlier sync acknowledged", async () => {
  using _quiet = quiet();
  await using spool = begin(new MemoryDisk());
  spool.adopt([], LAST);
  const one = await stored(spool, 100);
  await spool.sync(one);
  const two = await stored(spool, 100);
  assert.equal(two.segment, one.segment);
  assert.equal(two.offset, 4_096);
});

Deno.test("Spool stores nothing before the queue said what is in use", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  disk.put("pool-0000000000000001.seg", new Uint8Array(SEGMENT), 1);
  await using spool = begin(disk);
  assert.equal(await refused(put(spool, 10)), "unhealthy");
  assert.equal(disk.calls.get("write"), undefined);
  const waiting = put(spool, 10);
  spool.adopt([], { ...LAST, last: false });
  spool.adopt([], LAST);
  assert.equal((await waiting).kind, "stored");
});

Deno.test("Spool writes around every adopted record", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  const names = ["pool-0000000000000001", "pool-0000000000000002"];
  for (const name of names) {
    disk.put(`${name}.seg`, new Uint8Array(SEGMENT).fill(7), 1);
  }
  await using spool = begin(disk, { maxBytes: 2 * SEGMENT });
  const ref = {
    segment: names[0]!,
    offset: 4_096,
    length: 148,
    sizeBytes: 100,
  };
  spool.adopt([ref], LAST);
  const used = await stored(spool, 40_000);
  assert.notEqual(used.segment, names[0]);
  // There is one segment for the two of us, and it holds one such message.
  assert.equal(await refused(put(spool, 40_000)), "full");
  spool.release([ref]);
  await stored(spool, 40_000);
});

Deno.test("Spool uses a spent segment under a new name, so that no old reference means it", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  await using spool = begin(disk, { maxBytes: SEGMENT });
  spool.adopt([], LAST);
  const first = await stored(spool, 40_000);
  await spool.sync(first);
  spool.release([first]);
  const second = await stored(spool, 40_000);
  assert.notEqual(second.segment, first.segment);
  assert.equal(disk.names().length, 1);
  // A release that comes twice (the queue may ask again) frees nobody else.
  spool.release([first, { ...second, segment: first.segment }]);
  assert.equal(spool.facts.records, 1);
  assert.equal(await spool.sync(first), "lost");
});

Deno.test("Spool keeps a record that a second adopt does not name yet", async () => {
  using _quiet = quiet();
  let nowMs = 0;
  await using spool = begin(new MemoryDisk(), {
    maxBytes: SEGMENT,
    nowMs: () => nowMs,
  });
  spool.adopt([], LAST);
  const ref = await stored(spool, 40_000);
  nowMs += GRACE_MS;
  // The queue died before it committed; smtpd asks the new one to accept.
  spool.adopt([], LAST);
  assert.equal(spool.facts.records, 1);
  assert.equal(await spool.sync(ref), "on-disk");
  assert.equal(await refused(put(spool, 40_000)), "full");
  nowMs += 1;
  spool.adopt([], LAST);
  assert.equal(spool.facts.records, 0);
  assert.equal(await spool.sync(ref), "lost");
});

Deno.test("Spool ignores the pages of a queue that died among them", async () => {
  using _quiet = quiet();
  await using spool = begin(new MemoryDisk());
  const ghost = { segment: "pool-1", offset: 0, length: 148, sizeBytes: 100 };
  spool.adopt([ghost], { last: false, asker: "queue.0" });
  spool.askerGone("queue.0");
  spool.adopt([], LAST);
  assert.equal(spool.facts.records, 0);
});

Deno.test("Spool holds what its predecessor wrote a moment ago, adopted or not", async () => {
  using _quiet = quiet();
  let nowMs = 0;
  const disk = new MemoryDisk();
  disk.put("pool-0000000000000001.seg", new Uint8Array(SEGMENT));
  disk.put("pool-0000000000000002.seg", new Uint8Array(SEGMENT), 0);
  disk.put("big-0000000000000003.seg", new Uint8Array(500));
  disk.nowMs += 60_000;
  await using spool = begin(disk, {
    maxBytes: 2 * SEGMENT,
    nowMs: () => nowMs,
  });
  spool.adopt([], LAST);
  await stored(spool, 40_000);
  assert.equal(await refused(put(spool, 40_000)), "full");
  assert.ok(disk.names().includes("pool-0000000000000001.seg"));
  assert.ok(disk.names().includes("big-0000000000000003.seg"));
  nowMs += GRACE_MS;
  spool.adopt([], LAST);
  assert.ok(!disk.names().includes("big-0000000000000003.seg"));
  await until(() => spool.facts.spentFiles === 0);
  await stored(spool, 40_000);
});

Deno.test("Spool sweeps large messages that nobody adopted, and nothing else", async () => {
  using logged = quiet();
  const disk = new MemoryDisk();
  disk.put("big-0000000000000001.seg", new Uint8Array(500), 1);
  disk.put("big-0000000000000002.seg", new Uint8Array(500), 1);
  disk.put("pool-00000000000000aa.new", new Uint8Array(500), 1);
  disk.put("probe-00000000000000aa", new Uint8Array(500), 1);
  disk.put("notes.txt", new Uint8Array(5), 1);
  disk.put("pool-xyz.seg", new Uint8Array(5), 1);
  await using spool = begin(disk, { maxBytes: 1_000 });
  const segment = "big-0000000000000002";
  spool.adopt([{ segment, offset: 0, length: 500, sizeBytes: 452 }], LAST);
  assert.deepEqual(disk.names(), [
    `${segment}.seg`,
    "notes.txt",
    "pool-xyz.seg",
    "spent/big-0000000000000001.seg",
  ]);
  await until(() => spool.facts.spentFiles === 0);
  assert.equal(disk.names().length, 3);
  assert.deepEqual(logged.events, ["spool-foreign-files", "spool-swept"]);
});

Deno.test("Spool says loudly that an adopted record's file is missing", async () => {
  using logged = quiet();
  await using spool = begin(new MemoryDisk(), { maxBytes: 0 });
  const ref = {
    segment: "pool-0000000000000001",
    offset: 0,
    length: 148,
    sizeBytes: 100,
  };
  spool.adopt([ref], LAST);
  assert.ok(logged.events.includes("content-missing"));
});

Deno.test("Spool keeps a large message in a file of its own until it is released", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  await using spool = begin(disk);
  spool.adopt([], LAST);
  const ref = await stored(spool, 100_000);
  assert.match(ref.segment, /^big-/);
  assert.equal(await spool.sync(ref), "on-disk");
  assert.ok(disk.names().includes(`${ref.segment}.seg`));
  const { usedBytes } = spool.facts;
  spool.release([ref]);
  assert.ok(!disk.names().includes(`${ref.segment}.seg`));
  await until(() => spool.facts.spentFiles === 0);
  assert.ok(!disk.names().some((name) => name.includes(ref.segment)));
  assert.equal(usedBytes - spool.facts.usedBytes, ref.length);
});

Deno.test("Spool keeps nothing of a message that was given up", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  await using spool = begin(disk);
  spool.adopt([], LAST);
  await until(() => spool.facts.readySegments === 1);
  const before = { names: disk.names(), ...spool.facts };
  const stream = spool.store("smtpd.0");
  stream.push(new Uint8Array(200_000));
  assert.equal(disk.names().length, before.names.length + 1);
  stream.abort();
  const other = spool.store("smtpd.1");
  other.push(new Uint8Array(200_000));
  spool.askerGone("smtpd.1");
  assert.deepEqual({ names: disk.names(), ...spool.facts }, before);
});

Deno.test("Spool frees the record of an asker that died while it waited for a place", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  await using spool = begin(disk);
  const waiting = put(spool, 1_000, "smtpd.1");
  const big = put(spool, 100_000, "smtpd.1");
  spool.askerGone("smtpd.1");
  spool.adopt([], LAST);
  await Promise.all([waiting, big]);
  await until(() => spool.facts.readySegments === 1);
  assert.equal(spool.facts.records, 0);
  // The one that was given to it, empty again, and the next one.
  assert.equal(spool.facts.usedBytes, 2 * SEGMENT);
  assert.ok(disk.names().every((name) => name.startsWith("pool-")));
});

Deno.test("Spool lets nobody drop what another stored", async () => {
  using _quiet = quiet();
  await using spool = begin(new MemoryDisk());
  spool.adopt([], LAST);
  const ref = await stored(spool, 100);
  spool.drop(ref, "smtpd.1");
  assert.equal(spool.facts.records, 1);
  spool.drop(ref, "smtpd.0");
  assert.equal(spool.facts.records, 0);
});

Deno.test("Spool is unhealthy after a failed sync until a fresh file could be written", async () => {
  using logged = quiet();
  const disk = new MemoryDisk();
  await using spool = begin(disk);
  spool.adopt([], LAST);
  const good = await stored(spool, 100);
  assert.equal(await spool.sync(good), "on-disk");
  disk.misdeed = (call) => call === "sync" ? "EIO" : undefined;
  assert.equal(await refused(put(spool, 100)), "unhealthy", "by its sync");
  assert.equal(await spool.sync(good), "on-disk");
  assert.equal(await refused(put(spool, 100)), "unhealthy", "at once");
  const probes = disk.calls.get("sync")!;
  await until(() => disk.calls.get("sync")! > probes + 1);
  assert.ok(!spool.facts.isHealthy);
  disk.misdeed = () => undefined;
  await until(() => spool.facts.isHealthy);
  const after = await stored(spool, 100);
  assert.notEqual(after.segment, good.segment);
  assert.ok(disk.names().includes(`${good.segment}.retired`));
  assert.deepEqual(
    logged.events.filter((event) => /health|retired/.test(event)),
    ["segment-retired", "spool-unhealthy", "spool-healthy"],
  );
  // Only when nobody needs it any more.
  spool.release([good]);
  await until(() => spool.facts.spentFiles === 0);
  assert.ok(!disk.names().some((name) => name.startsWith(good.segment)));
});

Deno.test("Spool never writes to a segment that its predecessor retired", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  const segment = "pool-0000000000000001";
  disk.put(`${segment}.seg`, new Uint8Array(SEGMENT), 1);
  disk.put(`${segment}.retired`, new Uint8Array(0), 1);
  await using spool = begin(disk, { maxBytes: SEGMENT });
  const ref = { segment, offset: 0, length: 148, sizeBytes: 100 };
  spool.adopt([ref], LAST);
  assert.equal(await refused(put(spool, 100)), "full");
  spool.release([ref]);
  await until(() => spool.facts.spentFiles === 0);
  assert.ok(!disk.names().some((name) => name.includes(segment)));
});

Deno.test("Spool refuses as full when the pool may not grow, and stores again after a release", async () => {
  using _quiet = quiet();
  await using spool = begin(new MemoryDisk(), { maxBytes: 2 * SEGMENT });
  spool.adopt([], LAST);
  const refs = [await stored(spool, 40_000), await stored(spool, 40_000)];
  assert.equal(await refused(put(spool, 40_000)), "full");
  assert.equal(await refused(put(spool, 400_000)), "full");
  await Promise.all(refs.map((ref) => spool.sync(ref)));
  spool.release([refs[0]!]);
  await stored(spool, 40_000);
});

Deno.test("Spool refuses as full while the disk has less free than the minimum", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  let nowMs = 0;
  await using spool = begin(disk, {
    minFreeBytes: 1_000_000,
    nowMs: () => nowMs,
  });
  spool.adopt([], LAST);
  await stored(spool, 100);
  disk.free = 999_999;
  nowMs += 1_000;
  assert.equal(await refused(put(spool, 100)), "full");
  disk.free = 1e9;
  nowMs += 1_000;
  await stored(spool, 100);
});

Deno.test("Spool refuses as full, and stays healthy, when the disk has no room", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  await using spool = begin(disk);
  spool.adopt([], LAST);
  await until(() => spool.facts.readySegments === 1);
  disk.misdeed = (call) => call === "write" ? "ENOSPC" : undefined;
  assert.equal(await refused(put(spool, 100)), "full");
  assert.equal(await refused(put(spool, 100_000)), "full");
  assert.ok(spool.facts.isHealthy);
  disk.misdeed = () => undefined;
  await stored(spool, 100);
});

Deno.test("Spool syncs the names, too, of what it says is on disk", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  // Room for one segment, so that no other file's sync helps out.
  await using spool = begin(disk, { maxBytes: 4 * SEGMENT, readySegments: 1 });
  spool.adopt([], LAST);
  const small = await stored(spool, 100);
  disk.misdeed = (call) => call === "openNew" ? "ENOSPC" : undefined;
  assert.equal(await spool.sync(small), "on-disk");
  const crashed = disk.crash(() => "not");
  assert.ok(crashed.names().includes(`${small.segment}.seg`));
  disk.misdeed = () => undefined;
  const big = await stored(spool, 100_000);
  assert.equal(await spool.sync(big), "on-disk");
  assert.ok(disk.crash(() => "not").names().includes(`${big.segment}.seg`));
});

Deno.test("Spool does not use a segment again while a sync of it is under way", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  // No room to grow, so that nothing else keeps the pool from its work.
  const limits = { readySegments: 2, maxBytes: 2 * SEGMENT };
  await using spool = begin(disk, limits);
  spool.adopt([], LAST);
  await until(() => spool.facts.readySegments === 2);
  const gate = Promise.withResolvers<void>();
  disk.syncGate = () => gate.promise;
  const before = disk.names();
  // Two on their way, so that their syncs do not hold up everything else.
  const streams = [spool.store("smtpd.0"), spool.store("smtpd.0")];
  for (const stream of streams) {
    stream.push(new Uint8Array(40_000));
    stream.end();
  }
  await new Promise((resolve) => setTimeout(resolve, 10));
  for (const stream of streams) stream.abort();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(disk.names(), before);
  gate.resolve();
  await until(() => !before.every((name) => disk.names().includes(name)));
});

Deno.test("Spool never writes again to a segment that a write to failed", async () => {
  using _quiet = quiet();
  const disk = new MemoryDisk();
  await using spool = begin(disk);
  spool.adopt([], LAST);
  const good = await stored(spool, 100);
  await spool.sync(good);
  await until(() => spool.facts.readySegments === 1);
  let failures = 0;
  disk.misdeed = (call) =>
    call === "write" && failures++ === 0 ? "EIO" : undefined;
  assert.equal(await refused(put(spool, 100)), "unhealthy");
  await until(() => spool.facts.isHealthy);
  const after = await stored(spool, 100);
  assert.notEqual(after.segment, good.segment);
  assert.ok(disk.names().includes(`${good.segment}.retired`));
});
