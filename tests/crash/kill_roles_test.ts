/**
 * Every role is killed in turn, a hundred times in all, while mail flows:
 * nothing acknowledged is lost, no connection is refused, and nobody has to
 * do anything.
 */
import assert from "node:assert/strict";
import { delay } from "../system/server_fixture.ts";
import {
  childrenOf,
  drained,
  Knocker,
  LogTail,
  RECIPIENTS,
  scene,
} from "./crash_fixture.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { Load } from "./load.ts";

const INSTANCES = [
  "smtpd.0",
  "smtpd.1",
  "resolve.0",
  "spool.0",
  "queue.0",
  "maildir.0",
  "sync.0",
  "smtpc.0",
  "dns.0",
  "console.0",
];
const KILLS = 100;
const READY_WITHIN_MS = 2_000;
/** A role that lived this long may die twice before it has to wait. */
const WELL_MS = 10_000;

Deno.test("100 kills under load lose nothing that was acknowledged", async () => {
  await using stage = await scene();
  const { made } = stage;
  using tail = new LogTail(made);
  const pids = new Map<string, number>();
  for (const { instance, pid } of await made.roles()) pids.set(instance, pid);
  for (const instance of INSTANCES) assert.ok(pids.has(instance), instance);

  const ledger = new Ledger();
  const load = new Load({
    port: made.smtpPort,
    ledger,
    senders: 4,
    to: RECIPIENTS,
    pauseMs: 30,
  });
  const knocker = new Knocker([made.smtpPort, made.consolePort]);
  const killedMs = new Map<string, number>();
  let slowest = { instance: "", ms: 0 };

  /** Kills a role and waits until it is ready again. */
  const kill = async (instance: string) => {
    const known = new Set(childrenOf(made.pid));
    const from = tail.read().length;
    const began = performance.now();
    Deno.kill(pids.get(instance)!, "SIGKILL");
    const ready = await tail.event(
      (one) => one.event === "role-ready" && one.instance === instance,
      { from, withinMs: READY_WITHIN_MS },
    );
    const ms = performance.now() - began;
    assert.ok(ready, `${instance} was not ready ${READY_WITHIN_MS} ms later`);
    if (ms > slowest.ms) slowest = { instance, ms };
    const fresh = childrenOf(made.pid).filter((pid) => !known.has(pid));
    assert.equal(fresh.length, 1, `new processes after killing ${instance}`);
    pids.set(instance, fresh[0]!);
    killedMs.set(instance, performance.now());
  };

  const began = performance.now();
  for (let kills = 0; kills < KILLS; kills += 2) {
    const instance = INSTANCES[kills / 2 % INSTANCES.length]!;
    const wellAt = (killedMs.get(instance) ?? -Infinity) + WELL_MS + 200;
    await delay(Math.max(0, wellAt - performance.now()));
    await kill(instance);
    // The second death comes early, in the middle of what the first left.
    await delay(Math.random() * 400);
    await kill(instance);
    await delay(200);
  }
  const tookMs = performance.now() - began;
  await load.end();
  await knocker.end();
  const verdict = await drained(stage, ledger);

  console.log(
    `${KILLS} kills in ${Math.round(tookMs / 1_000)} s: ${sentence(verdict)}; ` +
      `slowest recovery ${Math.round(slowest.ms)} ms (${slowest.instance}); ` +
      `${knocker.connects} connections, ` +
      `slowest ${Math.round(knocker.slowestMs)} ms`,
  );
  assert.equal(load.connectsRefused, 0, "connections refused to senders");
  assertNothingLost(verdict);
  const deaths = tail.read().filter(({ event }) => event === "role-died");
  assert.equal(deaths.length, KILLS, "deaths, all of them by us");
  assert.deepEqual(verdict.ghosts, [], "answered 4xx and delivered");
  await made.stopCleanly();
});
