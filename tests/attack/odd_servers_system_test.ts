/**
 * Some of the odd servers (`odd_servers_test.ts`) as next hops of a whole
 * server: what the queue makes of each, and that smtpc lives on.
 */
import assert from "node:assert/strict";
import {
  scriptedServer,
  type Server,
} from "../../mod/smtpc/scripted_server.ts";
import { server, until } from "../system/server_fixture.ts";
import { octets, SmtpClient } from "../system/smtp_client.ts";
import {
  type Acts,
  drip,
  fin,
  mute,
  raw,
  rst,
  say,
  sayAndClose,
  serve,
  type Took,
} from "./odd_server.ts";

/** One next hop. */
interface Hop {
  readonly name: string;
  readonly acts: Acts;
  /** By visit, instead of `acts`; the last one for ever. */
  readonly visits?: readonly Acts[];
  readonly protocol?: "lmtp";
  /**
   * - `delivered`: it has the message, once
   * - `waiting`: the message is in the queue, and was tried
   * - `bounced`: it is gone, and the sender has a notice
   */
  readonly end: "delivered" | "waiting" | "bounced";
}

const HOPS: readonly Hop[] = [
  { name: "honest", acts: {}, end: "delivered" },
  { name: "closes-at-once", acts: { greeting: fin }, end: "waiting" },
  { name: "resets-at-once", acts: { greeting: rst }, end: "waiting" },
  { name: "never-greets", acts: { greeting: mute }, end: "waiting" },
  {
    name: "greets-421",
    acts: { greeting: say("421 4.3.2 no") },
    end: "waiting",
  },
  {
    name: "greets-554",
    acts: { greeting: say("554 5.3.2 no") },
    end: "waiting",
  },
  {
    name: "half-a-greeting",
    acts: { greeting: sayAndClose("22") },
    end: "waiting",
  },
  {
    name: "long-reply",
    acts: { EHLO: raw("250-x\r\n".repeat(5_000) + "250 x\r\n") },
    end: "waiting",
  },
  {
    name: "long-line",
    acts: { MAIL: raw("250 ".padEnd(50_000, "x")) },
    end: "waiting",
  },
  { name: "no-reply", acts: { RCPT: raw("hello\r\n") }, end: "waiting" },
  { name: "helo-only", acts: { EHLO: say("502 what") }, end: "delivered" },
  {
    name: "dripping",
    acts: { EHLO: drip("250-x\r\n250 SIZE 0\r\n") },
    end: "delivered",
  },
  {
    name: "tls-garbage",
    acts: {},
    visits: [
      {
        EHLO: say("250-x\r\n250 STARTTLS"),
        STARTTLS: async (visit) => {
          visit.say("220 go\r\n");
          await new Promise((resolve) => setTimeout(resolve, 50));
          visit.say("garbage ".repeat(500));
          visit.end();
        },
      },
      {},
    ],
    end: "delivered",
  },
  { name: "354-to-rcpt", acts: { RCPT: raw("354 go\r\n") }, end: "waiting" },
  { name: "250-to-data", acts: { DATA: say("250 ok") }, end: "waiting" },
  { name: "334-to-data", acts: { DATA: say("334 what") }, end: "waiting" },
  { name: "lost-at-the-dot", acts: { dot: fin }, end: "waiting" },
  {
    name: "451-at-the-dot",
    acts: { dot: say("451 4.3.0 later") },
    end: "waiting",
  },
  { name: "550-to-rcpt", acts: { RCPT: say("550 5.1.1 who") }, end: "bounced" },
  {
    name: "554-at-the-dot",
    acts: { dot: say("554 5.6.0 no") },
    end: "bounced",
  },
  {
    name: "says-it-twice",
    acts: { dot: raw("250 a\r\n250 b\r\n") },
    end: "delivered",
  },
  { name: "recovers", acts: {}, visits: [{ MAIL: rst }, {}], end: "delivered" },
  { name: "lmtp", acts: {}, protocol: "lmtp", end: "delivered" },
  { name: "lmtp-lost", acts: { dot: rst }, protocol: "lmtp", end: "waiting" },
];

const SETTINGS = `
[outbound]
reply_timeout = "1s"
connect_timeout = "2s"
[queue]
first_retry = "200ms"
max_retry = "400ms"
`;

/** `queue list --json`, as far as it is looked at. */
interface Listed {
  readonly recipients: readonly {
    readonly address: string;
    readonly attempts: number;
  }[];
}

Deno.test("odd next hops cost no mail, bounce none, and smtpc lives on", async () => {
  const tooks = new Map<string, Took>();
  const servers: Server[] = [];
  try {
    const routes: string[] = [];
    for (const { name, acts, visits, protocol } of HOPS) {
      const took: Took = { messages: [], lines: [] };
      tooks.set(name, took);
      const one = await scriptedServer((visit, number) =>
        serve(visit, visits?.[number] ?? visits?.at(-1) ?? acts, took)
      );
      servers.push(one);
      const way = protocol === "lmtp" ? "lmtp:" : "";
      routes.push(`"${name}.test" = "${way}127.0.0.1:${one.port}"`);
    }
    const domains = HOPS.map(({ name }) => `"${name}.test"`).join(", ");
    await using made = await server({
      settings: `[server]\nrelay_domains = [${domains}]\n${SETTINGS}\n` +
        `[routes]\n${routes.join("\n")}\n`,
    });
    const list = async () =>
      new Map(
        (await made.json<{ messages: Listed[] }>("queue", "list")).messages
          .flatMap(({ recipients }) => recipients)
          .map(({ address, attempts }) => [address, attempts]),
      );

    const client = await SmtpClient.ready(made.smtpPort);
    for (const { name } of HOPS) {
      await client.transact(
        "me@home.test",
        [`a@${name}.test`],
        octets(`Subject: ${name}\r\n\r\nx\r\n`),
      );
    }
    await client.quit();

    const waiting = HOPS.filter(({ end }) => end === "waiting");
    await until("every end", async () => {
      const left = await list();
      return left.size === waiting.length &&
        waiting.every(({ name }) => (left.get(`a@${name}.test`) ?? 0) >= 1);
    });
    const left = await list();
    for (const { name, end } of HOPS) {
      const { messages } = tooks.get(name)!;
      assert.equal(left.has(`a@${name}.test`), end === "waiting", name);
      if (end === "delivered") assert.equal(messages.length, 1, name);
    }
    const bounced = HOPS.filter(({ end }) => end === "bounced").length;
    await until("the notices", async () => {
      const notices = await Array.fromAsync(Deno.readDir(
        `${made.maildir("me")}/new`,
      ));
      return notices.length === bounced;
    });
    const status = await made.json<{
      roles: { instance: string; state: string; restarts: number }[];
    }>("status");
    const smtpc = status.roles.find(({ instance }) => instance === "smtpc.0")!;
    assert.deepEqual([smtpc.state, smtpc.restarts], ["ready", 0]);

    const again = await SmtpClient.ready(made.smtpPort);
    await again.transact("me@home.test", ["b@honest.test"], octets("x\r\n"));
    await again.quit();
    await until(
      "the last one",
      () => Promise.resolve(tooks.get("honest")!.messages.length === 2),
    );
    await made.stopCleanly();
  } finally {
    for (const one of servers) await one.close();
  }
});
