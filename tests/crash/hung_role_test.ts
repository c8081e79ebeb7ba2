/**
 * A role that hangs is noticed by its silence, killed and replaced. Several
 * servers at once, because the silence takes its time.
 */
import assert from "node:assert/strict";
import { delay } from "../system/server_fixture.ts";
import { drained, LogTail, RECIPIENTS, scene } from "./crash_fixture.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { Load } from "./load.ts";

/** Pings are 5 s apart, and 20 s of silence are too many. */
const KILLED_WITHIN_MS = 26_000;
const KILLED_NOT_BEFORE_MS = 15_000;
const READY_WITHIN_MS = 10_000;

async function hang(instance: string): Promise<void> {
  await using stage = await scene();
  const { made } = stage;
  using tail = new LogTail(made);
  const ledger = new Ledger();
  const load = new Load({
    port: made.smtpPort,
    ledger,
    senders: 4,
    to: RECIPIENTS,
    pauseMs: 100,
  });
  await delay(1_000);
  const from = tail.read().length;
  const { pid } = (await made.roles()).find((one) =>
    one.instance === instance
  )!;
  const began = performance.now();
  Deno.kill(pid, "SIGSTOP");
  const is = async (event: string, withinMs: number) => {
    const found = await tail.event(
      (one) => one.event === event && one.instance === instance,
      { from, withinMs },
    );
    assert.ok(found, `${instance}: no ${event} within ${withinMs} ms`);
    return performance.now() - began;
  };
  const killedMs = await is("role-killed", KILLED_WITHIN_MS);
  assert.ok(killedMs > KILLED_NOT_BEFORE_MS, `${instance}: killed too early`);
  const readyMs = await is("role-ready", READY_WITHIN_MS);
  const acceptedBefore = ledger.of("accepted").length;
  await delay(1_500);
  const acceptedAfter = ledger.of("accepted").length - acceptedBefore;
  await load.end();
  const verdict = await drained(stage, ledger);
  console.log(
    `${instance}: killed after ${Math.round(killedMs)} ms, its successor ` +
      `ready ${Math.round(readyMs - killedMs)} ms later; ${sentence(verdict)}`,
  );
  assert.ok(acceptedAfter > 0, `${instance}: mail flows again`);
  assertNothingLost(verdict);
  assert.deepEqual(verdict.ghosts, [], `${instance}: 4xx and delivered`);
  await made.stopCleanly();
}

Deno.test("a role that hangs is replaced, and nothing is lost", async () => {
  const ends = await Promise.allSettled(
    ["spool.0", "resolve.0", "smtpd.0", "queue.0"].map(hang),
  );
  for (const end of ends) {
    if (end.status === "rejected") throw end.reason;
  }
});
