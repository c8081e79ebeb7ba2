import assert from "node:assert/strict";
import type { Validator } from "./judgement.ts";
import { type Question, TYPE } from "./message.ts";
import { response } from "./message_fixture.ts";
import { plainJudgement } from "./plain_judgement.ts";
import { Resolver, type ResolverOptions } from "./resolver.ts";
import type { Sourced } from "./source.ts";
import { Lru } from "./lru.ts";
import { FakeTime } from "./fake_time_fixture.ts";

const A = { name: "a.test", type: TYPE.A };
type Parts = Parameters<typeof response>[0];

function message(
  question: Question,
  parts: Parts,
  isBelieved = false,
): Sourced {
  return {
    kind: "message",
    message: response({ question, ...parts }),
    isBelieved,
  };
}
const FAILED: Sourced = {
  kind: "failed",
  status: "SERVFAIL",
  why: "it failed",
};
const NO: Parts = { rcode: 3, authority: ["test. 100 SOA a. b. 1 2 3 4 50"] };

function resolver(
  answer: (question: Question) => Sourced | Promise<Sourced>,
  over: Partial<ResolverOptions> = {},
) {
  const asked: string[] = [];
  const made = new Resolver({
    source: async (question) => {
      asked.push(`${question.name} ${question.type}`);
      return await answer(question);
    },
    validator: null,
    ttl: { min: 5, max: 1_000, maxNegative: 30 },
    cacheOctets: 2 ** 20,
    withinMs: 1_000,
    ...over,
  });
  return { asked, made };
}

const LIFETIMES: { name: string; answer: Sourced; seconds: number }[] = [
  {
    name: "an answer for its TTL",
    answer: message(A, { answer: ["a.test. 60 A 1.2.3.4"] }),
    seconds: 60,
  },
  {
    name: "an answer without TTL for the least",
    answer: message(A, { answer: ["a.test. 0 A 1.2.3.4"] }),
    seconds: 5,
  },
  {
    name: "an answer of years for the most",
    answer: message(A, { answer: ["a.test. 99999999 A 1.2.3.4"] }),
    seconds: 1_000,
  },
  {
    name: "a no for the least of the SOA's numbers", // RFC 2308 §5
    answer: message(A, {
      rcode: 3,
      authority: ["test. 100 SOA a. b. 1 2 3 4 20"],
    }),
    seconds: 20,
  },
  {
    name: "a no of days for the most",
    answer: message(A, {
      rcode: 3,
      authority: ["test. 9999 SOA a. b. 1 2 3 4 9999"],
    }),
    seconds: 30,
  },
  { name: "a failure for five seconds", answer: FAILED, seconds: 5 },
];

for (const { name, answer, seconds } of LIFETIMES) {
  Deno.test(`Resolver keeps ${name}`, async () => {
    using time = new FakeTime();
    const { made, asked } = resolver(() => answer);
    await made.lookUp(A);
    time.advance(seconds * 1_000 - 500);
    await made.lookUp(A);
    assert.equal(asked.length, 1);
    time.advance(1_000);
    await made.lookUp(A);
    assert.equal(asked.length, 2);
  });
}

Deno.test("Resolver asks once what is asked at the same time", async () => {
  let answer = (_: Sourced) => {};
  const { made, asked } = resolver(() =>
    new Promise<Sourced>((resolve) => answer = resolve)
  );
  const all = Promise.all(Array.from({ length: 50 }, () => made.lookUp(A)));
  await Promise.resolve();
  answer(message(A, { answer: ["a.test. 60 A 1.2.3.4"] }));
  assert.ok((await all).every((one) => one.finding.kind === "records"));
  assert.equal(asked.length, 1);
});

Deno.test("Resolver lets nobody wait longer than the limit, and keeps what comes late", async () => {
  let answer = (_: Sourced) => {};
  const { made, asked } = resolver(
    () => new Promise<Sourced>((resolve) => answer = resolve),
    { withinMs: 50 },
  );
  const found = await made.lookUp(A);
  assert.equal(found.security, "indeterminate");
  assert.match(found.why, /in time/);
  answer(message(A, { answer: ["a.test. 60 A 1.2.3.4"] }));
  await new Promise((then) => setTimeout(then, 5));
  assert.equal((await made.lookUp(A)).finding.kind, "records");
  assert.equal(asked.length, 1);
});

Deno.test("Resolver follows aliases, and says where they end", async () => {
  const { made } = resolver((question) =>
    message(question, {
      answer: question.name === "a.test"
        ? ["a.test. 60 CNAME b.test."]
        : ["b.test. 60 A 1.2.3.4"],
    })
  );
  const found = await made.lookUp(A);
  assert.equal(found.canonical, "b.test");
  assert.equal(found.finding.kind, "records");
  assert.equal(found.security, "insecure");
});

Deno.test("Resolver gives up on aliases in a circle, and on too many", async () => {
  const circle = resolver((question) =>
    message(question, {
      answer: [
        question.name === "a.test"
          ? "a.test. 60 CNAME b.test."
          : "b.test. 60 CNAME a.test.",
      ],
    })
  );
  assert.equal((await circle.made.lookUp(A)).security, "indeterminate");
  assert.ok(circle.asked.length <= 3);
  const endless = resolver((question) =>
    message(question, {
      answer: [`${question.name}. 60 CNAME x.${question.name}.`],
    })
  );
  assert.equal((await endless.made.lookUp(A)).security, "indeterminate");
  assert.ok(endless.asked.length <= 12);
});

Deno.test("Resolver believes the AD bit of those that it is told to", async () => {
  const said = async (isBelieved: boolean, authenticData: boolean) => {
    const { made } = resolver((question) =>
      message(question, {
        answer: ["a.test. 60 A 1.2.3.4"],
        authenticData,
      }, isBelieved)
    );
    return (await made.lookUp(A)).security;
  };
  assert.equal(await said(true, true), "secure");
  assert.equal(await said(true, false), "insecure");
  assert.equal(await said(false, true), "insecure");
});

Deno.test("Resolver asks whom it believes about an alias alone when its end is insecure", async () => {
  const { made } = resolver((question) =>
    message(question, {
      answer: question.type === TYPE.CNAME
        ? ["a.test. 60 CNAME b.plain."]
        : ["a.test. 60 CNAME b.plain.", "b.plain. 60 A 1.2.3.4"],
      authenticData: question.type === TYPE.CNAME,
    }, true)
  );
  const found = await made.lookUp(A);
  assert.equal(`${found.security} ${found.nameSecurity}`, "insecure secure");
  assert.equal(found.canonical, "b.plain");
});

Deno.test("Resolver hands on what the validator says, and keeps bogus briefly", async () => {
  using time = new FakeTime();
  const judged: string[] = [];
  const validator: Validator = {
    judge: (question) => {
      judged.push(question.name);
      return Promise.resolve({
        security: "bogus" as const,
        finding: { kind: "nothing" as const },
        why: "the signature of test is wrong",
        proof: [],
      });
    },
  };
  const told: string[] = [];
  const { made } = resolver(
    (question) => message(question, { answer: ["a.test. 600 A 1.2.3.4"] }),
    {
      validator: () => validator,
      onJudged: (question, found) =>
        told.push(`${question.name} ${found.security}`),
    },
  );
  assert.equal((await made.lookUp(A)).security, "bogus");
  await made.lookUp(A);
  assert.deepEqual(told, ["a.test bogus"]);
  time.advance(31_000);
  await made.lookUp(A);
  assert.equal(judged.length, 2);
});

Deno.test("Resolver takes a no without a SOA for none, unless it is proven", async () => {
  const said = async (security: "secure" | "insecure") => {
    const { made } = resolver((question) => message(question, { rcode: 3 }), {
      validator: () => ({
        judge: () =>
          Promise.resolve({
            security,
            finding: { kind: "no-such-name" },
            why: "",
            proof: [],
          }),
      }),
    });
    const found = await made.lookUp(A);
    return `${found.security} ${found.finding.kind}`;
  };
  assert.equal(await said("secure"), "secure no-such-name");
  assert.equal(await said("insecure"), "indeterminate nothing");
});

Deno.test("Resolver asks no validator about domains that are known to be unsigned", async () => {
  const { made } = resolver(
    (question) =>
      message(question, { answer: [`${question.name}. 60 A 1.2.3.4`] }),
    { validator: () => ({ judge: () => assert.fail() }), unsigned: ["office"] },
  );
  for (const name of ["office", "mx.office"]) {
    const found = await made.lookUp({ name, type: TYPE.A });
    assert.equal(`${found.security} ${found.finding.kind}`, "insecure records");
  }
  await assert.rejects(async () =>
    await made.lookUp({ name: "xoffice", type: 1 })
  );
});

Deno.test("Resolver keeps no longer what the validator says may be kept long", async () => {
  using time = new FakeTime();
  const { made, asked } = resolver(
    (question) => message(question, { answer: ["a.test. 60 A 1.2.3.4"] }),
    {
      validator: () => ({
        judge: () =>
          Promise.resolve({
            security: "insecure",
            finding: { kind: "records", records: [] },
            why: "",
            proof: [],
            untilS: Date.now() / 1_000 + 3_600,
          }),
      }),
    },
  );
  await made.lookUp(A);
  time.advance(61_000);
  await made.lookUp(A);
  assert.equal(asked.length, 2);
});

Deno.test("Resolver shows the validator TTLs as they are by now", async () => {
  using time = new FakeTime();
  const ttls: number[] = [];
  const question = { name: "k.test", type: TYPE.DNSKEY };
  const { made, asked } = resolver(
    (one) => message(one, { answer: [`${one.name}. 100 DNSKEY 257 3 8 AwEA`] }),
    {
      validator: (fetch) => ({
        judge: async (one) => {
          const got = await fetch(question);
          ttls.push(got!.answer[0]!.ttl);
          return {
            security: "secure" as const,
            finding: { kind: "alias" as const, target: `${one.name}x` },
            why: "",
            proof: [],
          };
        },
      }),
    },
  );
  await made.lookUp({ name: "a", type: TYPE.DNSKEY });
  time.advance(40_000);
  await made.lookUp({ name: "b", type: TYPE.DNSKEY });
  assert.equal(ttls[0], 100);
  assert.equal(ttls.at(-1), 60);
  assert.equal(asked.filter((one) => one.startsWith("k.test")).length, 1);
});

Deno.test("Resolver explains what failed", async () => {
  const { made } = resolver(() => FAILED);
  const { found, failure } = await made.explain(A);
  assert.equal(found.security, "indeterminate");
  assert.equal(failure?.status, "SERVFAIL");
});

Deno.test("Resolver's memory is bounded, whatever is asked", async () => {
  const { made } = resolver(
    (question) => message(question, { ...NO, rcode: 3 }),
    { cacheOctets: 65_536 },
  );
  for (let n = 0; n < 2_000; n++) {
    await made.lookUp({ name: `n${n}.test`, type: TYPE.A });
  }
  assert.ok(made.size > 10 && made.size < 200, `${made.size} kept`);
});

Deno.test("Resolver answers what it knows in microseconds", async () => {
  const { made } = resolver((question) =>
    message(question, { answer: ["a.test. 60 A 1.2.3.4"] })
  );
  await made.lookUp(A);
  const before = performance.now();
  for (let n = 0; n < 10_000; n++) await made.lookUp(A);
  const each = (performance.now() - before) / 10;
  assert.ok(each < 50, `${each} us`);
});

Deno.test("Lru forgets what was not used for longest", () => {
  const lru = new Lru<number>(3);
  for (const n of [1, 2, 3]) lru.set(`${n}`, n, 1);
  lru.get("1");
  lru.set("4", 4, 1);
  assert.deepEqual(["1", "2", "3", "4"].map((key) => lru.get(key)), [
    1,
    undefined,
    3,
    4,
  ]);
  lru.set("5", 5, 9);
  assert.equal(lru.get("5"), undefined);
  lru.set("6", 6, 3);
  assert.equal(lru.size, 1);
});

/** Calls forged what has a TTL of 13, in whatever section. */
const BY_TTL: Validator = {
  judge: (question, message) => {
    const all = [...message.answer, ...message.authority];
    const judged = plainJudgement(question, message, "secure");
    return Promise.resolve(
      all.some(({ ttl }) => ttl === 13)
        ? { ...judged, security: "bogus", finding: { kind: "nothing" } }
        : judged,
    );
  },
};
const FORGED = message(A, { answer: ["a.test. 13 A 6.6.6.6"] });
const FORGED_NO = message(A, {
  rcode: 3,
  authority: ["test. 13 SOA a. b. 1 2 3 4 5"],
});
const REAL = message(A, { answer: ["a.test. 60 A 1.2.3.4"] });
const SECOND: {
  name: string;
  first: Sourced;
  others: Sourced[];
  want: string;
  /** Others that were asked. */
  asked: number;
}[] = [
  {
    name: "nobody else where the first is good",
    first: REAL,
    others: [FORGED],
    want: "secure records",
    asked: 0,
  },
  {
    name: "the next where the first's records are bogus",
    first: FORGED,
    others: [REAL],
    want: "secure records",
    asked: 1,
  },
  {
    name: "the next where the first's no is bogus",
    first: FORGED_NO,
    others: [message(A, NO)],
    want: "secure no-such-name",
    asked: 1,
  },
  {
    name: "until one's answer can be built on",
    first: FORGED,
    others: [FAILED, FORGED, REAL, REAL],
    want: "secure records",
    asked: 3,
  },
  {
    name: "and takes no for no answer where there were records",
    first: FORGED,
    others: [message(A, NO)],
    want: "bogus nothing",
    asked: 1,
  },
  {
    name: "and stays with bogus where nobody knows better",
    first: FORGED_NO,
    others: [FAILED, FORGED_NO],
    want: "bogus nothing",
    asked: 2,
  },
];

for (const { name, first, others, want, asked } of SECOND) {
  Deno.test(`Resolver asks ${name}`, async () => {
    let seconds = 0;
    const { made } = resolver(() => first, {
      validator: () => BY_TTL,
      others: others.map((one) => () => {
        seconds++;
        return Promise.resolve(one);
      }),
    });
    for (const _ of [1, 2]) {
      const { security, finding } = await made.lookUp(A);
      assert.equal(`${security} ${finding.kind}`, want);
      assert.equal(seconds, asked, "and once only");
    }
    await made.explain(A);
    assert.equal(seconds, asked, "not to be explained");
  });
}
