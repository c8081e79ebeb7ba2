import assert from "node:assert/strict";
import type { TlsResult } from "../smtpc/smtpc_ipc.ts";
import { EventLog } from "./event_log.ts";
import { EventStore } from "./event_store_io.ts";
import { laboratory, newAsk, partFor, tempDir, until } from "./laboratory.ts";
import type { OwnMessage } from "./own_mail.ts";
import { type Texts, TlsReporter } from "./tls_reporter.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MIDNIGHT = Date.UTC(2026, 10, 21);

function result(change: Partial<TlsResult> = {}): TlsResult {
  return {
    policy: "sts",
    policyLines: ["version: STSv1"],
    domain: "remote.test",
    mxHost: "mx.remote.test",
    result: "",
    ourAddress: "192.0.2.1",
    theirAddress: "192.0.2.2",
    ...change,
  };
}

const WANTED = ["v=TLSRPTv1; rua=mailto:tls@remote.test"];
const answered = (texts: string[]): Awaited<ReturnType<Texts>> => ({
  kind: "answered",
  answer: { texts, security: "insecure" },
});

/** A reporter on a directory, with a clock and a DNS that a test sets. */
class Bench {
  now = MIDNIGHT - HOUR;
  reply: Awaited<ReturnType<Texts>> = answered(WANTED);
  readonly asked: string[] = [];
  readonly sent: OwnMessage[] = [];
  /** What becomes of a report that is to be sent. */
  sending: "works" | "fails" | "dies" = "works";
  readonly counted = new Map<string, number>();
  history: EventLog;
  reporter: TlsReporter;
  from: string | null = "tls@home.test";
  readonly #dir = tempDir();

  constructor() {
    [this.history, this.reporter] = this.#open();
  }

  /** As after a crash: what is not on the disk is gone. */
  restart(): void {
    this.history = new EventLog({
      open: () => new EventStore(this.#dir),
      limits: () => ({ keepMs: DAY, maxBytes: 1e9 }),
      nowMs: () => this.now,
    });
    [this.history, this.reporter] = this.#open();
    this.reporter.start();
    void this.reporter.stop();
    [this.history, this.reporter] = this.#open();
  }

  reports(): string[] {
    return this.sent.map(({ to }) => to.join(" "));
  }

  #open(): [EventLog, TlsReporter] {
    const history = new EventLog({
      open: () => new EventStore(this.#dir),
      limits: () => ({ keepMs: DAY, maxBytes: 1e9 }),
      nowMs: () => this.now,
    });
    const reporter = new TlsReporter({
      history,
      texts: (name) => {
        this.asked.push(name);
        return Promise.resolve(this.reply);
      },
      mail: {
        sendTlsReport: (mail, { ready }) => {
          if (this.sending === "fails" || !ready()) {
            return Promise.resolve(false);
          }
          this.sent.push(mail);
          // Sent, and nobody heard: as a crash right after the commit.
          return this.sending === "dies"
            ? new Promise(() => {})
            : Promise.resolve(true);
        },
      },
      around: {
        part: () =>
          partFor(this.#dir, {
            tlsReports: this.from === null
              ? null
              : { from: this.from, everyMs: DAY },
          }),
        nowMs: () => this.now,
        wallMs: () => this.now,
        random: () => 0,
        count: (name, by = 1) =>
          void this.counted.set(name, (this.counted.get(name) ?? 0) + by),
        delivered: () => {},
        nextNumber: () => 1,
      },
    });
    return [history, reporter];
  }
}

Deno.test("TlsReporter sends one report a domain and day, within four hours", async () => {
  const bench = new Bench();
  for (let n = 0; n < 10; n++) bench.reporter.add([result()]);
  bench.reporter.add([result({ domain: "other.test" })]);
  await bench.reporter.tick();
  bench.now = MIDNIGHT - 1;
  await bench.reporter.tick();
  assert.equal(bench.sent.length, 0);
  bench.now = MIDNIGHT + 4 * HOUR;
  await bench.reporter.tick();
  assert.deepEqual(bench.asked.sort(), [
    "_smtp._tls.other.test",
    "_smtp._tls.remote.test",
  ]);
  assert.equal(bench.sent.length, 2);
  assert.match(bench.sent[0]!.head, /^TLS-Report-Domain: /m);
  bench.now += DAY;
  await bench.reporter.tick();
  assert.equal(bench.sent.length, 2);
});

Deno.test("TlsReporter keeps two days apart", async () => {
  const bench = new Bench();
  bench.reporter.add([result()]);
  bench.now = MIDNIGHT + 1;
  bench.reporter.add([result()]);
  bench.now += 5 * HOUR;
  await bench.reporter.tick();
  assert.equal(bench.sent.length, 1);
  bench.now += DAY;
  await bench.reporter.tick();
  assert.equal(bench.sent.length, 2);
});

Deno.test("TlsReporter sends after a restart what was not sent before", async () => {
  const bench = new Bench();
  bench.reporter.add([result()]);
  bench.reporter.flush();
  bench.restart();
  bench.now = MIDNIGHT + 2 * DAY;
  await bench.reporter.tick();
  assert.deepEqual(bench.reports(), ["tls@remote.test"]);
});

Deno.test("TlsReporter sends nothing twice, when it died in between", async () => {
  const bench = new Bench();
  bench.reporter.add([result()]);
  bench.now = MIDNIGHT + 5 * HOUR;
  bench.sending = "dies";
  void bench.reporter.tick();
  await until("a report", () => bench.sent.length === 1);
  bench.restart();
  bench.sending = "works";
  bench.now += DAY;
  await bench.reporter.tick();
  assert.equal(bench.sent.length, 1);
});

const REPLIES: {
  name: string;
  reply: Awaited<ReturnType<Texts>>;
  /** Asked an hour and a half later; the answer is a good one then. */
  isAskedAgain: boolean;
}[] = [
  {
    name: "nobody wants it",
    reply: { kind: "refused", refusal: "none" },
    isAskedAgain: false,
  },
  {
    name: "the record is another's",
    reply: answered(["v=spf1 -all"]),
    isAskedAgain: false,
  },
  {
    name: "it is wanted by HTTPS alone",
    reply: answered(["v=TLSRPTv1; rua=https://remote.test/tls"]),
    isAskedAgain: false,
  },
  {
    name: "nobody answers",
    reply: { kind: "refused", refusal: "try-later" },
    isAskedAgain: true,
  },
  {
    name: "the answer is forged",
    reply: { kind: "refused", refusal: "bogus" },
    isAskedAgain: true,
  },
  {
    name: "the DNS role is gone",
    reply: { kind: "failed", why: "gone" },
    isAskedAgain: true,
  },
];
for (const { name, reply, isAskedAgain } of REPLIES) {
  Deno.test(`TlsReporter sends nothing when ${name}, ${isAskedAgain ? "for now" : "for good"}`, async () => {
    const bench = new Bench();
    bench.reply = reply;
    bench.reporter.add([result()]);
    bench.now = MIDNIGHT + 5 * HOUR;
    await bench.reporter.tick();
    await bench.reporter.tick();
    assert.equal(bench.asked.length, 1);
    assert.equal(bench.sent.length, 0);
    bench.reply = answered(WANTED);
    bench.now += 1.5 * HOUR;
    await bench.reporter.tick();
    assert.equal(bench.sent.length, isAskedAgain ? 1 : 0);
  });
}

Deno.test("TlsReporter tries again when the spool is full, and gives up after days", async () => {
  const bench = new Bench();
  bench.sending = "fails";
  bench.reporter.add([result()]);
  bench.reporter.flush();
  for (let hour = 0; hour < 24 * 6; hour++) {
    bench.now += HOUR;
    await bench.reporter.tick();
  }
  assert.equal(bench.counted.get("tls-reports-given-up"), 1);
  bench.sending = "works";
  bench.now += DAY;
  await bench.reporter.tick();
  assert.equal(bench.sent.length, 0);
});

Deno.test("TlsReporter counts nothing while reports are off, and forgets", async () => {
  const bench = new Bench();
  bench.reporter.add([result()]);
  bench.reporter.flush();
  bench.from = null;
  bench.reporter.add([result()]);
  await bench.reporter.tick();
  bench.from = "tls@home.test";
  bench.now = MIDNIGHT + 5 * HOUR;
  await bench.reporter.tick();
  assert.equal(bench.sent.length, 0);
});

Deno.test("TlsReporter says nothing of address literals, which have no records", async () => {
  const bench = new Bench();
  bench.reporter.add([result({ domain: "[192.0.2.1]" })]);
  bench.now = MIDNIGHT + 5 * HOUR;
  await bench.reporter.tick();
  assert.deepEqual(bench.asked, []);
});

Deno.test("a queue sends a TLS report as mail that no TLS failure keeps", async () => {
  const asked: string[] = [];
  await using lab = laboratory({
    change: { tlsReports: { from: "postmaster@mx.home.test", everyMs: 1_000 } },
    texts: (name) => {
      asked.push(name);
      return Promise.resolve(answered(WANTED));
    },
  });
  const { fake } = lab;
  const remote = (address: string) =>
    fake.routes.set(address, [{
      kind: "remote",
      address,
      nextHop: { kind: "mx", domain: "remote.test" },
    }]);
  remote("you@remote.test");
  remote("tls@remote.test");
  fake.tlsResults = [
    result({ result: "certificate-expired" }),
    // A smtpc that was taken over makes up whom to tell.
    result({ result: "certificate-expired", domain: "victim.test" }),
  ];
  await lab.send(newAsk(["you@remote.test"]));
  await until("a report", () => fake.notices.length === 1);
  await until("its delivery", () => fake.asked.length === 2);
  const report = fake.asked[1]!;
  assert.deepEqual(report.addresses, ["tls@remote.test"]);
  assert.equal(report.reversePath, "");
  assert.equal(report.isTlsReport, true);
  assert.equal(fake.asked[0]!.isTlsReport, false);
  assert.ok(fake.resolved.includes("relay tls@remote.test"));
  // RFC 8460 §3: a report's own sessions are in no report, so this ends.
  await new Promise((resolve) => setTimeout(resolve, 1_400));
  assert.equal(fake.notices.length, 1);
  assert.equal(lab.counters.get("tls-failures"), 1);
  assert.ok(!asked.includes("_smtp._tls.victim.test"));
});
