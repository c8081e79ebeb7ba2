/**
 * SQLite's method, from outside: the first, the second, the n-th call that
 * puts octets on the disk fails, in spool and queue at once, while a message
 * is taken. Whatever the reply was, it must have been true.
 */
import assert from "node:assert/strict";
import { delay, type Installation } from "../system/server_fixture.ts";
import { drained, LogTail, RECIPIENTS, scene } from "./crash_fixture.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { sendOnce } from "./load.ts";
import { CAN_INJECT, type Fault, Injection } from "./strace_fixture.ts";

/** Messages that one `n` may take until a call failed: threads count alone. */
const MAX_MESSAGES = 15;
const WITHIN_MS = 60_000;
const WELL_WITHIN_MS = 15_000;

interface Series {
  readonly fault: Omit<Fault, "when" | "files">;
  readonly upToN: number;
}

/** One server each, and one role of it, because the first fault hides others. */
const LANES: { role: "spool" | "queue"; series: readonly Series[] }[] = [
  {
    role: "spool",
    series: [
      { fault: { calls: "fdatasync,fsync", error: "EIO" }, upToN: 8 },
      { fault: { calls: "pwrite64,write", error: "EIO" }, upToN: 8 },
      { fault: { calls: "pwrite64,write", error: "ENOSPC" }, upToN: 8 },
    ],
  },
  {
    role: "queue",
    series: [
      { fault: { calls: "fdatasync,fsync", error: "EIO" }, upToN: 40 },
    ],
  },
  {
    role: "queue",
    series: [
      { fault: { calls: "pwrite64,write", error: "EIO" }, upToN: 40 },
      { fault: { calls: "pwrite64,write", error: "ENOSPC" }, upToN: 10 },
    ],
  },
];

async function lane(
  { role, series }: typeof LANES[number],
  until: number,
): Promise<void> {
  await using stage = await scene();
  const { made } = stage;
  using tail = new LogTail(made);
  const ledger = new Ledger();
  let turn = 0;
  const send = async () => {
    const attempt = ledger.begin(ledger.newMessage(), {
      to: RECIPIENTS[turn % RECIPIENTS.length]!,
      // One in five is large enough for a file of its own in the spool.
      size: turn++ % 5 === 4 ? 300_000 : 1_000 + 997 * (turn % 50),
    });
    await sendOnce(made.smtpPort, attempt);
    return attempt.fate;
  };
  let noes = 0;
  let deaths = 0;
  let pid = await pidOf(made, role);

  /** Lets the n-th call fail; true if there was one. */
  const fail = async (fault: Series["fault"], n: number) => {
    const died = tail.read().filter(({ event }) => event === "role-died");
    if (died.length > deaths) pid = await pidOf(made, role);
    deaths = died.length;
    const injection = await Injection.into(pid, {
      ...fault,
      when: String(n),
      files: filesOf(`${made.home}/${role}`),
    });
    for (let i = 0; i < MAX_MESSAGES && injection.count === 0; i++) {
      if (await send() !== "accepted") noes++;
    }
    const count = await injection.end();
    const late = performance.now() + WELL_WITHIN_MS;
    while (await send() !== "accepted") {
      assert.ok(performance.now() < late, `${role}, ${n}: no mail any more`);
      await delay(100);
    }
    return count > 0;
  };

  const did: string[] = [];
  for (const { fault, upToN } of series) {
    let hits = 0;
    let n = 0;
    while (n < upToN && performance.now() < until) {
      if (await fail(fault, ++n)) hits++;
    }
    did.push(`${hits} of ${n} ${fault.calls} ${fault.error}`);
    assert.ok(hits > 0, `${role}: no call was made to fail`);
  }
  // What is true on disk and not only in memory survives this.
  Deno.kill(made.pid, "SIGKILL");
  await made.stop();
  await made.start();
  const verdict = await drained(stage, ledger);
  console.log(
    `${role}: failed ${did.join(", ")}; ${noes} messages were not taken, ` +
      `${deaths} roles died; ${sentence(verdict)}`,
  );
  assertNothingLost(verdict);
  assert.deepEqual(verdict.ghosts, [], `${role}: 4xx and delivered`);
  await made.stopCleanly();
}

Deno.test({
  name: "whichever write or sync fails, the reply was true",
  ignore: !CAN_INJECT,
  fn: async () => {
    const until = performance.now() + WITHIN_MS;
    const ends = await Promise.allSettled(
      LANES.map((one) => lane(one, until)),
    );
    for (const end of ends) {
      if (end.status === "rejected") throw end.reason;
    }
  },
});

async function pidOf(made: Installation, role: string): Promise<number> {
  const roles = await made.roles();
  return roles.find(({ instance }) => instance === `${role}.0`)!.pid;
}

/** The directory and its files: the role's log and sockets are not meant. */
function filesOf(dir: string): string[] {
  return [dir].concat(
    [...Deno.readDirSync(dir)].filter(({ isFile }) => isFile)
      .map(({ name }) => `${dir}/${name}`),
  );
}
