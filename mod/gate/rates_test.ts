import assert from "node:assert/strict";
import { Concurrency, MAX_HELD, Rates } from "./rates.ts";

const one = { what: "connections", by: 1, limit: 0 } as const;

Deno.test("Rates counts over a window that slides", () => {
  const rates = new Rates(1_000, 10);
  for (let n = 1; n <= 10; n++) assert.equal(rates.count("a", one, 10_000), n);
  // Half of the unit before still counts half.
  assert.equal(rates.count("a", one, 11_500), 6);
  assert.equal(rates.count("a", one, 13_000), 1);
});

Deno.test("Rates slows down to the limit who always tries too often", () => {
  const rates = new Rates(60_000, 10);
  const limit = 60;
  let passed = 0;
  // Two a second for an hour, where one a second is allowed.
  for (let ms = 0; ms < 3_600_000; ms += 500) {
    const count = rates.count("a", { what: "messages", by: 1, limit }, ms);
    if (count <= limit) passed++;
  }
  assert.ok(passed > 3_500 && passed < 3_700, String(passed));
});

Deno.test("Rates keeps kinds and clients apart", () => {
  const rates = new Rates(1_000, 10);
  rates.count("a", { what: "errors", by: 5, limit: 0 }, 0);
  assert.equal(rates.count("a", one, 0), 1);
  assert.equal(rates.count("b", { what: "errors", by: 1, limit: 0 }, 0), 1);
});

Deno.test("Rates holds no more clients than it may", () => {
  const rates = new Rates(1_000, 100);
  for (let n = 0; n < 1_000; n++) rates.count(String(n), one, 0);
  assert.equal(rates.size, 100);
  rates.forget((client) => client !== "999");
  assert.equal(rates.size, 1);
});

Deno.test("Concurrency counts out what it counted in, and no more", () => {
  const open = new Concurrency();
  assert.equal(open.enter("a", "smtpd.0"), 1);
  assert.equal(open.enter("a", "smtpd.1"), 2);
  open.leave("a", "smtpd.0");
  open.leave("a", "smtpd.0");
  open.leave("b", "smtpd.9");
  assert.equal(open.of("a"), 1);
});

Deno.test("Concurrency loses the clients of a process that died", () => {
  const open = new Concurrency();
  for (let n = 0; n < 5; n++) open.enter("a", "smtpd.0");
  open.enter("a", "smtpd.1");
  open.gone("smtpd.0");
  assert.equal(open.of("a"), 1);
  open.leave("a", "smtpd.0");
  assert.equal(open.of("a"), 1);
});

Deno.test("Concurrency is bounded, whatever a process counts in", () => {
  const open = new Concurrency();
  for (let n = 0; n < MAX_HELD; n++) open.enter(`c${n}`, "smtpd.0");
  assert.equal(open.enter("one-more", "smtpd.0"), 1);
  assert.equal(open.of("one-more"), 0);
  open.leave("one-more", "smtpd.0");
  assert.equal(open.enter("c0", "smtpd.0"), 2);
  // Another process is believed all the same.
  open.enter("one-more", "smtpd.1");
  assert.equal(open.of("one-more"), 1);
});
