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

/** At least; every role is killed equally often, two and two. */
const KILLS = 100;
const READY_WITHIN_MS = 2_000;
/** A role that lived this long may die twice before it has to wait 1 s. */
const WELL_MS = 10_000;

Deno.test("100 kills under load lose nothing that was acknowledged", async () => {
  await using stage = await scene();
  const { made } = stage;
  using tail = new LogTail(made);
  const pids = new Map<string, number>();
  for (const { instance, pid } of await made.roles()) pids.set(instance, pid);
  const instances = [...pids.keys()];
  assert.ok(instances.length >= 10, `roles: ${instances}`);
  const rounds = Math.ceil(KILLS / 2 / instances.length);

  const ledger = new Ledger();
  const load = new Load({
    port: made.smtpPort,
    ledger,
    senders: 4,
    to: RECIPIENTS,
    pauseMs: 30,
  });
  const knocker = new Knocker([made.smtpPort, made.consolePort]);
  const startedMs = performance.now();
  const killedMs = new Map<string, number>();
  const slowestMs = new Map<string, number>();

  /** Kills a role; resolves with the time until it was ready again. */
  const kill = async (instance: string) => {
    const known = new Set(childrenOf(made.pid));
    const from = tail.read().length;
    const began = performance.now();
    Deno.kill(pids.get(instance)!, "SIGKILL");
    const withinMs = READY_WITHIN_MS * crowding();
    const ready = await tail.event(
      (one) => one.event === "role-ready" && one.instance === instance,
      { from, withinMs },
    );
    const ms = performance.now() - began;
    assert.ok(ready, `${instance} was not ready ${withinMs} ms later`);
    const fresh = childrenOf(made.pid).filter((pid) => !known.has(pid));
    assert.equal(fresh.length, 1, `new processes after killing ${instance}`);
    pids.set(instance, fresh[0]!);
    killedMs.set(instance, performance.now());
    return ms;
  };

  const began = performance.now();
  const turns = Array.from({ length: rounds }, () => instances).flat();
  for (const instance of turns) {
    const wellAt = (killedMs.get(instance) ?? startedMs) + WELL_MS + 200;
    await delay(Math.max(0, wellAt - performance.now()));
    const firstMs = await kill(instance);
    // The second death comes early, in the middle of what the first left.
    await delay(Math.random() * 400);
    const secondMs = await kill(instance);
    const known = slowestMs.get(instance) ?? 0;
    slowestMs.set(instance, Math.max(known, firstMs, secondMs));
  }
  // The third death in ten seconds is no accident any more.
  await kill(turns.at(-1)!);
  const kills = 2 * turns.length + 1;
  const tookMs = performance.now() - began;
  await load.end();
  await knocker.end();
  const verdict = await drained(stage, ledger);

  console.log(
    `${kills} kills in ${Math.round(tookMs / 1_000)} s: ${
      sentence(verdict)
    }; ` +
      `slowest recoveries ${
        [...slowestMs].map(([name, ms]) => `${name} ${Math.round(ms)} ms`)
          .join(", ")
      }; ` +
      `${knocker.connects} connections, ` +
      `slowest ${Math.round(knocker.slowestMs)} ms`,
  );
  assert.equal(load.connectsRefused, 0, "connections refused to senders");
  assertNothingLost(verdict);
  const deaths = tail.read().filter(({ event }) => event === "role-died");
  assert.equal(deaths.length, kills, "deaths, all of them by us");
  assert.deepEqual(
    deaths.map(({ againInMs }) => againInMs),
    [...turns.flatMap(() => [0, 0]), 1_000],
    "back-off",
  );
  assert.deepEqual(verdict.ghosts, [], "answered 4xx and delivered");
  await made.stopCleanly();
});

/** 1, and more on a machine that has twice as much to do as it can. */
function crowding(): number {
  return Math.max(1, Deno.loadavg()[0]! / 2 / navigator.hardwareConcurrency);
}
