/** A backup while mail flows, restored elsewhere: what was acknowledged is there. */
import assert from "node:assert/strict";
import { Ledger } from "../crash/ledger.ts";
import { Load } from "../crash/load.ts";
import { scene } from "../crash/crash_fixture.ts";
import { bulkhead, until } from "./server_fixture.ts";
import { NextHop } from "./next_hop.ts";

const TO = ["me@home.test", "you@home.test", "far@remote.test"];

Deno.test("backup while mail flows has every message that was acknowledged before it, and restore delivers them", async () => {
  await using running = await scene();
  const { made } = running;
  // What is for it waits in the queue, and is moved and tried meanwhile.
  await running.hop.close();
  const ledger = new Ledger();
  const load = new Load({
    port: made.smtpPort,
    ledger,
    senders: 2,
    to: TO,
    pauseMs: 20,
    size: (turn) => turn % 20 === 0 ? 1_500_000 : 3_000,
  });
  await until("some mail", () => ledger.of("accepted").length > 30);
  const before = ledger.of("accepted").map(({ token }) => token);
  const target = made.beside("backup.tar");
  const ran = await made.command("backup", target);
  assert.equal(ran.code, 0, ran.errors);
  await load.end();
  assert.ok(ledger.of("accepted").length > before.length, "mail flowed on");

  const busy = await made.command("verify", "--deep");
  assert.equal(busy.code, 0, busy.out + busy.errors);
  const { config, home } = made;
  const refused = await bulkhead("restore", "--json", target);
  assert.equal(refused.code, 75, "a home whose server runs is not touched");
  await made.stopCleanly();

  const hop = new NextHop(running.hop.port);
  await hop.listen();
  const whole = await bulkhead("restore", "--replace", "--json", target);
  assert.equal(whole.code, 0, whole.errors);
  const said = JSON.parse(whole.out);
  assert.equal(said.home, home);
  assert.equal(said.config, config);
  // The mailboxes as they were when they were copied, and not those of now.
  await made.start();
  const lost = () => {
    const missing = new Set(ledger.missing(made, hop));
    return before.filter((token) => missing.has(token));
  };
  await until("all that was acknowledged", () => lost().length === 0, 30_000)
    .catch(() => assert.deepEqual(lost(), [], "acknowledged and lost"));
  await until("an empty queue", async () => {
    const queue = await made.json<{ total: number }>("queue", "list");
    return queue.total === 0;
  });
  assert.deepEqual(ledger.verdict(made, hop).damaged, []);
  await made.stopCleanly();
  await hop.close();
});
