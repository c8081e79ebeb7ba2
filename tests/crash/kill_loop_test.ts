/**
 * Random processes are killed, the supervisor included, while mail flows:
 * nothing acknowledged is lost, and hardly anything comes twice.
 *
 * The window for a second copy is documented: the next hop had answered the
 * final dot, and its answer was not yet in the database. A mailbox has no
 * such window, because a repeated delivery finds the file of the first.
 *
 * With `BULKHEAD_PROOF=full` it is the whole proof: 10,000 messages and at
 * least 200 kills, and killing goes on until the last of them is accepted.
 */
import assert from "node:assert/strict";
import { drained, RECIPIENTS, scene } from "./crash_fixture.ts";
import { type Kill, Killer } from "./killer.ts";
import {
  assertNothingLost,
  Ledger,
  type Repeated,
  sentence,
} from "./ledger.ts";
import { Load } from "./load.ts";
import { report, sized } from "./proof.ts";

const MESSAGES = sized({ small: 500, full: 10_000 });
const KILLS = sized({ small: 25, full: 200 });
const SENDERS = 4;
const PAUSE_MS = 5;
const MAX_SIZE = 200_000;
const DRAIN_WITHIN_MS = 120_000;
/** Of all accepted messages; a small run has three times the kills for each. */
const MAX_REPEATED = sized({ small: 0.015, full: 0.005 });
/** What was sent before a kill may come this long after it. */
const NEAR_MS = 150;
/** Who, dying, can leave an answer of the next hop unrecorded. */
const CAUSES = ["queue", "smtpc", "dial", "supervisor"];

Deno.test("random kills lose nothing and repeat hardly anything", async () => {
  await using stage = await scene();
  const { made, hop } = stage;
  const killer = new Killer(made);
  assert.ok(killer.roles.length >= 10, `roles: ${killer.roles}`);
  const ledger = new Ledger();
  const load = new Load({
    port: made.smtpPort,
    ledger,
    senders: SENDERS,
    to: RECIPIENTS,
    pauseMs: PAUSE_MS,
    size: () => 1_000 + Math.floor(Math.random() * (MAX_SIZE - 1_000)),
  });
  const began = performance.now();
  const tookS = () => Math.round((performance.now() - began) / 1_000);
  const accepted = () => ledger.of("accepted").length;
  while (killer.kills.length < KILLS || accepted() < MESSAGES) {
    await killer.kill();
  }
  await load.end();
  const verdict = await drained(stage, ledger, DRAIN_WITHIN_MS);
  const repeated = ledger.repeated(made, hop);
  const isLocal = ({ copies }: Repeated) => copies[0]!.where.startsWith("/");

  report(
    `${killer.kills.length} kills in ${tookS()} s: ${
      sentence(verdict)
    }; killed ${counted(killer.kills)}; ` +
      `${
        killer.log().split('"event":"delivery-found"').length - 1
      } deliveries found done`,
  );
  for (const one of repeated) {
    console.log(`twice: ${told(one)}; ${near(one, killer.kills).map(told2)}`);
  }
  assertNothingLost(verdict);
  assert.deepEqual(verdict.ghosts, [], "answered 4xx and delivered");
  assert.ok(
    repeated.length <= MAX_REPEATED * verdict.accepted,
    `${repeated.length} of ${verdict.accepted} came twice`,
  );
  assert.deepEqual(repeated.filter(isLocal), [], "twice in a mailbox");
  for (const one of repeated) {
    assert.ok(near(one, killer.kills).length > 0, `no kill near ${told(one)}`);
  }
  await made.stopCleanly();
});

/** Kills that may be behind a second copy. */
function near({ copies }: Repeated, kills: readonly Kill[]): Kill[] {
  const fromMs = copies[0]!.atMs - NEAR_MS;
  const untilMs = copies.at(-1)!.atMs;
  return kills.filter(({ role, atMs }) =>
    atMs >= fromMs && atMs <= untilMs && CAUSES.includes(role)
  );
}

function told({ token, copies }: Repeated): string {
  const at = copies.map(({ atMs, where }) =>
    `${new Date(atMs).toISOString().slice(14, -1)} ${where.slice(-90)}`
  );
  return `${token} ${at.join(" and ")}`;
}

function told2({ role, atMs }: Kill): string {
  return `${role} at ${new Date(atMs).toISOString().slice(14, -1)}`;
}

function counted(kills: readonly Kill[]): string {
  const counts = new Map<string, number>();
  for (const { role } of kills) counts.set(role, (counts.get(role) ?? 0) + 1);
  return [...counts].map(([role, count]) => `${role} ${count}`).join(", ");
}
