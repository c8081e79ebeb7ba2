/** The gate under a console that is hostile, and under one that is not. */
import assert from "node:assert/strict";
import { makeTicket } from "../core/ticket.ts";
import { ConsoleDesk } from "./console_desk.ts";
import { QUIET } from "./gate_fixture.ts";
import { Store } from "./store_io.ts";
import { refusal } from "./verdicts.ts";

const KEY = "k".repeat(43);

/** A desk over a store in memory, and what it was told to say. */
function lab(over: { consoleOpen?: boolean } = {}) {
  const said: string[] = [];
  const store = new Store({
    dir: ":memory:",
    keepVerdictsMs: () => 1_000_000,
    maxVerdicts: () => 100_000,
    onSaid: (network, word) => void said.push(`${word} ${network}`),
    nowMs: () => 1_000,
  });
  const part = { ...QUIET, consoleKey: KEY, ...over };
  const desk = new ConsoleDesk({ part: () => part, store });
  return { desk, store, said, [Symbol.dispose]: () => store.stop() };
}

function grantBy(key: string, nowMs = Date.now()): string {
  return makeTicket(key, { kind: "grant", by: "eva", nowMs });
}

Deno.test("ConsoleDesk of the gate obeys and tells nobody without a good grant", async () => {
  using made = lab();
  const { desk, said } = made;
  const out = grantBy(KEY);
  desk.signOut({ grant: out, everywhere: false });
  const link = makeTicket(KEY, { kind: "link", by: "eva", nowMs: Date.now() });
  const rows = [
    ["none", ""],
    ["a link", link],
    ["of another key", grantBy("j".repeat(43))],
    ["of before the gate's start", grantBy(KEY, Date.now() - 60_000)],
    ["of who signed out", out],
  ] as const;
  const network = "192.0.2.1";
  for (const [name, grant] of rows) {
    const no = { refusal: "no-grant" };
    assert.deepEqual(desk.say({ grant, network, word: "allow" }), no, name);
    assert.deepEqual(await desk.clients({ grant, client: "" }), no, name);
    assert.deepEqual(desk.stay({ grant }), no, name);
    assert.deepEqual(desk.signOut({ grant, everywhere: true }), no, name);
  }
  assert.deepEqual(said, []);
});

Deno.test("ConsoleDesk of the gate says what an administrator says", async () => {
  using made = lab();
  const { desk, said } = made;
  const grant = grantBy(KEY);
  assert.ok(!desk.isInUse);
  assert.deepEqual(desk.stay({ grant }), { answer: {} });
  assert.ok(desk.isInUse);
  const say = (word: "allow" | "deny" | "forget", network: string) =>
    desk.say({ grant, network, word });
  assert.deepEqual(say("deny", "192.0.2.0/24"), { answer: {} });
  assert.deepEqual(say("allow", "2001:db8::1"), { answer: {} });
  assert.deepEqual(say("allow", "x; DROP TABLE said"), {
    refusal: "no-network",
  });
  const shown = await desk.clients({ grant, client: "" });
  assert.ok("answer" in shown);
  assert.deepEqual(
    shown.answer.said.map(({ network, word }) => `${word} ${network}`).sort(),
    ["allow 2001:db8::1", "deny 192.0.2.0/24"],
  );
  assert.deepEqual(say("forget", "192.0.2.0/24"), { answer: {} });
  const later = await desk.clients({ grant, client: "192.0.2.7" });
  assert.deepEqual(later, { answer: { verdicts: [], said: [] } });
  assert.deepEqual(said, [
    "deny 192.0.2.0/24",
    "allow 2001:db8::1",
    "forget 192.0.2.0/24",
  ]);
});

Deno.test("ConsoleDesk of the gate shows the newest verdicts, of all or of one", async () => {
  using made = lab({ consoleOpen: true });
  const { desk, store } = made;
  const verdict = refusal({
    code: 550,
    enhanced: "5.7.1",
    reply: "Listed",
    rule: "deny",
    evidence: "a test",
    undo: "nothing",
  });
  for (let i = 0; i < 1_200; i++) {
    store.add({
      verdict,
      client: i === 3 ? "198.51.100.9" : `192.0.2.${i % 200}`,
      helo: `helo${i}`,
      sender: "",
      recipient: "",
      shadow: false,
    });
  }
  const all = await desk.clients({ grant: "", client: "" });
  assert.ok("answer" in all);
  assert.equal(all.answer.verdicts.length, 200);
  assert.equal(all.answer.verdicts[0]!.helo, "helo1199");
  const one = await desk.clients({ grant: "", client: "198.51.100.0/24" });
  assert.ok("answer" in one);
  assert.deepEqual(one.answer.verdicts.map(({ helo }) => helo), ["helo3"]);
  for (const client of ["nonsense", "300.1.1.1"]) {
    assert.deepEqual(await desk.clients({ grant: "", client }), {
      answer: { verdicts: [], said: [] },
    });
  }
  assert.deepEqual(
    desk.say({ grant: "", network: "192.0.2.1", word: "allow" }),
    { refusal: "no-grant" },
  );
});
