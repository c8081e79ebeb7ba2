/**
 * Disks that are full, have no inodes, or are read-only, one after the other,
 * under one server: senders are told to come again, what was acknowledged
 * stays, queued mail goes out where it can, and mail is accepted again soon
 * after there is room.
 *
 * Two small disks: `state` holds spool and queue, `mail` the Maildirs.
 */
import assert from "node:assert/strict";
import { NextHop } from "../system/next_hop.ts";
import {
  change,
  delay,
  freePort,
  type Installation,
  installation,
  until,
} from "../system/server_fixture.ts";
import { drained, SMALL_SETTINGS } from "./crash_fixture.ts";
import {
  Ballast,
  Bind,
  canMakeDisks,
  Disk,
  MemoryDir,
  must,
} from "./disk_fixture.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { Load, sendOnce } from "./load.ts";
import { report } from "./proof.ts";

const STATE_BYTES = 48 * 1_048_576;
const STATE_INODES = 128;
const MAIL_BYTES = 32 * 1_048_576;
const MAIL_INODES = 300;
/** So long it may take until mail is accepted again. */
const AGAIN_WITHIN_MS = 10_000;
/** How long a fault lasts, at least. */
const FAULT_MS = 2_000;
/** What the spool believes of its free space is at most so old. */
const NOTICED_AFTER_MS = 500;

const FULL = /^452 4\.3\.1 /;
const BROKEN = /^451 4\.3\.0 /;

const LOCAL = ["me@home.test", "you@home.test"] as const;
const FAR = ["far@remote.test"] as const;
const SMALL = 2_000;
/** Gets a file of its own in the spool. */
const LARGE = 400_000;

interface Stage {
  readonly made: Installation;
  readonly hop: NextHop;
  readonly state: Disk;
  readonly mail: MemoryDir;
  readonly binds: Bind[];
  readonly ledger: Ledger;
}

async function setUp(stack: AsyncDisposableStack): Promise<Stage> {
  const hop = stack.use(new NextHop(freePort()));
  const state = stack.use(
    await Disk.make({
      fileSystem: "ext4",
      bytes: STATE_BYTES,
      more: ["-m", "0", "-N", String(STATE_INODES)],
    }),
  );
  const mail = stack.use(await MemoryDir.make(MAIL_BYTES, MAIL_INODES));
  const made = stack.use(
    await installation({
      routes: [`remote.test=127.0.0.1:${hop.port}`],
      settings: SMALL_SETTINGS,
    }),
  );
  await state.mount("errors=remount-ro");
  for (const name of ["spool", "queue"]) {
    await must("cp", "-a", `${made.home}/${name}`, state.mountPoint);
  }
  await must("cp", "-a", `${made.home}/mail`, mail.path);
  const stage = { made, hop, state, mail, binds: [], ledger: new Ledger() };
  stack.defer(() => unbind(stage));
  await bind(stage);
  // The last to be made is the first to go: it runs on all of the above.
  stack.defer(async () => void await made.stop());
  await made.start();
  return stage;
}

async function bind({ made, state, mail, binds }: Stage): Promise<void> {
  for (const name of ["spool", "queue"]) {
    binds.push(
      await Bind.mount(`${state.mountPoint}/${name}`, `${made.home}/${name}`),
    );
  }
  binds.push(await Bind.mount(`${mail.path}/mail`, `${made.home}/mail`));
}

async function unbind({ binds }: Stage): Promise<void> {
  for (let bind; (bind = binds.pop()) !== undefined;) await bind.umount();
}

/** Sends one message; returns what was said to it. */
async function send(
  { made, ledger }: Stage,
  to: string,
  size: number,
): Promise<string> {
  const attempt = ledger.begin(ledger.newMessage(), { to, size });
  await sendOnce(made.smtpPort, attempt);
  return attempt.why;
}

/** Sends some to each, all of which must be taken. */
async function sendAll(
  stage: Stage,
  to: readonly string[],
  each: number,
): Promise<void> {
  for (let n = 0; n < each; n++) {
    for (const address of to) {
      assert.match(await send(stage, address, SMALL), /^250 /, address);
    }
  }
}

/** Sends for a while; everything must be refused in the same words. */
async function allRefused(
  stage: Stage,
  want: RegExp,
  size: number,
): Promise<number> {
  const late = performance.now() + FAULT_MS;
  let refused = 0;
  while (performance.now() < late) {
    assert.match(await send(stage, LOCAL[0], size), want);
    refused++;
    await delay(50);
  }
  return refused;
}

/** Sends until it is taken; returns how long that took, in milliseconds. */
async function accepting(stage: Stage, size: number): Promise<number> {
  const began = performance.now();
  await until(
    "mail again",
    async () => (await send(stage, LOCAL[0], size)).startsWith("250 "),
    AGAIN_WITHIN_MS,
  );
  return Math.round(performance.now() - began);
}

async function queued({ made }: Stage): Promise<number> {
  return (await made.json<{ messages: unknown[] }>("queue", "list"))
    .messages.length;
}

async function allArrived(stage: Stage): Promise<number> {
  const { made, hop, ledger } = stage;
  const began = performance.now();
  await until(
    "what was queued",
    async () =>
      ledger.missing(made, hop).length === 0 && await queued(stage) === 0,
    AGAIN_WITHIN_MS,
  );
  return Math.round(performance.now() - began);
}

/** Stops the server, in which no role has died: a bad disk is no reason. */
async function stopAlive({ made }: Stage): Promise<void> {
  const deaths = made.events().filter(({ event }) => event === "role-died");
  assert.deepEqual(deaths, [], "no role dies of a bad disk");
  await made.stopCleanly();
}

interface Step {
  readonly name: string;
  /** Runs it; says what was seen. */
  run(stage: Stage): Promise<string>;
}

const STEPS: readonly Step[] = [
  {
    name: "mail read-only, then spool and queue full",
    async run(stage) {
      const { state, mail, hop } = stage;
      await mail.remount("ro");
      await sendAll(stage, [...LOCAL, ...FAR], 8);
      const waiting = await queued(stage);
      assert.equal(waiting, 24, "messages wait");
      const ballast = Ballast.fill(state.mountPoint, "space");
      await delay(NOTICED_AFTER_MS);
      const refused = await allRefused(stage, FULL, SMALL);
      await mail.remount("rw");
      await hop.listen();
      const outMs = await allArrived(stage);
      assert.match(await send(stage, LOCAL[0], SMALL), FULL, "still full");
      ballast.remove();
      const againMs = await accepting(stage, SMALL);
      return `${refused} refused; ${waiting} went out within ${outMs} ms ` +
        `while it was full; accepting ${againMs} ms after there was room`;
    },
  },
  {
    name: "spool and queue full to the last octet, under load",
    async run(stage) {
      const { made, state, ledger } = stage;
      // No margin: the disk itself says no, in the middle of a write.
      await stopAlive(stage);
      change(made, '[spool]\nmin_free = "0B"');
      await made.start();
      const known = new Set(ledger.of("deferred"));
      const load = new Load({
        port: made.smtpPort,
        ledger,
        senders: 4,
        to: [...LOCAL, ...FAR],
        pauseMs: 10,
      });
      await delay(FAULT_MS / 4);
      const ballast = Ballast.fill(state.mountPoint, "space");
      await delay(FAULT_MS);
      const refused = ledger.of("deferred").filter((one) => !known.has(one));
      ballast.remove();
      const again = accepting(stage, LARGE);
      await load.end();
      const againMs = await again;
      assert.ok(refused.length > 0, "some were refused");
      for (const { why } of refused) assert.match(why, FULL);
      const outMs = await allArrived(stage);
      return `${refused.length} refused; large ones accepted ${againMs} ms ` +
        `after there was room, all delivered within ${outMs} ms more`;
    },
  },
  {
    name: "mail full",
    run: (stage) => withoutMailRoom(stage, "space"),
  },
  {
    name: "mail without inodes",
    run: (stage) => withoutMailRoom(stage, "inodes"),
  },
  {
    name: "spool and queue without inodes",
    async run(stage) {
      const { state, hop } = stage;
      await hop.close();
      await sendAll(stage, FAR, 8);
      const ballast = Ballast.fill(state.mountPoint, "inodes");
      const refused = await allRefused(stage, FULL, LARGE);
      await hop.listen();
      const outMs = await allArrived(stage);
      ballast.remove();
      const againMs = await accepting(stage, LARGE);
      return `${refused} large ones refused; 8 went out within ${outMs} ms ` +
        `meanwhile; accepting ${againMs} ms after there was room`;
    },
  },
  {
    name: "spool and queue read-only, because their file system is damaged",
    async run(stage) {
      const { made, state, hop, binds } = stage;
      await hop.close();
      await sendAll(stage, FAR, 8);
      await state.breakFileSystem();
      await delay(NOTICED_AFTER_MS);
      const refused = await allRefused(stage, BROKEN, SMALL) +
        await allRefused(stage, BROKEN, LARGE);
      // The queue may have died of a sync that failed: it does that on purpose.
      await made.stopCleanly();
      await unbind(stage);
      await state.umount();
      await state.repair();
      await state.mount("errors=remount-ro");
      await bind(stage);
      assert.ok(binds.length > 0);
      await made.start();
      const againMs = await accepting(stage, SMALL);
      await hop.listen();
      const outMs = await allArrived(stage);
      return `${refused} refused; after repair and a new start accepting ` +
        `within ${againMs} ms, all delivered within ${outMs} ms`;
    },
  },
];

async function withoutMailRoom(
  stage: Stage,
  what: "space" | "inodes",
): Promise<string> {
  const { mail, ledger, made, hop } = stage;
  const ballast = Ballast.fill(mail.path, what);
  await sendAll(stage, [...LOCAL, ...FAR], 4);
  // What is for elsewhere goes there.
  await until("the next hop's", async () => await queued(stage) === 8);
  await delay(FAULT_MS);
  assert.equal(ledger.missing(made, hop).length, 8, "nothing half delivered");
  ballast.remove();
  const outMs = await allArrived(stage);
  return `12 accepted meanwhile, 4 of them delivered elsewhere; the rest ` +
    `arrived within ${outMs} ms of room`;
}

Deno.test({
  name: "a disk without room, or read-only, costs nothing acknowledged",
  ignore: !canMakeDisks("full disks"),
  fn: async (t) => {
    await using stack = new AsyncDisposableStack();
    const stage = await setUp(stack);
    const { ledger } = stage;
    for (const { name, run } of STEPS) {
      const passed = await t.step(name, async () => {
        report(`${name}: ${await run(stage)}`);
      });
      // The next one begins where this one should have ended.
      if (!passed) break;
    }
    const verdict = await drained(stage, ledger);
    report(sentence(verdict));
    assertNothingLost(verdict);
    await stopAlive(stage);
  },
});
