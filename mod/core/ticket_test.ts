import assert from "node:assert/strict";
import {
  GRANT_MS,
  LINK_MS,
  makeTicket,
  MAX_TICKET,
  readTicket,
  TicketDesk,
} from "./ticket.ts";

const KEY = "k".repeat(43);

/** A desk, a clock that can be set, and one that cannot. */
function lab(key = KEY) {
  const clock = { nowMs: 1_800_000_000_000, upMs: 0 };
  const desk = new TicketDesk({
    key: () => key,
    nowMs: () => clock.nowMs,
    upMs: () => clock.upMs,
  });
  const pass = (ms: number) => {
    clock.nowMs += ms;
    clock.upMs += ms;
  };
  const make = (kind: "link" | "grant" = "link") =>
    makeTicket(KEY, { kind, by: "eva", nowMs: clock.nowMs });
  return { clock, desk, pass, make };
}

Deno.test("TicketDesk takes a link once", () => {
  const { desk, make } = lab();
  const link = make();
  assert.ok(link.length <= MAX_TICKET);
  assert.equal(desk.look(link, "link").is, "good");
  const first = desk.spend(link, "link");
  assert.equal(first.is === "good" && first.facts.by, "eva");
  assert.equal(desk.spend(link, "link").is, "used");
  assert.equal(desk.spend(make(), "link").is, "good");
});

Deno.test("TicketDesk knows what is not its own", () => {
  const { desk, make } = lab();
  const link = make();
  const grant = make("grant");
  for (let at = 0; at < link.length; at++) {
    const other = link[at] === "A" ? "B" : "A";
    const altered = link.slice(0, at) + other + link.slice(at + 1);
    assert.equal(desk.look(altered, "link").is, "invalid", altered);
  }
  const parts = grant.split(".");
  const rows = [
    ["of another kind", grant, "link"],
    ["of another kind", link, "grant"],
    ["renamed", grant.replace("grant", "link"), "link"],
    ["empty", "", "link"],
    ["no ticket", "x", "link"],
    ["without a seal", parts.slice(0, -1).join("."), "grant"],
    ["longer", `${link}A`, "link"],
    ["shorter", link.slice(0, -1), "link"],
    ["very long", "a.".repeat(100_000), "link"],
    [
      "of another key",
      makeTicket("j".repeat(43), { kind: "link", by: "eva", nowMs: 0 }),
      "link",
    ],
  ] as const;
  for (const [name, text, kind] of rows) {
    assert.equal(desk.look(text, kind).is, "invalid", name);
  }
  assert.equal(lab("").desk.look(link, "link").is, "invalid", "no key");
  const unkeyed = makeTicket("", { kind: "link", by: "x", nowMs: 0 });
  assert.equal(readTicket("", unkeyed), undefined, "nobody's key");
});

Deno.test("TicketDesk lets tickets grow old", () => {
  const { desk, pass, make } = lab();
  const [link, grant] = [make(), make("grant")];
  pass(LINK_MS - 1);
  assert.equal(desk.look(link, "link").is, "good");
  pass(1);
  assert.equal(desk.look(link, "link").is, "expired");
  pass(GRANT_MS - LINK_MS - 1);
  assert.equal(desk.look(grant, "grant").is, "good");
  pass(1);
  assert.equal(desk.look(grant, "grant").is, "expired");
});

Deno.test("TicketDesk believes nothing older than itself", () => {
  const { clock, pass, make } = lab();
  const [used, grant] = [make(), make("grant")];
  pass(1_000);
  const successor = new TicketDesk({
    key: () => KEY,
    nowMs: () => clock.nowMs,
    upMs: () => clock.upMs,
  });
  assert.equal(successor.look(used, "link").is, "expired");
  assert.equal(successor.look(grant, "grant").is, "expired");
  assert.equal(successor.look(make(), "link").is, "good");
});

Deno.test("TicketDesk signs everybody out", () => {
  const { desk, pass, make } = lab();
  const [mine, other] = [make("grant"), make("grant")];
  assert.equal(desk.spend(mine, "grant").is, "good");
  assert.equal(desk.look(mine, "grant").is, "used");
  assert.equal(desk.look(other, "grant").is, "good");
  desk.spendAll();
  assert.equal(desk.look(other, "grant").is, "expired");
  pass(10);
  assert.equal(desk.look(make("grant"), "grant").is, "good");
});

Deno.test("TicketDesk bears a clock that is set", async (t) => {
  const HOUR = 3_600_000;
  await t.step("back: new tickets are good, those of the future not", () => {
    const { clock, desk, pass, make } = lab();
    pass(HOUR);
    const before = make("grant");
    clock.nowMs -= 10 * HOUR;
    assert.equal(desk.look(before, "grant").is, "expired");
    assert.equal(desk.look(make(), "link").is, "good");
  });
  await t.step("forward: new tickets are good, old ones not for longer", () => {
    const { clock, desk, pass, make } = lab();
    pass(HOUR);
    const before = make("grant");
    clock.nowMs += 30 * HOUR;
    assert.equal(desk.look(before, "grant").is, "expired");
    assert.equal(desk.look(make(), "link").is, "good");
  });
  await t.step("back and forth: who signed out stays out", () => {
    const { clock, desk, pass, make } = lab();
    pass(HOUR);
    const grant = make("grant");
    desk.spend(grant, "grant");
    for (const by of [-5, 5, 5, -5]) {
      clock.nowMs += by * HOUR;
      assert.notEqual(desk.look(grant, "grant").is, "good");
    }
  });
});

Deno.test("TicketDesk forgets nobody who signed out, however many", () => {
  const { desk, make } = lab();
  const first = make("grant");
  desk.spend(first, "grant");
  for (let i = 0; i < 4_200; i++) desk.spend(make("grant"), "grant");
  assert.notEqual(desk.look(first, "grant").is, "good");
});

Deno.test("makeTicket() writes no user's name that is not plain", () => {
  const text = makeTicket(KEY, { kind: "link", by: "a.b\nc é", nowMs: 5 });
  assert.equal(readTicket(KEY, text)?.by, "a_b_c__");
});

Deno.test("TicketDesk is in use while a good grant may come again", () => {
  const { desk, pass, make } = lab();
  desk.look("x", "grant");
  assert.ok(!desk.isInUse);
  desk.look(make("grant"), "grant");
  pass(GRANT_MS - 1);
  assert.ok(desk.isInUse);
  pass(1);
  assert.ok(!desk.isInUse);
});

Deno.test("TicketDesk is in use no longer when all have signed out", () => {
  const { desk, make } = lab();
  const [one, other] = [make("grant"), make("grant")];
  desk.look(one, "grant");
  desk.look(other, "grant");
  desk.spend(one, "grant");
  assert.ok(desk.isInUse);
  desk.spend(other, "grant");
  assert.ok(!desk.isInUse);
  desk.look(make("grant"), "grant");
  desk.spendAll();
  assert.ok(!desk.isInUse);
});
