/**
 * `bulkhead why` on a running server: messages that go wrong in every way at
 * next hops, in the DNS, by order and at the door, each explained rightly.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { hasNsd, withNsd } from "../../mod/dns/nsd_fixture.ts";
import type { Journey } from "../../mod/journey/journey.ts";
import {
  scriptedServer,
  type Server,
} from "../../mod/smtpc/scripted_server.ts";
import { type Acts, fin, mute, say, serve } from "../attack/odd_server.ts";
import { logIn } from "./login.ts";
import {
  change,
  delay,
  freePort,
  type Installation,
  installation,
  until,
} from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

/** A message for `a@NAME.test`, and what must be said of it. */
interface Row {
  readonly name: string;
  /** What its server does wrong; nothing if there is none. */
  readonly acts?: Acts;
  /** Of the destination, such as `tls = "encrypt"`. */
  readonly destination?: string;
  readonly recipient?: string;
  readonly content?: string;
  readonly parameters?: string;
  /** Nothing if more becomes of it: see `LATER`. */
  readonly headline?: RegExp;
  /** What is to be done, or what comes next. */
  readonly then?: RegExp;
}

/** What must be said. */
interface Said {
  readonly name: string;
  readonly headline?: RegExp;
  readonly then?: RegExp;
  readonly texts?: RegExp;
}

const AGAIN = /tried again in (1|2) (hours|minutes)|tried again in \d+ minutes/;

const ROWS: readonly Row[] = [
  {
    name: "fine",
    acts: {},
    headline: /^Delivered to <a@fine\.test> at .* after it came/,
    then: /^$/,
  },
  {
    name: "nobody",
    acts: { RCPT: say("550 5.1.1 <a@nobody.test>: User unknown") },
    headline: /^Not delivered .*There is no such user at nobody\.test/,
    then: /was told by a notice.*spelt/s,
  },
  {
    name: "full",
    acts: { RCPT: say("452 4.2.2 Mailbox full") },
  },
  {
    name: "grey",
    acts: { RCPT: say("450 4.2.0 <a@grey.test>: Greylisted, see postgrey") },
    headline: /^Waiting .*come again later.*greylisting.*passes by itself/,
    then: AGAIN,
  },
  {
    name: "silent",
    acts: { greeting: mute },
  },
  {
    name: "hangs-up",
    acts: { MAIL: fin },
    headline: /^Waiting .*broke the connection off/,
    then: AGAIN,
  },
  {
    name: "refused",
    headline: /^Waiting .*connection refused/,
    then: /bulkhead tls refused\.test.*bulkhead queue reroute/s,
  },
  {
    name: "busy",
    acts: { greeting: say("421 4.3.2 Shutting down") },
    headline: /^Waiting .*too busy or stopping/,
    then: AGAIN,
  },
  {
    name: "at-the-dot",
    acts: { dot: say("554 5.6.0 Broken MIME") },
    headline: /^Not delivered .*does not take the message in this form/,
    then: /plainer text/,
  },
  {
    name: "mid-session",
    acts: { DATA: say("451 4.3.0 Cannot write now") },
    headline: /^Waiting .*Something is wrong at/,
    then: AGAIN,
  },
  {
    name: "listed",
    acts: { MAIL: say("554 5.7.1 Blocked using zen.spamhaus.org") },
    headline: /^Not delivered .*stands on a list of unwanted senders/,
    then: /smarthost/,
  },
  {
    name: "no-ptr",
    acts: { RCPT: say("550 5.7.1 Cannot find your reverse hostname") },
    headline: /reverse DNS/,
    then: /PTR.*bulkhead check/s,
  },
  {
    name: "no-spf",
    acts: { dot: say("550 5.7.26 Unauthenticated email, SPF failed") },
    headline: /SPF, DKIM or DMARC/,
    then: /bulkhead check/,
  },
  {
    name: "wants-tls",
    acts: { MAIL: say("530 5.7.0 Must issue a STARTTLS command first") },
    headline: /takes mail only over TLS/,
    then: /tls = "encrypt"/,
  },
  {
    name: "no-tls",
    acts: {},
    destination: 'tls = "encrypt"',
    headline:
      /^Waiting .*TLS is demanded .*STARTTLS is missing.*not sent in the/,
    then: /bulkhead tls no-tls\.test/,
  },
  {
    name: "no-relay",
    acts: { RCPT: say("554 5.7.1 Relay access denied") },
    headline: /none of its business/,
    then: /MX record or your route/,
  },
  {
    name: "small",
    acts: { EHLO: say("250-small\r\n250 SIZE 20") },
    headline: /^Not delivered .*larger than .* takes/,
    then: /Send less/,
  },
  {
    name: "seven-bit",
    acts: { EHLO: say("250 old") },
    content: "Content-Type: multipart/signed; boundary=b; " +
      'protocol="application/pgp-signature"\r\nMIME-Version: 1.0\r\n\r\n' +
      "--b\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      "Content-Transfer-Encoding: 8bit\r\n\r\n\u00fc\r\n--b--\r\n",
    parameters: " BODY=8BITMIME",
    headline: /^Not delivered .*seven-bit messages only/,
    then: /plainer text/,
  },
  {
    name: "too-fast",
    acts: { RCPT: say("450 4.7.1 Rate limit exceeded, slow down") },
  },
  {
    name: "nonsense",
    acts: { DATA: say("250 what") },
    headline: /makes no sense in SMTP/,
    then: AGAIN,
  },
];

/** In the DNS alone; these have no route. */
const DNS_ROWS: readonly Row[] = [
  {
    name: "null-mx",
    headline: /says in its DNS that it takes no mail/,
    then: /spelt/,
  },
  {
    name: "no-host",
    headline: /does not exist, or has no server for mail/,
    then: /bulkhead tls no-host\.dns\.test/,
  },
  {
    name: "gone",
    headline: /does not exist, or has no server for mail/,
    then: /was told by a notice/,
  },
];

const ZONE = `$ORIGIN dns.test.
$TTL 60
@ SOA ns me 1 60 60 60 60
@ NS ns
ns A 127.0.0.1
null-mx MX 0 .
no-host TXT "nothing of mail"
`;

const LISTS = `$ORIGIN bl.test.
$TTL 60
@ SOA ns me 1 60 60 60 60
@ NS ns
ns A 127.0.0.1
7.2.0.192 A 127.0.0.2
`;

/** Mail that is never taken: who says what, and how it is explained. */
interface Refused {
  readonly name: string;
  /** XCLIENT's address; the trusted one if not given. */
  readonly client?: string;
  readonly from: string;
  readonly to?: string;
  readonly parameters?: string;
  readonly content?: string;
  readonly headline: RegExp;
  readonly then: RegExp;
}

const SENDER = "traveller@sender.test";

const REFUSED: readonly Refused[] = [
  {
    name: "unknown local user",
    from: SENDER,
    to: "nobody@home.test",
    headline: /^Refused at the door .* to <nobody@home\.test> .*no mailbox/,
    then: /bulkhead user add nobody@home\.test/,
  },
  {
    name: "relay denied",
    from: SENDER,
    to: "you@elsewhere.test",
    headline: /had not logged in, so it may not send there/,
    then: /port 465 or 587/,
  },
  {
    name: "alias loop",
    from: SENDER,
    to: "ring@home.test",
    headline: /aliases of <ring@home\.test> lead back/,
    then: /\[aliases\]/,
  },
  {
    name: "too large, as MAIL says",
    from: SENDER,
    parameters: " SIZE=99999999",
    headline: /larger than this server takes/,
    then: /smtp\.max_message_size/,
  },
  {
    name: "loop",
    from: SENDER,
    to: "me@home.test",
    content: "Received: x\r\n".repeat(101) + "\r\nx\r\n",
    headline: /too many servers already/,
    then: /forward to each other/,
  },
  {
    name: "bare line feeds",
    from: SENDER,
    to: "me@home.test",
    content: "a\nb\r\n",
    headline: /line ends are broken/,
    then: /must be mended/,
  },
  {
    name: "DNSBL",
    client: "192.0.2.7",
    from: SENDER,
    to: "me@home.test",
    headline: /192\.0\.2\.7 is on DNS lists/,
    then: /bulkhead client allow 192\.0\.2\.7/,
  },
  {
    name: "greylist",
    client: "192.0.2.8",
    from: SENDER,
    to: "me@home.test",
    headline: /^Put off at the door .*asked to come again .*greylisting/,
    then: /tries again by itself/,
  },
  {
    name: "denied",
    client: "192.0.2.10",
    from: SENDER,
    to: "me@home.test",
    headline: /on this server's own deny list/,
    then: /deny|allow/,
  },
  {
    name: "a table",
    from: SENDER,
    to: "evil@fine.test",
    headline: /to <evil@fine\.test> .*a table of yours says so/,
    then: /Let the client in|undo/,
  },
];

async function handIn(
  made: Installation,
  row: Pick<Row, "name" | "recipient" | "content" | "parameters">,
): Promise<string> {
  using client = await SmtpClient.ready(made.smtpPort);
  return await client.transact(
    SENDER,
    [row.recipient ?? `a@${row.name}.test`],
    octets(`Subject: Odyssey ${row.name}\r\n${row.content ?? "\r\nx\r\n"}`),
    row.parameters,
  );
}

/** Plays a refusal; true if it was one. */
async function play(made: Installation, row: Refused): Promise<boolean> {
  using client = await SmtpClient.ready(made.smtpPort);
  if (row.client !== undefined) {
    client.expect(await client.say(`XCLIENT ADDR=${row.client}`), 220);
    client.expect(await client.say("EHLO client.test"), 250);
  }
  const mail = await client.say(
    `MAIL FROM:<${row.from}>${row.parameters ?? ""}`,
  );
  if (row.to === undefined || mail.code !== 250) return mail.code >= 400;
  const rcpt = await client.say(`RCPT TO:<${row.to}>`);
  if (row.content === undefined || rcpt.code !== 250) return rcpt.code >= 400;
  client.expect(await client.say("DATA"), 354);
  await client.send(`${row.content}.\r\n`);
  return (await client.reply()).code >= 400;
}

function check(
  row: Said,
  one?: Journey,
) {
  assert.ok(one !== undefined, `${row.name}: nothing is told`);
  assert.match(one.headline, row.headline ?? /./, row.name);
  const then = [
    one.next,
    ...one.advice.map(({ text, command }) => `${text} ${command}`),
  ].join("\n");
  assert.match(then, row.then ?? /(?:)/, row.name);
  const texts = one.steps.map(({ text }) => text).join("\n");
  assert.match(texts, row.texts ?? /./, row.name);
}

interface Told {
  readonly found: readonly { readonly queueId: string; state: string }[];
  readonly journeys: readonly Journey[];
}

Deno.test({
  name: "why: what goes wrong is explained, each in its own words",
  ignore: !hasNsd,
  async fn(t) {
    const servers: Server[] = [];
    const routes = [`"refused.test" = "127.0.0.1:${freePort()}"`];
    const destinations: string[] = [];
    for (const { name, acts, destination } of ROWS) {
      if (acts === undefined) continue;
      const took = { messages: [], lines: [] };
      const one = await scriptedServer((visit) => serve(visit, acts, took));
      servers.push(one);
      routes.push(`"${name}.test" = "127.0.0.1:${one.port}"`);
      if (destination !== undefined) {
        destinations.push(`"127.0.0.1:${one.port}" = { ${destination} }`);
      }
    }
    const domains = [
      ...ROWS.map(({ name }) => `${name}.test`),
      ...DNS_ROWS.map(({ name }) => `${name}.dns.test`),
    ];
    const zones = { "dns.test": ZONE, "bl.test": LISTS };
    await withNsd({ zones, port: freePort() }, async (dnsPort) => {
      await using made = await installation({ users: ["me"] });
      Deno.writeTextFileSync(
        `${made.home}/recipients`,
        "held@fine.test HOLD\nevil@fine.test REJECT Not you\n",
      );
      change(
        made,
        `
[server]
relay_domains = ${JSON.stringify(domains)}
[outbound]
nameservers = ["127.0.0.1"]
reply_timeout = "1s"
connect_timeout = "2s"
[queue]
first_retry = "1h"
[smtp]
xclient_from = ["127.0.0.1"]
[screening]
trusted = ["127.0.0.1"]
greet_wait = "500ms"
dnsbl_sites = ["bl.test"]
deny = ["192.0.2.10"]
[greylist]
enabled = true
[access]
recipient = ["recipients"]
[dns]
port = ${dnsPort}
resolve = "forward"
validate = false
[aliases]
ring = ["ring2"]
ring2 = ["ring"]
team = ["me", "a@fine.test"]
[routes]
${routes.join("\n")}
[destinations]
${destinations.join("\n")}
`,
      );
      await made.start();
      const { ids, me } = await everything(made);
      const [told, boss, full, list, none, word] = await Promise
        .all([
          made.json<Told>("why", SENDER, "--json"),
          made.json<Told>("why", "boss@home.test", "--json"),
          made.command("why", me, "--full"),
          made.command("why", "odyssey"),
          made.command("why", "unheard"),
          made.json<Told>("why", "odyssey", "FULL", "--json"),
        ]);
      const of = (id: string | undefined) =>
        told.journeys.find(({ queueId }) => queueId === id);

      for (const row of [...ROWS, ...DNS_ROWS, ...LATER]) {
        await t.step(`explains: ${row.name}`, () => {
          check(row, of(ids.get(row.name)));
        });
      }
      const refused = [told, boss].flatMap(({ journeys }) =>
        journeys.filter(({ queueId }) => queueId === "")
      );
      for (const row of [...REFUSED, ...REFUSED_USERS]) {
        await t.step(`explains a refusal: ${row.name}`, () => {
          check(
            row,
            refused.find(({ headline }) => row.headline.test(headline)),
          );
        });
      }
      // The sender's own domain has no name server, and many notices go there.
      await t.step("explains what rests for a dead destination", () => {
        assert.ok(
          told.journeys.some(({ headline }) =>
            /not tried itself yet: Its server could not be reached over and over/
              .test(headline)
          ),
        );
      });
      await t.step("tells who handed it in, and that it was sealed", () => {
        const { steps } = of(ids.get("fine"))!;
        assert.deepEqual([...new Set(steps.map(({ kind }) => kind))], [
          "handed-in",
          "checked",
          "sealed",
          "attempt",
          "erased",
        ]);
        assert.match(steps[0]!.text, /client\.test \[127\.0\.0\.1\] without/);
      });
      await t.step("finds by words of the subject", () => {
        assert.deepEqual(word.found.map(({ queueId }) => queueId), [
          ids.get("full"),
        ]);
      });
      await t.step("prints 80 columns, and says when nothing is known", () => {
        assert.equal(full.code, 0, full.errors);
        assert.match(full.out, /Next:/);
        assert.match(full.out, /S: 421 4\.3\.2/);
        const flat = full.out.replace(/\s+/g, " ");
        assert.match(flat, /by me@home\.test, who logged in, .* over TLS/);
        for (const line of full.out.split("\n")) {
          assert.ok(line.length < 80 || line.startsWith("    bulkhead"), line);
        }
        assert.match(list.out, /messages, the newest first/);
        assert.match(list.out, /Pick one: bulkhead why/);
        assert.equal(none.code, 66);
        assert.match(none.errors, /nothing is known of unheard/);
      });
      await made.stopCleanly();
    });
    for (const one of servers) await one.close();
  },
});

/** Ends that come of orders, tables and aliases. */
const LATER: readonly Said[] = [
  {
    name: "held",
    headline: /^On hold for <held@fine\.test>: a rule at the door said so/,
    then: /bulkhead queue release/,
  },
  {
    name: "released",
    headline: /^Delivered to <held@fine\.test>/,
    then: /^$/,
    texts: /Put on hold.*Released by an administrator/s,
  },
  {
    name: "full",
    headline: /^Deleted by an administrator .*was not told/,
    then: /^$/,
  },
  {
    name: "silent",
    headline: /^Delivered to <a@silent\.test>/,
    then: /^$/,
    texts: /did not answer in time.*sent it another way: to 127\.0\.0\.1/s,
  },
  {
    name: "too-fast",
    headline: /An administrator of this server gave it up/,
    then: /<traveller@sender\.test> was told/,
    texts: /fewer messages or connections/,
  },
  {
    name: "team",
    headline: /^Delivered to <.*> and <.*> at/,
    then: /^$/,
    texts: /Is an alias, and goes to me@home\.test, a@fine\.test.*Maildir/s,
  },
];

/** At the port for users. */
const REFUSED_USERS: readonly (Said & { readonly headline: RegExp })[] = [
  {
    name: "a sender that is not the user's own",
    headline: /may not send as <boss@home\.test>/,
    then: /alias of that address/,
  },
  {
    name: "who did not log in",
    headline: /from <boss@home\.test> .*had not logged in\./,
    then: /user name, password and TLS/,
  },
];

/** Makes all of it happen, and waits until it is written down. */
async function everything(
  made: Installation,
): Promise<{ ids: ReadonlyMap<string, string>; me: string }> {
  const ids = new Map<string, string>();
  const rows = [
    ...ROWS,
    ...DNS_ROWS.map(({ name }) => ({ name, recipient: `a@${name}.dns.test` })),
    { name: "held", recipient: "held@fine.test" },
    { name: "released", recipient: "held@fine.test" },
    { name: "team", recipient: "team@home.test" },
  ];
  await Promise.all(
    rows.map(async (row) => ids.set(row.name, await handIn(made, row))),
  );
  const [me] = await Promise.all([
    submit(made),
    ...REFUSED.map(async (row) =>
      assert.ok(await play(made, row), `${row.name}: was taken`)
    ),
  ]);
  // Of each the log tells what came of it, but of the two on hold.
  const told = (name: string, event: RegExp) =>
    made.events().some((one) =>
      one["id"] === ids.get(name) && event.test(one.event)
    );
  const tried = /^recipient-(delivered|deferred|failed)$/;
  await until(
    "all were tried",
    () =>
      rows.every(({ name }) =>
        name === "held" || name === "released" || told(name, tried)
      ),
  );
  const fine = /"fine\.test" = "(127\.0\.0\.1:\d+)"/
    .exec(Deno.readTextFileSync(made.config))![1]!;
  await Promise.all(
    [
      ["release", ids.get("released")!],
      ["delete", ids.get("full")!],
      ["expire", ids.get("too-fast")!],
      ["reroute", ids.get("silent")!, fine],
    ].map(async (words) => {
      const ran = await made.command("queue", ...words);
      assert.equal(ran.code, 0, ran.errors);
    }),
  );
  await until(
    "orders are carried out",
    () =>
      ["released", "silent"].every((name) => told(name, /-delivered$/)) &&
      told("too-fast", /-failed$/),
  );
  // The history is written a tenth of a second late, the gate's a whole one.
  await delay(1_200);
  return { ids, me };
}

/** A user's own mail: two that are refused, and one that is taken. */
async function submit(made: Installation): Promise<string> {
  const pem = Deno.readTextFileSync(`${made.home}/tls/cert.pem`);
  using client = await SmtpClient.openTls(made.smtpPort + 2, {
    ca: pem,
    host: "mx.home.test",
  });
  client.expect(await client.say("EHLO client.test"), 250);
  client.expect(await client.say("MAIL FROM:<boss@home.test>"), 530);
  const me = { login: "me@home.test", password: "a password" };
  const { raw } = new X509Certificate(pem);
  client.expect(await logIn(client, "PLAIN", me, raw), 235);
  client.expect(await client.say("MAIL FROM:<boss@home.test>"), 550);
  return await client.transact(
    "me@home.test",
    ["b@busy.test"],
    octets("Subject: x\r\n\r\nx\r\n"),
  );
}
