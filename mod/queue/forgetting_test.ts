/** What is found of finished messages in the queue's files, and when. */
import { NO_WISHES } from "../core/shapes.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { ownOutcome } from "../core/outcome.ts";
import { Forgetting } from "./forgetting.ts";
import { listQueue } from "./inspect.ts";
import { laboratory, newAsk, tempDir, until } from "./laboratory.ts";

const FILES = [
  "queue.db",
  "queue.db-wal",
  "queue.db-shm",
  "events.db",
  "events.db-wal",
  "events.db-shm",
] as const;

/** Which files hold the token, and how often. */
function found(dir: string, token: string, files = FILES as readonly string[]) {
  const hits: string[] = [];
  for (const name of files) {
    if (!fs.existsSync(`${dir}/${name}`)) continue;
    const octets = readInChild(`${dir}/${name}`);
    let count = 0;
    for (let at = -1; (at = octets.indexOf(token, at + 1)) !== -1;) count++;
    if (count > 0) hits.push(`${name}: ${count}`);
  }
  return hits;
}

// In a process of its own: closing the file here drops SQLite's locks.
function readInChild(path: string): Buffer {
  const { stdout, success } = new Deno.Command("cat", { args: [path] })
    .outputSync();
  assert.ok(success);
  return Buffer.from(stdout);
}

const QUEUE_FILES = FILES.filter((name) => name.startsWith("queue"));

Deno.test("Queue's database and log hold no address of a finished message after forget_within, while mail flows and when it is quiet", async () => {
  const dir = tempDir();
  const token = "zq9-unique";
  await using lab = laboratory({
    dir,
    change: { forgetWithinMs: 1_000, firstRetryMs: 60_000, maxRetryMs: 60_000 },
  });
  const { fake } = lab;
  // Some stay in between, so that pages are split, emptied and filled.
  fake.deliver = (_, address) =>
    address.startsWith("stay")
      ? ownOutcome("temporary", 451, "4.3.0", "not now")
      : ownOutcome("delivered", 250, "2.0.0", "ok");
  let stayed = 0;
  const send = async (i: number) => {
    const own = (r: number) => `${token}-${"x".repeat(r * 20)}${i}-${r}@h.test`;
    const stays = i % 7 === 0;
    if (stays) stayed++;
    await lab.send(newAsk(
      stays
        ? [`stay${i}@home.test`]
        : Array.from({ length: 1 + i % 5 }, (_, r) => own(r)),
      {
        reversePath: stays ? "amy@s.test" : `${token}-from-${i}@s.test`,
        wishes: stays ? NO_WISHES : { ...NO_WISHES, envid: `${token}-${i}` },
        recipientWishes: stays
          ? []
          : [{ notify: ["failure"], orcpt: `rfc822;${token}-${i}@o.test` }],
        hold: false,
        client: {
          address: "::1",
          helo: stays ? "h" : token,
          protocol: "ESMTP",
          login: stays ? "" : `${token}-login@h.test`,
        },
      },
    ));
  };
  await Promise.all(Array.from({ length: 3_000 }, (_, i) => send(i)));
  const finished = () => fake.released.length + stayed === 3_000;
  await until("all finished", finished, 20_000);
  // Mail still flows while the time passes. How long it takes at most is what
  // the test of Forgetting says; here the machine may be busy.
  const end = performance.now() + 10_000;
  const isForgotten = () => found(dir, token, QUEUE_FILES).length === 0;
  for (let n = 1; performance.now() < end; n++) {
    await lab.send(newAsk(["bob@home.test"]));
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (n % 100 === 0 && isForgotten()) break;
  }
  assert.deepEqual(found(dir, token, QUEUE_FILES), [], "while mail flows");
  const { size: logBytes } = fs.statSync(`${dir}/queue.db-wal`);
  assert.ok(logBytes > 0, "the log keeps its size");
  assert.ok(logBytes < 10 * 1_048_576, `and is bounded: ${logBytes}`);
  assert.equal(listQueue(dir, 10_000).length >= stayed, true);
  assert.notDeepEqual(found(dir, "stay0@home.test"), [], "the search finds");

  await lab.send(newAsk([`${token}-last@h.test`]));
  await until("quiet", isForgotten, 10_000);
  const size = () => fs.statSync(`${dir}/queue.db-wal`).size;
  await until("emptied", () => size() === 0, 10_000);
});

interface Mail {
  readonly name: string;
  readonly withinMs: number;
  /** True if something is committed at that time. */
  readonly commits: (ms: number) => boolean;
  /** True if a reader is in the way at that time. */
  readonly isBusy?: (ms: number) => boolean;
}

const MAILS: Mail[] = [
  { name: "flows", withinMs: 1_000, commits: () => true },
  { name: "flows slowly", withinMs: 30_000, commits: (ms) => ms % 7_000 === 0 },
  { name: "comes once", withinMs: 30_000, commits: (ms) => ms === 500 },
  {
    name: "comes in bursts",
    withinMs: 5_000,
    commits: (ms) => ms % 11_000 < 2_500,
  },
  {
    name: "flows and readers come and go",
    withinMs: 30_000,
    commits: (ms) => ms % 10 === 0,
    isBusy: (ms) => ms % 20_000 < 9_000,
  },
];

for (const { name, withinMs, commits, isBusy } of MAILS) {
  Deno.test(`Forgetting keeps its time when mail ${name}, and empties the log when it is quiet`, async () => {
    let nowMs = 0;
    let committed = 0;
    let sizeBytes = 0;
    /** When each commit came that is not forgotten. */
    let waiting: number[] = [];
    let latest = 0;
    const forgetting = new Forgetting({
      commits: () => committed,
      withinMs: () => withinMs,
      nowMs: () => nowMs,
      log: {
        get sizeBytes() {
          return sizeBytes;
        },
        scrub() {
          if (isBusy?.(nowMs)) return Promise.resolve("busy");
          if (waiting.length > 0) {
            latest = Math.max(latest, nowMs - waiting[0]!);
          }
          waiting = [];
          return Promise.resolve("done");
        },
        empty() {
          sizeBytes = 0;
          return "done";
        },
      },
    });
    const tickMs = Math.min(1_000, Math.max(100, withinMs / 8));
    for (nowMs = 1; nowMs <= 120_000; nowMs++) {
      if (nowMs < 60_000 && commits(nowMs)) {
        committed++;
        sizeBytes = 4_000_000;
        waiting.push(nowMs);
      }
      if (nowMs % tickMs === 0) await forgetting.tick();
    }
    assert.ok(latest > 0 && latest <= withinMs, `the latest took ${latest} ms`);
    assert.deepEqual(waiting, []);
    assert.equal(sizeBytes, 0);
  });
}

Deno.test("Queue's history is forgotten too, by age and by size, and leaves nothing behind", async () => {
  const dir = tempDir();
  const token = "zq8-unique";
  // A limit that no event comes under: the least that the setting allows.
  await using lab = laboratory({
    dir,
    change: { forgetWithinMs: 1_000, maxEventsBytes: 65_536 },
  });
  for (let i = 0; i < 100; i++) {
    await lab.send(newAsk([`${token}-${i}@home.test`]));
  }
  await until("told", () => found(dir, token).length > 0);
  // Newer events push the old ones out.
  for (let i = 0; i < 1_500; i++) {
    await lab.send(newAsk([`bob${i}@home.test`]));
  }
  await until("forgotten", () => found(dir, token).length === 0, 10_000);
});

Deno.test("Queue forgets what hosts said of a recipient, however long its row had been", async () => {
  const dir = tempDir();
  const token = "zq8-unique";
  await using lab = laboratory({
    dir,
    change: { forgetWithinMs: 1_000, firstRetryMs: 100, maxRetryMs: 100 },
  });
  const { fake } = lab;
  const tried = new Map<string, number>();
  fake.deliver = (_, address) => {
    const attempt = (tried.get(address) ?? 0) + 1;
    tried.set(address, attempt);
    if (attempt > 3 && address.startsWith(token)) {
      return ownOutcome("delivered", 250, "2.0.0", "ok");
    }
    // Rows grow beyond a page's share, shrink, and grow again.
    const words = `${token} ${"w".repeat(attempt === 2 ? 20 : 480)}`;
    const outcome = ownOutcome("temporary", 450, "4.2.0", words);
    return { ...outcome, host: "mx.remote.test", said: `450 ${words}` };
  };
  const sent = 200;
  for (let n = 0; n < sent; n++) {
    await lab.send(newAsk([`${token}-${n}@home.test`]));
  }
  const db = () => found(dir, token, ["queue.db", "queue.db-wal"]);
  assert.notDeepEqual(db(), [], "the search finds");
  await until("finished", () => fake.released.length === sent, 20_000);
  await until("forgotten", () => db().length === 0, 10_000);
});
