/**
 * Mail for other servers, and from them: through a route to Postfix's
 * smtp-sink and to a real Postfix; and a real Postfix that hands its own to
 * us.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  assertOctets,
  filesIn,
  mailIn,
  newFiles,
  storedForm,
} from "../system/mailbox.ts";
import {
  freePort,
  type Installation,
  IS_ROOT,
  run,
  server,
  until,
} from "../system/server_fixture.ts";
import { octets, SmtpClient } from "../system/smtp_client.ts";
import { areInstalled } from "./peers.ts";
import { canRunPostfix, withPostfix } from "./postfix_fixture.ts";

const SINK = "/usr/sbin/smtp-sink";
const SOURCE = "/usr/sbin/smtp-source";

// Complete, so that no server on the way has a reason to add something.
const HEAD = "From: Me <me@home.test>\r\nTo: you@remote.test\r\n" +
  "Date: Fri, 21 Nov 2025 02:10:00 +0000\r\n";

const BODIES = [
  "plain\r\n",
  ".\r\n..\r\n.x\r\n\r\n.\r\n",
  "gr\xfc\xdfe \xff\x80\r\n",
  "",
  `${"x".repeat(997)}\r\n.${"y".repeat(996)}\r\n`,
  `.0123456789 ${"z".repeat(60)}\r\n`.repeat(30_000),
];

const MESSAGES = BODIES.map((body, n) =>
  octets(`${HEAD}Message-ID: <${n}@home.test>\r\nSubject: ${n}\r\n\r\n${body}`)
);

async function sendAll(
  port: number,
  from: string,
  to: readonly string[],
): Promise<void> {
  const client = await SmtpClient.ready(port);
  for (const content of MESSAGES) {
    await client.transact(from, to, content, " BODY=8BITMIME");
  }
  await client.quit();
}

async function queueEmpties(made: Installation): Promise<void> {
  await until("an empty queue", async () => {
    const { messages } = await made.json<{ messages: unknown[] }>(
      "queue",
      "list",
    );
    return messages.length === 0;
  });
}

/** Fails unless every one of {@link MESSAGES} is at the end of one of `got`. */
function compare(got: readonly Uint8Array[]): void {
  assert.equal(got.length, MESSAGES.length);
  for (const [n, message] of MESSAGES.entries()) {
    const want = storedForm(message);
    const mark = `Message-ID: <${n}@home.test>\n`;
    const found = got.find((one) => Buffer.from(one).includes(mark));
    assert.ok(found, `message ${n}`);
    const at = Buffer.from(found).indexOf("From: Me <");
    assertOctets(found.subarray(at), want, `message ${n}`);
    const added = Buffer.from(found.subarray(0, at)).toString("latin1");
    assert.match(added, /Received: from client\.test /);
  }
}

Deno.test({
  name: "mail goes by a route to smtp-sink, with 200 recipients",
  ignore: !areInstalled("remote_test", SINK),
  fn: async () => {
    const port = freePort();
    await using made = await server({
      routes: [`remote.test=127.0.0.1:${port}`],
    });
    const dumps = made.beside("dumps");
    await Deno.mkdir(dumps);
    await Deno.chmod(dumps, 0o777);
    const sink = new Deno.Command(SINK, {
      args: [
        ...(IS_ROOT ? ["-u", "nobody"] : []),
        ...["-d", `${dumps}/d.`, `127.0.0.1:${port}`, "100"],
      ],
      stderr: "null",
    }).spawn();
    try {
      await until("the sink", async () => {
        try {
          (await Deno.connect({ hostname: "127.0.0.1", port })).close();
          return true;
        } catch {
          return false;
        }
      });
      const to = Array.from({ length: 200 }, (_, n) => `r${n}@remote.test`);
      await sendAll(made.smtpPort, "me@home.test", to);
      await queueEmpties(made);
    } finally {
      sink.kill("SIGTERM");
      await sink.status;
    }
    const got = new Map<string, { to: Set<string>; octets: Uint8Array }>();
    for (const { name } of Deno.readDirSync(dumps)) {
      const dump = await Deno.readFile(`${dumps}/${name}`);
      const text = Buffer.from(dump).toString("latin1");
      const [id] = /^Message-ID: .*$/m.exec(text)!;
      const one = got.get(id) ?? { to: new Set(), octets: dump };
      for (const [, rcpt] of text.matchAll(/^X-Rcpt-Args: <(.*)>/gm)) {
        assert.ok(!one.to.has(rcpt!), `${rcpt} got ${id} once`);
        one.to.add(rcpt!);
      }
      got.set(id, one);
    }
    for (const [id, { to }] of got) assert.equal(to.size, 200, id);
    // The sink ends every dump with an empty line.
    compare([...got.values()].map(({ octets }) => octets.subarray(0, -1)));
    await made.stopCleanly();
  },
});

Deno.test({
  name: "mail goes by a route into a mailbox of a real Postfix",
  ignore: !canRunPostfix("remote_test"),
  fn: () =>
    withPostfix({}, async (postfix) => {
      await using made = await server({
        routes: [`remote.test=127.0.0.1:${postfix.port}`],
      });
      await sendAll(made.smtpPort, "me@home.test", ["you@remote.test"]);
      const files = await filesIn(postfix.maildir, MESSAGES.length);
      compare(files.map((path) => Deno.readFileSync(path)));
      await queueEmpties(made);
      // It offers DSN, so it is told of the wish, and we tell nothing.
      const client = await SmtpClient.ready(made.smtpPort);
      const ok = async (line: string) =>
        client.expect(await client.say(line), 250);
      await ok("MAIL FROM:<me@home.test> SMTPUTF8 RET=HDRS ENVID=a+2Bb+20c");
      await ok("RCPT TO:<j\xc3\xbcrgen@remote.test> NOTIFY=SUCCESS");
      client.expect(await client.data(MESSAGES[0]!), 250);
      await client.quit();
      await queueEmpties(made);
      await until(
        "Postfix's notice",
        () => postfix.log().includes("sender delivery status notification"),
      );
      assert.deepEqual(newFiles(made.maildir("me")), []);
      await made.stopCleanly();
    }),
});

Deno.test({
  name: "a real Postfix relays its mail to us",
  ignore: !canRunPostfix("remote_test") || !areInstalled("remote_test", SOURCE),
  fn: async () => {
    await using made = await server();
    await withPostfix(
      { relayhost: `[127.0.0.1]:${made.smtpPort}` },
      async (postfix) => {
        const to = ["me@home.test", "you+postfix@home.test"];
        await sendAll(postfix.port, "x@remote.test", to);
        for (const user of ["me", "you"]) {
          const got = await mailIn(made.maildir(user), MESSAGES.length);
          compare(got.map(({ content }) => content));
          for (const { head } of got) {
            assert.equal(head[0], "Return-Path: <x@remote.test>");
            // It was offered STARTTLS and took it.
            assert.match(
              head[2]!,
              /from postfix\.remote\.test .* with ESMTPS /s,
            );
          }
        }
        // Many at once; and an unknown user comes back to Postfix's own.
        const before = newFiles(made.maildir("me")).length;
        const ran = await run(SOURCE, [
          ...["-s", "10", "-m", "100", "-l", "4000"],
          ...["-f", "x@remote.test", "-t", "me@home.test"],
          `127.0.0.1:${postfix.port}`,
        ]);
        assert.equal(ran.code, 0, ran.errors);
        await filesIn(made.maildir("me"), before + 100, 60_000);

        await sendAll(postfix.port, "x@remote.test", ["nobody@home.test"]);
        const bounces = await filesIn(postfix.maildir, MESSAGES.length);
        for (const path of bounces) {
          assert.match(await Deno.readTextFile(path), /550 5\.1\.1 /);
        }
      },
    );
    await made.stopCleanly();
  },
});
