/** What BDAT and SMTPUTF8 bring, through all roles and into a Maildir. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { assertOctets, emptyMaildir, mailIn, storedForm } from "./mailbox.ts";
import { server } from "./server_fixture.ts";
import { octets, queueIdOf, SmtpClient } from "./smtp_client.ts";

const SETTINGS = `
[server]
relay_domains = ["relayed.test"]
[smtp]
max_message_size = "20MiB"
max_recipients = 1000
[aliases]
"grün" = "me"
`;

/** Characters as the octets of their UTF-8. */
function utf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

Deno.test("A server takes chunks and addresses beyond ASCII", async (t) => {
  await using made = await server({ settings: SETTINGS });
  const mine = made.maildir("me");
  using client = await SmtpClient.ready(made.smtpPort);

  await t.step("delivers chunks octet for octet", async () => {
    const content = "Subject: chunks\r\n\r\n.\r\nQUIT\r\n..\r\n".repeat(3);
    await client.send(
      "MAIL FROM:<s@remote.test>\r\nRCPT TO:<me@home.test>\r\n" +
        `BDAT ${content.length - 5}\r\n${content.slice(0, -5)}` +
        `BDAT 5 LAST\r\n${content.slice(-5)}`,
    );
    for (let i = 0; i < 3; i++) client.expect(await client.reply(), 250);
    queueIdOf(client.expect(await client.reply(), 250, "2.0.0"));
    const [got] = await mailIn(mine, 1);
    assertOctets(got!.content, storedForm(octets(content)), "chunks");
    emptyMaildir(mine);
  });

  await t.step("delivers ten megabytes in chunks of many sizes", async () => {
    const content = octets(
      "X: y\r\n\r\n" + "0123456789abcd\r\n".repeat(655_360),
    );
    await client.send(
      "MAIL FROM:<s@remote.test>\r\nRCPT TO:<me@home.test>\r\n",
    );
    for (let i = 0; i < 2; i++) client.expect(await client.reply(), 250);
    let chunks = 0;
    for (let at = 0, size = 1; at < content.length; at += size, size *= 3) {
      const chunk = content.subarray(at, at + size);
      const last = at + size >= content.length ? " LAST" : "";
      await client.send(`BDAT ${chunk.length}${last}\r\n`);
      await client.send(chunk);
      chunks++;
    }
    for (let i = 0; i < chunks; i++) client.expect(await client.reply(), 250);
    const [got] = await mailIn(mine, 1);
    assertOctets(got!.content, storedForm(content), "megabytes");
    emptyMaildir(mine);
  });

  await t.step(
    "delivers BINARYMIME, whose text is as it was sent",
    async () => {
      const body = "\0\r\r\n\n.\r\n\xff";
      const content = `Subject: binary\r\n\r\n${body}`;
      await client.send(
        "MAIL FROM:<s@remote.test> BODY=BINARYMIME\r\n" +
          "RCPT TO:<me@home.test>\r\n" +
          `BDAT ${content.length} LAST\r\n${content}`,
      );
      for (let i = 0; i < 2; i++) client.expect(await client.reply(), 250);
      client.expect(await client.reply(), 250, "2.0.0");
      const [got] = await mailIn(mine, 1);
      const stored = octets(`Subject: binary\n\n${body}`);
      assertOctets(got!.content, stored, "BINARYMIME");
      emptyMaildir(mine);
    },
  );

  await t.step("delivers from and to addresses beyond ASCII", async () => {
    const body = utf8("Subject: Grüße\r\n\r\nüä\r\n");
    await client.send(utf8(
      "MAIL FROM:<jürgen@bücher.test> SMTPUTF8 BODY=8BITMIME ENVID=x RET=HDRS\r\n" +
        "RCPT TO:<gru\u0308n@home.test> NOTIFY=NEVER ORCPT=utf-8;grün@a.test\r\n" +
        "RCPT TO:<blau@home.test>\r\n",
    ));
    client.expect(await client.reply(), 250);
    client.expect(await client.reply(), 250);
    client.expect(await client.reply(), 550, "5.1.1");
    await client.send(`BDAT ${body.length} LAST\r\n${body}`);
    client.expect(await client.reply(), 250, "2.0.0");
    const [got] = await mailIn(mine, 1);
    assert.equal(
      got!.head[0],
      utf8("Return-Path: <jürgen@xn--bcher-kva.test>"),
    );
    assert.match(got!.head[2]!, / with UTF8SMTP id /);
    assertOctets(got!.content, storedForm(octets(body)), "UTF-8");
    emptyMaildir(mine);
  });

  await t.step("takes an envelope as large as it says it takes", async () => {
    client.expect(
      await client.say(`MAIL FROM:<${"s".repeat(60)}@remote.test>`),
      250,
    );
    let taken = 0;
    let more = true;
    while (more) {
      const local = `${taken}`.padStart(60, "r");
      const orcpt = `ORCPT=rfc822;${"o".repeat(400)}`;
      const reply = await client.say(
        `RCPT TO:<${local}@relayed.test> ${orcpt}`,
      );
      if (reply.code === 250) taken++;
      else {
        client.expect(reply, 452, "4.5.3");
        more = false;
      }
    }
    assert.ok(taken > 200 && taken < 1_000, `${taken} recipients`);
    client.expect(await client.data(octets("a: b\r\n\r\n")), 250, "2.0.0");
  });

  await t.step(
    "obeys ETRN for whom it relays, and for nobody else",
    async () => {
      client.expect(await client.say("ETRN relayed.test"), 250, "2.0.0");
      client.expect(await client.say("ETRN @relayed.test"), 250, "2.0.0");
      for (const node of ["home.test", "elsewhere.test", "#queue"]) {
        client.expect(await client.say(`ETRN ${node}`), 459, "4.7.1");
      }
    },
  );
});
