import assert from "node:assert/strict";
import { GateFixture, QUIET } from "./gate_fixture.ts";

const LISTED = {
  kind: "listed",
  addresses: ["127.0.0.2"],
  text: "see bl.test",
} as const;
const DAY = 86_400_000;

Deno.test("arrive() names all tests to a stranger, and none when they are passed", () => {
  const made = new GateFixture({ dnsblSites: ["bl.test"] });
  assert.deepEqual(made.arrive("192.0.2.1").tests, [
    "pregreet",
    "dnsbl",
    "deep",
  ]);
  const tested = { client: "192.0.2.1", failed: [], helo: "" };
  made.gate.tested({ ...tested, passed: ["pregreet"] });
  assert.deepEqual(made.arrive("192.0.2.1").tests, ["dnsbl", "deep"]);
  made.gate.tested({ ...tested, passed: ["deep"] });
  assert.deepEqual(made.arrive("192.0.2.1").tests, ["dnsbl"]);
  made.nowMs += DAY;
  assert.deepEqual(made.arrive("192.0.2.1").tests, ["pregreet", "dnsbl"]);
  assert.equal(made.arrive("192.0.2.2").tests.length, 3);
});

Deno.test("arrive() knows an IPv6 client in its whole network", () => {
  const made = new GateFixture();
  made.gate.tested({
    client: "2001:db8::1",
    passed: ["pregreet", "deep"],
    failed: [],
    helo: "",
  });
  assert.deepEqual(made.arrive("2001:db8::ffff:2").tests, []);
  assert.equal(made.arrive("2001:db8:0:1::1").tests.length, 2);
});

Deno.test("arrive() makes no tests that there are not", () => {
  const made = new GateFixture({ testsGreeting: false });
  assert.deepEqual(made.arrive("192.0.2.1").tests, ["deep"]);
});

const DENIED: {
  name: string;
  part: ConstructorParameters<typeof GateFixture>[0];
  want: [string, number];
  recorded: number;
}[] = [
  {
    name: "enforce: every recipient is refused",
    part: { deny: ["192.0.2.0/24"] },
    want: ["reject", 550],
    recorded: 1,
  },
  {
    name: "drop: the connection is",
    part: { deny: ["192.0.2.0/24"], denyAction: "drop" },
    want: ["reject", 521],
    recorded: 1,
  },
  {
    name: "ignore: it is only recorded",
    part: { deny: ["192.0.2.0/24"], denyAction: "ignore" },
    want: ["pass", 0],
    recorded: 1,
  },
  {
    name: "shadow: the same",
    part: { deny: ["192.0.2.0/24"], shadow: true },
    want: ["pass", 0],
    recorded: 1,
  },
  {
    name: "a narrower network that is allowed",
    part: { deny: ["192.0.2.0/24"], allow: ["192.0.2.1"] },
    want: ["pass", 0],
    recorded: 0,
  },
  {
    name: "a narrower network that is denied",
    part: { allow: ["192.0.2.0/24"], deny: ["192.0.2.1"] },
    want: ["reject", 550],
    recorded: 1,
  },
  {
    name: "a network of a file",
    part: { denyFile: { path: "/f", text: "# us\n192.0.2.1 # him\n" } },
    want: ["reject", 550],
    recorded: 1,
  },
];

for (const { name, part, want, recorded } of DENIED) {
  Deno.test(`arrive() obeys lists: ${name}`, () => {
    const made = new GateFixture(part);
    const { verdict } = made.arrive("192.0.2.1");
    assert.deepEqual([verdict.action, verdict.code], want);
    assert.equal(made.recorded.length, recorded);
  });
}

Deno.test("a refusal says what, why, and how it is undone", () => {
  const made = new GateFixture({
    denyFile: { path: "/etc/deny", text: "\n192.0.2.0/24\n" },
  });
  const { verdict } = made.arrive("192.0.2.1");
  assert.equal(verdict.rule, "deny");
  assert.equal(
    verdict.evidence,
    "192.0.2.1 is in 192.0.2.0/24 (/etc/deny:2)",
  );
  assert.equal(verdict.undo, "bulkhead client allow 192.0.2.1");
  assert.ok(!verdict.reply.includes("/etc"), "no paths to strangers");
  assert.match(verdict.enhanced, /^5\./);
});

Deno.test("say() lets in and refuses at once, and can be taken back", () => {
  const made = new GateFixture({ deny: ["192.0.2.0/24"] });
  const action = () => made.arrive("192.0.2.1").verdict.action;
  assert.equal(action(), "reject");
  made.gate.say("192.0.2.1", "allow");
  assert.equal(action(), "pass");
  assert.deepEqual(made.arrive("192.0.2.1").tests, []);
  made.gate.say("192.0.2.1", "deny");
  assert.equal(action(), "reject");
  assert.equal(
    made.arrive("192.0.2.1").verdict.undo,
    "bulkhead client forget 192.0.2.1",
  );
  made.gate.renew({ ...QUIET });
  assert.equal(action(), "reject", "a new configuration forgets nothing");
  made.gate.say("192.0.2.1", "forget");
  assert.equal(action(), "pass");
  assert.ok(!made.gate.say("nonsense", "allow"));
});

Deno.test("say() forgets what a network's clients passed", () => {
  const made = new GateFixture();
  for (const client of ["192.0.2.1", "198.51.100.1"]) {
    made.gate.tested({
      client,
      passed: ["pregreet", "deep"],
      failed: [],
      helo: "",
    });
  }
  made.gate.say("192.0.2.0/24", "forget");
  assert.equal(made.arrive("192.0.2.1").tests.length, 2);
  assert.equal(made.arrive("198.51.100.1").tests.length, 0);
});

Deno.test("arrive() limits connections in a unit of time, and lets up", () => {
  const made = new GateFixture({ rates: { ...QUIET.rates, connections: 3 } });
  const codes = Array.from(
    { length: 5 },
    () => made.arrive("192.0.2.1").verdict.code,
  );
  assert.deepEqual(codes, [0, 0, 0, 421, 421]);
  assert.equal(made.arrive("192.0.2.2").verdict.code, 0);
  assert.equal(made.recorded.length, 1, "recorded once, not each time");
  made.nowMs += 120_000;
  assert.equal(made.arrive("192.0.2.1").verdict.code, 0);
});

Deno.test("arrive() limits connections at once, across processes and deaths", () => {
  const made = new GateFixture({ rates: { ...QUIET.rates, concurrency: 2 } });
  const code = (asker: string) => made.arrive("192.0.2.1", asker).verdict.code;
  assert.deepEqual([code("smtpd.0"), code("smtpd.1"), code("smtpd.1")], [
    0,
    0,
    421,
  ]);
  made.gate.leave({ client: "192.0.2.1" }, "smtpd.1");
  assert.equal(code("smtpd.0"), 421);
  made.gate.gone("smtpd.0");
  assert.equal(code("smtpd.0"), 0);
});

Deno.test("tally() says when it is enough", () => {
  const made = new GateFixture({ rates: { ...QUIET.rates, authFailures: 2 } });
  const fail = () =>
    made.gate.tally(
      { client: "192.0.2.1", what: "auth-failures", by: 1 },
      "submission.0",
    ).code;
  assert.deepEqual([fail(), fail(), fail()], [0, 0, 421]);
});

Deno.test("what smtpd counts shuts nobody out of submission", () => {
  const made = new GateFixture({
    rates: { ...QUIET.rates, concurrency: 2, connections: 5, errors: 2 },
  });
  const client = "192.0.2.1";
  const arrive = (asker: string) => made.arrive(client, asker).verdict.code;
  const tally = (by: number, asker: string) =>
    made.gate.tally({ client, what: "errors", by }, asker).code;
  for (let n = 0; n < 10; n++) arrive("smtpd.0");
  assert.equal(tally(10_000, "smtpd.1"), 421);
  assert.equal(tally(1, "submission.0"), 0);
  assert.deepEqual([arrive("smtpd.0"), arrive("submission.0")], [421, 0]);
  made.gate.say("192.0.2.0/24", "forget");
  assert.equal(tally(1, "smtpd.0"), 0);
});

Deno.test("score() refuses a listed client in words of the list", async () => {
  const made = new GateFixture({
    dnsblSites: ["bl.test*2", "wl.test*-1"],
    dnsblThreshold: 2,
  }, (name) => name.endsWith(".bl.test") ? LISTED : { kind: "not-listed" });
  const { verdict, hits } = await made.gate.score({ client: "192.0.2.1" });
  assert.deepEqual([verdict.action, verdict.code], ["reject", 550]);
  assert.equal(
    verdict.reply,
    "Your address 192.0.2.1 is listed by bl.test: see bl.test",
  );
  assert.deepEqual(hits, ["bl.test*2"]);
  await made.gate.score({ client: "192.0.2.1" });
  assert.equal(made.asked.length, 2, "asked once, remembered a minute");
  made.nowMs += 60_000;
  await made.gate.score({ client: "192.0.2.1" });
  assert.equal(made.asked.length, 4);
});

Deno.test("a listed client is recorded once, with its name and the reply", async () => {
  const made = new GateFixture({ dnsblSites: ["bl.test"] }, () => LISTED);
  const client = "192.0.2.1";
  await made.gate.score({ client });
  assert.equal(made.recorded.length, 0);
  const failed = [{ rule: "dnsbl", evidence: "x", stopped: true }];
  made.gate.tested({ client, passed: [], failed, helo: "bot.test" });
  assert.equal(made.recorded.length, 1);
  const { verdict, helo } = made.recorded[0]!;
  assert.match(verdict.reply, /listed by bl\.test/);
  made.gate.tested({ client, passed: [], failed, helo: "bot.test" });
  assert.equal(made.recorded.length, 1, "not at each connection");
  assert.equal(helo, "bot.test");
});

for (const part of [{ shadow: true }, { dnsblAction: "ignore" }] as const) {
  Deno.test(`score() only records with ${JSON.stringify(part)}`, async () => {
    const made = new GateFixture(
      { dnsblSites: ["bl.test"], ...part },
      () => LISTED,
    );
    const { verdict } = await made.gate.score({ client: "192.0.2.1" });
    assert.equal(verdict.action, "pass");
    assert.deepEqual(made.recorded.map(({ shadow }) => shadow), [true]);
  });
}

Deno.test("score() lets a client skip all tests that lists speak for", async () => {
  const made = new GateFixture({
    dnsblSites: ["wl.test*-3"],
    dnsblAllowThreshold: -2,
  }, () => LISTED);
  const { allowed, verdict } = await made.gate.score({ client: "192.0.2.1" });
  assert.deepEqual([allowed, verdict.action], [true, "pass"]);
  assert.deepEqual(made.arrive("192.0.2.1").tests, []);
  made.nowMs += QUIET.dnsblPassesMs;
  assert.equal(made.arrive("192.0.2.1").tests.length, 3);
});

Deno.test("score() remembers a pass shortly when a list was silent", async () => {
  const made = new GateFixture(
    { dnsblSites: ["bl.test"] },
    () => ({ kind: "silent" }),
  );
  const { verdict } = await made.gate.score({ client: "192.0.2.1" });
  assert.equal(verdict.action, "pass");
  assert.ok(!made.arrive("192.0.2.1").tests.includes("dnsbl"));
  made.nowMs += 60_000;
  assert.ok(made.arrive("192.0.2.1").tests.includes("dnsbl"));
});

Deno.test("tested() records failures, stopped or not", () => {
  const made = new GateFixture();
  made.gate.tested({
    client: "192.0.2.1",
    passed: [],
    failed: [
      { rule: "pregreet", evidence: "said EHLO", stopped: true },
      { rule: "bare-newline", evidence: "x", stopped: false },
    ],
    helo: "bot.test",
  });
  assert.deepEqual(
    made.recorded.map(({ verdict, shadow, helo }) => [
      verdict.rule,
      verdict.action,
      shadow,
      helo,
    ]),
    [
      ["pregreet", "reject", false, "bot.test"],
      ["bare-newline", "reject", true, "bot.test"],
    ],
  );
});

Deno.test("a listed client that comes again and again is recorded once a minute", async () => {
  for (const shadow of [false, true]) {
    const made = new GateFixture(
      { dnsblSites: ["bl.test"], shadow },
      () => ({ kind: "listed", addresses: ["127.0.0.2"], text: "" }),
    );
    const visit = async () => {
      const client = "192.0.2.1";
      await made.gate.score({ client });
      const failed = [{ rule: "dnsbl", evidence: "x", stopped: true }];
      if (shadow) return;
      made.gate.tested({ client, passed: [], failed, helo: "bot.test" });
    };
    for (let n = 0; n < 10; n++) await visit();
    assert.equal(made.recorded.length, 1);
    made.nowMs += 60_000;
    await visit();
    assert.equal(made.recorded.length, 2);
  }
});

Deno.test("judge() refuses a client that was denied after it came", async () => {
  const made = new GateFixture();
  assert.equal(made.arrive("192.0.2.1").verdict.action, "pass");
  made.gate.say("192.0.2.0/24", "deny");
  const recipient = { recipient: "me@home.test" };
  const denied = await made.judge("recipient", recipient);
  assert.equal(denied.rule, "deny");
  assert.equal(made.recorded.at(-1)?.recipient, "me@home.test");
  const trusted = await made.judge("recipient", {
    ...recipient,
    trusted: true,
  });
  assert.equal(trusted.action, "pass");
  made.gate.say("192.0.2.0/24", "forget");
  assert.equal((await made.judge("recipient", recipient)).action, "pass");
});

Deno.test("arrive() refuses a client that made all its TLS handshakes", () => {
  const made = new GateFixture({
    rates: { ...QUIET.rates, unitMs: 10_000, tlsHandshakes: 3 },
  });
  const client = "192.0.2.1";
  made.gate.tally({ client, what: "tls-handshakes", by: 2 }, "smtpd.0");
  assert.equal(made.arrive(client).verdict.action, "pass");
  made.gate.tally({ client, what: "tls-handshakes", by: 1 }, "smtpd.0");
  const { verdict } = made.arrive(client);
  assert.equal(verdict.code, 421);
  assert.equal(verdict.rule, "rate-tls-handshakes");
  assert.equal(made.arrive("192.0.2.2").verdict.action, "pass");
  made.nowMs += 20_000;
  assert.equal(made.arrive(client).verdict.action, "pass");
});

Deno.test("a client above its rate is slowed down to it, not shut out", async () => {
  const made = new GateFixture({
    rates: { ...QUIET.rates, messages: 60 },
  });
  let passed = 0;
  for (let n = 0; n < 600; n++) {
    made.nowMs += 500;
    const asked = { client: "192.0.2.1", helo: "a.test", login: "" };
    const verdict = await made.gate.judge({
      ...asked,
      stage: "sender",
      reversePath: "a@x.test",
      recipient: "",
      trusted: false,
    }, "smtpd.0");
    if (verdict.action === "pass") passed++;
  }
  assert.ok(passed > 290 && passed < 390, String(passed));
});

const TABLES = {
  client: [{ path: "C", text: "192.0.2.1 OK\n198.51.100.0/24 REJECT" }],
  helo: [{ path: "H", text: "bad.test REJECT 5.7.9 No\n" }],
  sender: [
    { path: "S1", text: "spam.test DISCARD\nwarn.test WARN see\nok.test OK" },
    { path: "S2", text: "warn.test 450 Later\nok.test REJECT" },
  ],
  recipient: [{
    path: "R",
    text: "held@home.test HOLD\nsoft@home.test DEFER_IF_PERMIT Wait\n" +
      "both@home.test HOLD",
  }, { path: "R2", text: "both@home.test DEFER_IF_PERMIT Wait" }],
};

const JUDGED: {
  name: string;
  stage: "sender" | "recipient";
  about: Parameters<GateFixture["judge"]>[1];
  want: [action: string, code: number, rule: string];
}[] = [
  {
    name: "a client that a table refuses",
    stage: "sender",
    about: { client: "198.51.100.7" },
    want: ["reject", 554, "client-access"],
  },
  {
    name: "the same one logged in",
    stage: "sender",
    about: { client: "198.51.100.7", login: "me@home.test" },
    want: ["pass", 0, ""],
  },
  {
    name: "a HELO name, though the client is OK",
    stage: "sender",
    about: { helo: "mx.bad.test" },
    want: ["reject", 554, "helo-access"],
  },
  {
    name: "a client that is OK",
    stage: "sender",
    about: {},
    want: ["permit", 0, ""],
  },
  {
    name: "mail that is thrown away",
    stage: "sender",
    about: { reversePath: "x@spam.test" },
    want: ["discard", 0, "sender-access"],
  },
  {
    name: "a warning, and the table after it",
    stage: "sender",
    about: { reversePath: "x@warn.test" },
    want: ["defer", 450, "sender-access"],
  },
  {
    name: "a sender that is OK before it is refused",
    stage: "sender",
    about: { reversePath: "x@ok.test" },
    want: ["permit", 0, ""],
  },
  {
    name: "mail that is held",
    stage: "recipient",
    about: { recipient: "held@home.test" },
    want: ["hold", 0, "recipient-access"],
  },
  {
    name: "a deferral that stands last",
    stage: "recipient",
    about: { recipient: "soft@home.test" },
    want: ["defer", 450, "recipient-access"],
  },
  {
    name: "on hold by one table, and deferred by the next",
    stage: "recipient",
    about: { recipient: "both@home.test" },
    want: ["defer", 450, "recipient-access"],
  },
  {
    name: "what no table knows",
    stage: "recipient",
    about: { recipient: "other@home.test" },
    want: ["pass", 0, ""],
  },
];

for (const { name, stage, about, want } of JUDGED) {
  Deno.test(`judge() obeys the tables: ${name}`, () => {
    const made = new GateFixture({ access: TABLES });
    const { action, code, rule } = made.judge(stage, about);
    assert.deepEqual([action, code, rule], want);
  });
}

Deno.test("judge() obeys the tables in shadow mode too, and for trusted clients", () => {
  const made = new GateFixture({ access: TABLES, shadow: true });
  const { action } = made.judge("sender", { helo: "bad.test", trusted: true });
  assert.equal(action, "reject");
});

Deno.test("judge() names the file and line, to the administrator alone", () => {
  const made = new GateFixture({ access: TABLES });
  const verdict = made.judge("sender", { helo: "bad.test" });
  assert.deepEqual(
    [verdict.enhanced, verdict.reply, verdict.evidence, verdict.undo],
    [
      "5.7.9",
      "No",
      "bad.test in H:1",
      "edit H:1, then send SIGHUP to bulkhead serve",
    ],
  );
});

Deno.test("judge() counts messages and recipients, not those of trusted clients", () => {
  const rates = { ...QUIET.rates, messages: 1, recipients: 2 };
  const made = new GateFixture({ rates });
  const codes = (
    stage: "sender" | "recipient",
    about: Parameters<GateFixture["judge"]>[1] = {},
  ) => [1, 2, 3].map(() => made.judge(stage, about).code);
  assert.deepEqual(codes("sender"), [0, 450, 450]);
  assert.deepEqual(codes("recipient"), [0, 0, 450]);
  assert.deepEqual(codes("sender", { trusted: true }), [0, 0, 0]);
});

const GREYLIST = {
  delayMs: 300_000,
  windowMs: 3_600_000,
  passesMs: DAY,
  clientsPassAfter: 5,
  ipv4Prefix: 24,
  ipv6Prefix: 64,
};

Deno.test("judge() greylists strangers, by network", () => {
  const made = new GateFixture({ greylist: GREYLIST });
  const first = made.judge("recipient");
  assert.deepEqual([first.code, first.rule], [450, "greylist"]);
  made.nowMs += 301_000;
  assert.equal(made.judge("recipient", { client: "192.0.2.99" }).code, 0);
  assert.equal(made.judge("recipient", { reversePath: "b@c.test" }).code, 450);
  assert.equal(
    made.judge("recipient", { recipient: "x@home.test" }).code,
    450,
  );
  const kept = JSON.stringify([...made.gate.greylist.triplets]);
  assert.ok(!kept.includes("sender") && !kept.includes("home"), kept);
});

Deno.test("judge() greylists nobody who is known otherwise", () => {
  const made = new GateFixture({
    greylist: GREYLIST,
    allow: ["198.51.100.0/24"],
    access: TABLES,
  });
  const code = (about: Parameters<GateFixture["judge"]>[1]) =>
    made.judge("recipient", { client: "203.0.113.1", ...about }).code;
  assert.equal(code({}), 450);
  assert.equal(code({ trusted: true }), 0);
  assert.equal(code({ login: "me@home.test" }), 0);
  assert.equal(code({ client: "198.51.100.1" }), 0);
  assert.equal(code({ client: "192.0.2.1" }), 0, "the client is OK");
  assert.equal(code({ reversePath: "a@ok.test" }), 0, "the sender is OK");
});

const VERIFY = { positiveMs: DAY, negativeMs: 3_600_000 };

Deno.test("refused() records whose mail a client's refusal was", () => {
  const made = new GateFixture({ deny: ["192.0.2.0/24"] });
  made.arrive("192.0.2.1");
  const refused = (rule: string, recipient: string) =>
    made.gate.refused({
      client: "192.0.2.1",
      rule,
      helo: "bot.test",
      reversePath: "a@b.test",
      recipient,
    });
  refused("deny", "me@home.test");
  refused("deny", "me@home.test");
  refused("deny", "you@home.test");
  refused("pregreet", "me@home.test");
  assert.deepEqual(
    made.recorded.map(({ verdict, recipient, sender }) => [
      verdict.rule,
      verdict.code,
      verdict.evidence !== "",
      sender,
      recipient,
    ]),
    [
      ["deny", 550, true, "", ""],
      ["deny", 550, true, "a@b.test", "me@home.test"],
      ["deny", 550, true, "a@b.test", "you@home.test"],
      ["pregreet", 550, false, "a@b.test", "me@home.test"],
    ],
  );
});

Deno.test("no command is advised in a client's words", () => {
  const made = new GateFixture({
    rates: { ...QUIET.rates, connections: 1 },
  });
  const client = "`rm -rf /`";
  made.arrive(client);
  const { verdict } = made.arrive(client);
  assert.equal(verdict.undo, "bulkhead client allow 0.0.0.0");
  assert.ok(!JSON.stringify(made.recorded).includes("rm -rf"));
});

Deno.test("judge() refuses a recipient that its next hop does not know", async () => {
  const made = new GateFixture({ verify: VERIFY });
  made.hops.set("who@next.test", { is: "no", words: "mx said 550 5.1.1 who" });
  made.hops.set("me@next.test", { is: "yes" });
  made.hops.set("maybe@next.test", { is: "unknown", words: "silence" });
  const code = async (recipient: string, login = "") =>
    (await made.verify("recipient", { recipient, login })).code;
  assert.equal(await code("me@next.test"), 0);
  assert.equal(await code("me@home.test"), 0, "a local one");
  assert.equal(await code("who@next.test"), 550);
  assert.equal(await code("maybe@next.test"), 450);
  assert.equal(await code("who@next.test", "me@home.test"), 0);
  const kept = JSON.stringify([...made.gate.probes.known]);
  assert.ok(!kept.includes("who@"), kept);
});

Deno.test("judge() asks no next hop that nobody wants asked", () => {
  const made = new GateFixture({ access: TABLES });
  made.hops.set("who@next.test", { is: "no", words: "x" });
  const about = { recipient: "who@next.test", client: "203.0.113.1" };
  assert.equal(made.judge("recipient", about).action, "pass");
  const asking = new GateFixture({ access: TABLES, verify: VERIFY });
  const permitted = { ...about, reversePath: "a@ok.test" };
  assert.equal(asking.judge("recipient", permitted).action, "pass");
});

Deno.test("the gate's memory is bounded, whoever comes", () => {
  const made = new GateFixture({ maxClients: 500, greylist: GREYLIST });
  for (let n = 0; n < 20_000; n++) {
    const client = `10.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}`;
    made.arrive(client);
    made.gate.leave({ client }, "smtpd.0");
    made.gate.tested({ client, passed: ["deep"], failed: [], helo: "" });
  }
  assert.equal(made.gate.clients.size, 500);
});

Deno.test("arrive() costs far under 0.2 ms for a client that is known", () => {
  const deny = Array.from(
    { length: 10_000 },
    (_, n) => `10.${n >> 8}.${n & 255}.0/24`,
  );
  const made = new GateFixture({ deny });
  made.gate.tested({
    client: "192.0.2.1",
    passed: ["pregreet", "deep"],
    failed: [],
    helo: "",
  });
  const started = performance.now();
  for (let n = 0; n < 10_000; n++) {
    assert.deepEqual(made.arrive("192.0.2.1").tests, []);
    made.gate.leave({ client: "192.0.2.1" }, "smtpd.0");
  }
  const each = (performance.now() - started) / 10_000;
  assert.ok(each < 0.2, `${each} ms`);
});

Deno.test("refused() records what a door refused by its own rules, few of each client", () => {
  const made = new GateFixture();
  const refuse = (client: string, recipient: string) =>
    made.gate.refused({
      client,
      rule: "unknown-recipient",
      helo: "c.test",
      reversePath: "a@b.test",
      recipient,
      said: { code: 550, enhanced: "5.1.1", text: "No such recipient here" },
    });
  for (let n = 0; n < 50; n++) refuse("192.0.2.1", `user${n}@home.test`);
  refuse("192.0.2.2", "user0@home.test");
  refuse("192.0.2.2", "user0@home.test");
  assert.equal(made.recorded.length, 11);
  const { verdict, recipient } = made.recorded[0]!;
  assert.equal(recipient, "user0@home.test");
  assert.equal(verdict.action, "reject");
  assert.match(verdict.undo, /bulkhead user add/);
  made.nowMs += 61_000;
  refuse("192.0.2.1", "user9@home.test");
  assert.equal(made.recorded.length, 12);
});
