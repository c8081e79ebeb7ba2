/**
 * What becomes of mail for another server that is slow to take it, refuses
 * it, or is not there: retries, notices, and what the queue says meanwhile.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { emptyMaildir, filesIn, newFiles } from "./mailbox.ts";
import { NextHop } from "./next_hop.ts";
import {
  delay,
  freePort,
  type Installation,
  IS_CI,
  run,
  server,
  until,
} from "./server_fixture.ts";
import { logIn } from "./login.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

const PYTHON = "/usr/bin/python3";
const hasPython = await Deno.stat(PYTHON).then(() => true, () => false);
if (!hasPython && !IS_CI) console.log(`queue_test: skipped, no ${PYTHON}`);

/** One message of `queue list --json`. */
interface Listed {
  readonly queue_id: string;
  readonly sender: string;
  readonly recipients: readonly {
    readonly address: string;
    readonly state: string;
    readonly attempts: number;
    readonly delay_reason: string;
  }[];
}

/** `queue show --json`. */
interface Shown {
  readonly message: { readonly id: string } | null;
  readonly events: readonly {
    readonly what: string;
    readonly recipient: string;
    readonly host: string;
    readonly code: number;
    readonly text: string;
    readonly transcript: readonly string[];
  }[];
}

const CONTENT = octets(
  "From: Me <me@home.test>\r\nSubject: gr\u00fc\u00dfe\r\n" +
    "X-Long: a\r\n b\r\nMessage-ID: <1@home.test>\r\n\r\nSecret body\r\n",
);

const SETTINGS = `
[queue]
first_retry = "300ms"
max_retry = "500ms"
delay_warning = "100ms"
[aliases]
team = ["you", "good@remote.test"]
`;

async function send(
  made: Installation,
  from: string,
  ...to: readonly string[]
): Promise<string> {
  const client = await SmtpClient.ready(made.smtpPort);
  const id = await client.transact(from, to, CONTENT, " BODY=8BITMIME");
  await client.quit();
  return id;
}

async function list(made: Installation): Promise<readonly Listed[]> {
  return (await made.json<{ messages: Listed[] }>("queue", "list")).messages;
}

async function isEmpty(made: Installation): Promise<boolean> {
  return (await list(made)).length === 0;
}

Deno.test({
  name: "the queue retries, gives up with a notice, and says why",
  ignore: !hasPython && !IS_CI,
  fn: async (t) => {
    const port = freePort();
    await using hop = new NextHop(port);
    await hop.listen();
    await using made = await server({
      routes: [`remote.test=127.0.0.1:${port}`],
      settings: SETTINGS,
    });
    const mine = made.maildir("me");
    const fresh = () => {
      hop.manners = {};
      hop.taken.length = 0;
      hop.attempts = 0;
      emptyMaildir(mine);
    };

    await t.step("tries again after 4xx, and delivers once", async () => {
      fresh();
      const nth = (n: number, reply: string) => () =>
        hop.attempts === n ? reply : undefined;
      hop.manners = {
        onMail: nth(1, "451 4.3.0 Not now"),
        onRcpt: nth(2, "450 4.2.1 Greylisted"),
        onMessage: nth(3, "452 4.3.1 Disk is full"),
      };
      const began = performance.now();
      const id = await send(made, "me@home.test", "x@remote.test");
      await until("delivery at last", () => hop.taken.length > 0);
      assert.ok(performance.now() - began > 3 * 300, "it waited in between");
      assert.equal(hop.attempts, 4);
      assert.deepEqual(hop.taken[0]!.to, ["x@remote.test"]);
      await until("an empty queue", () => isEmpty(made));
      assert.equal(hop.taken.length, 1);
      assert.deepEqual(newFiles(mine), [], "no notice of a success");
      const shown = await made.json<Shown>("queue", "show", id);
      assert.equal(shown.message, null, "it left the queue");
      const told = shown.events.map(({ code, text }) => `${code} ${text}`);
      for (const word of ["Not now", "Greylisted", "Disk is full", "taken"]) {
        assert.ok(told.some((one) => one.includes(word)), `${word}: ${told}`);
      }
    });

    await t.step(
      "sends several recipients together",
      async () => {
        fresh();
        const to = ["a@remote.test", "b@remote.test", "c@remote.test"];
        hop.manners = {
          onRcpt: (one) =>
            one.startsWith("b@") && hop.attempts === 1
              ? "450 4.2.1 Later"
              : undefined,
        };
        await send(made, "me@home.test", ...to);
        await until("all three", () => hop.taken.length === 2);
        assert.deepEqual(hop.taken.map((one) => [...one.to].sort()), [
          ["a@remote.test", "c@remote.test"],
          ["b@remote.test"],
        ]);
      },
    );

    await t.step("sends one notice for all that was refused", async () => {
      fresh();
      hop.manners = {
        onRcpt: (to) =>
          to.startsWith("bad")
            ? `550-5.1.1 No <${to}>\r\n550 5.1.1 \u00e9 here`
            : undefined,
      };
      const id = await send(
        made,
        "me@home.test",
        "bad1@remote.test",
        "good@remote.test",
        "bad2@remote.test",
      );
      const [path] = await filesIn(mine, 1);
      const head = (await Deno.readTextFile(path!)).split("\n");
      assert.equal(head[0], "Return-Path: <>");
      assert.equal(head[1], "Delivered-To: me@home.test");
      const read = await readNotice(path!);
      assert.equal(read.type, "multipart/report");
      assert.equal(read.reportType, "delivery-status");
      assert.deepEqual(read.parts, [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
      ]);
      assert.equal(read.to, "me@home.test");
      assert.match(read.from, /<mailer-daemon@mx\.home\.test>/);
      assert.equal(read.autoSubmitted, "auto-replied");
      const [about, ...each] = read.status;
      assert.equal(about!["reporting-mta"], "dns; mx.home.test");
      assert.deepEqual(
        each.map((one) => one["final-recipient"]).sort(),
        ["rfc822; bad1@remote.test", "rfc822; bad2@remote.test"],
      );
      for (const one of each) {
        assert.equal(one["action"], "failed");
        assert.equal(one["status"], "5.1.1");
        assert.match(one["diagnostic-code"]!, /^smtp; 550 5\.1\.1 /);
        assert.match(one["remote-mta"]!, /^dns; /);
      }
      assert.match(read.text, /bad1@remote\.test[^]*bad2@remote\.test/);
      assert.doesNotMatch(read.text, /good@remote\.test/);
      assert.match(read.quoted, /Message-ID: <1@home\.test>/i);
      assert.match(read.quoted, /X-Long: a\r?\n b/);
      assert.doesNotMatch(read.quoted, /Secret body/);
      await until("an empty queue", () => isEmpty(made));
      assert.equal(newFiles(mine).length, 1, "one notice");
      assert.deepEqual(hop.taken.map(({ to }) => to), [["good@remote.test"]]);
      const { events } = await made.json<Shown>("queue", "show", id);
      assert.ok(events.some(({ code }) => code === 550), "it is remembered");
    });

    await t.step(
      "tells of success and failure as it was asked to",
      async () => {
        fresh();
        hop.manners = {
          onRcpt: (to) => to.startsWith("bad") ? "550 5.1.1 Nobody" : undefined,
        };
        const client = await SmtpClient.ready(made.smtpPort);
        const ok = async (line: string) =>
          client.expect(await client.say(line), 250);
        await ok("MAIL FROM:<me@home.test> BODY=8BITMIME RET=FULL ENVID=a+2Bb");
        const notify = "NOTIFY=SUCCESS,FAILURE";
        await ok(
          `RCPT TO:<you@home.test> ${notify} ORCPT=rfc822;You+2B@h.test`,
        );
        await ok(`RCPT TO:<good@remote.test> ${notify}`);
        await ok(`RCPT TO:<team@home.test> ${notify}`);
        await ok(`RCPT TO:<bad1@remote.test> ${notify}`);
        await ok("RCPT TO:<bad2@remote.test> NOTIFY=NEVER");
        client.expect(await client.data(CONTENT), 250);
        await client.quit();
        await until("an empty queue", () => isEmpty(made));
        const told = new Set<string>();
        for (const path of newFiles(mine)) {
          const { status, quoted, parts } = await readNotice(path);
          const [about, ...each] = status;
          assert.equal(about!["original-envelope-id"], "a+b");
          for (const one of each) {
            told.add(`${one["action"]} ${one["final-recipient"]}`);
            if (one["action"] === "delivered") {
              assert.equal(one["original-recipient"], "rfc822;You+@h.test");
            }
            const isFailed = one["action"] === "failed";
            assert.equal(
              parts[2],
              isFailed ? "message/rfc822" : "text/rfc822-headers",
            );
            const whole = await Deno.readTextFile(path);
            assert.equal(whole.includes("Secret body"), isFailed, quoted);
          }
        }
        assert.deepEqual([...told].sort(), [
          "delivered rfc822; you@home.test",
          "expanded rfc822; team@home.test",
          "failed rfc822; bad1@remote.test",
          "relayed rfc822; good@remote.test",
        ]);
      },
    );

    await t.step(
      "tells once of a delay, in whose words, and how long it tries",
      async () => {
        fresh();
        hop.manners = {
          onRcpt: () => hop.attempts < 4 ? "450 Come later" : undefined,
        };
        const client = await SmtpClient.ready(made.smtpPort);
        client.expect(await client.say("MAIL FROM:<me@home.test>"), 250);
        const rcpt = "RCPT TO:<late@remote.test> NOTIFY=DELAY,FAILURE";
        client.expect(await client.say(rcpt), 250);
        // 8-bit, and nobody said so.
        client.expect(await client.data(CONTENT), 250);
        await client.quit();
        await until("an empty queue", () => isEmpty(made));
        const [path] = await filesIn(mine, 1);
        const { status, text, quoted, parts } = await readNotice(path!);
        const [about, late] = status;
        assert.equal(late!["action"], "delayed");
        assert.equal(late!["status"], "4.0.0");
        assert.equal(late!["remote-mta"], "dns; [127.0.0.1]");
        assert.equal(late!["diagnostic-code"], "smtp; 450 Come later");
        const [arrived, tried, last] = [
          about!["arrival-date"],
          late!["last-attempt-date"],
          late!["will-retry-until"],
        ].map((date) => Date.parse(date!));
        assert.ok(tried! >= arrived! && tried! < arrived! + 60_000);
        assert.equal(last! - arrived!, 5 * 86_400_000);
        assert.match(
          text,
          /127\.0\.0\.1 \(asked without TLS\) answered: 450 Come\s+later/,
        );
        assert.equal(parts[2], "text/rfc822-headers");
        assert.match(quoted, /gr\u00fc\u00dfe/);
        assert.match(await Deno.readTextFile(path!), /Transfer-Encoding: 8bit/);
      },
    );

    await t.step(
      "gives each recipient a reverse-path, and knows what comes back to it",
      async () => {
        fresh();
        hop.manners = {
          onRcpt: (to) => to.startsWith("bad") ? "550 5.1.1 Nobody" : undefined,
        };
        const list = [
          "bad1@remote.test",
          "good@remote.test",
          "fine@remote.test",
        ];
        const pem = await Deno.readTextFile(`${made.home}/tls/cert.pem`);
        using client = await SmtpClient.openTls(made.smtpPort + 2, {
          ca: pem,
          host: "mx.home.test",
        });
        const ehlo = await client.say("EHLO client.test");
        assert.match(client.expect(ehlo, 250).text, /XVERP/);
        const me = { login: "me@home.test", password: "a password" };
        const { raw } = new X509Certificate(pem);
        client.expect(await logIn(client, "PLAIN", me, raw), 235);
        await client.transact(me.login, list, CONTENT, " XVERP");
        await until("two delivered", () => hop.taken.length === 2);
        assert.deepEqual(
          hop.taken.map(({ from, to }) => `${from} -> ${to}`).sort(),
          [
            "me+fine=remote.test@home.test -> fine@remote.test",
            "me+good=remote.test@home.test -> good@remote.test",
          ],
        );
        // Our own notice, and one of a server that says nothing useful inside.
        const [path] = await filesIn(mine, 1);
        const { to } = await readNotice(path!);
        assert.equal(to, "me+bad1=remote.test@home.test");
        await send(made, "", "me+good=remote.test@home.test");
        await filesIn(mine, 2);
        const attributed = () =>
          made.events().filter(({ event }) => event === "bounce-attributed")
            .map(({ failed }) => failed);
        await until("both known", () => attributed().length === 2);
        assert.deepEqual(attributed(), [
          "bad1@remote.test",
          "good@remote.test",
        ]);
      },
    );

    await t.step("sends no notice about mail from <>", async () => {
      fresh();
      hop.manners = { onMessage: () => "554 5.6.0 We do not like it" };
      await send(made, "", "x@remote.test");
      await until("an attempt", () => hop.attempts === 1);
      await until("an empty queue", () => isEmpty(made));
      assert.deepEqual(newFiles(mine), []);
      assert.equal(hop.attempts, 1, "5xx is not tried again");
    });

    await t.step(
      "does not bounce a bounce",
      async () => {
        fresh();
        hop.manners = { onRcpt: () => "550 5.1.1 Nobody" };
        await send(made, "gone@remote.test", "x@remote.test");
        await until("message and notice", () => hop.attempts === 2);
        await until("an empty queue", () => isEmpty(made));
        await delay(500);
        assert.equal(hop.attempts, 2);
        assert.deepEqual(newFiles(mine), []);
      },
    );

    await t.step("says why mail waits while the next hop is down", async () => {
      fresh();
      await hop.close();
      const id = await send(made, "me@home.test", "x@remote.test");
      const listed = await until("a deferred message", async () => {
        const [one] = await list(made);
        return one && one.recipients[0]!.attempts > 0 && one;
      });
      assert.equal(listed.queue_id, id);
      assert.equal(listed.sender, "me@home.test");
      const [rcpt] = listed.recipients;
      assert.equal(rcpt!.address, "x@remote.test");
      assert.match(rcpt!.delay_reason, /^4\d\d 4\.4\.\d /);
      assert.match(rcpt!.delay_reason, /refused|connect/i);
      const cat = await made.command("queue", "cat", "--headers", id);
      assert.equal(cat.code, 0, cat.errors);
      assert.match(cat.out, /^Received: [^]*\bSubject: /);
      const { message, events } = await made.json<Shown>("queue", "show", id);
      assert.ok(events.some(({ what }) => what === "read"), "never in secret");
      assert.equal(message!.id, id);
      assert.ok(events.some((one) => /refused|connect/i.test(one.text)));
      const lines = await made.command(
        ...["queue", "list", "-j", "--domain", "remote.test"],
      );
      const found = lines.out.trimEnd().split("\n").map((line) =>
        JSON.parse(line)
      ).find((one) => one.queue_id === id);
      assert.equal(found.recipients[0].address, "x@remote.test", lines.out);
      const asText = await made.command("queue", "list");
      assert.equal(asText.code, 0);
      assert.ok(asText.out.includes(id), asText.out);
      assert.match(asText.out, /x@remote\.test[^]*(refused|connect)/i);
      const one = await made.command("queue", "show", id);
      assert.equal(one.code, 0, one.errors);
      assert.match(one.out, /x@remote\.test[^]*(refused|connect)/i);
    });

    await t.step("delivers when the next hop comes up", async () => {
      await hop.listen();
      await until("delivery", () => hop.taken.length === 1);
      await until("an empty queue", () => isEmpty(made));
      assert.deepEqual(newFiles(mine), []);
    });

    await t.step("keeps what waits over a restart", async () => {
      fresh();
      await hop.close();
      const ids = new Set<string>();
      for (let n = 0; n < 5; n++) {
        ids.add(await send(made, "me@home.test", `r${n}@remote.test`));
      }
      await made.stopCleanly();
      const offline = await list(made);
      assert.deepEqual(new Set(offline.map(({ queue_id }) => queue_id)), ids);
      // One of them as if it had been accepted on hold.
      const held = offline.at(-1)!;
      const db = new DatabaseSync(`${made.home}/queue/queue.db`);
      db.exec(
        "UPDATE recipients SET state = 3 WHERE message = " +
          `(SELECT n FROM messages WHERE id = '${held.queue_id}')`,
      );
      db.exec(`UPDATE messages SET due_ms = -1 WHERE id = '${held.queue_id}'`);
      db.close();
      await hop.listen();
      await made.start();
      await until("all but one", () => hop.taken.length === 4);
      const listed = await until("one on hold", async () => {
        const all = await list(made);
        return all.length === 1 && all[0]!;
      });
      assert.equal(listed.queue_id, held.queue_id);
      assert.equal(listed.recipients[0]!.state, "hold");
      const released = await made.command("queue", "release", held.queue_id);
      assert.equal(released.code, 0, released.errors);
      assert.match(released.out, /^1 message released, 1 recipient\./);
      const odd = await made.command("queue", "delete", "nonsense");
      assert.equal(odd.code, 64);
      const missing = await made.command("queue", "delete", "0".repeat(16));
      assert.equal(missing.code, 66, missing.errors);
      assert.match(missing.out, /is not in the queue/);
      const flushed = await made.command("queue", "flush", "--json");
      assert.equal(JSON.parse(flushed.out).answer.isOver, true);
      await until("all five", () => hop.taken.length === 5);
      await until("an empty queue", () => isEmpty(made));
      assert.equal(hop.taken.length, 5);
      assert.deepEqual(
        hop.taken.map(({ to }) => to[0]).sort(),
        [0, 1, 2, 3, 4].map((n) => `r${n}@remote.test`),
      );
    });

    await t.step("bears a next hop that talks nonsense", async () => {
      fresh();
      hop.manners = {
        onRcpt: (to) =>
          to.startsWith("odd") ? "\xff\x00 nonsense \x1b[2J" : undefined,
      };
      await send(made, "me@home.test", "odd@remote.test");
      await until("an attempt", async () => {
        const [one] = await list(made);
        return one !== undefined && one.recipients[0]!.attempts > 0;
      });
      await send(made, "me@home.test", "even@remote.test");
      const came = (to: string) => () =>
        hop.taken.some((one) => one.to.includes(to));
      await until("the other one", came("even@remote.test"));
      const { out } = await made.command("queue", "list");
      assert.ok(
        !out.includes("\0") && !out.includes("\x1b"),
        "nothing of it reaches a terminal",
      );
      hop.manners = {};
      await until("the odd one", came("odd@remote.test"));
    });

    await made.stopCleanly();
  },
});

Deno.test({
  name: "mail that cannot be delivered in time is returned",
  ignore: !hasPython && !IS_CI,
  fn: async () => {
    const port = freePort();
    await using made = await server({
      routes: [`remote.test=127.0.0.1:${port}`],
      settings: SETTINGS + '[queue]\nexpire = "2s"',
    });
    await send(made, "you@home.test", "late@remote.test");
    await send(made, "", "silent@remote.test");
    const [path] = await filesIn(made.maildir("you"), 1);
    const read = await readNotice(path!);
    const [, status] = read.status;
    assert.equal(status!["final-recipient"], "rfc822; late@remote.test");
    assert.equal(status!["action"], "failed");
    assert.match(status!["status"]!, /^[45]\.4\.\d+$/);
    assert.match(read.text, /late@remote\.test/);
    await until("an empty queue", () => isEmpty(made));
    await made.stopCleanly();
  },
});

/** A notice, as Python's strict parser sees it. */
interface Notice {
  readonly type: string;
  readonly reportType: string;
  readonly parts: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly autoSubmitted: string;
  /** The groups of fields, the message's own first; names in lower case. */
  readonly status: readonly Readonly<Record<string, string>>[];
  readonly text: string;
  readonly quoted: string;
}

// Any defect in the form raises an exception.
const READER = `
import email, email.policy, json, sys
policy = email.policy.strict
with open(sys.argv[1], "rb") as file:
    whole = email.message_from_binary_file(file, policy=policy)
def check(part):
    assert not part.defects, part.defects
    for value in part.values():
        assert not getattr(value, "defects", ()), (value, value.defects)
for part in whole.walk():
    check(part)
text, status, quoted = whole.get_payload()
print(json.dumps({
    "type": whole.get_content_type(),
    "reportType": whole.get_param("report-type"),
    "parts": [part.get_content_type() for part in whole.iter_parts()],
    "from": whole["From"], "to": whole["To"],
    "autoSubmitted": whole["Auto-Submitted"],
    "date": whole["Date"].datetime.isoformat(),
    "id": whole["Message-ID"],
    "status": [{name.lower(): str(value) for name, value in group.items()}
               for group in status.get_payload()],
    "text": text.get_content(),
    "quoted": (quoted.get_payload(0).get_payload(decode=True)
               if quoted.is_multipart()
               else quoted.get_payload(decode=True)).decode("latin-1"),
}))
`;

async function readNotice(path: string): Promise<Notice> {
  const ran = await run(PYTHON, ["-c", READER, path]);
  assert.equal(ran.code, 0, ran.errors + Deno.readTextFileSync(path));
  return JSON.parse(ran.out);
}
