/**
 * What a user sees: a real Dovecot on the mail directory of a running server
 * lists the messages over IMAP and gives every octet back, also those that
 * come while it looks.
 *
 * Started as root, Dovecot runs as the user of the maildir role, who owns the
 * mailboxes.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { filesIn } from "../system/mailbox.ts";
import { type Installation, server } from "../system/server_fixture.ts";
import { octets, SmtpClient } from "../system/smtp_client.ts";
import { fetchAll, hasDovecot, say, withDovecot } from "./dovecot_fixture.ts";

const MESSAGES = [
  "Subject: plain\r\n\r\nHello\r\n",
  "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n",
  "Subject: gr\xfc\xdfe\r\nX-Folded: a\r\n\tb\r\n\r\n\x01\xff\x80\r\n",
  "Subject: no text\r\n\r\n",
  `Subject: long\r\n\r\n${"x".repeat(998)}\r\n`,
  "Subject: big\r\n\r\n" + `${"y".repeat(76)}\r\n`.repeat(20_000),
];

if (!hasDovecot) console.log("imap_test: skipped, no Dovecot or python3");

Deno.test({
  name: "Dovecot lists and reads the mailboxes of a running server",
  ignore: !hasDovecot,
  fn: async () => {
    await using made = await server();
    await sendAll(made, "me@home.test");
    await sendAll(made, "you+lists@home.test");
    await filesIn(made.maildir("me"), MESSAGES.length);
    await filesIn(made.maildir("you"), MESSAGES.length);

    const mailDir = `${made.home}/mail`;
    const { uid, gid } = await Deno.stat(mailDir);
    const reader = {
      name: await nameOf("passwd", uid!),
      group: await nameOf("group", gid!),
    };
    const dir = made.beside("dovecot");
    await Deno.mkdir(dir);
    await withDovecot({ dir, mailDir, reader }, async (port) => {
      for (const user of ["me", "you"]) {
        const fetched = await fetchAll(port, `${user}@home.test`);
        compare(fetched, MESSAGES);
      }
      // Dovecot has moved all to `cur`; what comes now must be new to it.
      await sendAll(made, "me@home.test");
      await filesIn(made.maildir("me"), MESSAGES.length);
      compare(await fetchAll(port, "me@home.test"), [...MESSAGES, ...MESSAGES]);
    });
    await made.stopCleanly();
  },
});

async function sendAll(made: Installation, to: string): Promise<void> {
  const client = await SmtpClient.ready(made.smtpPort);
  for (const content of MESSAGES) {
    const body = " BODY=8BITMIME";
    await client.transact("a@remote.test", [to], octets(content), body);
  }
  await client.quit();
}

function compare(
  fetched: readonly { size: number; octets: string }[],
  want: readonly string[],
): void {
  const got = fetched.map(({ size, octets }) => {
    const text = Buffer.from(octets, "base64").toString("latin1");
    assert.equal(text.length, size, "RFC822.SIZE");
    const head =
      /^Return-Path: .*\r\nDelivered-To: .*\r\nReceived: .*\r\n\t.*\r\n\t.*\r\n/
        .exec(text);
    assert.ok(head, text.slice(0, 300));
    return text.slice(head[0].length);
  });
  assert.equal(got.length, want.length);
  const sorted = [...want].sort();
  got.sort().forEach((text, at) =>
    assert.ok(text === sorted[at], `${text.slice(0, 80)} is as it was sent`)
  );
}

/** A user's or group's name by its number. */
async function nameOf(table: string, id: number): Promise<string> {
  return (await say("getent", table, `${id}`)).split(":")[0]!;
}
