/**
 * What an outage somewhere else costs everybody else: a destination that is
 * dead, 100,000 messages that are due at once, a DNS that does not answer.
 * A real queue between scripted edges; its clock runs faster than the wall's
 * where a test says so, and so do the timeouts.
 */
import assert from "node:assert/strict";
import { type Outcome, ownOutcome } from "../../mod/core/outcome.ts";
import { listQueue } from "../../mod/queue/inspect.ts";
import {
  FakeEdges,
  laboratory,
  newAsk,
  until,
} from "../../mod/queue/laboratory.ts";
import { SteadyClock } from "../../mod/queue/schedule.ts";
import { report, sized } from "../crash/proof.ts";
import { fullQueue } from "./full_queue.ts";

const MINUTE_MS = 60_000;
const TIMEOUT_MS = 5 * MINUTE_MS;
/** As the configuration has them by default. */
const DEFAULTS = {
  firstRetryMs: 5 * MINUTE_MS,
  maxRetryMs: 240 * MINUTE_MS,
  expireMs: 7_200 * MINUTE_MS,
  maxJobs: 100,
  maxJobsPerDestination: 20,
  maxActive: 20_000,
};
const ANSWER_MS = 20;
const DELIVERED = {
  ...ownOutcome("delivered", 250, "2.0.0", "ok"),
  host: "mail.test",
};

/** A clock that began now and runs so many times faster. */
function fastClock(speed: number): SteadyClock {
  const begin = performance.now();
  const wall = Date.now();
  return new SteadyClock({
    wallMs: () => wall + (performance.now() - begin) * speed,
    monotonicMs: () => (performance.now() - begin) * speed,
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Everything goes to a host named for its domain. */
function routed(fake: FakeEdges): void {
  // Or the laboratory's own notes would be what grows.
  fake.resolved.push = () => 0;
  fake.routes.get = (address: string) => [
    FakeEdges.remote(address, address.slice(address.indexOf("@") + 1)),
  ];
}

function percentile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

/** How many deliveries are under way, and the most there ever were. */
class Gauge {
  readonly #now = new Map<string, number>();
  most = 0;
  mostInAll = 0;
  sessions = 0;
  #all = 0;

  begin(name: string): void {
    const now = (this.#now.get(name) ?? 0) + 1;
    this.#now.set(name, now);
    this.sessions++;
    this.most = Math.max(this.most, now);
    this.mostInAll = Math.max(this.mostInAll, ++this.#all);
  }

  end(name: string): void {
    this.#now.set(name, this.#now.get(name)! - 1);
    this.#all--;
  }
}

/** Sends one message after another, and measures how long each takes. */
async function delaysOf(
  lab: ReturnType<typeof laboratory>,
  messages: number,
): Promise<number[]> {
  const began = new Map<string, number>();
  const took: number[] = [];
  const { deliver } = lab.fake;
  lab.fake.deliver = async (asked, address) => {
    const outcome = await deliver(asked, address);
    const from = began.get(asked.queueId);
    if (from !== undefined) took.push(performance.now() - from);
    return outcome;
  };
  for (let i = 0; i < messages; i++) {
    const ask = newAsk([`u${i}@live${i % 50}.test`]);
    began.set(ask.queueId, performance.now());
    await lab.send(ask);
    await pause(5);
  }
  await until("all others", () => took.length === messages, 60_000);
  lab.fake.deliver = deliver;
  return took;
}

Deno.test("one dead destination with 300 s timeouts does not delay the mail of others", async () => {
  const speed = sized({ small: 60, full: 10 });
  const waiting = sized({ small: 3_000, full: 50_000 });
  const others = sized({ small: 100, full: 4_000 });
  const dir = fullQueue({
    messages: waiting,
    to: (n) => `u${n}@dead.test`,
    dueMs: Date.now() - 1_000,
  });
  const idle = await (async () => {
    const fake = new FakeEdges();
    routed(fake);
    fake.deliver = () => pause(ANSWER_MS).then(() => DELIVERED);
    await using lab = laboratory({ fake, change: DEFAULTS });
    await delaysOf(lab, 50);
    return await delaysOf(lab, others);
  })();
  const fake = new FakeEdges();
  routed(fake);
  const dead = new Gauge();
  fake.deliver = async (_, address): Promise<Outcome> => {
    if (!address.endsWith("@dead.test")) {
      await pause(ANSWER_MS);
      return DELIVERED;
    }
    dead.begin("dead");
    await pause(TIMEOUT_MS / speed);
    dead.end("dead");
    return ownOutcome("temporary", 451, "4.4.1", "timed out");
  };
  const heapBefore = Deno.memoryUsage().rss;
  await using lab = laboratory({
    dir,
    fake,
    change: DEFAULTS,
    clock: fastClock(speed),
    random: Math.random,
  });
  const busy = await delaysOf(lab, others);
  const mib = (Deno.memoryUsage().rss - heapBefore) / 1_048_576;
  const p95 = { idle: percentile(idle, 0.95), busy: percentile(busy, 0.95) };
  report(
    `${waiting} messages for a dead host: p95 of others ${
      p95.idle.toFixed(1)
    } ms idle, ${p95.busy.toFixed(1)} ms beside it; median ${
      percentile(idle, 0.5).toFixed(1)
    } and ${percentile(busy, 0.5).toFixed(1)} ms; ${dead.sessions} sessions ` +
      `to it, at most ${dead.most} at once; ${mib.toFixed(0)} MiB more`,
  );
  assert.ok(dead.most <= 5, `${dead.most} sessions at once to a dead host`);
  const factor = sized({ small: 4, full: 2 });
  assert.ok(p95.busy < p95.idle * factor, JSON.stringify(p95));
});

Deno.test("messages that are due at once after an outage go out in good order", async () => {
  const messages = sized({ small: 5_000, full: 100_000 });
  const dir = fullQueue({
    messages,
    to: (n) => `u${n}@d${n % 100}.test`,
    dueMs: Date.now() - 1_000,
  });
  const fake = new FakeEdges();
  routed(fake);
  const gauge = new Gauge();
  fake.deliver = async (_, address) => {
    const domain = address.slice(address.indexOf("@") + 1);
    gauge.begin(domain);
    await pause(2);
    gauge.end(domain);
    return DELIVERED;
  };
  const began = performance.now();
  const cpu = Deno.memoryUsage().rss;
  await using lab = laboratory({ dir, fake, change: DEFAULTS });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, Deno.memoryUsage().rss);
  }, 50);
  try {
    await until(
      "all are gone",
      () => lab.counters.get("delivered") === messages,
      300_000,
    );
  } finally {
    clearInterval(watch);
  }
  const tookMs = performance.now() - began;
  report(
    `${messages} due at once: all gone in ${(tookMs / 1_000).toFixed(1)} s, ` +
      `at most ${gauge.most} to one destination and ${gauge.mostInAll} in ` +
      `all; ${((peak - cpu) / 1_048_576).toFixed(0)} MiB more at the peak`,
  );
  assert.ok(gauge.most <= DEFAULTS.maxJobsPerDestination);
  assert.ok(gauge.mostInAll <= DEFAULTS.maxJobs);
});

Deno.test("nothing bounces while the DNS is down for ten minutes, and all goes within the next retry", async () => {
  const speed = sized({ small: 1_200, full: 60 });
  const fake = new FakeEdges();
  routed(fake);
  let isDown = true;
  fake.deliver = () =>
    isDown
      ? ownOutcome("temporary", 451, "4.4.3", "Cannot look up domain now")
      : DELIVERED;
  const clock = fastClock(speed);
  await using lab = laboratory({
    fake,
    change: DEFAULTS,
    clock,
    random: Math.random,
  });
  const messages = 200;
  for (let i = 0; i < messages; i++) {
    await lab.send(newAsk([`u${i}@d${i % 40}.test`]));
  }
  await pause(10 * MINUTE_MS / speed);
  const nowMs = clock.nowMs();
  const waits = listQueue(lab.dir)
    .map(({ recipients }) => recipients[0]!.nextAttemptMs - nowMs);
  assert.equal(waits.length, messages, "nothing bounced, nothing is lost");
  assert.equal(fake.notices.length, 0);
  isDown = false;
  const longest = Math.max(...waits);
  await until(
    "all are gone",
    () => fake.released.length === messages,
    30_000,
  );
  const took = clock.nowMs() - nowMs;
  report(
    `10 minutes without DNS: ${messages} kept, none bounced; all gone ` +
      `${(took / MINUTE_MS).toFixed(1)} minutes after it was back`,
  );
  // The queue looks twice a second, in its own time.
  const slackMs = 1_500 * speed;
  assert.ok(took < longest + slackMs + 6 * MINUTE_MS, `${took} ms`);
});
