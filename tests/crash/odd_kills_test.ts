/**
 * Deaths that a random kill hardly hits: two roles at once, a spool that big
 * messages stream into, a role that stands still for a while, one that dies
 * while it recovers, a supervisor that dies while it starts.
 */
import assert from "node:assert/strict";
import {
  delay,
  type Installation,
  spawnServe,
  until,
} from "../system/server_fixture.ts";
import { childrenOf, drained, isAlive, scene } from "./crash_fixture.ts";
import { roleOf } from "./killer.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { Load } from "./load.ts";
import { report, sized } from "./proof.ts";

const ROUNDS = sized({ small: 1, full: 6 });
/** Shorter than the silence after which a role is taken for hung. */
const STILL_MS = sized({ small: 4_000, full: 10_000 });
const STILL_ROLES = sized({
  small: ["queue"],
  full: ["queue", "spool", "maildir", "resolve", "sync"],
});
/** As long as a role needs to start and to look through what it finds. */
const RECOVERY_MS = 400;
const WITHIN_MS = 20_000;
const MEGABYTE = 1_000_000;

Deno.test("odd deaths lose nothing", async () => {
  await using stage = await scene();
  const { made } = stage;
  const ledger = new Ledger();
  const accepted = () => ledger.of("accepted").length;
  const load = new Load({
    port: made.smtpPort,
    ledger,
    senders: 4,
    to: ["me@home.test", "you@home.test"],
    pauseMs: 10,
    // One in three is big, so that most of the time one is on its way.
    size: (turn) =>
      turn % 3 === 0
        ? MEGABYTE + Math.floor(Math.random() * 9 * MEGABYTE)
        : 1_000 + Math.floor(Math.random() * 50_000),
  });
  const did: string[] = [];
  /** Waits until mail flows again. */
  const well = async (what: string) => {
    const before = accepted();
    const began = performance.now();
    await until(what, () => accepted() > before + 4, WITHIN_MS);
    did.push(`${what} ${Math.round(performance.now() - began)} ms`);
  };
  await well("start");
  for (let round = 0; round < ROUNDS; round++) {
    for (const roles of [["queue", "spool"], ["queue", "maildir"]]) {
      for (const role of roles) kill(made, role);
      await well(`${roles.join(" and ")} at once`);
    }
    await delay(Math.random() * 300);
    kill(made, "spool");
    await well("spool in mid-stream");
    for (const role of ["queue", "spool"]) {
      await untilRuns(made, role);
      kill(made, role);
      await untilRuns(made, role);
      await delay(Math.random() * RECOVERY_MS);
      kill(made, role);
      await well(`${role} while it recovers`);
    }
    await restart(made);
    await well("supervisor while it starts");
  }
  for (const role of STILL_ROLES) {
    const pid = pidOf(made, role)!;
    Deno.kill(pid, "SIGSTOP");
    await delay(STILL_MS);
    Deno.kill(pid, "SIGCONT");
    await well(`${role} still for ${STILL_MS} ms`);
  }
  await load.end();
  const verdict = await drained(stage, ledger, 60_000);
  report(`mail again after ${did.join(", ")}; ${sentence(verdict)}`);
  assertNothingLost(verdict);
  assert.deepEqual(verdict.ghosts, [], "answered 4xx and delivered");
  assert.equal(verdict.duplicates, 0, "twice in a mailbox");
  await made.stopCleanly();
});

/** Kills the supervisor, and its successor before that is ready. */
async function restart(made: Installation): Promise<void> {
  const roles = childrenOf(made.pid);
  Deno.kill(made.pid, "SIGKILL");
  await made.stop();
  const second = spawnServe(made.config, made.logFile);
  await delay(Math.random() * 1_000);
  roles.push(...childrenOf(second.pid));
  second.kill("SIGKILL");
  await second.status;
  await made.start();
  await until("the old roles' end", () => !roles.some(isAlive));
}

function pidOf(made: Installation, role: string): number | undefined {
  return childrenOf(made.pid).find((pid) => roleOf(pid) === role);
}

async function untilRuns(made: Installation, role: string): Promise<void> {
  await until(`${role} runs`, () => pidOf(made, role), WITHIN_MS);
}

function kill(made: Installation, role: string): void {
  const pid = pidOf(made, role);
  if (pid !== undefined) Deno.kill(pid, "SIGKILL");
}
