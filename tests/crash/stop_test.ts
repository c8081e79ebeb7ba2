/** Stopping while mail flows: in time, with exit code 0, and without loss. */
import assert from "node:assert/strict";
import { delay, STOP_WITHIN_MS } from "../system/server_fixture.ts";
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

/** A SIGTERM follows each. */
const STOPS: { name: string; before: readonly Deno.Signal[] }[] = [
  { name: "SIGTERM", before: [] },
  { name: "SIGINT twice, then SIGTERM", before: ["SIGINT", "SIGINT"] },
];

Deno.test("a stop under load is short, clean, and loses nothing", async () => {
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
  for (const { name, before } of STOPS) {
    await delay(1_500);
    // Stopping waits for a message under way, but not for ever.
    using client = await SmtpClient.ready(made.smtpPort);
    client.expect(await client.say(`MAIL FROM:<half@remote.test>`), 250);
    client.expect(await client.say(`RCPT TO:<me@home.test>`), 250);
    client.expect(await client.say("DATA"), 354);
    await client.send("Subject: a half message\r\n\r\nno end");
    const roles = childrenOf(made.pid);
    assert.ok(roles.length >= 10, "roles");
    const began = performance.now();
    for (const signal of before) {
      Deno.kill(made.pid, signal);
      // No longer: an idle server is gone after a tenth of a second.
      await delay(10);
    }
    const stopped = await made.stop();
    const inMs = performance.now() - began;
    assert.equal(stopped?.code, 0, `exit code; log: ${made.log()}`);
    assert.ok(inMs < STOP_WITHIN_MS, `${name}: ${Math.round(inMs)} ms`);
    assert.deepEqual(roles.filter(isAlive), [], "roles that live on");
    console.log(`${name}: stopped in ${Math.round(inMs)} ms`);
    await made.start();
  }
  await load.end();
  const verdict = await drained(stage, ledger);
  console.log(sentence(verdict));
  assertNothingLost(verdict);
  assert.deepEqual(verdict.ghosts, [], "answered 4xx and delivered");
  await made.stopCleanly();
});
