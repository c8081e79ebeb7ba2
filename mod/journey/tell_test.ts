/** Situations as recorded facts, each explained rightly. */
import assert from "node:assert/strict";
import { type Cause, causeOf } from "./cause.ts";
import type { EventFacts, RecipientFacts, StoryFacts } from "./facts.ts";
import type { Journey } from "./journey.ts";
import { tell } from "./tell.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const ID = "1M7Z9AR45QFFN7QT";
const BOB = "bob@remote.test";

function event(change: Partial<EventFacts>): EventFacts {
  return {
    atMs: NOW - 60_000,
    recipient: BOB,
    what: "deferred",
    host: "mx.remote.test",
    tls: "",
    code: 451,
    text: "",
    address: "192.0.2.25",
    tookMs: 40,
    hosts: [],
    transcript: [],
    taken: null,
    ...change,
  };
}

function recipient(change: Partial<RecipientFacts>): RecipientFacts {
  return {
    address: BOB,
    original: "",
    state: "deferred",
    attempts: 3,
    nextAttemptMs: NOW + 720_000,
    lastOutcome: "",
    lastHost: "mx.remote.test",
    ...change,
  };
}

function story(
  recipients: readonly RecipientFacts[],
  events: readonly EventFacts[],
  change: Partial<NonNullable<StoryFacts["message"]>> = {},
): StoryFacts {
  return {
    queueId: ID,
    message: recipients.length === 0 ? null : {
      state: "queued",
      arrivedMs: NOW - 3_600_000,
      sizeBytes: 2_048,
      sender: "alice@home.test",
      nextHop: "",
      recipients,
      client: { address: "192.0.2.1", helo: "c.test", protocol: "ESMTP" },
      ...change,
    },
    events,
  };
}

const TELLING = { nowMs: NOW, expireMs: 432_000_000 };

/** An outcome as the history and the row have it, and what it comes to. */
const OUTCOMES: readonly {
  readonly name: string;
  readonly code: number;
  readonly text: string;
  /** Empty: we said so ourselves. */
  readonly host?: string;
  readonly cause: Cause;
  readonly says: RegExp;
}[] = [
  {
    name: "bogus DNSSEC of the domain",
    code: 451,
    text: "4.7.5 DNSSEC: domain is bogus",
    host: "",
    cause: "dnssec-bogus",
    says: /DNSSEC signatures of remote\.test are wrong \(bogus\)/,
  },
  {
    name: "bogus TLSA records",
    code: 451,
    text: "4.7.5 mx.remote.test: DNSSEC: TLSA records are bogus: expired",
    cause: "dnssec-bogus",
    says: /bogus/,
  },
  {
    name: "TLSA mismatch",
    code: 451,
    text: "4.7.5 TLS is demanded and mx.remote.test: no TLSA record matches " +
      "the certificate",
    cause: "dane-mismatch",
    says: /does not match the TLSA records .*\(DANE\)/,
  },
  {
    name: "no usable TLSA records",
    code: 451,
    text: "4.7.5 mx.remote.test: no usable TLSA records",
    cause: "dane-missing",
    says: /DANE is demanded for remote\.test, and the DNS has no TLSA records/,
  },
  {
    name: "TLSA records cannot be looked up",
    code: 451,
    text: "4.7.5 mx.remote.test: TLSA records cannot be looked up now",
    cause: "dane-lookup",
    says: /prove itself by DANE/,
  },
  {
    name: "certificate for another name",
    code: 451,
    text: "4.7.5 mx.remote.test is not whom it must be: the certificate is " +
      "for elsewhere.test, not for mx.remote.test",
    cause: "certificate-name",
    says: /is for another name/,
  },
  {
    name: "certificate that is none for servers",
    code: 451,
    text: "4.7.5 mx.remote.test is not whom it must be: the certificate is " +
      "not one for servers",
    cause: "certificate-wrong",
    says: /does not prove who it is/,
  },
  {
    name: "their words that sound like ours",
    code: 450,
    text: "4.7.1 Cannot look up your hostname, reverse DNS fails",
    cause: "reverse-name",
    says: /reverse DNS/,
  },
  {
    name: "MTA-STS does not list the host",
    code: 451,
    text: "4.7.5 mx.remote.test: the MTA-STS policy does not list the host",
    cause: "sts-host",
    says: /MTA-STS policy of remote\.test does not name mx\.remote\.test/,
  },
  {
    name: "MTA-STS cannot be asked",
    code: 451,
    text: "4.7.5 mx.remote.test: MTA-STS policies cannot be asked for now",
    cause: "sts-later",
    says: /could not be found out/,
  },
  {
    name: "certificate expired",
    code: 451,
    text: "4.7.5 the certificate has expired",
    cause: "certificate-expired",
    says: /has expired or is not valid yet/,
  },
  {
    name: "certificate of nobody known",
    code: 451,
    text: "4.7.5 no known authority vouches for the certificate (self-signed)",
    cause: "certificate-untrusted",
    says: /No authority that is known here/,
  },
  {
    name: "another fingerprint",
    code: 451,
    text: "4.7.5 the certificate has another fingerprint",
    cause: "fingerprint",
    says: /pinned in \[destinations\]/,
  },
  {
    name: "STARTTLS missing where demanded",
    code: 451,
    text: "4.7.4 TLS is demanded and mx.remote.test does not offer STARTTLS",
    cause: "no-starttls",
    says: /STARTTLS is missing/,
  },
  {
    name: "REQUIRETLS not offered",
    code: 550,
    text:
      "5.7.30 REQUIRETLS support required, mx.remote.test does not offer it",
    cause: "requiretls",
    says: /protection on the whole way/,
  },
  {
    name: "smarthost login refused",
    code: 435,
    text: "4.7.8 535 5.7.8 Username and Password not accepted",
    host: "smtp.provider.test",
    cause: "login-refused",
    says: /smtp\.provider\.test refused our user name or password/,
  },
  {
    name: "smarthost without AUTH",
    code: 451,
    text: "4.7.0 Cannot log in to smtp.provider.test: no AUTH is offered",
    host: "smtp.provider.test",
    cause: "login-failed",
    says: /could not log in/,
  },
  {
    name: "timeout in the greeting",
    code: 451,
    text: "4.4.2 no reply in 300000 ms in the greeting of mx.remote.test",
    cause: "no-answer",
    says: /did not answer in time/,
  },
  {
    name: "connection refused",
    code: 451,
    text:
      "4.4.1 Cannot connect to mx.remote.test [192.0.2.25]:25: ECONNREFUSED",
    cause: "connection-refused",
    says: /connection refused/,
  },
  {
    name: "no connection",
    code: 451,
    text: "4.4.1 Cannot connect to mx.remote.test [192.0.2.25]:25: no " +
      "connection in 30000 ms",
    cause: "no-connection",
    says: /down or unreachable, or port 25 is blocked/,
  },
  {
    name: "broken off",
    code: 451,
    text: "4.4.2 connection lost after the final dot; it may arrive twice",
    cause: "connection-lost",
    says: /broke the connection off/,
  },
  {
    name: "dead destination",
    code: 451,
    text: "4.4.1 Its server could not be reached a moment ago",
    host: "",
    cause: "dead",
    says: /all mail for it rests/,
  },
  {
    name: "crowded destination",
    code: 451,
    text: "4.3.2 Many messages wait for the same server",
    host: "",
    cause: "crowded",
    says: /Nothing is wrong/,
  },
  {
    name: "DNS without an answer",
    code: 451,
    text: "4.4.3 Cannot look up domain now",
    host: "",
    cause: "dns-later",
    says: /DNS did not answer about remote\.test/,
  },
  {
    name: "domain that does not exist",
    code: 550,
    text: "5.1.2 Domain does not exist, or has no host for mail",
    host: "",
    cause: "no-domain",
    says: /remote\.test does not exist/,
  },
  {
    name: "null MX",
    code: 556,
    text: "5.1.10 Domain takes no mail",
    host: "",
    cause: "null-mx",
    says: /takes no mail/,
  },
  {
    name: "MX that is ourselves",
    code: 554,
    text: "5.4.6 Mail for this domain loops back to this host",
    host: "",
    cause: "loop-to-us",
    says: /are this server itself/,
  },
  {
    name: "aliases that lead nowhere",
    code: 554,
    text: "5.4.6 The aliases of this address lead nowhere",
    host: "",
    cause: "alias-loop",
    says: /aliases of this address lead back/,
  },
  {
    name: "disk full at the Maildir",
    code: 452,
    text: "4.3.1 Mail system is full",
    host: "",
    cause: "disk-full-here",
    says: /disk of this server is full/,
  },
  {
    name: "quota at the Maildir",
    code: 452,
    text: "4.2.2 Mailbox is full",
    host: "",
    cause: "full-here",
    says: /on this server is full \(quota\)/,
  },
  {
    name: "Maildir that cannot be written",
    code: 451,
    text: "4.3.0 Cannot write to mailbox",
    host: "",
    cause: "broken-here",
    says: /could not write to the mailbox/,
  },
  {
    name: "loop at the Maildir",
    code: 554,
    text: "5.4.6 Mail loop detected",
    host: "",
    cause: "loop",
    says: /runs in a circle/,
  },
  {
    name: "mailbox removed meanwhile",
    code: 550,
    text: "5.1.1 No such user here",
    host: "",
    cause: "no-such-user-here",
    says: /no mailbox and no alias for bob@remote\.test/,
  },
  {
    name: "expired after five days",
    code: 451,
    text: "4.4.7 Not delivered within 5 days. The last answer was: later",
    cause: "expired",
    says: /as long as queue\.expire says/,
  },
  {
    name: "given up by an administrator",
    code: 554,
    text: "5.4.7 Given up by the administrator of this server. The last " +
      "answer was: not now",
    host: "",
    cause: "given-up",
    says: /gave it up/,
  },
  {
    name: "too large, known before",
    code: 552,
    text: "5.3.4 Message of 9000 octets, they take at most 20",
    host: "",
    cause: "too-large",
    says: /larger than the other server takes/,
  },
  {
    name: "eight-bit content",
    code: 554,
    text: "5.6.3 Message has 8-bit content, the server no 8BITMIME, and it " +
      "cannot be converted: it is signed",
    host: "",
    cause: "eight-bit",
    says: /seven-bit messages only/,
  },
  {
    name: "SMTPUTF8",
    code: 553,
    text: "5.6.7 Sender needs SMTPUTF8",
    host: "",
    cause: "international",
    says: /beyond ASCII/,
  },
  {
    name: "user unknown with a code that says nothing",
    code: 550,
    text: "5.0.0 User unknown in virtual mailbox table",
    cause: "no-such-user",
    says: /no such user at remote\.test/,
  },
  {
    name: "Gmail's words for a full mailbox",
    code: 452,
    text: "4.2.2 The email account that you tried to reach is over quota",
    cause: "full",
    says: /is full/,
  },
  {
    name: "greylisting by its code alone",
    code: 451,
    text: "4.7.1 Please try again later",
    cause: "greylisted",
    says: /greylisting/,
  },
  {
    name: "Outlook's block list",
    code: 550,
    text: "5.7.1 Unfortunately, messages from [192.0.2.9] weren't sent. Part " +
      "of their network is on our block list (S3150)",
    cause: "listed",
    says: /stands on a list/,
  },
  {
    name: "an address with three letters that mean something elsewhere",
    code: 550,
    text: "5.1.1 <spfeiffer@remote.test>: Recipient address rejected: " +
      "User unknown in virtual mailbox table",
    cause: "no-such-user",
    says: /no such user/,
  },
  {
    name: "an address in which a list's name stands",
    code: 452,
    text: "4.2.2 <absorbs@remote.test> The recipient is over their quota",
    cause: "full",
    says: /is full/,
  },
  {
    name: "sendmail's words for a sender without a domain",
    code: 553,
    text: "5.1.8 <a@home.test>... Domain of sender address a@home.test does " +
      "not exist",
    cause: "bad-sender",
    says: /this sender's address/,
  },
  {
    name: "bogus, and no word of DNSSEC",
    code: 550,
    text: "5.1.8 sender domain is bogus",
    cause: "bad-sender",
    says: /this sender's address/,
  },
  {
    name: "a 554 for a greeting, made temporary",
    code: 454,
    text: "4.7.1 554 5.7.1 no service for you",
    cause: "policy",
    says: /a rule of its own/,
  },
  {
    name: "STARTTLS that is offered and does not work",
    code: 451,
    text: "4.7.4 TLS is demanded and mx.remote.test answers STARTTLS with " +
      "454 4.7.0 TLS not available",
    cause: "handshake",
    says: /the TLS handshake with mx\.remote\.test failed/,
  },
  {
    name: "450 and nothing else",
    code: 450,
    text: "4.0.0 not now",
    cause: "other-temporary",
    says: /does not take it now/,
  },
  {
    name: "Exchange Online of an address that it does not have",
    code: 550,
    text: "5.4.1 Recipient address rejected: Access denied. AS(201806281)",
    cause: "no-such-user",
    says: /no such user/,
  },
  {
    name: "Yahoo's words for too much",
    code: 421,
    text: "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to " +
      "unexpected volume or user complaints",
    cause: "too-many",
    says: /fewer messages/,
  },
  {
    name: "a port where something else than SMTP answers",
    code: 451,
    text: "4.4.2 reply line without a code in the greeting of 192.0.2.14",
    cause: "protocol",
    says: /makes no sense in SMTP/,
  },
  {
    name: "policy",
    code: 550,
    text: "5.7.1 Message content rejected",
    cause: "policy",
    says: /a rule of its own/,
  },
  {
    name: "a code without words",
    code: 550,
    text: "5.0.0",
    cause: "other-permanent",
    says: /does not take it/,
  },
  {
    name: "a reply without anything known",
    code: 499,
    text: "what",
    cause: "other-temporary",
    says: /does not take it now/,
  },
];

for (const { name, code, text, host, cause, says } of OUTCOMES) {
  const from = host ?? "mx.remote.test";
  Deno.test(`tell() explains: ${name}`, () => {
    assert.equal(causeOf({ code, text, host: from }), cause);
    const isOver = code >= 500 || cause === "expired";
    const ended = event({
      code,
      text,
      host: from,
      what: isOver ? "failed" : "deferred",
    });
    const waits = recipient({ lastOutcome: `${code} ${text}`, lastHost: from });
    const journey = tell(story(isOver ? [] : [waits], [ended]), TELLING);
    assert.match(journey.headline, says);
    assert.match(journey.steps[0]!.text, says);
    assert.equal(journey.tone, isOver ? "bad" : "waiting");
    assert.equal(journey.isQueued, !isOver);
    assert.ok(journey.steps[0]!.text.includes(text), "the words themselves");
    if (!isOver) {
      assert.match(
        journey.next,
        /^It is tried again in 12 minutes \(2026-11-21/,
      );
      assert.match(
        journey.next,
        /its sender is told at 2026-11-26 11:00:00 UTC/,
      );
    }
    checkForm(journey);
  });
}

/** What must hold of every journey. */
function checkForm({ headline, next, advice, steps }: Journey): void {
  for (const text of [headline, ...advice.map((one) => one.text)]) {
    assert.match(text, /\.$/, text);
    assert.doesNotMatch(text, /undefined|\.\.|\s\s/, text);
  }
  assert.ok(next === "" || next.endsWith("."), next);
  assert.ok(steps.every(({ text }) => text !== ""));
  for (const { command } of advice) {
    assert.match(command, /^$|^bulkhead [A-Za-z0-9 .:@_-]+$/);
  }
}

const STATES: readonly {
  readonly name: string;
  readonly facts: StoryFacts;
  readonly headline: RegExp;
  readonly next: RegExp;
  readonly steps?: RegExp;
}[] = [
  {
    name: "on hold by an administrator",
    facts: story([recipient({ state: "hold" })], [
      event({ what: "accepted", atMs: 1, recipient: "", text: "x" }),
      event({ what: "held", atMs: 2, recipient: "" }),
    ]),
    headline: /^On hold for <bob@remote\.test>: an administrator keeps it/,
    next: /until an administrator releases it/,
  },
  {
    name: "corrupt",
    facts: story([recipient({ state: "corrupt" })], [
      event({ what: "corrupt", recipient: "" }),
    ], { state: "corrupt" }),
    headline: /content or key is damaged/,
    next: /Nothing happens by itself/,
  },
  {
    name: "never tried yet",
    facts: story([recipient({ state: "incoming", attempts: 0 })], []),
    headline: /^Under way to <bob@remote\.test>\./,
    next: /its turn comes/,
  },
  {
    name: "waiting for its notice",
    facts: story([recipient({ state: "bounce" })], []),
    headline: /its sender is being told/,
    next: /notice is being written/,
  },
  {
    name: "never acknowledged",
    facts: story([], [
      event({ what: "removed", recipient: "", text: "never acknowledged: x" }),
    ]),
    headline: /had never been acknowledged/,
    next: /^$/,
  },
  {
    name: "some delivered, some not",
    facts: story([], [
      event({
        what: "delivered",
        recipient: "a@home.test",
        host: "",
        code: 250,
      }),
      event({ what: "failed", code: 550, text: "5.1.1 unknown" }),
      event({
        what: "notified",
        recipient: "alice@home.test",
        text: `of failed by ${ID}`,
      }),
    ]),
    headline: /^Not delivered to <bob@remote\.test> \(but to 1 more\)/,
    next: /<alice@home\.test> was told/,
    steps: /was sent a notice that it failed \(1M7Z9AR45QFFN7QT\)/,
  },
  {
    name: "a notice that failed",
    facts: story([], [
      event({ what: "failed", code: 550, text: "5.1.1 unknown" }),
      event({ what: "double-bounce", text: "unknown" }),
    ]),
    headline: /^Not delivered/,
    next: /^Nobody was told/,
    steps: /it is a notice itself/,
  },
  {
    name: "two recipients at one place",
    facts: story([], [
      event({ what: "duplicate" }),
      event({ what: "delivered", recipient: "c@remote.test", code: 250 }),
    ]),
    headline: /^Delivered to <c@remote\.test>/,
    next: /^$/,
    steps: /one copy is enough/,
  },
  {
    name: "what an alias of several waits for",
    facts: story([
      recipient({ lastOutcome: "450 4.2.0 greylisted" }),
      recipient({ address: "c@remote.test", nextAttemptMs: NOW + 1e6 }),
    ], [event({ what: "expanded", text: `${BOB}, c@remote.test` })]),
    headline: /^Waiting for <bob@remote\.test> and 1 more, tried 3 times/,
    next: /in 12 minutes/,
    steps: /Is an alias, and goes to bob@remote\.test, c@remote\.test/,
  },
  {
    name: "sent another way",
    facts: story(
      [recipient({ lastOutcome: "450 4.2.0 greylisted" })],
      [event({ what: "rerouted", recipient: "", text: "to r.test:25" })],
      { nextHop: "r.test:25" },
    ),
    headline: /^Waiting/,
    next: /tried again/,
    steps: /sent it another way: to r\.test:25/,
  },
  {
    name: "a bounce that VERP attributes",
    facts: story([], [
      event({ what: "delivered", host: "", code: 250, text: "2.0.0 ok" }),
      event({ what: "bounce-attributed", text: "lost@remote.test" }),
    ]),
    headline: /^Delivered/,
    next: /^$/,
    steps: /this bounce is about <lost@remote\.test>/,
  },
  {
    name: "nothing but an event of tomorrow",
    facts: story([], [event({ what: "teleported", text: "to Mars" })]),
    headline: /the history does not tell/,
    next: /^$/,
    steps: /teleported: to Mars/,
  },
];

for (const { name, facts, headline, next, steps } of STATES) {
  Deno.test(`tell() tells of a message: ${name}`, () => {
    const journey = tell(facts, TELLING);
    assert.match(journey.headline, headline);
    assert.match(journey.next, next);
    const texts = journey.steps.map(({ text }) => text).join("\n");
    assert.match(texts, steps ?? /(?:)/);
    checkForm(journey);
  });
}

Deno.test("tell() tells how the way was protected, and what DNSSEC said", () => {
  const host = {
    host: "mx.remote.test",
    address: "192.0.2.25",
    port: 25,
    profile: "dane",
    demand: "dane: 2 usable TLSA records",
    reached: "dane",
    tls: "TLSv1.3 TLS_AES_256_GCM_SHA384",
    certificate: "TLSA 3 1 1 2fb4",
    dns: { mx: "secure", address: "secure", tlsa: "secure" },
    mtaSts: "enforce 20261121",
    result: "250 2.0.0 ok",
    tookMs: 80,
  } as const;
  const [step] = tell(
    story([], [
      event({ what: "delivered", code: 250, text: "2.0.0 ok", hosts: [host] }),
    ]),
    TELLING,
  ).steps;
  assert.match(
    step!.text,
    /^Handed to mx\.remote\.test \[192\.0\.2\.25\] in 40 ms, over TLSv1\.3 with a certificate that matched by DANE; it said: 250 2\.0\.0 ok/,
  );
  assert.deepEqual(step!.details, [
    "mx.remote.test [192.0.2.25]:25, 80 ms: 250 2.0.0 ok",
    "  TLS wanted: dane: 2 usable TLSA records",
    "  TLS reached: TLSv1.3 TLS_AES_256_GCM_SHA384, TLSA 3 1 1 2fb4; the " +
    "certificate matched by DANE",
    "  DNSSEC: MX secure, address secure, TLSA secure",
    "  MTA-STS: enforce 20261121",
  ]);
});

Deno.test("tell() tells how a message came, what was looked at, how it was sealed and erased", () => {
  const taken = {
    sender: "alice@home.test",
    recipients: [BOB],
    recipientCount: 7,
    address: "192.0.2.1",
    helo: "laptop.test",
    protocol: "ESMTPSA",
    login: "alice@home.test",
    sizeBytes: 2_048,
    segment: "k7",
    slot: 12,
    intake: {
      tls: "TLSv1.3 TLS_AES_128_GCM_SHA256",
      name: "",
      tookMs: 30,
      checks: [
        { what: "dnsbl", said: "passed", evidence: "" },
        { what: "pregreet", said: "failed", evidence: "spoke early" },
        { what: "screening", said: "skipped", evidence: "trusted" },
      ],
    },
  } as const;
  const facts = story([], [
    event({ what: "accepted", recipient: "", taken }),
    event({ what: "erased", recipient: "", text: "k7" }),
  ]);
  const texts = (isSegmentGone?: boolean) =>
    tell(facts, {
      ...TELLING,
      ...(isSegmentGone === undefined ? {} : { isSegmentGone }),
    }).steps.map(({ kind, text }) => `${kind}: ${text}`);
  assert.deepEqual(texts(false), [
    "handed-in: From <alice@home.test> to <bob@remote.test> (7 recipients in " +
    "all), handed in by alice@home.test, who logged in, at laptop.test " +
    "[192.0.2.1] over TLSv1.3.",
    "checked: DNS lists: nothing against it.",
    "checked: Waits for the greeting: found something, and nothing came of it " +
    "(spoke early).",
    "checked: Tests of the client: not looked at (trusted).",
    "sealed: Sealed under a key of its own, and on disk before it was " +
    "acknowledged.",
    "erased: Its key was destroyed, so nobody can read its content any more. " +
    "Its segment k7 is overwritten, too, once no message waits in it.",
  ]);
  assert.match(texts(true).at(-1)!, /was overwritten and is gone\.$/);
  assert.match(texts().at(-1)!, /any more\.$/);
});

Deno.test("tell() tells of mail that a program on this machine handed in", () => {
  const taken = {
    sender: "me@home.test",
    recipients: [BOB],
    recipientCount: 1,
    address: "local",
    helo: "uid 1000 (me)",
    protocol: "local",
    login: "uid 1000 (me)",
    sizeBytes: 9,
    segment: "k7",
    slot: 1,
    intake: null,
  };
  const facts = story([], [event({ what: "accepted", recipient: "", taken })]);
  assert.equal(
    tell(facts, TELLING).steps[0]!.text,
    "From <me@home.test> to <bob@remote.test>, handed in by a program of uid " +
      "1000 (me) on this machine.",
  );
});

Deno.test("tell() puts no stranger's word into a command", () => {
  for (
    const address of [
      "$(reboot)@remote.test",
      "a;b@remote.test",
      "`id`@remote.test",
      "--config=x@remote.test",
      "bob@$(reboot).test",
    ]
  ) {
    for (
      const lastOutcome of [
        "550 5.1.1 x",
        "451 4.4.3 Cannot look up domain now",
      ]
    ) {
      const journey = tell(
        story([recipient({ address, lastOutcome, lastHost: "" })], []),
        TELLING,
      );
      checkForm(journey);
    }
  }
});

Deno.test("tell() stays calm whatever the other server says", () => {
  for (
    const text of ["", " ", "x".repeat(2_000), "\u001b[31m", "5.1.1", "999"]
  ) {
    const journey = tell(
      story([recipient({ lastOutcome: text })], [
        event({ text, code: 0, atMs: Number.MAX_SAFE_INTEGER }),
      ]),
      TELLING,
    );
    assert.ok(journey.headline.length > 0);
  }
});
