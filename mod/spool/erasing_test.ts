/** What becomes of spent files: overwritten first, whatever else happens. */
import assert from "node:assert/strict";
import { flushLog } from "../core/log.ts";
import type { ContentRef } from "../core/shapes.ts";
import type { Shred, Shredded } from "./erasing.ts";
import { fakeShred } from "./fake_shred.ts";
import { GRACE_MS } from "./ledger.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { Spool, type SpoolOptions } from "./spool.ts";

const SEGMENT = 65_536;
const LAST = { last: true, asker: "queue.0" };
const SPENT = "spent/pool-0000000000000001.seg";

/** A spool on `disk`, and what it asked of shred. */
function begin(disk: MemoryDisk, options: Partial<SpoolOptions> = {}) {
  const asked: string[] = [];
  const shred = options.shred ?? fakeShred(disk);
  const spool = new Spool(disk, {
    segmentBytes: SEGMENT,
    readySegments: 1,
    maxBytes: 20 * SEGMENT,
    minFreeBytes: 0,
    probeEveryMs: 5,
    placeWithinMs: 500,
    wallMs: () => disk.nowMs,
    ...options,
    shred: (ask) => {
      asked.push(ask.segment);
      return shred(ask);
    },
  });
  spool.open();
  return {
    spool,
    asked,
    async put(size: number): Promise<ContentRef | "full" | "unhealthy"> {
      const stream = spool.store("smtpd.0");
      stream.push(new Uint8Array(size).fill(97));
      stream.end();
      const stored = await stream.verdict;
      return stored.kind === "stored" ? stored.ref : stored.refusal;
    },
    async stored(size: number): Promise<ContentRef> {
      const ref = await this.put(size);
      assert(typeof ref !== "string", `refused: ${ref}`);
      assert.equal(await spool.sync(ref), "on-disk");
      return ref;
    },
    [Symbol.asyncDispose]: () => spool.close(),
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 400 && !condition(); n++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert(condition(), "it never came to pass");
}

/** A test whose expected alarms stay off the terminal; gives their names. */
function test(name: string, body: (events: () => string[]) => Promise<void>) {
  Deno.test(name, async () => {
    const { writeSync } = Deno.stderr;
    const events: string[] = [];
    Deno.stderr.writeSync = (bytes) => {
      const text = new TextDecoder().decode(bytes).trimEnd();
      for (const line of text.split("\n")) events.push(JSON.parse(line).event);
      return bytes.length;
    };
    try {
      await body(() => {
        flushLog();
        return events;
      });
    } finally {
      flushLog();
      Deno.stderr.writeSync = writeSync;
    }
  });
}

test("Spool hands a spent segment to shred before it is ready, where it lies among the spent", async () => {
  const disk = new MemoryDisk();
  let seen: string[] = [];
  const shred: Shred = (ask) => {
    seen = disk.names();
    return fakeShred(disk)(ask);
  };
  await using on = begin(disk, { shred, maxBytes: SEGMENT });
  on.spool.adopt([], LAST);
  const first = await on.stored(40_000);
  on.spool.release([first]);
  // It is full only for what comes next.
  const second = await on.stored(40_000);
  assert.deepEqual(on.asked, [first.segment]);
  assert.deepEqual(seen, [`spent/${first.segment}.seg`]);
  assert.deepEqual(disk.names(), [`${second.segment}.seg`]);
});

test("Spool overwrites again what it finds among the spent, also a large message", async () => {
  const disk = new MemoryDisk();
  disk.put(SPENT, new Uint8Array(SEGMENT));
  disk.put("spent/big-0000000000000002.seg", new Uint8Array(9_000));
  disk.put("spent/notes.txt", new Uint8Array(9));
  await using on = begin(disk);
  assert.equal(on.spool.facts.usedBytes, SEGMENT + 9_000);
  on.spool.adopt([], LAST);
  await until(() => on.spool.facts.spentFiles === 0);
  assert.deepEqual(on.asked.toSorted(), [
    "big-0000000000000002",
    "pool-0000000000000001",
  ]);
  const names = disk.names().filter((name) => name.startsWith("spent/"));
  assert.deepEqual(names, ["spent/notes.txt"]);
  assert.equal(on.spool.facts.usedBytes, SEGMENT);
});

test("Spool overwrites nothing among the spent that the queue names after all", async (events) => {
  const disk = new MemoryDisk();
  disk.put(SPENT, new Uint8Array(SEGMENT));
  await using on = begin(disk);
  const segment = "pool-0000000000000001";
  const ref = { segment, offset: 0, length: 148, sizeBytes: 100 };
  on.spool.adopt([ref], LAST);
  await on.stored(100);
  assert.deepEqual(on.asked, []);
  assert.equal(await on.spool.move(ref), "unknown", "readers have lost it");
  assert(disk.names().includes(SPENT));
  on.spool.release([ref]);
  await until(() => on.asked.length === 1);
  assert(events().includes("spool-swept"));
});

test("Spool readies an unwritten segment of its predecessor at once", async () => {
  const disk = new MemoryDisk();
  disk.put("pool-0000000000000001.seg", new Uint8Array(SEGMENT), 0);
  await using on = begin(disk, { maxBytes: SEGMENT });
  on.spool.adopt([], LAST);
  const ref = await on.stored(100);
  assert.deepEqual(on.asked, []);
  assert.notEqual(ref.segment, "pool-0000000000000001");
});

test("Spool goes on without shred as long as the pool can grow, and uses nothing again", async () => {
  const disk = new MemoryDisk();
  const shred: Shred = () => new Promise<Shredded>(() => {});
  await using on = begin(disk, {
    shred,
    lateMs: 20,
    maxBytes: 4 * SEGMENT,
  });
  on.spool.adopt([], LAST);
  for (let n = 0; n < 4; n++) {
    on.spool.release([await on.stored(60_000)]);
  }
  assert.equal(await on.put(60_000), "full");
  const spent = disk.names().filter((name) => name.startsWith("spent/"));
  assert.equal(spent.length, 4);
});

test("Spool asks again when shred was away, and uses the segment then", async () => {
  const disk = new MemoryDisk();
  let isAway = true;
  const shred: Shred = (ask) =>
    isAway ? Promise.resolve("away") : fakeShred(disk)(ask);
  await using on = begin(disk, { shred, maxBytes: SEGMENT });
  on.spool.adopt([], LAST);
  on.spool.release([await on.stored(40_000)]);
  assert.equal(await on.put(40_000), "full");
  isAway = false;
  await until(() => on.spool.facts.readySegments === 1);
  await on.stored(40_000);
});

test("Spool keeps what shred fails on out of use, and says so once", async (events) => {
  const disk = new MemoryDisk();
  const shred: Shred = () => Promise.resolve("failed");
  await using on = begin(disk, { shred, maxBytes: 2 * SEGMENT });
  on.spool.adopt([], LAST);
  const first = await on.stored(40_000);
  on.spool.release([first]);
  on.spool.release([await on.stored(40_000)]);
  await until(() => on.asked.length > 0);
  await on.put(40_000);
  assert(disk.names().includes(`spent/${first.segment}.seg`));
  const alarms = events().filter((event) => event === "segment-not-erased");
  assert.equal(alarms.length, new Set(on.asked).size);
});

test("Spool overwrites itself what shred may not open, and does not keep it", async (events) => {
  const disk = new MemoryDisk();
  const segment = "pool-0000000000000001";
  disk.put(`${segment}.seg`, new Uint8Array(SEGMENT).fill(97), 1);
  const shred: Shred = ({ segment: one, ...ask }) =>
    one === segment
      ? Promise.resolve("unfit")
      : fakeShred(disk)({ segment: one, ...ask });
  await using on = begin(disk, { shred });
  const writes = () => disk.calls.get("write") ?? 0;
  on.spool.adopt([], LAST);
  await until(() => on.spool.facts.spentFiles === 0);
  assert(writes() > 0);
  assert(!disk.names().some((name) => name.includes(segment)));
  assert(events().includes("segment-erased-by-spool"));
  await until(() => on.spool.facts.usedBytes === SEGMENT);
});

test("Spool has a lone message's segment overwritten once nobody writes to it", async () => {
  const disk = new MemoryDisk();
  await using on = begin(disk, { idleMs: 30 });
  on.spool.adopt([], LAST);
  const first = await on.stored(100);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(on.asked, [], "it is live");
  on.spool.release([first]);
  await until(() => on.asked.length === 1);
  assert.deepEqual(on.asked, [first.segment]);
  // The next one finds a segment ready.
  await until(() => on.spool.facts.readySegments >= 1);
  const { usedBytes } = on.spool.facts;
  const second = await on.stored(100);
  assert.notEqual(second.segment, first.segment);
  assert(usedBytes <= 3 * SEGMENT);
});

test("Spool has a ready segment overwritten where a journal keeps copies and nothing is spent: soon, and when the queue has forgotten", async () => {
  for (
    const { journalBytes, asks } of [
      { journalBytes: 0, asks: 0 },
      { journalBytes: 1, asks: 2 },
    ]
  ) {
    const disk = new MemoryDisk();
    await using on = begin(disk, { idleMs: 30, journalBytes });
    on.spool.adopt([], LAST);
    await new Promise((resolve) => setTimeout(resolve, 250));
    const [stays, goes] = [await on.stored(100), await on.stored(100)];
    assert.equal(stays.segment, goes.segment);
    const before = on.asked.length;
    on.spool.release([goes]);
    await new Promise((resolve) => setTimeout(resolve, 250));
    const asked = on.asked.slice(before);
    assert.equal(asked.length, asks, `journal of ${journalBytes}: ${asked}`);
    assert(!asked.includes(stays.segment), "it is in use");
    await until(() => on.spool.facts.readySegments >= 1);
    assert.equal(await on.spool.sync(stays), "on-disk");
  }
});

test("Spool does not close a segment that is still written to", async () => {
  const disk = new MemoryDisk();
  await using on = begin(disk, { idleMs: 40, segmentBytes: 16 * SEGMENT });
  on.spool.adopt([], LAST);
  const segments = new Set<string>();
  for (let n = 0; n < 10; n++) {
    const ref = await on.stored(100);
    segments.add(ref.segment);
    on.spool.release([ref]);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(segments.size, 1);
});

/** Fills segments of four records each; returns the records by segment. */
async function filled(
  on: ReturnType<typeof begin>,
  segments: number,
): Promise<ContentRef[][]> {
  const filled: ContentRef[][] = [];
  for (let n = 0; n <= segments; n++) {
    const refs: ContentRef[] = [];
    // The last one only closes the one before it.
    for (let k = 0; k < (n === segments ? 1 : 4); k++) {
      refs.push(await on.stored(14_000));
    }
    assert.equal(new Set(refs.map(({ segment }) => segment)).size, 1);
    filled.push(refs);
  }
  return filled;
}

test("Spool names the records that keep an old segment from being overwritten", async () => {
  let nowMs = 0;
  await using on = begin(new MemoryDisk(), { nowMs: () => nowMs });
  on.spool.adopt([], LAST);
  const [thin, half] = await filled(on, 2);
  on.spool.release(thin!.slice(1));
  on.spool.release(half!.slice(2));
  assert.deepEqual(on.spool.stragglers(10), [], "too young");
  nowMs += 300_000;
  assert.deepEqual(on.spool.stragglers(10), [thin![0]]);
  assert.deepEqual(on.spool.stragglers(10)[0]!.sizeBytes, 14_000);
});

test("Spool names them at once when the pool is at its limit", async () => {
  const limits = { maxBytes: 3 * SEGMENT };
  await using on = begin(new MemoryDisk(), limits);
  on.spool.adopt([], LAST);
  const [one, two] = await filled(on, 2);
  on.spool.release([...one!.slice(1), ...two!.slice(3)]);
  await until(() => on.spool.facts.usedBytes === 3 * SEGMENT);
  assert.deepEqual(on.spool.stragglers(10), [one![0]]);
});

test("Spool moves a record as it is, and both are live until the old one is released", async () => {
  let nowMs = 0;
  const disk = new MemoryDisk();
  await using on = begin(disk, { nowMs: () => nowMs });
  on.spool.adopt([], LAST);
  const [refs] = await filled(on, 1);
  on.spool.release(refs!.slice(1));
  const old = refs![0]!;
  const octetsOf = (ref: ContentRef) => {
    const file = disk.openExisting(`${ref.segment}.seg`);
    const octets = new Uint8Array(ref.length);
    file.readAt(octets, ref.offset);
    file.close();
    return octets;
  };
  const before = octetsOf(old);
  const copy = await on.spool.move(old);
  assert(typeof copy !== "string", `refused: ${copy}`);
  assert.notEqual(copy.segment, old.segment);
  assert.deepEqual(octetsOf(copy), before);
  assert.equal(await on.spool.sync(copy), "on-disk");
  assert.equal(on.asked.length, 0);
  on.spool.release([old]);
  await until(() => on.asked.length === 1);
  assert.deepEqual(on.asked, [old.segment]);
  // A copy that gets into no row goes with a later adopt.
  const { records } = on.spool.facts;
  nowMs += GRACE_MS + 1;
  on.spool.adopt([], LAST);
  assert.equal(on.spool.facts.records, 0);
  assert.equal(records, 2);
});

test("Spool.move() refuses what it does not know, cannot read, or cannot write", async () => {
  const disk = new MemoryDisk();
  await using on = begin(disk);
  on.spool.adopt([], LAST);
  const [refs] = await filled(on, 1);
  const [ref] = refs!;
  const { spool } = on;
  const big = await on.stored(100_000);
  assert.equal(await spool.move(big), "unknown");
  assert.equal(await spool.move({ ...ref!, sizeBytes: 13_999 }), "unknown");
  assert.equal(await spool.move({ ...ref!, segment: "pool-1" }), "unknown");
  const current = await on.stored(100);
  assert.equal(await spool.move(current), "unknown", "it is where it would go");
  disk.misdeed = (call) => call === "openExisting" ? "EIO" : undefined;
  assert.equal(await spool.move(ref!), "unreadable");
  disk.misdeed = (call) => call === "sync" ? "EIO" : undefined;
  const { records } = spool.facts;
  assert.equal(await spool.move(ref!), "unhealthy");
  assert.equal(spool.facts.records, records, "no copy stays");
  disk.misdeed = () => undefined;
  await until(() => spool.facts.isHealthy);
  const moving = spool.move(ref!);
  spool.release([ref!]);
  assert.equal(await moving, "unknown", "it was done with meanwhile");
});

test("Spool.move() leaves alone what is no record", async () => {
  const disk = new MemoryDisk();
  const segment = "pool-0000000000000001";
  disk.put(`${segment}.seg`, new Uint8Array(SEGMENT).fill(7), 1);
  await using on = begin(disk);
  const ref = { segment, offset: 0, length: 148, sizeBytes: 100 };
  on.spool.adopt([ref], LAST);
  assert.equal(await on.spool.move(ref), "unreadable");
});
