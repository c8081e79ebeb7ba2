/**
 * 200 messages are taken on a disk that records every write and flush. Then
 * the power is cut, on paper, at hundreds of moments, and every disk that
 * could be left is mounted and recovered: nothing acknowledged is lost, the
 * database is whole, and no row is without its content.
 *
 * A line of numbers stands for each moment that failed: the events before
 * the cut, what became of the unflushed writes, and the seed.
 */
import assert from "node:assert/strict";
import { NextHop } from "../system/next_hop.ts";
import {
  delay,
  freePort,
  type Installation,
  server,
} from "../system/server_fixture.ts";
import { CrashImages, seeded, type Tail, writeImage } from "./crash_images.ts";
import { SMALL_SETTINGS } from "./crash_fixture.ts";
import { Bind, canMakeDisks, Disk, MemoryDir } from "./disk_fixture.ts";
import { Ledger, type Takers } from "./ledger.ts";
import { sendOnce } from "./load.ts";
import { report, sized } from "./proof.ts";
import { RecordedDisk } from "./recorded_disk.ts";
import type { DeviceEvent } from "./recorder_worker.ts";
import { RecoveryHelper } from "./recovery_helper.ts";

const MESSAGES = 200;
const SENDERS = 4;
const POINTS = sized({ small: 60, full: 600 });
/** Of them, those at which the whole server is started. */
const STARTS = sized({ small: 2, full: 12 });
/** Long, the queue's log is written back while mail flows, every 15 s. */
const PAUSE_MS = sized({ small: 50, full: 400 });
const RECOVERED_WITHIN_MS = 5_000;
const DRAINED_WITHIN_MS = 20_000;

const DISK_BYTES = 96 * 1_048_576;
const SEGMENT_BYTES = 1_048_576;
const HELPERS = Math.max(2, navigator.hardwareConcurrency);

/** Half of it stays in the queue: the next hop is not there. */
const TO = ["me@home.test", "far@remote.test", "you@home.test"];

interface Point {
  /** Events before the cut. */
  readonly count: number;
  readonly tail: Tail;
  readonly seed: number;
}

interface Recording {
  /** Where the programs are, 95 MB that never change: not on the disk. */
  readonly runtime: string;
  readonly disk: Disk;
  readonly made: Installation;
  readonly hop: NextHop;
  readonly ledger: Ledger;
  readonly events: readonly DeviceEvent[];
  /** Events when mail began to flow. */
  readonly began: number;
  /** Events when a message's 250 was read. */
  readonly acked: ReadonlyMap<string, number>;
}

/** Runs the server on a recorded disk, from its first start to its stop. */
async function record(
  stack: AsyncDisposableStack,
  within: string,
): Promise<Recording> {
  const disk = stack.use(
    await Disk.make({ fileSystem: "ext4", bytes: DISK_BYTES, within }),
  );
  const recorded = stack.use(await RecordedDisk.mount(disk));
  const runtime = `${within}/runtime`;
  const home = `${disk.mountPoint}/home`;
  await Deno.mkdir(runtime);
  const bind = stack.use(await Bind.mount(runtime, `${home}/runtime`));
  const hop = new NextHop(freePort());
  const made = stack.use(
    await server({
      home,
      routes: [`remote.test=127.0.0.1:${hop.port}`],
      settings: SMALL_SETTINGS,
    }),
  );
  const began = recorded.count;
  const ledger = new Ledger();
  const acked = new Map<string, number>();
  let sent = 0;
  const sender = async () => {
    while (sent < MESSAGES) {
      const turn = sent++;
      const attempt = ledger.begin(ledger.newMessage(), {
        to: TO[turn % TO.length]!,
        // One in forty gets a file of its own in the spool.
        size: turn % 40 === 20 ? 400_000 : 500 + 211 * (turn % 100),
      });
      await sendOnce(made.smtpPort, attempt);
      assert.equal(attempt.fate, "accepted", attempt.why);
      acked.set(attempt.token, recorded.count);
      await delay(PAUSE_MS * 2 * Math.random());
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  // What follows a delivery: keys destroyed, records released, rows gone.
  await delay(1_500);
  await made.stopCleanly();
  await bind.umount();
  return {
    runtime,
    disk,
    made,
    hop,
    ledger,
    events: await recorded.end(),
    began,
    acked,
  };
}

/** Half of the moments are those of an acknowledgement: nothing is fresher. */
function choosePoints(
  { events, began, acked }: Recording,
  random: () => number,
): Point[] {
  const acks = [...acked.values()];
  const points = Array.from({ length: POINTS }, (_, n): Point => ({
    count: n % 4 < 2
      ? acks[Math.floor(random() * acks.length)]!
      : began + Math.floor(random() * (events.length - began + 1)),
    tail: n % 2 === 0 ? "some" : n % 3 === 0 ? "none" : "all",
    seed: Math.floor(random() * 2 ** 32),
  }));
  return points.sort((a, b) => a.count - b.count);
}

/** Tokens of what was acknowledged before a moment and is nowhere. */
function lost(
  { ledger, acked }: Recording,
  count: number,
  at: { mail: string; hop: Takers },
): string[] {
  const mailboxes = {
    maildir: (user: string) => `${at.mail}/home.test/${user}`,
  };
  return ledger.missing(mailboxes, at.hop)
    .filter((token) => acked.get(token)! <= count)
    .map((token) => `lost ${token}`)
    .concat(ledger.verdict(mailboxes, at.hop).damaged);
}

/** What the helper wrote into its directory, as a next hop would hold it. */
function takenIn(dir: string): Takers {
  const names = [...Deno.readDirSync(dir)].map(({ name }) => name);
  return {
    taken: names.filter((name) => !name.endsWith(".to")).map((name) => ({
      atMs: 0,
      from: "",
      to: [Deno.readTextFileSync(`${dir}/${name}.to`)],
      content: Deno.readFileSync(`${dir}/${name}`),
    })),
  };
}

interface Findings {
  readonly faults: string[];
  readonly recoveryMs: number[];
  readonly drainedMs: number[];
  readonly readyMs: number[];
  readonly states: Map<string, number>;
}

/** Recovers points, the next one as often as it is free. */
async function worker(
  recording: Recording,
  points: { images: CrashImages; left: Point[]; within: string },
  findings: Findings,
): Promise<void> {
  const { images, left, within } = points;
  await using disk = await Disk.blank({
    fileSystem: "ext4",
    bytes: DISK_BYTES,
    within,
  });
  const home = `${disk.mountPoint}/home`;
  const taken = `${disk.image}.taken`;
  const logFile = `${disk.image}.log`;
  await using helper = new RecoveryHelper(logFile);
  for (let point; (point = left.shift()) !== undefined;) {
    // In one turn with the shift: the images only go forward.
    writeImage(disk.image, imageAt(images, point));
    await Deno.mkdir(taken);
    const began = performance.now();
    await disk.mount();
    const mountMs = performance.now() - began;
    const task = { home, taken, segmentBytes: SEGMENT_BYTES };
    const { faults, ...found } = await helper.recover(task);
    const recoveryMs = mountMs + found.acceptingMs;
    const at = { mail: `${home}/mail`, hop: takenIn(taken) };
    note(findings, point, [
      ...faults,
      ...lost(recording, point.count, at),
      ...recoveryMs < RECOVERED_WITHIN_MS ? [] : [`took ${recoveryMs} ms`],
    ]);
    await disk.umount();
    await Deno.remove(taken, { recursive: true });
    findings.recoveryMs.push(recoveryMs);
    findings.drainedMs.push(found.drainedMs);
    for (const [state, number] of Object.entries(found.states)) {
      const before = findings.states.get(state) ?? 0;
      findings.states.set(state, before + number);
    }
  }
}

/** Starts the whole server on a point's disk; it delivers everything. */
async function startOn(
  recording: Recording,
  point: Point,
  images: CrashImages,
): Promise<{ faults: string[]; readyMs: number }> {
  const { disk, made, hop, runtime } = recording;
  const { count } = point;
  writeImage(disk.image, imageAt(images, point));
  const began = performance.now();
  await disk.mount();
  await using bind = await Bind.mount(runtime, `${made.home}/runtime`);
  await made.start();
  const readyMs = performance.now() - began;
  hop.taken.length = 0;
  await hop.listen();
  const at = { mail: `${made.home}/mail`, hop };
  const late = performance.now() + DRAINED_WITHIN_MS;
  let faults = ["never looked"];
  let left = 1;
  while (faults.length + left > 0 && performance.now() < late) {
    await delay(100);
    faults = lost(recording, count, at);
    const queue = await made.json<{ messages: unknown[] }>("queue", "list");
    left = queue.messages.length;
  }
  if (left > 0) faults.push(`${left} messages stay in the queue`);
  await made.stopCleanly();
  await hop.close();
  await bind.umount();
  await disk.umount();
  return { faults, readyMs };
}

function imageAt(images: CrashImages, { count, tail, seed }: Point) {
  return images.at(count, tail, seeded(seed));
}

function note(findings: Findings, point: Point, faults: string[]): void {
  const say = `${point.count} ${point.tail} ${point.seed}`;
  findings.faults.push(...faults.map((fault) => `${say}: ${fault}`));
}

Deno.test({
  name: "whenever the power is cut, what was acknowledged is there",
  ignore: !canMakeDisks("crash states"),
  fn: async () => {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(
      await MemoryDir.make((2 + HELPERS) * 2 * DISK_BYTES),
    );
    const recording = await record(stack, path);
    const { disk, events } = recording;
    const points = choosePoints(recording, Math.random);
    const first = await Deno.readFile(disk.image);
    const findings: Findings = {
      faults: [],
      recoveryMs: [],
      drainedMs: [],
      readyMs: [],
      states: new Map(),
    };
    const began = performance.now();
    const shared = {
      images: new CrashImages(first.slice(), events),
      left: [...points],
      within: path,
    };
    await Promise.all(
      Array.from(
        { length: HELPERS },
        () => worker(recording, shared, findings),
      ),
    );
    const seconds = Math.round((performance.now() - began) / 1_000);
    const images = new CrashImages(first, events);
    const every = Math.floor(points.length / STARTS);
    for (let n = every - 1; n < points.length; n += every) {
      const started = await startOn(recording, points[n]!, images);
      findings.readyMs.push(started.readyMs);
      note(findings, points[n]!, started.faults);
    }
    report(`${summaryOf(recording, points, findings)}; ${seconds} s`);
    assert.deepEqual(findings.faults, []);
    assert.ok(findings.states.has("queued"), "there was something to lose");
  },
});

function summaryOf(
  { events }: Recording,
  points: readonly Point[],
  { faults, recoveryMs, drainedMs, readyMs, states }: Findings,
): string {
  const some = points.filter(({ tail }) => tail === "some").length;
  const flushes = events.filter(({ octets }) => octets === undefined).length;
  const found = [...states].map((one) => one.join(" ")).join(", ");
  const worst = (ms: readonly number[]) => Math.round(Math.max(...ms));
  return `${points.length} power cuts among ${events.length} writes and ` +
    `flushes (${flushes} flushes), ${some} with reordered writes: ` +
    `${faults.length} faults; messages in the databases: ${found}; ` +
    `accepting after at most ${worst(recoveryMs)} ms, all delivered after ` +
    `${worst(drainedMs)} ms; ${readyMs.length} whole servers, ready after ` +
    `at most ${worst(readyMs)} ms`;
}
