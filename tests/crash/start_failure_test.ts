/**
 * The disk fails while the server starts: the n-th call of every thread on
 * the files of spool and queue, for every n. Whether it starts or not, the
 * mail that was in the queue is there when the disk is well again.
 *
 * The whole server runs under strace(1) from its first instruction, which no
 * attaching to a role that just began could do.
 */
import assert from "node:assert/strict";
import { delay, type Installation, ROOT } from "../system/server_fixture.ts";
import { childrenOf, drained, isAlive, scene } from "./crash_fixture.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { sendOnce } from "./load.ts";
import { IS_FULL, report } from "./proof.ts";
import { CAN_INJECT } from "./strace_fixture.ts";

const MESSAGES = 8;
/** A start takes a second; under strace on a busy machine, several. */
const READY_WITHIN_MS = 12_000;
/** For what is done on timers after the start. */
const AFTER_MS = 700;
/** So many `n` in a row without a failure: there is no such call any more. */
const BEYOND = 2;
const MAX_N = IS_FULL ? 100 : 2;
const ERRORS = IS_FULL ? ["EIO", "ENOSPC"] as const : ["EIO"] as const;
const CALLS = [
  "openat",
  "write,pwrite64",
  "fsync,fdatasync",
  "rename,renameat,renameat2,unlink,unlinkat,ftruncate",
];

Deno.test({
  name: "whatever fails at a start, the queued mail is there afterwards",
  ignore: !CAN_INJECT,
  fn: async () => {
    await using stage = await scene();
    const { made, hop } = stage;
    await hop.close();
    const ledger = new Ledger();
    for (let i = 0; i < MESSAGES; i++) {
      const attempt = ledger.begin(ledger.newMessage(), {
        to: "far@remote.test",
        size: i % 2 === 0 ? 3_000 : 400_000,
      });
      await sendOnce(made.smtpPort, attempt);
      assert.equal(attempt.fate, "accepted", attempt.why);
    }
    const did: string[] = [];
    let allHits = 0;
    for (const error of ERRORS) {
      for (const calls of CALLS) {
        let hits = 0;
        let n = 0;
        let missed = 0;
        while (n < MAX_N && missed < BEYOND) {
          const inject = `${calls}:error=${error}:when=${++n}`;
          if (await startFailing(made, calls, inject)) {
            hits++;
            missed = 0;
          } else missed++;
        }
        did.push(`${hits} of ${n} ${calls} ${error}`);
        allHits += hits;
        const queued = await queuedAfter(made);
        assert.equal(queued, MESSAGES, `queued after ${calls} ${error}`);
      }
    }
    await hop.listen();
    const verdict = await drained(stage, ledger);
    report(`starts with failing ${did.join(", ")}; ${sentence(verdict)}`);
    assert.ok(allHits > 0, "no call was made to fail");
    assertNothingLost(verdict);
    assert.equal(verdict.duplicates, 0);
    await made.stopCleanly();
  },
});

/** Starts it well, and counts what waits in its queue. */
async function queuedAfter(made: Installation): Promise<number> {
  await made.start();
  const { messages } = await made.json<{ messages: unknown[] }>(
    "queue",
    "list",
  );
  return messages.length;
}

/** A start with failures, killed in the end; true if any call failed. */
async function startFailing(
  made: Installation,
  calls: string,
  inject: string,
): Promise<boolean> {
  await killAll(made);
  const trace = made.beside("trace");
  const log = made.beside("failing.log");
  const strace = new Deno.Command("strace", {
    args: ["-f", "--seccomp-bpf", "-o", trace].concat(
      ["-e", `trace=${calls}`, "-e", `inject=${inject}`],
      ["spool/segments", "queue"].flatMap((dir) =>
        filesOf(`${made.home}/${dir}`)
      )
        .flatMap((file) => ["-P", file]),
      ["sh", "-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log],
      [Deno.execPath(), "run", "-A", `${ROOT}main.ts`, "serve"],
      ["--config", made.config],
    ),
    stdin: "null",
    stdout: "null",
    stderr: "null",
    env: { NO_COLOR: "1" },
  }).spawn();
  let isOver = false;
  const over = strace.status.then(() => isOver = true);
  const late = performance.now() + READY_WITHIN_MS;
  while (!isOver && performance.now() < late && !isReady(log)) await delay(50);
  await delay(AFTER_MS);
  const [supervisor] = isOver ? [] : childrenOf(strace.pid);
  const roles = supervisor === undefined ? [] : childrenOf(supervisor);
  if (supervisor !== undefined) Deno.kill(supervisor, "SIGKILL");
  await over;
  while (roles.some(isAlive)) await delay(20);
  return Deno.readTextFileSync(trace).includes("(INJECTED)");
}

async function killAll(made: Installation): Promise<void> {
  if (!made.isRunning) return;
  const roles = childrenOf(made.pid);
  Deno.kill(made.pid, "SIGKILL");
  await made.stop();
  while (roles.some(isAlive)) await delay(20);
}

function isReady(log: string): boolean {
  try {
    return Deno.readTextFileSync(log).includes('"event":"ready"');
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function filesOf(dir: string): string[] {
  return [dir].concat(
    [...Deno.readDirSync(dir)].filter(({ isFile }) => isFile)
      .map(({ name }) => `${dir}/${name}`),
  );
}
