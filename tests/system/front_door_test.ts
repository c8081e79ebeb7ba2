/**
 * Who a client is and what it must show, on a running server: load balancers,
 * those who speak for others, and strangers.
 */
import assert from "node:assert/strict";
import net from "node:net";
import { type Installation, server, until } from "./server_fixture.ts";

const SETTINGS = `
[smtp]
processes = 1
proxy_from = ["127.0.0.2"]
xclient_from = ["127.0.0.3"]
[screening]
greet_wait = "400ms"
`;

/** All that is heard when octets are said, each after the text before it. */
function play(
  made: Installation,
  localAddress: string,
  says: readonly (readonly [after: string, octets: string])[],
): Promise<{ heard: string; greetedMs: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<
    { heard: string; greetedMs: number }
  >();
  const beganMs = performance.now();
  const port = made.smtpPort;
  const socket = net.connect({ host: "127.0.0.1", port, localAddress });
  let heard = "";
  let unread = "";
  let greetedMs = Infinity;
  let at = 0;
  const next = () => {
    for (let step = says[at]; step !== undefined; step = says[++at]) {
      const found = unread.indexOf(step[0]);
      if (found < 0) return;
      unread = unread.slice(found + step[0].length);
      socket.write(step[1]);
    }
  };
  const late = setTimeout(() => {
    socket.destroy();
    reject(new Error(`No end; heard: ${heard}`));
  }, 10_000);
  socket.on("connect", next);
  socket.on("data", (octets: Uint8Array) => {
    const text = new TextDecoder().decode(octets);
    heard += text;
    unread += text;
    if (greetedMs === Infinity && /^220 /m.test(heard)) {
      greetedMs = performance.now() - beganMs;
    }
    next();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    clearTimeout(late);
    resolve({ heard, greetedMs });
  });
  return promise;
}

const MAIL = "MAIL FROM:<a@remote.test>\r\nRCPT TO:<me@home.test>\r\n";

function patient(after: string): [string, string][] {
  return [
    [after, "EHLO client.test\r\n"],
    ["250 ", `${MAIL}DATA\r\n`],
    ["354", "Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n"],
  ];
}

function proxyLine(address: string): string {
  return `PROXY TCP4 ${address} 127.0.0.1 40000 25\r\n`;
}

Deno.test("the front door knows who comes, and tests whom it does not know", async (t) => {
  await using made = await server({ users: ["me"], settings: SETTINGS });

  await t.step("a trusted client is greeted at once", async () => {
    const { heard, greetedMs } = await play(made, "127.0.0.1", patient("220 "));
    assert.match(heard, /^250 2\.0\.0 Ok: queued/m);
    assert.doesNotMatch(heard, /220-/);
    assert.ok(greetedMs < 300, `${greetedMs} ms`);
  });

  await t.step("a stranger waits once, and is known then", async () => {
    const visit = () =>
      play(made, "127.0.0.2", [
        ["", proxyLine("192.0.2.7")],
        ...patient("220 "),
      ]);
    const first = await visit();
    assert.match(first.heard, /^220-.*\r\n220 /);
    assert.match(first.heard, /^250 2\.0\.0 Ok: queued/m);
    assert.ok(first.greetedMs >= 390, `${first.greetedMs} ms`);
    const second = await visit();
    assert.match(second.heard, /^220 .*\r\n250-/);
    assert.ok(second.greetedMs < 300, `${second.greetedMs} ms`);
  });

  await t.step("a bot that does not wait gets nowhere", async () => {
    const { heard } = await play(made, "127.0.0.2", [
      ["", `${proxyLine("192.0.2.8")}EHLO bot.test\r\n`],
      ["250 ", MAIL],
      ["550 5.7.1", "DATA\r\nQUIT\r\n"],
    ]);
    assert.match(heard, /^550 5\.7\.1 You spoke before the greeting/m);
    assert.match(heard, /^554 /m);
  });

  await t.step("whom XCLIENT names is a stranger, too", async () => {
    const { heard } = await play(made, "127.0.0.3", [
      ["220 ", "EHLO gateway.test\r\n"],
      ["XCLIENT NAME ADDR", "XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]\r\n"],
      ...patient("\r\n220 "),
    ]);
    assert.match(heard, /^220-/m);
    assert.match(heard, /^250 2\.0\.0 Ok: queued/m);
    const accepted = await until("all are logged", () => {
      const all = made.events().filter((one) =>
        one.event === "message-accepted"
      );
      return all.length === 4 && all;
    });
    assert.deepEqual(accepted.map((one) => one.client), [
      "127.0.0.1",
      "192.0.2.7",
      "192.0.2.7",
      "192.0.2.9",
    ]);
  });

  await t.step("the bot's verdict says what was seen", async () => {
    const { verdicts } = await made.json<{
      verdicts: { client: string; rule: string; evidence: string }[];
    }>("client", "list", "--refused");
    const one = verdicts.find(({ client }) => client === "192.0.2.8");
    assert.equal(one?.rule, "pregreet");
    assert.match(one!.evidence, /EHLO bot\.test/);
  });

  await made.stopCleanly();
});
