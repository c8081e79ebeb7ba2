/** A server's own users hand in their mail: over STARTTLS and over TLS. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { logIn, MECHANISMS } from "./login.ts";
import { emptyMaildir, filesIn } from "./mailbox.ts";
import { NextHop } from "./next_hop.ts";
import {
  freePort,
  type Installation,
  server,
  until,
} from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

const ME = { login: "me@home.test", password: "a password" };
const LETTER = octets(
  "To: you@home.test\r\nBcc: hidden@remote.test,\r\n other@remote.test\r\n" +
    "Subject: x\r\n\r\nBcc: of the body\r\n",
);

/** What a client needs to know of the server. */
interface Server {
  readonly made: Installation;
  readonly pem: string;
  readonly der: Uint8Array;
}

async function onStartTls({ made, pem }: Server): Promise<SmtpClient> {
  const client = await SmtpClient.ready(made.smtpPort + 1);
  await client.startTls(pem, "mx.home.test");
  client.expect(await client.say("EHLO client.test"), 250);
  return client;
}

async function onTls({ made, pem }: Server): Promise<SmtpClient> {
  const client = await SmtpClient.openTls(made.smtpPort + 2, {
    ca: pem,
    host: "mx.home.test",
  });
  client.expect(await client.say("EHLO client.test"), 250);
  return client;
}

Deno.test("submission takes mail of users who log in, and of nobody else", async (t) => {
  await using hop = new NextHop(freePort());
  await hop.listen();
  await using made = await server({
    routes: [`remote.test=127.0.0.1:${hop.port}`],
    settings: '[server]\nrelay_domains = []\n[aliases]\nsales = ["me", "you"]',
  });
  const pem = Deno.readTextFileSync(`${made.home}/tls/cert.pem`);
  const site: Server = { made, pem, der: new X509Certificate(pem).raw };

  for (
    const [name, open] of [["STARTTLS", onStartTls], ["TLS", onTls]] as const
  ) {
    for (const mechanism of MECHANISMS) {
      await t.step(`${mechanism} over ${name} brings a letter in`, async () => {
        using client = await open(site);
        client.expect(
          await logIn(client, mechanism, ME, site.der),
          235,
          "2.7.0",
        );
        const id = await client.transact(ME.login, ["you@home.test"], LETTER);
        await client.quit();
        const [path] = await filesIn(made.maildir("you"), 1);
        const text = Deno.readTextFileSync(path!);
        assert.match(
          text,
          /^Received: from client\.test \(\[127\.0\.0\.1\]\)\n\tby mx\.home\.test with ESMTPSA id /m,
        );
        assert.match(text, /^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000$/m);
        assert.match(text, /^From: <me@home\.test>$/m);
        assert.match(
          text,
          new RegExp(`^Message-ID: <${id}@mx\\.home\\.test>$`, "m"),
        );
        assert.doesNotMatch(text, /hidden|other@/);
        assert.ok(text.endsWith("\n\nBcc: of the body\n"));
        emptyMaildir(made.maildir("you"));
      });
    }
  }

  await t.step(
    "a wrong password is refused, and the third ends it",
    async () => {
      using client = await onTls(site);
      const wrong = { ...ME, password: "another" };
      for (const mechanism of ["PLAIN", "SCRAM-SHA-256-PLUS"] as const) {
        client.expect(
          await logIn(client, mechanism, wrong, site.der),
          535,
          "5.7.8",
        );
      }
      client.expect(await client.say("MAIL FROM:<me@home.test>"), 530, "5.7.0");
      const nobody = { ...ME, login: "nobody@home.test" };
      client.expect(
        await logIn(client, "PLAIN", nobody, site.der),
        421,
        "4.7.0",
      );
      assert.ok(await client.isHungUp());
    },
  );

  await t.step("a login sends as itself, and anywhere", async () => {
    using client = await onTls(site);
    client.expect(await logIn(client, "PLAIN", ME, site.der), 235);
    for (const stranger of ["you@home.test", "me@remote.test"]) {
      const got = await client.say(`MAIL FROM:<${stranger}>`);
      client.expect(got, 550, "5.7.1");
    }
    for (const own of ["", "me+x@home.test", "sales@home.test"]) {
      client.expect(await client.say(`MAIL FROM:<${own}>`), 250);
      client.expect(await client.say("RSET"), 250);
    }
    await client.transact("sales@home.test", ["x@remote.test"], LETTER);
    await client.quit();
    const taken = await until(
      "the message at the next hop",
      () => hop.taken[0],
    );
    assert.equal(taken.from, "sales@home.test");
    const text = Buffer.from(taken.content).toString("latin1");
    assert.match(text, /\r\nFrom: <sales@home\.test>\r\n/);
    assert.doesNotMatch(text, /hidden/);
  });

  await t.step("nobody logs in in clear, or at port 25", async () => {
    using clear = await SmtpClient.open(made.smtpPort + 1);
    const hello = await clear.say("EHLO client.test");
    assert.ok(!hello.text.includes("AUTH"), hello.text);
    const plain = await logIn(clear, "PLAIN", ME, site.der);
    clear.expect(plain, 538, "5.7.11");
    clear.expect(await clear.say("MAIL FROM:<me@home.test>"), 530, "5.7.0");
    using world = await SmtpClient.ready(made.smtpPort);
    await world.startTls(site.pem, "mx.home.test");
    const offer = await world.say("EHLO client.test");
    assert.ok(!offer.text.includes("AUTH"), offer.text);
    assert.ok(
      [502, 503].includes((await logIn(world, "PLAIN", ME, site.der)).code),
    );
    world.expect(await world.say("MAIL FROM:<me@home.test>"), 250);
    world.expect(await world.say("RCPT TO:<x@remote.test>"), 554, "5.7.1");
  });
});
