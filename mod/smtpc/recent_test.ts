import assert from "node:assert/strict";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import { NO_WISHES } from "../core/shapes.ts";
import type { AskedOf, Verdict } from "../ipc/call.ts";
import { MAX_RECENT, Recent } from "./recent.ts";
import type { smtpcContract } from "./smtpc_ipc.ts";

type Deliver = typeof smtpcContract.calls.deliver;
type Ask = AskedOf<Deliver>;

const TAKEN = ownOutcome("delivered", 250, "2.0.0", "Ok");
const LATER = ownOutcome("temporary", 451, "4.0.0", "Later");

function askFor(...recipients: string[]): Ask {
  return {
    queueId: "0123456789ABCDEF",
    ref: { segment: "s1", offset: 0, length: 200, sizeBytes: 100 },
    key: "A".repeat(43) + "=",
    reversePath: "sender@remote.test",
    recipients,
    bodyType: "7bit",
    wishes: NO_WISHES,
    recipientWishes: [],
    nextHop: { kind: "host", host: "127.0.0.1", port: 25 },
    isRepeat: false,
    isTlsReport: false,
  };
}

const again = (ask: Ask): Ask => ({ ...ask, isRepeat: true });

/** A next hop that takes what does not begin with `later`, when it is let. */
function nextHop() {
  const sent: string[] = [];
  let gate = Promise.resolve();
  let open = () => {};
  return {
    sent,
    hold: () => void (gate = new Promise((resolve) => open = resolve)),
    open: () => open(),
    run: async (ask: Ask): Promise<Verdict<Deliver>> => {
      sent.push(...ask.recipients);
      await gate;
      return verdictOf(
        ask.recipients.map((one) => one.startsWith("later") ? LATER : TAKEN),
      );
    },
  };
}

function verdictOf(outcomes: Outcome[]): Verdict<Deliver> {
  const attempt = {
    host: "mx.x.test",
    address: "192.0.2.1",
    tls: "",
    tookMs: 1,
    isServed: true,
    transcript: ["S: 220"],
    hosts: [],
    tlsResults: [],
  };
  return { answer: { outcomes, attempt } };
}

function kindsOf(verdict: Verdict<Deliver>): string[] {
  assert.ok("answer" in verdict);
  return verdict.answer.outcomes.map(({ kind }) => kind);
}

Deno.test("Recent answers a repeat without sending again", async () => {
  const hop = nextHop();
  const found: number[] = [];
  const recent = new Recent((_, recipients) => found.push(recipients));
  const ask = askFor("a@x.test", "b@x.test");
  await recent.deliver(ask, hop.run);
  const verdict = await recent.deliver(again(ask), hop.run);
  assert.deepEqual(kindsOf(verdict), ["delivered", "delivered"]);
  assert.deepEqual(hop.sent, ["a@x.test", "b@x.test"]);
  assert.deepEqual(found, [2]);
});

Deno.test("Recent sends again what is asked for again knowingly", async () => {
  const hop = nextHop();
  const recent = new Recent(() => {});
  await recent.deliver(askFor("a@x.test"), hop.run);
  await recent.deliver(askFor("a@x.test"), hop.run);
  await recent.deliver(
    again({ ...askFor("a@x.test"), queueId: "FEDCBA9876543210" }),
    hop.run,
  );
  assert.equal(hop.sent.length, 3);
});

Deno.test("Recent sends a repeat to those only that were put off", async () => {
  const hop = nextHop();
  const recent = new Recent(() => {});
  const ask = askFor("a@x.test", "later@x.test", "b@x.test");
  await recent.deliver(ask, hop.run);
  hop.sent.length = 0;
  const verdict = await recent.deliver(again(ask), hop.run);
  assert.deepEqual(hop.sent, ["later@x.test"]);
  assert.deepEqual(kindsOf(verdict), ["delivered", "temporary", "delivered"]);
});

Deno.test("Recent lets a repeat wait for what is under way", async () => {
  const hop = nextHop();
  const recent = new Recent(() => {});
  const ask = askFor("a@x.test");
  hop.hold();
  const first = recent.deliver(ask, hop.run);
  const repeat = recent.deliver(again(ask), hop.run);
  await recent.idle(5);
  assert.deepEqual(hop.sent, ["a@x.test"]);
  hop.open();
  await first;
  assert.deepEqual(kindsOf(await repeat), ["delivered"]);
  assert.deepEqual(hop.sent, ["a@x.test"]);
  await recent.idle(60_000);
});

Deno.test("Recent keeps what was delivered when the rest is damaged", async () => {
  const hop = nextHop();
  const recent = new Recent(() => {});
  const ask = askFor("a@x.test", "later@x.test");
  await recent.deliver(ask, hop.run);
  const damaged = () => Promise.resolve({ refusal: "damaged" as const });
  const verdict = await recent.deliver(again(ask), damaged);
  assert.deepEqual(kindsOf(verdict), ["delivered", "temporary"]);
  const other = again(askFor("c@x.test"));
  assert.deepEqual(await recent.deliver(other, damaged), {
    refusal: "damaged",
  });
});

Deno.test("Recent forgets the oldest", async () => {
  const hop = nextHop();
  const recent = new Recent(() => {});
  const ask = (n: number) => askFor(`u${n}@x.test`);
  for (let n = 0; n <= MAX_RECENT; n++) await recent.deliver(ask(n), hop.run);
  hop.sent.length = 0;
  await recent.deliver(again(ask(MAX_RECENT)), hop.run);
  assert.deepEqual(hop.sent, []);
  await recent.deliver(again(ask(0)), hop.run);
  assert.deepEqual(hop.sent, ["u0@x.test"]);
});
