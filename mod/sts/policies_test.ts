import assert from "node:assert/strict";
import type { Failed } from "./fetch_io.ts";
import { type Kept } from "./known.ts";
import {
  Policies,
  type Published,
  type Sight,
  type Verdict,
} from "./policies.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 21);

/** A world in which everything is a parameter. */
class FakeWorld {
  now = START;
  sight: Sight = { kind: "record", id: "1" };
  published: Published | Failed = published({});
  looks = 0;
  fetches = 0;
  readonly disk = new Map<string, Kept>();
  readonly told: string[] = [];
  /** Fetches wait for this. */
  gate: Promise<void> = Promise.resolve();

  look() {
    this.looks++;
    return Promise.resolve(this.sight);
  }
  async fetch() {
    this.fetches++;
    await this.gate;
    return this.published;
  }
  keep(domain: string, kept: Kept) {
    this.disk.set(domain, kept);
  }
  forget(domain: string) {
    this.disk.delete(domain);
  }
  tell(domain: string, news: { is: string }) {
    this.told.push(`${domain} ${news.is}`);
  }
  nowMs() {
    return this.now;
  }
}

function published(change: Partial<Published>): Published {
  return {
    kind: "policy",
    mode: "enforce",
    mx: ["mx.remote.test"],
    lines: ["version: STSv1", "mode: enforce"],
    maxAgeMs: 7 * DAY,
    ...change,
  };
}

const BROKEN: Failed = {
  kind: "failed",
  failure: "sts-webpki-invalid",
  why: "expired",
};

/** The answer in short: mode and id, or the refusal. */
function shown(verdict: Verdict): string {
  return "refusal" in verdict
    ? verdict.refusal
    : `${verdict.policy.mode} ${verdict.policy.id}` +
      (verdict.trouble === "" ? "" : ` (${verdict.trouble})`);
}

const DOMAIN = "remote.test";

/** Lets what goes on in the background end. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 1));

function lab(limits?: { domains: number; octets: number }) {
  const world = new FakeWorld();
  const policies = new Policies(world, {
    answerWithinMs: 50,
    ...(limits === undefined ? {} : { limits }),
  });
  const ask = async (domain = DOMAIN) => {
    const got = shown(await policies.policy(domain));
    await settle();
    return got;
  };
  return { world, policies, ask };
}

Deno.test("policy() fetches once and answers from memory then", async () => {
  const { world, ask } = lab();
  assert.equal(await ask(), "enforce 1");
  assert.equal(await ask(), "enforce 1");
  assert.deepEqual([world.looks, world.fetches], [1, 1]);
  assert.ok(world.disk.has(DOMAIN));
  assert.deepEqual(world.told, [`${DOMAIN} fetched`]);
});

Deno.test("policy() asks once for many who ask at the same time", async () => {
  const { world, policies } = lab();
  const all = Array.from({ length: 50 }, () => policies.policy(DOMAIN));
  for (const one of await Promise.all(all)) {
    assert.equal(shown(one), "enforce 1");
  }
  assert.deepEqual([world.looks, world.fetches], [1, 1]);
});

Deno.test("policy() remembers for a minute that there is none", async () => {
  const { world, ask } = lab();
  world.sight = { kind: "none" };
  assert.equal(await ask(), "none");
  assert.equal(await ask(), "none");
  assert.equal(world.looks, 1);
  world.now += MINUTE;
  world.sight = { kind: "record", id: "1" };
  assert.equal(await ask(), "enforce 1");
});

Deno.test("policy() takes a new id's policy at the second asking", async () => {
  const { world, ask } = lab();
  await ask();
  world.sight = { kind: "record", id: "2" };
  world.published = published({ mode: "testing" });
  assert.equal(await ask(), "enforce 1");
  world.now += 5 * MINUTE;
  // No delivery waits: the old one is answered, the new one fetched meanwhile.
  assert.equal(await ask(), "enforce 1");
  assert.equal(await ask(), "testing 2");
});

Deno.test("policy() keeps to a policy whose record is gone", async () => {
  // RFC 8461 §5.1: or whoever hides the record switches the policy off.
  const { world, ask } = lab();
  await ask();
  world.sight = { kind: "none" };
  world.now += 6 * DAY;
  assert.equal(await ask(), "enforce 1");
  assert.equal(await ask(), "enforce 1");
  world.now += DAY;
  assert.equal(await ask(), "none");
});

Deno.test("policy() keeps to a policy whose server fails, and says so", async () => {
  const { world, ask } = lab();
  await ask();
  world.sight = { kind: "record", id: "2" };
  world.published = BROKEN;
  world.now += 5 * MINUTE;
  await ask();
  assert.equal(await ask(), "enforce 1 (sts-webpki-invalid: expired)");
  world.now += 7 * DAY;
  assert.equal(await ask(), "sts-webpki-invalid");
});

Deno.test("policy() fetches no more often than each 5 minutes from who fails", async () => {
  // RFC 8461 §3.3.
  const { world, ask } = lab();
  world.published = BROKEN;
  const fetched: number[] = [];
  for (let minute = 0; minute < 4 * 60; minute++) {
    const before = world.fetches;
    assert.equal(await ask(), "sts-webpki-invalid");
    if (world.fetches > before) fetched.push(minute);
    world.now += MINUTE;
  }
  assert.deepEqual(fetched, [0, 5, 15, 35, 75, 135, 195]);
});

Deno.test("policy() fetches again when half of its age is over, or a day", async () => {
  const { world, ask } = lab();
  world.published = published({ maxAgeMs: 10 * HOUR });
  await ask();
  world.now += 5 * HOUR - MINUTE;
  await ask();
  assert.equal(world.fetches, 1);
  world.now += 6 * MINUTE;
  world.published = published({});
  await ask();
  assert.equal(world.fetches, 2);
  world.now += DAY - MINUTE;
  await ask();
  assert.equal(world.fetches, 2);
  world.now += 6 * MINUTE;
  await ask();
  assert.equal(world.fetches, 3);
});

const AGES: { name: string; maxAgeMs: number; want: number }[] = [
  { name: "no age at all is five minutes", maxAgeMs: 0, want: 5 * MINUTE },
  {
    name: "a hundred years are one",
    maxAgeMs: 100 * 365 * DAY,
    want: 365.25 * DAY,
  },
  { name: "a week is a week", maxAgeMs: 7 * DAY, want: 7 * DAY },
];
for (const { name, maxAgeMs, want } of AGES) {
  Deno.test(`policy() bounds how long it is good: ${name}`, async () => {
    const { world, policies } = lab();
    world.published = published({ maxAgeMs });
    const verdict = await policies.policy(DOMAIN);
    assert.ok("policy" in verdict);
    assert.equal(verdict.policy.untilMs, START + want);
  });
}

Deno.test("policy() answers in time, and the policy comes when it comes", async () => {
  const { world, ask } = lab();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.gate = promise;
  assert.equal(await ask(), "sts-policy-fetch-error");
  resolve();
  await settle();
  assert.equal(await ask(), "enforce 1");
  assert.equal(world.fetches, 1);
});

Deno.test("policy() looks at a hundred domains at once, and lets the rest wait", async () => {
  const { world, policies } = lab();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.gate = promise;
  const asked = Array.from(
    { length: 1_300 },
    (_, n) => policies.policy(`d${n}.test`),
  );
  await settle();
  assert.equal(world.fetches, 100);
  resolve();
  const got = (await Promise.all(asked)).map(shown);
  assert.equal(got.filter((one) => one === "enforce 1").length, 1_100);
  assert.equal(
    got.filter((one) => one === "sts-policy-fetch-error").length,
    200,
  );
  // The rest is not held against them.
  assert.equal(shown(await policies.policy("d1299.test")), "enforce 1");
});

Deno.test("restore() takes up what was kept, and drops what is over", async () => {
  const first = lab();
  await first.ask();
  const kept = first.world.disk.get(DOMAIN)!;
  const second = lab();
  second.world.now += DAY / 2;
  second.world.sight = { kind: "none" };
  second.policies.restore(DOMAIN, kept);
  assert.equal(await second.ask(), "enforce 1");
  assert.equal(second.world.fetches, 0);
  const third = lab();
  third.world.now += 7 * DAY;
  third.world.disk.set(DOMAIN, kept);
  third.policies.restore(DOMAIN, kept);
  assert.equal(third.world.disk.size, 0);
  assert.equal(third.policies.size, 0);
});

Deno.test("policy() looks again when the clock was set back by a year", async () => {
  const { world, ask } = lab();
  await ask();
  world.now -= 365 * DAY;
  world.sight = { kind: "record", id: "2" };
  await ask();
  assert.equal(await ask(), "enforce 2");
});

const BOUNDS: { name: string; limits: { domains: number; octets: number } }[] =
  [
    { name: "number", limits: { domains: 3, octets: 1_000_000 } },
    { name: "octets", limits: { domains: 1_000, octets: 2_000 } },
  ];
for (const { name, limits } of BOUNDS) {
  Deno.test(`policy() bounds what it knows by ${name}: the longest unused goes`, async () => {
    const { world, policies, ask } = lab(limits);
    for (const domain of ["a.test", "b.test", "c.test", "a.test", "d.test"]) {
      await ask(domain);
    }
    assert.equal(policies.size, 3);
    assert.deepEqual([...world.disk.keys()].sort(), [
      "a.test",
      "c.test",
      "d.test",
    ]);
    await ask("a.test");
    assert.equal(world.fetches, 4);
  });
}

Deno.test("policy() forgets none that is in force for domains that have none", async () => {
  const { world, policies, ask } = lab();
  await ask();
  world.sight = { kind: "none" };
  for (let n = 0; n < 12_000; n++) await policies.policy(`d${n}.test`);
  assert.equal(await ask(), "enforce 1");
  assert.ok(world.disk.has(DOMAIN));
  assert.equal(world.fetches, 1);
  assert.ok(policies.size <= 5_001);
});
