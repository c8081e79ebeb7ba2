/**
 * What the gate says, as a client hears it and an administrator undoes it: on
 * a running server, in its jails, across restarts.
 */
import assert from "node:assert/strict";
import { NextHop } from "./next_hop.ts";
import {
  change,
  freePort,
  type Installation,
  installation,
  until,
} from "./server_fixture.ts";
import { SmtpClient } from "./smtp_client.ts";

/** What `client list --json` says. */
interface Clients {
  readonly said: readonly { readonly network: string; readonly word: string }[];
  readonly passed: readonly { readonly network: string }[];
  readonly verdicts: readonly {
    readonly client: string;
    readonly recipient: string;
    readonly rule: string;
    readonly evidence: string;
    readonly reply: string;
    readonly undo: string;
    readonly shadow: boolean;
  }[];
}

// Our own address is a stranger's here.
const SETTINGS = `
[screening]
trusted = ["::1"]
greet_wait = "0s"
[access]
sender = ["senders"]
[verify]
recipients = true
`;

/** The reply to a recipient, from a client that comes anew. */
async function recipientReply(
  made: Installation,
  { from = "a@sender.test", to = "me@home.test" } = {},
): Promise<string> {
  using client = await SmtpClient.ready(made.smtpPort);
  const mail = await client.say(`MAIL FROM:<${from}>`);
  return mail.code === 250
    ? (await client.say(`RCPT TO:<${to}>`)).text
    : mail.text;
}

async function run(made: Installation, command: string): Promise<void> {
  const words = command.split(" ");
  assert.equal(words.shift(), "bulkhead");
  const { code, errors } = await made.command(...words);
  assert.equal(code, 0, errors);
}

Deno.test("the gate refuses, explains itself, and can be told otherwise", async (t) => {
  await using hop = new NextHop(freePort());
  await hop.listen();
  await using made = await installation({
    settings: SETTINGS,
    routes: [`next.test=127.0.0.1:${hop.port}`],
  });
  Deno.writeTextFileSync(
    `${made.home}/senders`,
    "bad.test REJECT 5.7.9 We know you\n",
  );
  await made.start();

  await t.step("a stranger may hand in mail", async () => {
    assert.match(await recipientReply(made), /^250/);
  });

  await t.step("an access table is obeyed, in its own words", async () => {
    const said = await recipientReply(made, { from: "x@bad.test" });
    assert.match(said, /^554[ -]5\.7\.9 We know you/);
  });

  await t.step("a denied client is refused within a second", async () => {
    await run(made, "bulkhead client deny 127.0.0.0/8");
    const saidMs = performance.now();
    await until(
      "it is refused",
      async () => (await recipientReply(made)).startsWith("550"),
    );
    assert.ok(performance.now() - saidMs < 1_500);
  });

  await t.step("what undoes a verdict stands beside it, and does", async () => {
    const listed = await until("it is listed", async () => {
      const all = await made.json<Clients>("client", "list", "--refused");
      return all.verdicts.find(({ rule, recipient }) =>
        rule === "deny" && recipient === "me@home.test"
      );
    });
    assert.equal(listed.client, "127.0.0.1");
    assert.equal(
      listed.evidence,
      "127.0.0.1 is in 127.0.0.0/8 (bulkhead client deny)",
    );
    await run(made, listed.undo);
    await until(
      "it is let in",
      async () => (await recipientReply(made)).startsWith("250"),
    );
  });

  await t.step("what an administrator said outlives a restart", async () => {
    await run(made, "bulkhead client deny 127.0.0.1");
    await made.stopCleanly();
    await made.start();
    assert.match(await recipientReply(made), /^550/);
    await run(made, "bulkhead client forget 127.0.0.1");
    const { said } = await made.json<Clients>("client", "show", "127.0.0.1");
    assert.deepEqual(said, []);
  });

  await t.step(
    "a faulty table is found with its line, and not taken",
    async () => {
      Deno.writeTextFileSync(
        `${made.home}/senders`,
        "# x\nbad.test FILTER y\n",
      );
      const { code, out, errors } = await made.command("check");
      assert.equal(code, 78);
      assert.match(out + errors, /senders:2: .*FILTER/);
      Deno.kill(made.pid, "SIGHUP");
      await until(
        "it says so",
        () => made.events().some(({ event }) => event === "renew-refused"),
      );
      assert.match(await recipientReply(made, { from: "x@bad.test" }), /^554/);
    },
  );

  await t.step("a table is read anew at SIGHUP", async () => {
    Deno.writeTextFileSync(`${made.home}/senders`, "other.test REJECT\n");
    Deno.kill(made.pid, "SIGHUP");
    await until(
      "the old entry is gone",
      async () =>
        (await recipientReply(made, { from: "x@bad.test" })).startsWith("250"),
    );
    assert.match(await recipientReply(made, { from: "x@other.test" }), /^554/);
  });

  await t.step("the next hop is asked about its recipients", async () => {
    hop.manners.onRcpt = (to) =>
      to === "me@next.test" ? undefined : "550 5.1.1 No such user";
    const reply = (to: string) => recipientReply(made, { to });
    assert.match(await reply("me@next.test"), /^250/);
    assert.match(
      await reply("you@next.test"),
      /^550[ -]5\.1\.1 .*No such user/,
    );
    const asked = hop.attempts;
    assert.match(await reply("you@next.test"), /^550/);
    assert.equal(hop.attempts, asked, "it is remembered");
    assert.deepEqual(hop.taken, []);
    await hop.close();
    assert.match(await reply("they@next.test"), /^450/);
    assert.match(await reply("me@home.test"), /^250/);
  });

  await t.step(
    "in shadow mode nobody is refused, and it is told who would be",
    async () => {
      change(
        made,
        '[screening]\nshadow = true\ndeny = ["127.0.0.0/8"]\n',
      );
      Deno.kill(made.pid, "SIGHUP");
      const { evidence } = await until("it is listed", async () => {
        assert.match(await recipientReply(made), /^250/);
        const all = await made.json<Clients>("client", "list");
        return all.verdicts.find(({ rule, shadow }) =>
          rule === "deny" && shadow
        );
      });
      assert.match(evidence, /screening\.deny/);
    },
  );

  await made.stopCleanly();
});
