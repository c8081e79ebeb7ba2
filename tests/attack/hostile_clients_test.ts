/**
 * Clients that are slow, many, or never satisfied: none of them keeps another
 * one from being served, and each is gone when its time is up.
 */
import assert from "node:assert/strict";
import { report, sized } from "../crash/proof.ts";
import { IS_ROOT, run, until } from "../system/server_fixture.ts";
import type { HostileClient } from "./hostile_client.ts";
import { HostileServer, p99 } from "./hostile_server.ts";
import { openFiles } from "./role_memory.ts";

const DRIPPING = sized({ small: 400, full: 1_000 });
const GOOD_MAILS = sized({ small: 30, full: 200 });
const FROM_ONE = sized({ small: 2_000, full: 10_000 });
const PER_CLIENT = 50;
const COMMAND_MS = 2_000;
const MESSAGE_MS = 3_000;
/** The role's deadline, its tick, and the time to take the last reply. */
const SLACK_MS = 3_000;
const MAX_WAIT_MS = 2_000;

Deno.test({
  name: "smtpd serves others, whatever some clients do",
  ignore: !IS_ROOT,
  fn: async (t) => {
    await using server = await HostileServer.start(
      `max_sessions = 20000\nmax_sessions_per_client = ${PER_CLIENT}\n` +
        `command_timeout = "${COMMAND_MS}ms"\n` +
        `message_timeout = "${MESSAGE_MS}ms"`,
    );

    for (const where of ["a command", "a message"]) {
      await t.step(`${DRIPPING} clients drip ${where}`, async () => {
        const clients = await dripping(server, where === "a message");
        const drip = setInterval(() => {
          for (const client of clients) void client.send("a");
        }, 250);
        const waits: number[] = [];
        try {
          while (waits.length < GOOD_MAILS) {
            waits.push(await server.goodMail());
          }
          const withinMs = COMMAND_MS + MESSAGE_MS + SLACK_MS;
          await until(
            "all of them cut off",
            () => clients.every(({ isClosed }) => isClosed),
            withinMs,
          );
        } finally {
          clearInterval(drip);
          for (const client of clients) client.close();
        }
        const worst = p99(waits);
        report(
          `${DRIPPING} clients drip ${where}: p99 of the good one ` +
            `${worst.toFixed(0)} ms; all are cut off at their deadline`,
        );
        assert.ok(worst < MAX_WAIT_MS, `p99 ${worst} ms`);
      });
    }

    await t.step("who reads no reply is cut off", async () => {
      await until(
        "others' files closed",
        () => openFiles(server.pid) < 60,
        10_000,
      );
      const before = openFiles(server.pid);
      using client = server.client("127.4.0.1");
      await client.hears(1);
      client.socket.pause();
      await client.send("EHLO a.test\r\n");
      const began = performance.now();
      const filled = "RSET\r\nMAIL FROM:<>\r\n".repeat(50_000);
      void client.send(filled);
      // Who does not read does not see it either: the server's files tell.
      await until(
        "slot freed",
        () => openFiles(server.pid) <= before,
        2 * COMMAND_MS + SLACK_MS,
      );
      report(
        `who reads no reply is gone after ` +
          `${((performance.now() - began) / 1_000).toFixed(1)} s`,
      );
    });

    await t.step(`${FROM_ONE} connections from one address`, async () => {
      const clients: HostileClient[] = [];
      const waits: number[] = [];
      for (let i = 0; i < FROM_ONE; i++) {
        clients.push(server.client("127.5.0.1"));
        if (i % 100 < 99) continue;
        await clients.at(-1)!.hears(1);
        if (i % 500 === 499) waits.push(await server.goodMail());
      }
      for (let i = 0; i < 5; i++) waits.push(await server.goodMail());
      const served = clients.filter((one) => one.count(220) > 0).length;
      for (const client of clients) client.close();
      report(
        `${FROM_ONE} connections from one address: ${served} greeted, ` +
          `another is served in ${Math.max(...waits).toFixed(0)} ms at worst`,
      );
      assert.ok(served <= PER_CLIENT, `${served} greeted`);
      assert.ok(served > 0);
      assert.ok(Math.max(...waits) < MAX_WAIT_MS);
    });

    await t.step(
      "NOOP, RSET and VRFY end after 100, faults after 20",
      async () => {
        for (const line of ["NOOP", "RSET", "VRFY me", "HELP", "EHLO a.test"]) {
          using client = server.client("127.6.0.1");
          await client.hears(1);
          await client.send(`${line}\r\n`.repeat(10_000));
          assert.ok(await client.isHungUp(), line);
          assert.equal(client.count(421), 1, line);
          assert.equal(client.replies, 1 + 100 + 1, line);
        }
        for (const line of ["XYZZY", "MAIL FROM:x", "DATA", "\xff", "a\rb"]) {
          using client = server.client("127.6.0.2");
          await client.hears(1);
          for (let i = 0; i < 30 && !client.isClosed; i++) {
            await client.say(line);
          }
          assert.ok(await client.isHungUp(), line);
          assert.equal(client.count(421), 1, line);
          assert.equal(client.replies, 1 + 20 + 1, line);
        }
      },
    );

    await t.step("stands what anybody may do to its unix sockets", async () => {
      const { code, out, errors } = await run("python3", [
        "-c",
        PESTER,
        server.made.home,
      ], { withinMs: 30_000 });
      assert.equal(code, 0, errors);
      assert.match(out, /^[1-9]\d* found/);
      report(`unix sockets, as nobody: ${out.trim()}`);
      await server.isAlive();
    });

    await t.step("lives, and has lost nobody", () => server.isAlive());
  },
});

/** Clients that have begun a line, or a message, which they never end. */
async function dripping(
  server: HostileServer,
  isMessage: boolean,
): Promise<HostileClient[]> {
  const clients: HostileClient[] = [];
  for (let at = 0; at < DRIPPING; at += 100) {
    clients.push(
      ...await Promise.all(Array.from({ length: 100 }, async (_, i) => {
        const address = `127.8.${isMessage ? 1 : 0}.${1 + (at + i) % 100}`;
        if (isMessage) return await server.inData(address);
        const client = server.client(address);
        await client.hears(1);
        return client;
      })),
    );
  }
  return clients;
}

/** Finds every socket below a folder, and as nobody throws garbage at it. */
const PESTER = `
import os, socket, stat, sys
found = []
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        if stat.S_ISSOCK(os.lstat(path).st_mode): found.append(path)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
opened = 0
for path in found:
    for garbage in (os.urandom(1000000), b"\\xff\\xff\\xff\\xff", b"\\0" * 7):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        try:
            s.connect(path)
            opened += 1
            s.sendall(garbage)
            s.shutdown(socket.SHUT_WR)
            s.recv(1000)
        except OSError:
            pass
        s.close()
print(f"{len(found)} found, connected {opened} times")
`;
