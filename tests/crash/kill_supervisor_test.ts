/**
 * The supervisor itself is killed while mail flows: its roles end by
 * themselves, a new `serve` takes over, and nothing acknowledged is lost.
 */
import assert from "node:assert/strict";
import { delay } from "../system/server_fixture.ts";
import { SmtpClient } from "../system/smtp_client.ts";
import {
  childrenOf,
  drained,
  isAlive,
  RECIPIENTS,
  scene,
} from "./crash_fixture.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { Load } from "./load.ts";

const KILLS = 5;
const ROLES_END_WITHIN_MS = 3_000;

Deno.test("the supervisor's death ends its roles and loses nothing", async () => {
  await using stage = await scene();
  const { made } = stage;
  const ledger = new Ledger();
  const load = new Load({
    port: made.smtpPort,
    ledger,
    senders: 4,
    to: RECIPIENTS,
    pauseMs: 5,
  });
  let slowestEndMs = 0;
  let slowestStartMs = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await delay(700 + Math.random() * 500);
    // A session that smtpd would wait for, if it were told to stop.
    using client = await SmtpClient.ready(made.smtpPort);
    client.expect(await client.say(`MAIL FROM:<half@remote.test>`), 250);
    client.expect(await client.say(`RCPT TO:<me@home.test>`), 250);
    client.expect(await client.say("DATA"), 354);
    await client.send("Subject: a half message\r\n\r\nno end");
    const roles = childrenOf(made.pid);
    assert.ok(roles.length >= 10, "roles");
    // One of them hung: it reads no end of file, and must not outlive it.
    Deno.kill(roles[kill % roles.length]!, "SIGSTOP");
    Deno.kill(made.pid, "SIGKILL");
    const began = performance.now();
    // At once, as an init system would: the old roles may still be there.
    const restarted = made.stop().then(() => made.start());
    while (roles.some(isAlive)) {
      assert.ok(
        performance.now() - began < 2 * ROLES_END_WITHIN_MS,
        `after the supervisor's death live: ${roles.filter(isAlive)}`,
      );
      await delay(20);
    }
    slowestEndMs = Math.max(slowestEndMs, performance.now() - began);
    await restarted;
    slowestStartMs = Math.max(slowestStartMs, performance.now() - began);
  }
  await delay(500);
  await load.end();
  const verdict = await drained(stage, ledger);
  console.log(
    `${KILLS} kills: ${sentence(verdict)}; roles gone after at most ` +
      `${Math.round(slowestEndMs)} ms, successor ready after ` +
      `${Math.round(slowestStartMs)} ms`,
  );
  assertNothingLost(verdict);
  assert.deepEqual(verdict.ghosts, [], "answered 4xx and delivered");
  assert.ok(slowestEndMs < ROLES_END_WITHIN_MS, "roles end in time");
  await made.stopCleanly();
});
