/** SIGHUP: a new configuration comes into force, rights included. */
import assert from "node:assert/strict";
import { NextHop } from "./next_hop.ts";
import { freePort, server, until } from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

Deno.test("SIGHUP gives a new route, and smtpc the right to go there", async () => {
  await using hop = new NextHop(freePort());
  await hop.listen();
  await using made = await server();
  const text = await Deno.readTextFile(made.config);
  await Deno.writeTextFile(
    made.config,
    text
      .replace(
        /^local_domains = .*$/m,
        (line) => `${line}\nrelay_domains = ["new.test"]`,
      )
      .replace(
        "[routes]",
        `[routes]\n"new.test" = "127.0.0.1:${hop.port}"`,
      ),
  );
  Deno.kill(made.pid, "SIGHUP");
  await until("the new route is known", async () => {
    using client = await SmtpClient.ready(made.smtpPort);
    client.expect(await client.say("MAIL FROM:<you@home.test>"), 250);
    return (await client.say("RCPT TO:<u@new.test>")).code === 250;
  });
  using client = await SmtpClient.ready(made.smtpPort);
  await client.transact(
    "you@home.test",
    ["u@new.test"],
    octets("Subject: new\r\n\r\nway\r\n"),
  );
  await until("the message is taken", () => hop.taken.length === 1);
  assert.deepEqual(hop.taken[0]!.to, ["u@new.test"]);
});
