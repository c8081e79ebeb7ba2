/**
 * The console of a running server: from the link that `bulkhead console`
 * prints to what an administrator does with a message and a client, in the
 * clear on the loopback and by TLS; and what slow clients do to it.
 */
import assert from "node:assert/strict";
import net from "node:net";
import { ConsoleClient } from "./console_client.ts";
import {
  change,
  freePort,
  type Installation,
  server,
  until,
} from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

interface Link {
  readonly url: string;
  readonly ticket: string;
}

async function mail(made: Installation): Promise<string> {
  const client = await SmtpClient.ready(made.smtpPort);
  const before = deferrals(made).length;
  await client.transact(
    "eva@home.test",
    ["you@remote.test"],
    octets("A: b\r\n\r\n"),
  );
  await client.quit();
  await until("deferred", () => deferrals(made).length > before);
  return String(deferrals(made).at(-1)?.["id"]);
}

function deferrals(made: Installation) {
  return made.events().filter(({ event }) => event === "recipient-deferred");
}

async function signIn(
  made: Installation,
  client: ConsoleClient,
): Promise<Link> {
  const link = await made.json<Link>("console");
  const { status } = await client.post("/in", { ticket: link.ticket });
  assert.equal(status, 303);
  return link;
}

Deno.test("an administrator signs in at the console and works there", async (t) => {
  await using made = await server({
    routes: [`remote.test=127.0.0.1:${freePort()}`],
  });
  const id = await mail(made);
  const client = new ConsoleClient({
    port: made.consolePort,
    host: "127.0.0.1",
    isSecure: false,
  });

  await t.step(
    "who is not signed in sees numbers, and nobody's name",
    async () => {
      const page = await client.get("/");
      assert.equal(page.status, 200);
      assert.match(page.text, /mx\.home\.test/);
      for (
        const path of ["/", "/queue", `/message/${id}`, "/clients"]
      ) {
        const { text } = await client.get(path);
        assert.doesNotMatch(text, /remote\.test|eva@/, path);
      }
      assert.equal((await client.post(`/queue/${id}/delete`, {})).status, 401);
    },
  );

  await t.step("a link signs in, and once", async () => {
    const link = await signIn(made, client);
    assert.ok(link.url.startsWith(`${client.origin}/in#link.`), link.url);
    const second = new ConsoleClient({
      port: made.consolePort,
      host: "127.0.0.1",
      isSecure: false,
    });
    const { status, text } = await second.post("/in", { ticket: link.ticket });
    assert.equal(status, 401);
    assert.match(text, /used already/);
    const { text: page } = await client.get("/queue");
    assert.match(page.replaceAll("<wbr>", ""), /you@remote\.test/);
    assert.match(page, new RegExp(id));
  });

  await t.step(
    "a message's journey is told, and found by its address",
    async () => {
      const { status, text } = await client.get(`/message/${id}`);
      assert.equal(status, 200);
      assert.match(text, /ECONNREFUSED|refused/);
      const search = await client.get("/search?q=you%40remote.test");
      assert.match(search.text, new RegExp(id));
      const none = await client.get(`/message/${"0".repeat(16)}`);
      assert.equal(none.status, 404);
    },
  );

  await t.step("a message is held, released and deleted", async () => {
    const back = "/queue";
    const isIn = async (state: string) =>
      (await client.get(`/queue?state=${state}`)).text.includes(id);
    const held = await client.act(`/queue/${id}/hold`, { back });
    assert.match(held, new RegExp(`${id} is held`));
    assert.deepEqual([await isIn("hold"), await isIn("deferred")], [
      true,
      false,
    ]);
    const released = await client.act(`/queue/${id}/release`, { back });
    assert.match(released, /released/);
    await until("deferred again", () => isIn("deferred"));
    const deleted = await client.act(`/queue/${id}/delete`, { back });
    assert.match(deleted, /deleted/);
    const { out } = await made.command("queue", "list");
    assert.equal(out, "The queue is empty.\n");
  });

  await t.step("a client is refused, and forgotten", async () => {
    const network = "203.0.113.0/24";
    const back = "/clients";
    assert.match(
      await client.act("/clients/deny", { network, back }),
      /is refused/,
    );
    assert.match((await client.get("/clients")).text, /203\.0\.113\.0/);
    const { said } = await made.json<{ said: { word: string }[] }>(
      "client",
      "list",
    );
    assert.deepEqual(said.map(({ word }) => word), ["deny"]);
    assert.match(
      await client.act("/clients/forget", { network, back }),
      /forgotten/,
    );
    assert.doesNotMatch((await client.get("/clients")).text, /203\.0\.113\.0/);
  });

  await t.step("a page that is open hears of what changes", async () => {
    const heard = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(made.consolePort, "127.0.0.1");
      let text = "";
      socket.setTimeout(10_000, () => reject(new Error(`Heard ${text}`)));
      socket.on("error", reject);
      socket.on("data", (part) => {
        text += part.toString();
        if (!/event: now\r?\ndata: .*\n/.test(text)) return;
        socket.destroy();
        resolve(text);
      });
      socket.write(
        `GET /events HTTP/1.1\r\nHost: 127.0.0.1:${made.consolePort}\r\n` +
          `Cookie: ${client.cookie}\r\n\r\n`,
      );
    });
    assert.match(heard, /text\/event-stream/);
    assert.match(heard, /"recent":\[/);
  });

  await t.step("slow and greedy clients delay nobody", async () => {
    const sockets = Array.from({ length: 40 }, (_, i) => {
      const socket = net.connect(made.consolePort, "127.0.0.1");
      socket.on("error", () => {});
      if (i % 2 === 0) socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
      return socket;
    });
    const began = performance.now();
    assert.equal((await client.get("/")).status, 200);
    assert.ok(performance.now() - began < 2_000);
    for (const socket of sockets) socket.destroy();
  });

  await t.step(
    "a reload changes who sees what, and signs nobody out",
    async () => {
      const stranger = new ConsoleClient({
        port: made.consolePort,
        host: "127.0.0.1",
        isSecure: false,
      });
      assert.equal((await stranger.get("/queue")).status, 401);
      change(made, "[console]\nopen = true\n");
      Deno.kill(made.pid, "SIGHUP");
      await until(
        "open",
        async () => (await stranger.get("/queue")).status === 200,
      );
      assert.equal((await client.get("/clients")).status, 200);
      assert.match(await client.act("/queue/flush"), /0 recipients due now/);
    },
  );

  await t.step("everybody is signed out by one", async () => {
    const other = new ConsoleClient({
      port: made.consolePort,
      host: "127.0.0.1",
      isSecure: false,
    });
    await signIn(made, other);
    const everywhere = { csrf: await other.csrf(), everywhere: "yes" };
    const { text } = await other.post("/out", everywhere);
    assert.match(text, /Signed out\./);
    assert.equal((await client.post("/queue/flush", {})).status, 401);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await signIn(made, client);
  });

  await t.step("signing out ends it", async () => {
    const { cookie } = client;
    const csrf = await client.csrf();
    assert.equal((await client.post("/out", { csrf })).status, 200);
    client.cookie = cookie;
    assert.equal((await client.post("/queue/flush", { csrf })).status, 401);
  });

  await t.step(
    "each thing that was done is in the log, with who did it",
    () => {
      const orders = made.events().filter(({ event }) =>
        event === "console-order"
      );
      assert.deepEqual(
        orders.map(({ role, action }) => `${role} ${action}`),
        [
          "queue.0 hold",
          "queue.0 release",
          "queue.0 delete",
          "gate.0 deny",
          "gate.0 forget",
          "queue.0 flush",
        ],
      );
      const names = new Set(
        orders.map(({ by, session }) => `${by} ${session}`),
      );
      assert.equal(names.size, 1, [...names].join());
      assert.ok(!made.log().includes("link."), "no ticket is in the log");
      assert.ok(!made.log().includes("grant."), "and no grant");
    },
  );

  await t.step("without a server there is no link", async () => {
    await made.stopCleanly();
    const { code, errors } = await made.command("console");
    assert.deepEqual([code, /no server runs/.test(errors)], [1, true]);
  });

  await t.step("by TLS, after a start, the same", async () => {
    change(made, "[console]\ntls = true\n");
    await made.start();
    const secure = new ConsoleClient({
      port: made.consolePort,
      host: "mx.home.test",
      isSecure: true,
    });
    const id = await mail(made);
    const link = await signIn(made, secure);
    assert.ok(link.url.startsWith(`${secure.origin}/in#`), link.url);
    assert.match(secure.cookie, /^__Host-bulkhead=/);
    const { headers } = await secure.get("/");
    assert.match(headers["strict-transport-security"] ?? "", /max-age/);
    const done = await secure.act(`/queue/${id}/delete`, { back: "/queue" });
    assert.match(done, /deleted/);
    await assert.rejects(client.get("/"), "and nothing in the clear");
    await made.stopCleanly();
  });
});
