/**
 * What has no end: lines, headers, recipients, commands, clients. Memory is
 * measured at the process, as root: the kernel says what a role really holds.
 *
 * A role's first floods leave it larger once, whatever they are: code is
 * compiled and the young heap grows to its bound. So every flood comes again,
 * until one leaves no more than it may; what leaks never gets there.
 */
import assert from "node:assert/strict";
import { report, sized } from "../crash/proof.ts";
import { IS_ROOT, until } from "../system/server_fixture.ts";
import { octets } from "./hostile_client.ts";
import { HostileServer } from "./hostile_server.ts";
import { growth, megabytes, openFiles, rssBytes } from "./role_memory.ts";

const MB = 1e6;
const MANY = new Uint8Array(MB).fill(0x61);
const BODY_MB = sized({ small: 20, full: 100 });
const PARKED = 10_000;
/** Times that a flood may leave the role larger, before it must not. */
const TIMES = 4;

/** A flood whose memory is measured. */
interface Flood {
  readonly name: string;
  readonly maxGrowthBytes: number;
  run(server: HostileServer): Promise<void>;
}

const FLOODS: readonly Flood[] = [
  {
    name: "a command line without an end",
    maxGrowthBytes: 5 * MB,
    async run(server) {
      using client = server.client();
      await client.hears(1);
      await client.flood(MANY, 100);
      assert.ok(await client.isHungUp(), "hung up");
    },
  },
  {
    name: "ten of them at once",
    maxGrowthBytes: 20 * MB,
    async run(server) {
      await Promise.all(Array.from({ length: 10 }, async () => {
        using client = server.client();
        await client.hears(1);
        await client.flood(MANY, 50);
        assert.ok(await client.isHungUp(), "hung up");
      }));
    },
  },
  {
    name: `a body line of ${BODY_MB} MB`,
    maxGrowthBytes: 20 * MB,
    async run(server) {
      using client = await server.inData();
      await client.flood(MANY, BODY_MB);
      assert.match(await client.say("\r\n."), /^250 /);
    },
  },
  {
    name: `a header field of ${BODY_MB} MB`,
    maxGrowthBytes: 20 * MB,
    async run(server) {
      using client = await server.inData();
      await client.send("Subject: ");
      await client.flood(MANY, BODY_MB);
      assert.match(await client.say("\r\n\r\n."), /^250 /);
    },
  },
  {
    name: "a million header fields",
    maxGrowthBytes: 20 * MB,
    async run(server) {
      using client = await server.inData();
      await client.flood(octets("a:b\r\n".repeat(100_000)), 10);
      assert.match(await client.say("\r\n."), /^250 /);
    },
  },
  {
    name: "a million RCPT",
    maxGrowthBytes: 5 * MB,
    async run(server) {
      using client = server.client();
      await client.hears(1);
      await client.say("EHLO attacker.test");
      await client.say("MAIL FROM:<>");
      const block = Array.from(
        { length: 10_000 },
        (_, i) => `RCPT TO:<me+${i}@home.test>\r\n`,
      ).join("");
      await client.flood(octets(block), 100);
      assert.ok(await client.isHungUp(), "hung up");
      assert.deepEqual(
        [client.count(250), client.count(452), client.count(421)],
        [2 + 100, 100, 1],
      );
    },
  },
  {
    name: "10 MB of commands from who reads no reply",
    maxGrowthBytes: 5 * MB,
    async run(server) {
      using client = server.client();
      await client.hears(1);
      client.socket.pause();
      const block = octets(
        "RSET\r\nMAIL FROM:<>\r\nRCPT TO:<me@home.test>\r\n",
      );
      const batch = octets(
        new TextDecoder().decode(block).repeat(Math.ceil(MB / block.length)),
      );
      await client.send("EHLO attacker.test\r\n");
      let isTaken = false;
      const flooding = client.flood(batch, 10).then(() => isTaken = true);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      // What the kernel's buffers take is not the server's.
      assert.ok(!isTaken, "the server goes on reading");
      client.close();
      await flooding;
    },
  },
];

Deno.test({
  name: "smtpd stays as small as it is, whatever has no end",
  ignore: !IS_ROOT,
  fn: async (t) => {
    await using server = await HostileServer.start(
      `max_recipients = 100\nmax_message_size = "200MB"\nmax_sessions = 20000`,
    );
    for (const { name, maxGrowthBytes, run } of FLOODS) {
      await t.step(name, async () => {
        const left: number[] = [];
        while (left.length < TIMES && !(left.at(-1)! < maxGrowthBytes)) {
          const { beforeBytes, settledBytes } = await growth(
            server.pid,
            () => run(server),
          );
          left.push(settledBytes - beforeBytes);
        }
        report(`${name}: ${left.map(megabytes).join(", then ")}`);
        assert.ok(left.at(-1)! < maxGrowthBytes, "grows each time");
      });
    }

    await t.step("leaves nothing of sessions that are cut off", async () => {
      await until("all gone", () => openFiles(server.pid) < 60, 10_000);
      const before = openFiles(server.pid);
      const session = "EHLO a.test\r\nMAIL FROM:<>\r\n" +
        "RCPT TO:<me@home.test>\r\nDATA\r\ncut\r\n.\r\nQUIT\r\n";
      const rounds = sized({ small: 2, full: 100 });
      let cuts = 0;
      for (let round = 0; round < rounds; round++) {
        const going: Promise<void>[] = [];
        for (let at = 0; at <= session.length; at++, cuts++) {
          going.push(cutAt(server, { session, at, how: cuts % 2 }));
        }
        await Promise.all(going);
      }
      await until(
        "files closed",
        () => openFiles(server.pid) <= before + 4,
        10_000,
      ); // A few come and go with the edges to other roles.
      await until("the queue is empty", async () => {
        const { messages } = await server.made.json<{ messages: unknown[] }>(
          "queue",
          "list",
        );
        return messages.length === 0;
      }, 30_000);
      report(
        `${cuts} sessions cut off, at every octet: no file is left open, ` +
          "no message is left waiting",
      );
    });

    await t.step("lives, and has lost nobody", () => server.isAlive());
  },
});

Deno.test({
  name: "smtpd parks idle clients for less than 10 kB each",
  ignore: !IS_ROOT,
  fn: async () => {
    // A server of its own, whose heap has no garbage that is used again.
    await using server = await HostileServer.start("max_sessions = 20000");
    const before = rssBytes(server.pid);
    const clients = [];
    for (let i = 0; i < PARKED; i++) {
      const address = `127.${1 + i % 100}.${Math.floor(i / 4_000)}.9`;
      clients.push(server.client(address));
      if (i % 200 < 199) continue;
      await Promise.all(
        clients.slice(-200).map((client) => client.hears(1, 20_000)),
      );
    }
    await Promise.all(clients.map(async (client) => {
      assert.match(await client.say("EHLO parked.test", 30_000), /^250 /);
    }));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const each = Math.round(
      (rssBytes(server.pid) - before) / PARKED,
    );
    const goodMs = await server.goodMail();
    report(
      `${PARKED} idle clients: ${each} octets each; ` +
        `another is served in ${goodMs.toFixed(0)} ms`,
    );
    for (const client of clients) client.close();
    assert.ok(each < 10_000, `${each} octets each`);
    assert.ok(goodMs < 2_000, `served in ${goodMs} ms`);
  },
});

/** Says a session up to an octet, and is gone: by FIN or by reset. */
async function cutAt(
  server: HostileServer,
  { session, at, how }: { session: string; at: number; how: number },
): Promise<void> {
  const client = server.client(`127.3.0.${1 + at % 250}`);
  await client.hears(1);
  const data = session.indexOf("cut");
  await client.send(session.slice(0, Math.min(at, data)));
  if (at > data) {
    await client.hears(5);
    await client.send(session.slice(data, at));
  }
  if (how === 0) client.socket.resetAndDestroy();
  else client.socket.end();
  if (how !== 0) await client.isHungUp(5_000);
  client.close();
}
