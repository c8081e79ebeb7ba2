import assert from "node:assert/strict";
import type { TlsResult } from "../smtpc/smtpc_ipc.ts";
import {
  addResult,
  addTally,
  type DayTally,
  MOST_FAILURES,
  MOST_POLICIES,
  readTally,
  sessionsOf,
  tallyText,
} from "./tls_tally.ts";

function result(change: Partial<TlsResult> = {}): TlsResult {
  return {
    policy: "sts",
    policyLines: ["version: STSv1", "mode: enforce"],
    domain: "remote.test",
    mxHost: "mx.remote.test",
    result: "",
    ourAddress: "192.0.2.1",
    theirAddress: "192.0.2.2",
    ...change,
  };
}

function tallyOf(results: readonly TlsResult[]): DayTally {
  const tally: DayTally = [];
  for (const one of results) addResult(tally, one);
  return tally;
}

Deno.test("addResult() counts what is the same together, and tells the rest apart", () => {
  const bad = { result: "certificate-expired" } as const;
  const tally = tallyOf([
    result(),
    result(),
    result(bad),
    result(bad),
    result({ ...bad, mxHost: "mx2.remote.test" }),
    result({ policy: "no-policy-found", policyLines: [] }),
  ]);
  assert.deepEqual(
    tally.map(({ policy, successes, failures }) => [
      policy,
      successes,
      failures.map(({ mxHost, count }) => `${mxHost} ${count}`),
    ]),
    [
      ["sts", 2, ["mx.remote.test 2", "mx2.remote.test 1"]],
      ["no-policy-found", 1, []],
    ],
  );
});

Deno.test("addResult() is bounded, and loses no session", () => {
  const tally: DayTally = [];
  for (let n = 0; n < 5_000; n++) {
    addResult(
      tally,
      result({
        policyLines: [`mx: ${n % 50}`],
        mxHost: `mx${n}.remote.test`,
        result: n % 2 === 0 ? "validation-failure" : "certificate-expired",
      }),
    );
  }
  assert.deepEqual(sessionsOf(tally), { good: 0, bad: 5_000 });
  assert.ok(tally.length <= MOST_POLICIES + 1);
  for (const { failures } of tally) {
    assert.ok(failures.length <= MOST_FAILURES + 2);
  }
  const different = tally.flatMap(({ failures }) => failures).length;
  // One beside them for each policy and result: what is not told apart.
  assert.ok(different <= MOST_FAILURES + 2 * tally.length, `${different}`);
});

Deno.test("addTally() gives what one tally would have given", () => {
  const results = Array.from({ length: 300 }, (_, n) =>
    result({
      mxHost: `mx${n % 7}.remote.test`,
      result: n % 3 === 0 ? "" : "starttls-not-supported",
    }));
  const halves = tallyOf(results.slice(0, 150));
  addTally(halves, tallyOf(results.slice(150)));
  assert.deepEqual(halves, tallyOf(results));
});

Deno.test("readTally() reads what tallyText() wrote, and nothing else", () => {
  const tally = tallyOf([result(), result({ result: "dane-required" })]);
  assert.deepEqual(readTally(tallyText(tally)), tally);
  assert.deepEqual(readTally(tallyText(tally).slice(0, 20)), []);
  assert.deepEqual(readTally('{"a":1}'), []);
});
