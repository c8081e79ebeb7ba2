/**
 * Mail handed to a real Dovecot by LMTP (RFC 2033), at a Unix socket and at a
 * port, by a whole server: every octet arrives, and each recipient has the
 * outcome that Dovecot gave it.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  change,
  installation,
  IS_ROOT,
  until,
} from "../system/server_fixture.ts";
import { octets, SmtpClient } from "../system/smtp_client.ts";
import { fetchAll, hasDovecot, say, withDovecot } from "./dovecot_fixture.ts";

const MESSAGES = [
  "Subject: plain\r\n\r\nHello\r\n",
  "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n",
  "Subject: 8-bit\r\n\r\ngr\xfc\xdfe \xff\x80\r\n",
  "Subject: big\r\n\r\n" + `${"y".repeat(76)}\r\n`.repeat(20_000),
];

if (!hasDovecot) console.log("lmtp_test: skipped, no Dovecot or python3");

Deno.test({
  name: "Dovecot takes mail by LMTP, octet by octet, at a socket and a port",
  ignore: !hasDovecot,
  fn: async () => {
    await using made = await installation();
    const dir = made.beside("dovecot");
    const mailDir = `${dir}/mail`;
    await Deno.mkdir(mailDir, { recursive: true });
    const reader = await anybody();
    await withDovecot({ dir, mailDir, reader, lmtp: true }, async (port) => {
      change(
        made,
        `[server]
relay_domains = ["socket.test", "port.test"]
[routes]
"socket.test" = "lmtp:unix:${dir}/lmtp.sock"
"port.test" = "lmtp:127.0.0.1:${port + 1}"
`,
      );
      await made.start();
      for (const domain of ["socket.test", "port.test"]) {
        const to = [`a@${domain}`, `b@${domain}`];
        const client = await SmtpClient.ready(made.smtpPort);
        for (const content of MESSAGES) {
          await client.transact(
            "you@far.test",
            to,
            octets(content),
            " BODY=8BITMIME",
          );
        }
        await client.quit();
        await until("an empty queue", async () => {
          const listed = await made.json<{ messages: unknown[] }>(
            ...["queue", "list"],
          );
          return listed.messages.length === 0;
        });
        for (const user of to) {
          const fetched = (await fetchAll(port, user))
            .map((one) => Buffer.from(one.octets, "base64").toString("latin1"));
          assert.equal(fetched.length, MESSAGES.length, user);
          for (const want of MESSAGES) {
            assert.ok(fetched.some((one) => one.endsWith(want)), user);
          }
        }
      }
      const delivered = made.events()
        .filter(({ event }) => event === "recipient-delivered");
      assert.equal(delivered.length, 4 * MESSAGES.length);
      await made.stopCleanly();
    });
  },
});

/** An ordinary user, for whom Dovecot runs. */
async function anybody() {
  const name = IS_ROOT ? "nobody" : await say("id", "-un");
  return { name, group: await say("id", "-gn", name) };
}
