import assert from "node:assert/strict";
import { parseAddress } from "../core/network.ts";
import { type Listed, Lists, queryName } from "./dnsbl.ts";

const CLIENT = parseAddress("192.0.2.1")!;

/** Lists whose answers are given by domain; the others say no. */
function lists(sites: string[], answers: Record<string, string[]>) {
  const said = new Map(Object.entries(answers));
  const asked: string[] = [];
  const made = new Lists(sites, {
    ask: (name): Promise<Listed> => {
      asked.push(name);
      const addresses = said.get(name.slice("1.2.0.192.".length));
      return Promise.resolve(
        addresses === undefined
          ? { kind: "not-listed" }
          : { kind: "listed", addresses, text: "words" },
      );
    },
    nowMs: () => 0,
    onHealth: () => {},
  });
  return { made, asked };
}

const SCORES: {
  name: string;
  sites: string[];
  answers: Record<string, string[]>;
  sum: number;
  hits: string[];
}[] = [
  {
    name: "nothing",
    sites: ["a.test*2", "b.test"],
    answers: {},
    sum: 0,
    hits: [],
  },
  {
    name: "weights of several lists",
    sites: ["a.test*2", "b.test", "c.test*-4"],
    answers: { "a.test": ["127.0.0.2"], "b.test": ["127.0.0.2"] },
    sum: 3,
    hits: ["a.test*2", "b.test*1"],
  },
  {
    name: "what speaks for the client",
    sites: ["a.test*2", "w.test*-3"],
    answers: { "a.test": ["127.0.0.2"], "w.test": ["127.0.0.1"] },
    sum: -1,
    hits: ["a.test*2", "w.test*-3"],
  },
  {
    name: "answers that pass a filter",
    sites: ["a.test=127.0.0.[2..4]*3", "a.test=127.0.0.10*1"],
    answers: { "a.test": ["127.0.0.10", "127.0.0.99"] },
    sum: 1,
    hits: ["a.test*1"],
  },
  {
    name: "every entry of one list once, however many answers fit",
    sites: ["a.test=127.0.0.[2..4]*3", "a.test=127.0.0.[4..6]"],
    answers: { "a.test": ["127.0.0.2", "127.0.0.3", "127.0.0.4"] },
    sum: 4,
    hits: ["a.test*3", "a.test*1"],
  },
];

for (const { name, sites, answers, sum, hits } of SCORES) {
  Deno.test(`Lists.score() adds ${name}`, async () => {
    const { made, asked } = lists(sites, answers);
    const score = await made.score(CLIENT, 1_000);
    assert.equal(score.sum, sum);
    assert.deepEqual(score.hits, hits);
    // One question a list, however many entries it has.
    assert.equal(new Set(asked).size, asked.length);
  });
}

Deno.test("Lists.score() hides the key of a list from strangers", async () => {
  const key = "abcdefghijklmnopqrstuvwxyz0";
  const { made } = lists([`${key}.zen.test`], {
    [`${key}.zen.test`]: ["127.0.0.2"],
  });
  const score = await made.score(CLIENT, 1_000);
  assert.equal(score.list, "zen.test");
});

Deno.test("queryName() turns an address round", () => {
  assert.equal(queryName(CLIENT, "bl.test"), "1.2.0.192.bl.test");
  const six = parseAddress("2001:db8::567:89ab")!;
  assert.equal(
    queryName(six, "bl.test"),
    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test",
  );
});

Deno.test("Lists.score() waits no longer than it may for a silent list", async () => {
  const made = new Lists(["dead.test*9", "a.test"], {
    ask: (name) =>
      name.endsWith("a.test")
        ? Promise.resolve({
          kind: "listed",
          addresses: ["127.0.0.2"],
          text: "",
        })
        : new Promise(() => {}),
    nowMs: () => 0,
    onHealth: () => {},
  });
  const started = performance.now();
  const { sum, silent } = await made.score(CLIENT, 50);
  assert.ok(performance.now() - started < 500);
  assert.deepEqual([sum, silent], [1, 1]);
});

Deno.test("Lists.score() asks so much at once, and the rest in its turn", async () => {
  let open = 0;
  let most = 0;
  let asked = 0;
  const made = new Lists(["a.test", "b.test"], {
    ask: async () => {
      asked++;
      most = Math.max(most, ++open);
      await new Promise((done) => setTimeout(done, 1));
      open--;
      return { kind: "not-listed" };
    },
    nowMs: () => 0,
    onHealth: () => {},
  });
  const all = Array.from({ length: 1_000 }, () => made.score(CLIENT, 5_000));
  const scores = await Promise.all(all);
  assert.equal(asked, 2_000);
  assert.ok(most <= 300, String(most));
  assert.ok(scores.every(({ silent }) => silent === 0));
});

Deno.test("Lists.score() loses no list to another one that is silent", async () => {
  const made = new Lists(["dead.test", "bad.test"], {
    ask: (name) =>
      name.endsWith("dead.test") ? new Promise(() => {}) : Promise.resolve({
        kind: "listed",
        addresses: ["127.0.0.2"],
        text: "",
      }),
    nowMs: () => 0,
    onHealth: () => {},
  });
  const all = Array.from({ length: 1_000 }, () => made.score(CLIENT, 200));
  const scores = await Promise.all(all);
  assert.ok(scores.every(({ sum, silent }) => sum === 1 && silent === 1));
});

Deno.test("Lists.score() leaves a silent list alone, and finds it again", async () => {
  let now = 0;
  let isDead = true;
  let asked = 0;
  const health: string[] = [];
  const made = new Lists(["a.test"], {
    ask: () => {
      asked++;
      now += 10;
      return Promise.resolve(
        isDead ? { kind: "silent" } : { kind: "not-listed" },
      );
    },
    nowMs: () => now,
    onHealth: (list, ms) => void health.push(`${list} ${ms}`),
  });
  for (let n = 0; n < 10; n++) await made.score(CLIENT, 50);
  assert.equal(asked, 3);
  now += 30_000;
  for (let n = 0; n < 10; n++) await made.score(CLIENT, 50);
  assert.equal(asked, 4);
  now += 60_000;
  isDead = false;
  for (let n = 0; n < 10; n++) await made.score(CLIENT, 50);
  assert.equal(asked, 14);
  assert.deepEqual(health, ["a.test 30000", "a.test 60000", "a.test 0"]);
});

Deno.test("Lists.score() counts what was silent together as one silence", async () => {
  let now = 0;
  let asked = 0;
  const made = new Lists(["a.test"], {
    ask: async () => {
      asked++;
      await Promise.resolve();
      now++;
      return { kind: "silent" };
    },
    nowMs: () => now,
    onHealth: () => assert.fail("given up too early"),
  });
  await Promise.all(Array.from({ length: 50 }, () => made.score(CLIENT, 50)));
  assert.equal(asked, 50);
});
