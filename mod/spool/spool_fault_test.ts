/** The n-th failure loop: whatever fails, what `sync` promised is there. */
import assert from "node:assert/strict";
import { flushLog } from "../core/log.ts";
import { readContent } from "../content/reader.ts";
import type { ContentRef } from "../core/shapes.ts";
import { fakeShred } from "./fake_shred.ts";
import { type DiskCall, MemoryDisk, type Misdeed } from "./memory_disk.ts";
import { Spool } from "./spool.ts";

const SEGMENT = 65_536;
const SMALL = 6_000;
const BIG = 140_000;

interface Message {
  readonly ref: ContentRef;
  readonly key: string;
  readonly octets: Uint8Array;
}

/** What was acknowledged and is not released must never come to shred. */
function newSpool(disk: MemoryDisk, live: readonly Message[]): Spool {
  const shred = fakeShred(disk);
  return new Spool(disk, {
    segmentBytes: SEGMENT,
    readySegments: 2,
    maxBytes: 40 * SEGMENT,
    minFreeBytes: 0,
    shred(ask) {
      const isLive = live.some(({ ref }) => ref.segment === ask.segment);
      assert.ok(!isLive, `${ask.segment} is live`);
      return shred(ask);
    },
    probeEveryMs: 1,
    placeWithinMs: 200,
    wallMs: () => disk.nowMs,
  });
}

let serial = 0;

/** Stores and syncs one message; undefined if it was not acknowledged. */
async function send(spool: Spool, size: number): Promise<Message | undefined> {
  const octets = new Uint8Array(size).fill(++serial % 251);
  octets.set(new TextEncoder().encode(`message ${serial}`));
  const stream = spool.store("smtpd.0");
  for (let at = 0; at < size; at += 30_000) {
    stream.push(octets.subarray(at, at + 30_000));
  }
  stream.end();
  const stored = await stream.verdict;
  if (stored.kind === "refused") return undefined;
  const { ref, key } = stored;
  if (await spool.sync(ref) === "lost") {
    spool.drop(ref, "smtpd.0");
    return undefined;
  }
  return { ref, key, octets };
}

/** Sends several at once; enters what was acknowledged. */
async function sendAll(
  spool: Spool,
  sizes: number[],
  acked: Message[],
): Promise<void> {
  const sent = await Promise.all(sizes.map((size) => send(spool, size)));
  acked.push(...sent.filter((one) => one !== undefined));
}

function assertReadable(disk: MemoryDisk, messages: Message[]): void {
  const dir = Deno.makeTempDirSync();
  try {
    disk.dump(dir);
    for (const { ref, key, octets } of messages) {
      let at = 0;
      for (const chunk of readContent(dir, ref, key)) {
        assert.deepEqual(chunk, octets.subarray(at, at + chunk.length));
        at += chunk.length;
      }
      assert.equal(at, octets.length);
    }
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function tearing(seed: number): () => "whole" | "torn" | "not" {
  let state = seed * 2_654_435_761 >>> 0;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return (["whole", "torn", "not"] as const)[(state >>> 16) % 3]!;
  };
}

/** A day in the spool's life. What is in `live` was acknowledged. */
async function live(spool: Spool, acked: Message[]): Promise<void> {
  spool.adopt([], { last: true, asker: "queue.0" });
  await sendAll(spool, Array(8).fill(SMALL), acked);
  await sendAll(spool, [BIG, SMALL, BIG], acked);
  // Enough to spend a segment or two, so that they are used again.
  spool.release(acked.splice(0, 7).map(({ ref }) => ref));
  for (let round = 0; round < 5; round++) {
    await sendAll(spool, Array(6).fill(SMALL), acked);
    spool.release(acked.splice(0, 5).map(({ ref }) => ref));
  }
  await sendAll(spool, [BIG, SMALL, BIG], acked);
  // One large message is done with; and what is spent is overwritten.
  const done = acked.findIndex(({ ref }) => ref.segment.startsWith("big-"));
  spool.release(acked.splice(done, done < 0 ? 0 : 1).map(({ ref }) => ref));
  for (let n = 0; n < 10 && spool.facts.spentFiles > 0; n++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function liveAndCrash(
  misdeed: MemoryDisk["misdeed"],
  seed: number,
): Promise<{ acked: number }> {
  const disk = new MemoryDisk();
  disk.misdeed = misdeed;
  const acked: Message[] = [];
  const spool = newSpool(disk, acked);
  spool.open();
  await live(spool, acked);
  assertReadable(disk, acked);
  const after = disk.crash(tearing(seed));
  await spool.close();
  assertReadable(after, acked);
  // The second life adopts them and writes all around them, long enough after
  // that no segment is held for its youth.
  after.nowMs += 600_000;
  const more: Message[] = [];
  const successor = newSpool(after, acked);
  successor.open();
  const refs = acked.map(({ ref }) => ref);
  successor.adopt(refs, { last: true, asker: "queue.0" });
  await sendAll(successor, Array(30).fill(SMALL), more);
  assertReadable(after, [...acked, ...more]);
  await successor.close();
  return { acked: acked.length };
}

const CALLS: DiskCall[] = [
  "openNew",
  "openExisting",
  "write",
  "sync",
  "syncDir",
  "syncDirs",
  "rename",
  "remove",
  "markUnwritten",
];

for (const call of CALLS) {
  for (const what of ["EIO", "ENOSPC"] as const) {
    for (const lasts of ["once", "from then on"] as const) {
      Deno.test(`Spool loses nothing acknowledged when the n-th ${call} fails with ${what}, ${lasts}`, async () => {
        const fired = (n: number) => {
          let count = 0;
          const misdeed = (one: DiskCall, at: number): Misdeed | undefined => {
            if (one !== call || at < n || (lasts === "once" && at > n)) {
              return undefined;
            }
            count++;
            return what;
          };
          return {
            misdeed,
            get count() {
              return count;
            },
          };
        };
        let n = 1;
        for (;; n++) {
          const fault = fired(n);
          await quietly(() => liveAndCrash(fault.misdeed, n));
          if (fault.count === 0) break;
        }
        assert.ok(n > 1, `${call} was never called`);
      });
    }
  }
}

Deno.test("Spool acknowledges all when nothing fails, and it survives a crash", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { acked } = await quietly(() => liveAndCrash(() => undefined, seed));
    assert.equal(acked, 44 - 7 - 25 - 1);
  }
});

Deno.test("Spool takes short writes as they are, and goes on", async () => {
  const { acked } = await quietly(() =>
    liveAndCrash(
      (call, n) => call === "write" && n % 2 === 1 ? "short" : undefined,
      1,
    )
  );
  assert.equal(acked, 44 - 7 - 25 - 1);
});

/** Keeps the log of faults that are made on purpose off the terminal. */
async function quietly<T>(act: () => Promise<T>): Promise<T> {
  const { writeSync } = Deno.stderr;
  Deno.stderr.writeSync = (bytes) => bytes.length;
  try {
    return await act();
  } finally {
    flushLog();
    Deno.stderr.writeSync = writeSync;
  }
}
