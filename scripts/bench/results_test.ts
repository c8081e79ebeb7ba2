import assert from "node:assert/strict";
import { withReport } from "./document.ts";
import { messagesOf } from "./load.ts";
import { parseOptions } from "./options.ts";
import { isBehind, ratioOf, type Row, rowsOf } from "./report.ts";
import { type LoadRun, median, quantiles } from "./results.ts";

Deno.test("median() takes the middle, or the mean of the two middles", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([9, 1, 5, 7]), 6);
  assert.equal(median([4]), 4);
  assert.ok(Number.isNaN(median([])));
});

Deno.test("quantiles() stays inside the values", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual(quantiles(hundred), { p50: 51, p99: 100 });
  assert.deepEqual(quantiles([3]), { p50: 3, p99: 3 });
});

function load(over: Partial<LoadRun>): LoadRun {
  return {
    kind: "load",
    server: "bulkhead",
    round: 1,
    to: "maildir",
    sizeBytes: 2_048,
    sessions: 10,
    messages: 100,
    accepted: 100,
    delivered: 90,
    arrived: 100,
    cpuMsPerMessage: 1,
    cpuMsByPart: {},
    foreignCores: 0,
    fault: null,
    ...over,
  };
}

Deno.test("rowsOf() keeps failed loads out of the medians", () => {
  const [accepted] = rowsOf([
    load({ accepted: 100 }),
    load({ accepted: null, fault: "421" }),
    load({ accepted: 300 }),
    load({ server: "postfix", accepted: 50 }),
  ]);
  assert.deepEqual(accepted!.values.get("bulkhead"), [100, 300]);
  assert.equal(ratioOf(accepted!), 4);
});

Deno.test("isBehind() knows which way is better, and calls 1.00 level", () => {
  const row = (better: Row["better"], ours: number, theirs: number): Row => ({
    says: "x",
    unit: "/s",
    better,
    values: new Map([["bulkhead", [ours]], ["postfix", [theirs]]]),
  });
  assert.equal(isBehind(row("more", 99, 100)), true);
  assert.equal(isBehind(row("more", 101, 100)), false);
  assert.equal(isBehind(row("less", 99, 100)), false);
  assert.equal(isBehind(row("less", 101, 100)), true);
  assert.equal(isBehind(row("more", 999, 1_000)), false);
  assert.equal(isBehind(row("less", 1_001, 1_000)), false);
});

Deno.test("withReport() rewrites between the markers and nothing else", () => {
  const begin = "<!-- bench:begin (written by `deno task bench --write`) -->";
  const end = "<!-- bench:end -->";
  const document = `# A\n\n${begin}\nold\n${end}\n\nB\n`;
  const once = withReport(document, "new");
  assert.equal(once, `# A\n\n${begin}\n\nnew\n\n${end}\n\nB\n`);
  assert.equal(withReport(once, "new"), once);
  for (const bad of ["", begin, `${end}${begin}`, document + document]) {
    assert.throws(() => withReport(bad, "new"), SyntaxError);
  }
});

Deno.test("parseOptions() refuses what is unknown or out of bounds", () => {
  for (
    const bad of [["--rounds", "0"], ["--sizes", "2,x"], ["--servers", "exim"]]
  ) {
    assert.throws(() => parseOptions(bad), TypeError);
  }
  const options = parseOptions(["--quick", "--sizes", "2,50"]);
  assert.ok(options !== "help");
  assert.deepEqual(options.sizes, [2_048, 51_200]);
  assert.equal(options.rounds, 1);
});

Deno.test("messagesOf() gives every session at least one message", () => {
  const few = { sizeBytes: 2 ** 20, sessions: 200, scale: 0.25 };
  assert.equal(messagesOf(few), 200);
  assert.equal(messagesOf({ sizeBytes: 2_048, sessions: 1, scale: 1 }), 1_000);
});
