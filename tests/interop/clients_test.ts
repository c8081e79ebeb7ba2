/**
 * Programs that others wrote hand in mail in all the ways that they know:
 * everything arrives, in every octet, and by the way that was meant.
 */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { filesIn, readDelivered } from "../system/mailbox.ts";
import { type Installation, run, server } from "../system/server_fixture.ts";
import { areInstalled } from "./peers.ts";
import { canRunPostfix, withPostfix } from "./postfix_fixture.ts";
import { canRunUnpacked, eximSend, withOpenSmtpd } from "./unpacked_peers.ts";

const MSMTP = "/usr/bin/msmtp";
const NAIL = "/usr/bin/s-nail";
const SWAKS = "/usr/bin/swaks";
const DOTS = ".\n..\n.x\n\nx.\n.";

/** One message that must be in the mailbox of `me`. */
interface Expected {
  readonly subject: string;
  /** Is in the message as it is delivered. */
  readonly body: string;
  /** The protocol in our Received field, RFC 3848 and RFC 6531. */
  readonly by: RegExp;
}

async function arrived(
  made: Installation,
  expected: readonly Expected[],
): Promise<void> {
  const paths = await filesIn(made.maildir("me"), expected.length, 60_000);
  const texts = paths.map((path) =>
    new TextDecoder().decode(readDelivered(path).content)
  );
  const received = paths.map((path) => Deno.readTextFileSync(path));
  for (const { subject, body, by } of expected) {
    const at = texts.findIndex((text) =>
      text.includes(`Subject: ${subject}\n`)
    );
    assert.ok(at >= 0, `${subject} is not there: ${texts.join("\n---\n")}`);
    assert.ok(texts[at]!.includes(body), `${subject}: ${texts[at]}`);
    assert.match(received[at]!, by, `${subject}: ${received[at]}`);
  }
}

Deno.test({
  name: "msmtp and s-nail hand in mail, in clear and in TLS",
  ignore: !areInstalled("clients_test", MSMTP, NAIL),
  fn: async () => {
    await using made = await server({ users: ["me"] });
    const port = `${made.smtpPort}`;
    const expected: Expected[] = [];
    for (const tls of ["off", "on"]) {
      const subject = `msmtp tls ${tls}`;
      const ran = await run("sh", [
        "-c",
        'printf "%s" "$1" | exec "$2" --host=127.0.0.1 --port="$3" ' +
        '--domain=msmtp.test --from=a@remote.test --tls="$4" ' +
        "--tls-starttls=on --tls-certcheck=off --auth=off " +
        "--dsn-notify=failure,delay --dsn-return=headers me@home.test",
        ...["sh", `Subject: ${subject}\nTo: me@home.test\n\n${DOTS}\n`],
        ...[MSMTP, port, tls],
      ]);
      assert.equal(ran.code, 0, ran.errors);
      const by = tls === "on" ? /with ESMTPS id/ : /with ESMTP id/;
      expected.push({ subject, body: DOTS, by });
    }
    // Without a log-in it says HELO.
    const subject = "s-nail";
    const mailed = await run("sh", [
      "-c",
      'printf "%s" "$1" | exec "$2" -:/ -S v15-compat ' +
      '-S mta="smtp://127.0.0.1:$3" -S smtp-auth=none ' +
      "-S hostname=nail.test " +
      '-S from=a@remote.test -s "$4" me@home.test',
      ...["sh", "gr\u00fc\u00dfe\n" + DOTS + "\n", NAIL, port, subject],
    ]);
    assert.equal(mailed.code, 0, mailed.errors);
    expected.push({ subject, body: "\n..\n.x\n", by: /with SMTP id/ });
    await arrived(made, expected);
  },
});

Deno.test("nodemailer hands in mail: pipelined sessions, TLS, DSN, SMTPUTF8", async () => {
  await using made = await server({ users: ["me"] });
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port: made.smtpPort,
    pool: true,
    maxConnections: 2,
    name: "node.remote.test",
    tls: { rejectUnauthorized: false },
  });
  const expected: Expected[] = [];
  for (let n = 0; n < 6; n++) {
    const subject = `nodemailer ${n}`;
    const sender = n % 2 === 0
      ? "a@remote.test"
      : "m\u00fcller@r\u00e9mote.test";
    await transport.sendMail({
      envelope: {
        from: sender,
        to: ["me@home.test"],
        dsn: { id: `id-${n}`, return: "headers", notify: ["failure"] },
      },
      from: sender,
      to: "me@home.test",
      subject,
      text: `body ${n}\n.\n..x\n`,
    });
    expected.push({
      subject,
      body: `body ${n}`,
      by: n % 2 === 0 ? /with ESMTPS id/ : /with UTF8SMTPS id/,
    });
  }
  transport.close();
  await arrived(made, expected);
});

Deno.test({
  name: "Exim and OpenSMTPD hand on what they take, Exim with BDAT",
  ignore: !canRunUnpacked("clients_test"),
  fn: async () => {
    await using made = await server({ users: ["me", "you"] });
    const expected: Expected[] = [];
    const plain = "Subject: exim\nFrom: <a@remote.test>\n\n" + DOTS + "\n";
    await eximSend(made.smtpPort, {
      from: "a@remote.test",
      to: ["me@home.test", "you@home.test"],
      content: plain,
    });
    expected.push({ subject: "exim", body: DOTS, by: /with ESMTPS id/ });
    const eight = "Subject: exim-8bit\nFrom: <a@remote.test>\n\n\u00e4\n";
    await eximSend(made.smtpPort, {
      from: "a@remote.test",
      to: ["me@home.test"],
      content: eight,
    });
    expected.push({
      subject: "exim-8bit",
      body: "\u00e4",
      by: /with ESMTPS id/,
    });
    await withOpenSmtpd(made.smtpPort, async (port) => {
      const ran = await run(SWAKS, [
        ...["--server", `127.0.0.1:${port}`, "--helo", "swaks.test"],
        ...["--from", "a@remote.test", "--to", "me@home.test"],
        ...["--data", `Subject: opensmtpd\\n\\n.\\n..\\n.y\\n`],
      ]);
      assert.equal(ran.code, 0, ran.out);
      expected.push({
        subject: "opensmtpd",
        body: ".\n..\n.y",
        by: /osmtpd\.remote\.test[^]*with ESMTPS id/,
      });
      await arrived(made, expected);
    });
    const log = made.events().filter((one) => one.event === "message-accepted");
    assert.equal(log.length, expected.length);
  },
});

Deno.test({
  name: "Postfix hands on mail: from somebody, from nobody, to many",
  ignore: !canRunPostfix("clients_test"),
  fn: async () => {
    const many = Array.from({ length: 120 }, (_, n) => `user${n}`);
    await using made = await server({ users: ["me", ...many] });
    const relayhost = `[127.0.0.1]:${made.smtpPort}`;
    await withPostfix({ relayhost }, async ({ port }) => {
      const to = (args: string[], data: string) =>
        run(SWAKS, [
          ...["--server", `127.0.0.1:${port}`, "--helo", "swaks.test"],
          ...["--data", data, ...args],
        ]);
      const kinds: { subject: string; from: string; by: RegExp }[] = [
        { subject: "postfix", from: "a@remote.test", by: /with ESMTPS id/ },
        { subject: "postfix-null", from: "<>", by: /with ESMTPS id/ },
      ];
      for (const { subject, from } of kinds) {
        const ran = await to(
          ["--from", from, "--to", "me@home.test"],
          `Subject: ${subject}\\n\\n.\\n..\\n.z\\n`,
        );
        assert.equal(ran.code, 0, ran.out);
      }
      const all = many.map((one) => `${one}@home.test`).join(",");
      const ran = await to(
        ["--from", "a@remote.test", "--to", all],
        "Subject: many\\n\\nx\\n",
      );
      assert.equal(ran.code, 0, ran.out);
      await arrived(
        made,
        kinds.map(({ subject, by }) => ({ subject, body: "\n.z", by })),
      );
      for (const user of many) await filesIn(made.maildir(user), 1, 30_000);
    });
  },
});
