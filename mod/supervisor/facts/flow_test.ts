import assert from "node:assert/strict";
import { DelayHistogram } from "../../core/delay_histogram.ts";
import { MAX_COUNT } from "../../ipc/counters.ts";
import { flowSample } from "../../../web/news.ts";
import { Flow, type Totals, totalsOf } from "./flow.ts";

const delays = (...ms: number[]) => {
  const gathered = new DelayHistogram();
  for (const one of ms) gathered.add(one);
  return gathered.read().upTo;
};

function totals(over: Partial<Totals> = {}): Totals {
  return {
    accepted: 0,
    delivered: 0,
    deferred: 0,
    bounced: 0,
    refused: 0,
    delays: delays(),
    ...over,
  };
}

Deno.test("Flow tells what each minute added", () => {
  const flow = new Flow();
  flow.add(totals({ accepted: 100 }), 60_000);
  flow.add(totals({ accepted: 103, delays: delays(40, 40, 40) }), 61_000);
  flow.add(totals({ accepted: 105, delays: delays(40, 40, 40) }), 120_000);
  const [first, second] = flow.samples();
  assert.deepEqual([first!.atMs, first!.accepted], [60_000, 3]);
  assert.ok(first!.delayP50Ms > 25 && first!.delayP95Ms <= 50);
  assert.deepEqual([second!.accepted, second!.delayP50Ms], [2, 0]);
});

Deno.test("Flow counts a role that began anew from nothing", () => {
  const flow = new Flow();
  const before = delays(5, 5, 5, 5);
  flow.add(totals({ delivered: 40, delays: before }), 0);
  flow.add(totals({ delivered: 2, delays: delays(9_000) }), 1_000);
  const [minute] = flow.samples();
  assert.equal(minute!.delivered, 2);
  assert.ok(minute!.delayP50Ms > 5_000, `${minute!.delayP50Ms}`);
});

Deno.test("Flow keeps an hour without gaps, whatever the clock does", () => {
  const flow = new Flow();
  flow.add(totals(), 0);
  flow.add(totals({ accepted: 1 }), 10 * 60_000);
  assert.equal(flow.samples().length, 11);
  for (let i = 0; i < 100; i++) flow.add(totals(), i * 60_000);
  assert.equal(flow.samples().length, 60);
  flow.add(totals(), 30 * 60_000);
  assert.equal(flow.samples().length, 1);
  flow.add(totals(), 2 ** 42);
  assert.equal(flow.samples().length, 1);
});

Deno.test("totalsOf() adds up what queue and gate count", () => {
  const totals = totalsOf([
    { instance: "smtpd.0", counters: { accepted: 99 } },
    {
      instance: "gate.0",
      counters: { "verdict-dnsbl": 2, "verdict-rate": 3, arrivals: 50 },
    },
    {
      instance: "queue.0",
      counters: { accepted: 7, delivered: 5, ".delay-0": 1, ".delay-17": 5 },
    },
  ]);
  assert.deepEqual({ ...totals, delays: totals.delays.filter((n) => n > 0) }, {
    accepted: 7,
    delivered: 5,
    deferred: 0,
    bounced: 0,
    refused: 5,
    delays: [1, 5],
  });
});

Deno.test("Flow has nothing that the console refuses, whatever roles count", () => {
  const flow = new Flow();
  const odd = delays(5, 9_000).map((n, i) => i === 3 ? MAX_COUNT : n);
  flow.add(totals(), 0);
  for (const refused of [MAX_COUNT * 400, 0, MAX_COUNT, 0, MAX_COUNT]) {
    flow.add(totals({ refused, delays: odd }), 1_000);
    flow.add(totals({ refused: 0, delays: delays(5, 9_000) }), 2_000);
  }
  for (const sample of flow.samples()) {
    assert.ok(flowSample.safeParse(sample).success, JSON.stringify(sample));
  }
});
