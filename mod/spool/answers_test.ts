/** The spool's answers, on a real directory. */
import assert from "node:assert/strict";
import { flushLog } from "../core/log.ts";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readContent } from "../content/reader.ts";
import type { ContentRef } from "../core/shapes.ts";
import type { Verdict } from "../ipc/call.ts";
import { spoolAnswers } from "./answers.ts";
import { DenoDisk } from "./disk_io.ts";
import { fakeShred } from "./fake_shred.ts";
import { spoolRole } from "./role.ts";
import { Spool } from "./spool.ts";
import { spoolContract } from "./spool_ipc.ts";

type Stored = { ref: ContentRef; key: string };

/** Beside what readers see, as the home has it. */
function diskIn(dir: string): DenoDisk {
  Deno.mkdirSync(`${dir}/spent`, { recursive: true });
  return new DenoDisk(dir, `${dir}/spent`);
}

/** A spool that has just been told that nothing is in use. */
function begin() {
  const dir = Deno.makeTempDirSync();
  const disk = diskIn(dir);
  const spool = new Spool(disk, {
    shred: fakeShred(disk),
    segmentBytes: 1_048_576,
    readySegments: 1,
    maxBytes: 2 ** 30,
    minFreeBytes: 0,
  });
  spool.open();
  const counts = new Map<string, number>();
  const answers = spoolAnswers({
    spool,
    dir,
    count: (name, by = 1) =>
      void counts.set(name, (counts.get(name) ?? 0) + by),
  });
  const ask = (name: string, what: unknown, asker = "queue.0") =>
    // deno-lint-ignore no-explicit-any
    (answers as any)[name](what, asker);
  return {
    dir,
    spool,
    counts,
    ask,
    async store(octets: Uint8Array, frame = 60_000): Promise<Stored> {
      const { sink, verdict } = ask("store", {}, "smtpd.0");
      for (let at = 0; at < octets.length; at += frame) {
        sink.chunk(octets.subarray(at, at + frame));
      }
      sink.end();
      return answered(await verdict) as Stored;
    },
    async [Symbol.asyncDispose]() {
      await spool.close();
      Deno.removeSync(dir, { recursive: true });
    },
  };
}

function answered(verdict: Verdict<typeof spoolContract.calls.store>): unknown {
  assert.ok("answer" in verdict, JSON.stringify(verdict));
  return verdict.answer;
}

function read(dir: string, { ref, key }: Stored): Uint8Array {
  const whole = new Uint8Array(ref.sizeBytes);
  let at = 0;
  for (const chunk of readContent(dir, ref, key)) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Keeps expected log lines off the terminal. */
async function quietly(act: () => Promise<void>): Promise<void> {
  const { writeSync } = Deno.stderr;
  Deno.stderr.writeSync = (bytes) => bytes.length;
  try {
    await act();
  } finally {
    flushLog();
    Deno.stderr.writeSync = writeSync;
  }
}

function test(name: string, act: () => Promise<void>): void {
  Deno.test(name, () => quietly(act));
}

test("spoolAnswers keep small and large messages, readable with their keys", async () => {
  await using on = begin();
  on.ask("adopt", { refs: [], last: true });
  for (const size of [0, 1, 65_536, 262_144, 262_145, 1_000_000]) {
    const octets = new Uint8Array(size).map((_, at) => at * 7);
    const stored = await on.store(octets);
    assert.ok(spoolContract.calls.store.answer.safeParse(stored).success);
    assert.equal(stored.ref.segment.startsWith("big-"), size > 262_144);
    assert.deepEqual(read(on.dir, stored), octets);
  }
  assert.equal(on.counts.get("stored"), 6);
});

test("spoolAnswers make files that the group may read and only shred, as one of the others, write", async () => {
  const umask = Deno.umask(spoolRole.umask!);
  try {
    await using on = begin();
    on.ask("adopt", { refs: [], last: true });
    await on.store(new Uint8Array(10));
    await on.store(new Uint8Array(300_000));
    for (const { name } of Deno.readDirSync(on.dir)) {
      if (!name.endsWith(".seg")) continue;
      assert.equal(Deno.statSync(`${on.dir}/${name}`).mode! & 0o777, 0o646);
    }
  } finally {
    Deno.umask(umask);
  }
});

test("spoolAnswers put a notice around another message's header", async () => {
  await using on = begin();
  on.ask("adopt", { refs: [], last: true });
  const encoder = new TextEncoder();
  const quote = await on.store(encoder.encode("A: b\r\n\r\nsecret\r\n"));
  const notice = {
    head: "Héad\r\n\r\n",
    quote: { ...quote, isWhole: false, is8bit: false },
    tail: "\r\n--x--\r\n",
  };
  const stored = answered(await on.ask("storeNotice", notice)) as Stored;
  const text = new TextDecoder().decode(read(on.dir, stored));
  assert.equal(text, "Héad\r\n\r\nA: b\r\n\r\n--x--\r\n");
  const whole = answered(
    await on.ask("storeNotice", {
      ...notice,
      quote: { ...quote, isWhole: true, is8bit: false },
    }),
  ) as Stored;
  assert.equal(
    new TextDecoder().decode(read(on.dir, whole)),
    "Héad\r\n\r\nA: b\r\n\r\nsecret\r\n\r\n--x--\r\n",
  );
  const other = { ...notice.quote, key: "A".repeat(43) + "=" };
  assert.deepEqual(
    await on.ask("storeNotice", { ...notice, quote: other }),
    { refusal: "unreadable" },
  );
  const alone = answered(
    await on.ask("storeNotice", { ...notice, quote: null }),
  ) as Stored;
  assert.equal(
    alone.ref.sizeBytes,
    encoder.encode("Héad\r\n\r\n\r\n--x--\r\n").length,
  );
});

test("spoolAnswers quote octets above 127 only where the head says so", async () => {
  await using on = begin();
  on.ask("adopt", { refs: [], last: true });
  const quote = await on.store(
    Uint8Array.from([...new TextEncoder().encode("A: "), 0xe9, 13, 10]),
  );
  const ask = (isWhole: boolean, is8bit: boolean) =>
    on.ask("storeNotice", {
      head: "H: i\r\n\r\n",
      quote: { ...quote, isWhole, is8bit },
      tail: "\r\n",
    });
  for (const isWhole of [false, true]) {
    assert.deepEqual(await ask(isWhole, false), { refusal: "eight-bit" });
    answered(await ask(isWhole, true));
  }
});

test("spoolAnswers stream 100 MB in constant memory", async () => {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  const used = () => {
    gc();
    const { heapUsed, external } = Deno.memoryUsage();
    return heapUsed + external;
  };
  await using on = begin();
  on.ask("adopt", { refs: [], last: true });
  const { sink, verdict } = on.ask("store", {}, "smtpd.0");
  const frame = new Uint8Array(100_000).fill(42);
  const before = used();
  let most = 0;
  for (let n = 0; n < 1_000; n++) {
    sink.chunk(frame);
    if (n % 100 === 99) most = Math.max(most, used() - before);
  }
  sink.end();
  const stored = answered(await verdict) as Stored;
  assert.equal(stored.ref.sizeBytes, 100_000_000);
  assert.ok(most < 2_000_000, `${most} octets more in use`);
  for (const chunk of readContent(on.dir, stored.ref, stored.key)) {
    assert.equal(chunk[0], 42);
  }
  assert.ok(used() - before < 2_000_000);
  on.ask("release", { refs: [stored.ref] });
});

Deno.test({
  name:
    "DenoDisk works under the manifest's rights, and says that it may not ask for free space",
  permissions: { read: true, write: true },
  fn: () =>
    quietly(async () => {
      await using on = begin();
      on.ask("adopt", { refs: [], last: true });
      const octets = new Uint8Array(300_000);
      assert.deepEqual(read(on.dir, await on.store(octets)), octets);
      assert.equal(diskIn(on.dir).freeBytes(), undefined);
    }),
});
