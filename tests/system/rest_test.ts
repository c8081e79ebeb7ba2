// Roles that have nothing to do rest, and whoever wants them wakes them.
import assert from "node:assert/strict";
import { logIn } from "./login.ts";
import { mailIn } from "./mailbox.ts";
import { NextHop } from "./next_hop.ts";
import {
  delay,
  freePort,
  type Installation,
  server,
  STOP_WITHIN_MS,
  until,
} from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

const LETTER = octets("Subject: a letter\r\n\r\nHello\r\n");

/** Those without which no mail is taken, and those who remember for long. */
const AWAKE = ["resolve", "spool", "queue", "auth"];

/** Waits until every role rests that may; says which do. */
async function quiet(installed: Installation): Promise<readonly string[]> {
  return await until("every role rests that may", async () => {
    const roles = await installed.roles();
    const isQuiet = roles.every(({ instance, state, pid }) =>
      (state === "resting" && pid === null) || instance === "smtpd.0" ||
      AWAKE.includes(instance.split(".")[0]!)
    );
    return isQuiet && roles.filter(({ state }) => state === "resting")
      .map(({ instance }) => instance);
  });
}

async function send(port: number, to: string): Promise<void> {
  using client = await SmtpClient.ready(port);
  await client.transact("a@else.test", [to], LETTER);
  await client.quit();
}

Deno.test("roles rest, and are woken by whoever wants them", async (t) => {
  await using hop = new NextHop(freePort());
  await hop.listen();
  await using installed = await server({
    routes: [`remote.test=127.0.0.1:${hop.port}`],
    settings: `
      [server]
      rest_after = "1s"
      relay_domains = ["remote.test"]
      [rates]
      unit = "1s"
      [screening]
      trusted = []
      greet_wait = "0s"
    `,
  });
  const { smtpPort } = installed;

  await t.step("idle, they end, and nothing is amiss", async () => {
    const names = (await quiet(installed)).map((one) => one.split(".")[0]!);
    for (
      const name of [
        ...["dns", "dial", "sts", "sync", "maildir", "smtpc", "shred"],
        ...["gate", "submission", "pickup", "console"],
      ]
    ) assert.ok(names.includes(name), `${name} rests`);
    const { code } = await installed.command("status");
    assert.equal(code, 0, "who rests is well");
  });

  await t.step(
    "a stranger's mail wakes the gate and who delivers",
    async () => {
      await send(smtpPort, "me@home.test");
      await mailIn(installed.maildir("me"), 1);
      await send(smtpPort, "x@remote.test");
      await until("the next hop has it", () => hop.taken.length === 1);
      const woken = installed.events().filter(({ event }) =>
        event === "role-woken"
      ).map(({ instance }) => instance);
      for (const one of ["gate.0", "maildir.0", "smtpc.0"]) {
        assert.ok(woken.includes(one), `${one} was woken`);
      }
    },
  );

  await t.step("a user at the door wakes submission", async () => {
    await quiet(installed);
    using client = await SmtpClient.openTls(smtpPort + 2, {
      ca: Deno.readTextFileSync(`${installed.home}/tls/cert.pem`),
      host: "mx.home.test",
    });
    client.expect(await client.say("EHLO client.test"), 250);
    const me = { login: "me@home.test", password: "a password" };
    client.expect(await logIn(client, "PLAIN", me, new Uint8Array()), 235);
    await client.transact("me@home.test", ["you@home.test"], LETTER);
    await mailIn(installed.maildir("you"), 1);
    await client.quit();
  });

  await t.step("what is dropped wakes pickup", async () => {
    await quiet(installed);
    const path = `${installed.home}/drop/no-message`;
    Deno.writeTextFileSync(path, "");
    await until("pickup removes it", () => {
      try {
        Deno.lstatSync(path);
        return false;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return true;
        throw error;
      }
    });
  });

  await t.step(
    "a browser wakes the console, which has missed nothing",
    async () => {
      await quiet(installed);
      const answer = await fetch(`http://127.0.0.1:${installed.consolePort}/`);
      assert.equal(answer.status, 200);
      const page = await answer.text();
      assert.match(page, /mx\.home\.test/, "the supervisor told it who it is");
      assert.doesNotMatch(page, /does not answer/);
    },
  );

  await t.step("mail that comes as they fall asleep is not lost", async () => {
    for (let n = 0; n < 3; n++) {
      await delay(1_000 + 100 * n);
      await send(smtpPort, "me@home.test");
    }
    await mailIn(installed.maildir("me"), 4);
    const bad = installed.events().filter(({ event }) =>
      ["gate-silent", "role-died", "role-killed", "ipc-breach"].includes(event)
    );
    assert.deepEqual(bad, []);
  });

  await t.step("it stops in time while they rest", async () => {
    await quiet(installed);
    const { code, inMs } = (await installed.stop())!;
    assert.equal(code, 0);
    assert.ok(inMs < STOP_WITHIN_MS);
  });
});
