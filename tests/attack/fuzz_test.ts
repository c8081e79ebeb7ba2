/**
 * A short form of `deno task fuzz`, with the same sessions every time, and
 * what shows that it would find something.
 */
import assert from "node:assert/strict";
import { attack } from "./attacked_session.ts";
import { Campaign, MAX_SESSION_MS } from "./campaign.ts";
import { minimise } from "./minimise.ts";
import {
  octetsOf,
  parseScript,
  printScript,
  type Script,
} from "./session_script.ts";

const SEED = 4;
const WITHIN_MS = 3_000;
const BLOCK = 500;
/** What a slow machine manages in that time, too. */
const LEAST = 1_000;

Deno.test("Connection holds under mutated sessions", async () => {
  using campaign = new Campaign(SEED);
  const until = performance.now() + WITHIN_MS;
  for (let from = 0; performance.now() < until; from += BLOCK) {
    await campaign.run(from, from + BLOCK);
  }
  const { sessions, accepted, findings, slowestMs } = campaign.tally;
  for (const { index, faults, script } of findings) {
    console.log(`seed ${SEED}, session ${index}: ${faults.join("; ")}`);
    console.log(printScript(script));
  }
  assert.equal(findings.length, 0);
  assert.ok(sessions >= LEAST, `${sessions} sessions`);
  assert.ok(accepted > sessions / 100, `${accepted} accepted`);
  assert.ok(slowestMs < MAX_SESSION_MS, `slowest ${slowestMs} ms`);
});

Deno.test("Campaign makes the same sessions of a seed, others of another", () => {
  using a = new Campaign(1);
  using b = new Campaign(1);
  using c = new Campaign(2);
  assert.deepEqual(a.script(77), b.script(77));
  assert.notDeepEqual(a.script(77), c.script(77));
  assert.deepEqual(parseScript(printScript(a.script(78))), a.script(78));
});

Deno.test("minimise() leaves what makes it fail", async () => {
  const send = (octets: string) => ({ do: "send", octets, hops: 3 }) as const;
  const steps = [
    ...["EHLO a\r\n", "NOOP\r\n", "RSET\r\n"].map(send),
    { do: "tick", ms: 5 } as const,
    send("aaXbb"),
    ...["QUIT\r\n", "more"].map(send),
  ];
  const small = await minimise(
    { steps, answers: [{ is: "ok", isHeld: true }] },
    (script: Script) => Promise.resolve(octetsOf(script).includes("X")),
  );
  assert.deepEqual(small, {
    steps: [{ do: "send", octets: "X", hops: 3 }],
    answers: [],
  });
});

Deno.test("attack() shows what a session came to", async () => {
  const send = (octets: string) => ({ do: "send", octets, hops: 24 }) as const;
  const outcome = await attack({
    steps: [
      send("EHLO a.test\r\nMAIL FROM:<>\r\nRCPT TO:<me@home.test>\r\nDATA\r\n"),
      send("hi\r\n.\r\n"),
      send("QUIT\r\n"),
    ],
    answers: [],
  });
  assert.deepEqual(outcome.faults, []);
  assert.equal(outcome.accepted.length, 1);
  assert.match(outcome.written, /354 .*\r\n250 .*\r\n221 [^\n]*\r\n$/);
});
