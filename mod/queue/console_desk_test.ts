/** The queue under a console that is hostile, and under one that is not. */
import assert from "node:assert/strict";
import { ownOutcome } from "../core/outcome.ts";
import { makeTicket } from "../core/ticket.ts";
import { listQueue } from "./inspect.ts";
import { type Laboratory, laboratory, newAsk, until } from "./laboratory.ts";

const KEY = "k".repeat(43);
const OTHER_KEY = "j".repeat(43);
const SLOW = {
  firstRetryMs: 3_600_000,
  maxRetryMs: 3_600_000,
  consoleKey: KEY,
};
const NOT_NOW = {
  ...ownOutcome("temporary", 451, "4.3.0", "not now"),
  host: "mail.remote.test",
};

/** A queue with so many deferred messages, and their ids. */
async function deferred(
  messages: number,
): Promise<{ lab: Laboratory; ids: string[] }> {
  const lab = laboratory({ change: SLOW });
  lab.fake.deliver = () => NOT_NOW;
  const asks = Array.from(
    { length: messages },
    (_, i) => newAsk([`u${i}@home.test`, `v@d${i % 3}.test`]),
  );
  for (const ask of asks) await lab.send(ask);
  await until(
    "all deferred",
    () => inState(lab, "deferred") === 2 * messages,
  );
  // Written down, and a moment later out of memory.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { lab, ids: asks.map(({ queueId }) => queueId) };
}

function inState(lab: Laboratory, wanted: string): number {
  return listQueue(lab.dir).flatMap(({ recipients }) => recipients)
    .filter(({ state }) => state === wanted).length;
}

function link(key = KEY): string {
  return makeTicket(key, { kind: "link", by: "eva", nowMs: Date.now() });
}

function grantOf(lab: Laboratory): string {
  const verdict = lab.queue.desk.signIn({ ticket: link() });
  assert.ok("answer" in verdict);
  assert.equal(verdict.answer.by, "eva");
  return verdict.answer.grant;
}

const FILTER = { state: "", domain: "", after: "", limit: 10 };

Deno.test("ConsoleDesk does nothing and names nobody without a good grant", async (t) => {
  const { lab, ids } = await deferred(1);
  await using _lab = lab;
  const { desk } = lab.queue;
  const nowMs = Date.now();
  const mine = grantOf(lab);
  const out = grantOf(lab);
  desk.signOut({ grant: out, everywhere: false });
  const rows: readonly [string, string][] = [
    ["none", ""],
    ["a link", link()],
    [
      "of another key",
      makeTicket(OTHER_KEY, { kind: "grant", by: "x", nowMs }),
    ],
    ["of no key", makeTicket("", { kind: "grant", by: "x", nowMs })],
    [
      "of yesterday",
      makeTicket(KEY, {
        kind: "grant",
        by: "eva",
        nowMs: nowMs - 43_300_000,
      }),
    ],
    [
      "of before the queue's start",
      makeTicket(KEY, {
        kind: "grant",
        by: "eva",
        nowMs: nowMs - 3_600_000,
      }),
    ],
    [
      "of the future",
      makeTicket(KEY, {
        kind: "grant",
        by: "eva",
        nowMs: nowMs + 3_600_000,
      }),
    ],
    ["altered", mine.replace("eva", "eve")],
    ["of who signed out", out],
  ];
  for (const [name, grant] of rows) {
    await t.step(name, async () => {
      for (const action of ["hold", "delete", "flush"] as const) {
        const verdict = await desk.order({
          grant,
          action,
          ids: action === "flush" ? [] : ids,
          domain: "",
        });
        assert.deepEqual(verdict, { refusal: "no-grant" });
      }
      assert.deepEqual(await desk.messages({ grant, ...FILTER }), {
        refusal: "no-grant",
      });
      assert.deepEqual(await desk.destinations({ grant }), {
        refusal: "no-grant",
      });
      assert.ok(!desk.mayRead(grant));
      assert.deepEqual(desk.signOut({ grant, everywhere: true }), {
        refusal: "no-grant",
      });
    });
  }
  assert.ok(desk.mayRead(mine), "nobody signed everybody out");
  assert.equal(inState(lab, "deferred"), 2);
});

Deno.test("ConsoleDesk takes a link once", async () => {
  await using lab = laboratory({ change: SLOW });
  const ticket = link();
  assert.ok("answer" in lab.queue.desk.signIn({ ticket }));
  const rows = [
    ["used", ticket],
    ["invalid", link(OTHER_KEY)],
    ["invalid", grantOf(lab)],
    ["invalid", ""],
  ] as const;
  for (const [refusal, again] of rows) {
    assert.deepEqual(lab.queue.desk.signIn({ ticket: again }), { refusal });
  }
});

Deno.test("ConsoleDesk signs nobody in while there is no key", async () => {
  await using lab = laboratory();
  for (const key of ["", KEY]) {
    assert.deepEqual(lab.queue.desk.signIn({ ticket: link(key) }), {
      refusal: "invalid",
    });
  }
});

Deno.test("ConsoleDesk believes no ticket of its predecessor's time", async () => {
  const before = laboratory({ change: SLOW });
  const [used, grant] = [link(), grantOf(before)];
  before.queue.desk.signIn({ ticket: used });
  await before.queue.stop();
  await new Promise((resolve) => setTimeout(resolve, 10));
  await using after = laboratory({ dir: before.dir, change: SLOW });
  assert.ok("refusal" in after.queue.desk.signIn({ ticket: used }));
  assert.ok(!after.queue.desk.mayRead(grant));
  assert.ok("answer" in after.queue.desk.signIn({ ticket: link() }));
});

Deno.test("ConsoleDesk carries out an administrator's orders", async (t) => {
  const { lab, ids } = await deferred(4);
  await using _lab = lab;
  const { desk } = lab.queue;
  const grant = grantOf(lab);
  const order = async (
    action: "hold" | "release" | "retry" | "delete" | "flush",
    more: { ids?: string[]; domain?: string } = {},
  ) => {
    const verdict = await desk.order({
      grant,
      action,
      ids: [],
      domain: "",
      ...more,
    });
    assert.ok("answer" in verdict, JSON.stringify(verdict));
    return verdict.answer;
  };
  await t.step("hold", async () => {
    const { messages, recipients } = await order("hold", { ids: [ids[0]!] });
    assert.deepEqual([messages, recipients], [1, 2]);
    assert.equal(inState(lab, "hold"), 2);
  });
  await t.step("release", async () => {
    assert.equal((await order("release", { ids: [ids[0]!] })).messages, 1);
    assert.equal(inState(lab, "hold"), 0);
  });
  await t.step("delete", async () => {
    assert.equal((await order("delete", { ids: [ids[1]!] })).messages, 1);
    assert.equal((await order("delete", { ids: [ids[1]!] })).missingCount, 1);
    assert.ok(!listQueue(lab.dir).some(({ id }) => id === ids[1]));
  });
  await t.step("flush", async () => {
    lab.fake.deliver = () => ownOutcome("delivered", 250, "2.0.0", "ok");
    const { recipients } = await order("flush", { domain: "d2.test" });
    assert.equal(recipients, 1);
    await until("one tried", () => lab.counters.get("delivered") === 1);
    assert.ok((await order("flush")).recipients > 0);
    await until("all tried", () => lab.counters.get("delivered") === 6);
  });
  await t.step("one at a time", async () => {
    const both = await Promise.all([
      desk.order({ grant, action: "hold", ids, domain: "" }),
      desk.order({ grant, action: "hold", ids, domain: "" }),
    ]);
    assert.ok(both.some((one) => "refusal" in one && one.refusal === "busy"));
  });
});

Deno.test("ConsoleDesk lists messages page by page", async (t) => {
  const { lab, ids } = await deferred(25);
  await using _lab = lab;
  const { desk } = lab.queue;
  const grant = grantOf(lab);
  const all = async (over: Partial<typeof FILTER>) => {
    const found: string[] = [];
    let after = "";
    for (let pages = 0; pages < 20; pages++) {
      const verdict = await desk.messages({ grant, ...FILTER, ...over, after });
      assert.ok("answer" in verdict);
      assert.equal(verdict.answer.total, 25);
      found.push(...verdict.answer.messages.map(({ queueId }) => queueId));
      after = verdict.answer.after;
      if (after === "") return found;
    }
    throw new Error("Pages without end");
  };
  const newest = ids.toReversed();
  await t.step("all, newest first", async () => {
    assert.deepEqual(await all({}), newest);
    assert.deepEqual(await all({ limit: 25 }), newest);
  });
  await t.step("by state", async () => {
    assert.deepEqual(await all({ state: "deferred", limit: 7 }), newest);
    for (const state of ["hold", "active", "nonsense", "__proto__"]) {
      assert.deepEqual(await all({ state }), [], state);
    }
    await desk.order({ grant, action: "hold", ids: [ids[3]!], domain: "" });
    assert.deepEqual(await all({ state: "hold" }), [ids[3]]);
  });
  await t.step("by domain", async () => {
    const of = (k: number) => newest.filter((_, i) => (24 - i) % 3 === k);
    assert.deepEqual(await all({ domain: "d1.test", limit: 3 }), of(1));
    assert.deepEqual(await all({ domain: "test" }), []);
    assert.deepEqual(await all({ domain: "%" }), []);
  });
  await t.step("so many at once, and no more", async () => {
    const asks = Array.from(
      { length: 40 },
      () => desk.messages({ grant, ...FILTER, state: "deferred" }),
    );
    const refused = (await Promise.all(asks)).filter((one) => "refusal" in one);
    assert.equal(refused.length, 24);
    assert.ok("answer" in await desk.messages({ grant, ...FILTER }));
  });
  await t.step("a line says what waits and why", async () => {
    const verdict = await desk.messages({ grant, ...FILTER, limit: 1 });
    assert.ok("answer" in verdict);
    const [line] = verdict.answer.messages;
    assert.equal(line!.recipients, 2);
    assert.deepEqual(line!.to, ["u24@home.test", "v@d0.test"]);
    assert.deepEqual([line!.state, line!.why], ["deferred", "not now"]);
    assert.ok(line!.nextAttemptMs > Date.now());
  });
  await t.step("no page of nonsense", async () => {
    for (const after of ["x", "-1", "1e999", "0x10", "NaN"]) {
      const verdict = await desk.messages({ grant, ...FILTER, after });
      assert.ok("answer" in verdict, after);
    }
  });
  await t.step("destinations, with what waits for them", async () => {
    const verdict = await desk.destinations({ grant });
    assert.ok("answer" in verdict);
    const { destinations } = verdict.answer;
    assert.deepEqual(
      destinations.slice(0, 4).map(({ name, waiting }) => [name, waiting]),
      [["home.test", 25], ["d0.test", 9], ["d1.test", 8], ["d2.test", 8]],
    );
  });
});

Deno.test("ConsoleDesk tells everything if the settings say so, and does nothing more", async () => {
  await using lab = laboratory({ change: { ...SLOW, consoleOpen: true } });
  const { desk } = lab.queue;
  assert.ok("answer" in await desk.messages({ grant: "", ...FILTER }));
  assert.ok("answer" in await desk.destinations({ grant: "" }));
  const ask = { grant: "", action: "flush", ids: [], domain: "" } as const;
  assert.deepEqual(await desk.order({ ...ask, ids: [] }), {
    refusal: "no-grant",
  });
});

Deno.test("ConsoleDesk looks into the history at its leisure, however much is asked", async () => {
  await using lab = laboratory({ change: SLOW });
  const { desk } = lab.queue;
  const grant = grantOf(lab);
  const read = () => {
    for (const end = performance.now() + 10; performance.now() < end;);
    return { answer: {} };
  };
  assert.deepEqual(await desk.look("", read), { refusal: "no-grant" });
  const from = performance.now();
  const asked = Array.from({ length: 200 }, () => desk.look(grant, read));
  assert.ok(performance.now() - from < 100, "none is read in the same turn");
  const verdicts = await Promise.all(asked);
  const read10 = verdicts.filter((one) => "answer" in one).length;
  assert.ok(
    read10 > 1 && read10 < 50,
    `${read10} were read, the others refused`,
  );
  const tookMs = performance.now() - from;
  assert.ok(tookMs >= 40 * (read10 - 1), `mail had no time: ${tookMs} ms`);
});
