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

const MAX_N = 40;
const WITHIN_MS = 60_000;
/** Messages that one `n` may take until a call failed: threads count alone. */
const MAX_MESSAGES = 15;
const WELL_WITHIN_MS = 15_000;

const ROLES = ["spool", "queue"] as const;

const LANES: { name: string; fault: Omit<Fault, "when" | "files"> }[] = [
  { name: "syncs", fault: { calls: "fdatasync,fsync", error: "EIO" } },
  { name: "writes", fault: { calls: "pwrite64,write", error: "EIO" } },
  {
    name: "all",
    fault: { calls: "fdatasync,fsync,pwrite64,write", error: "ENOSPC" },
  },
];

async function lane(
  { name, fault }: typeof LANES[number],
  until: number,
): Promise<void> {
  await using stage = await scene();
  const { made } = stage;
  using tail = new LogTail(made);
  const ledger = new Ledger();
  const send = async () => {
    const to = RECIPIENTS[Math.floor(Math.random() * RECIPIENTS.length)]!;
    const size = 1_000 + Math.floor(Math.random() * 49_000);
    const attempt = ledger.begin(ledger.newMessage(), { to, size });
    await sendOnce(made.smtpPort, attempt);
    return attempt.fate;
  };
  let n = 1;
  const hits = { spool: 0, queue: 0 };
  let noes = 0;
  let deaths = 0;
  let pids = await pidsOf(made);
  for (; n <= MAX_N && performance.now() < until; n++) {
    const died = tail.read().filter(({ event }) => event === "role-died");
    if (died.length > deaths) pids = await pidsOf(made);
    deaths = died.length;
    const injections = await Promise.all(
      ROLES.map((role) =>
        Injection.into(pids.get(`${role}.0`)!, {
          ...fault,
          when: String(n),
          files: filesOf(`${made.home}/${role}`),
        })
      ),
    );
    for (let i = 0; i < MAX_MESSAGES; i++) {
      if (await send() !== "accepted") noes++;
      if (injections.some(({ count }) => count > 0)) break;
    }
    const counts = await Promise.all(injections.map((one) => one.end()));
    ROLES.forEach((role, i) => hits[role] += Math.min(1, counts[i]!));
    const late = performance.now() + WELL_WITHIN_MS;
    while (await send() !== "accepted") {
      assert.ok(performance.now() < late, `${name}, ${n}: no mail any more`);
      await delay(100);
    }
  }
  // What is true on disk and not only in memory survives this.
  Deno.kill(made.pid, "SIGKILL");
  await made.stop();
  await made.start();
  const verdict = await drained(stage, ledger);
  console.log(
    `${name}: n = 1 to ${n - 1}; ${hits.spool} of them failed in spool, ` +
      `${hits.queue} in queue; ${noes} messages were not taken, ` +
      `${deaths} roles died; ` +
      sentence(verdict),
  );
  assert.ok(hits.spool > 0 && hits.queue > 0, "calls failed in both");
  assertNothingLost(verdict);
  assert.deepEqual(verdict.ghosts, [], `${name}: 4xx and delivered`);
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

async function pidsOf(made: Installation): Promise<Map<string, number>> {
  const roles = await made.roles();
  return new Map(roles.map(({ instance, pid }) => [instance, pid]));
}

/** The directory and its files: the role's log and sockets are not meant. */
function filesOf(dir: string): string[] {
  return [dir].concat(
    [...Deno.readDirSync(dir)].filter(({ isFile }) => isFile)
      .map(({ name }) => `${dir}/${name}`),
  );
}
