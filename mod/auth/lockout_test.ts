import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Lockout } from "./lockout.ts";
import { networkOf, siteOf } from "./network.ts";
import { RecentGuesses } from "./recent_guesses.ts";

const NETWORKS: [client: string, network: string][] = [
  ["192.0.2.7", "192.0.2.0/24"],
  ["192.0.2.255", "192.0.2.0/24"],
  ["2001:db8:1:2ff::9", "2001:db8:1:200::/56"],
  ["2001:db8:1:2aa:1:2:3:4", "2001:db8:1:200::/56"],
  ["::1", "0:0:0:0::/56"],
  ["2001:db8:::", "2001:db8:::"],
  ["", ""],
];

for (const [client, network] of NETWORKS) {
  Deno.test(`networkOf() puts ${JSON.stringify(client)} in its place`, () => {
    strictEqual(networkOf(client), network);
  });
}

Deno.test("Lockout locks a login from a network, and from no other", () => {
  const lockout = new Lockout();
  const told = Array.from(
    { length: 10 },
    (_, n) =>
      lockout.failed({ login: "me@home.test", client: `192.0.2.${n}` }, 0),
  ).flat();
  deepStrictEqual(told, [
    { what: "login", network: "192.0.2.0/24", forMs: 90_000 },
  ]);
  strictEqual(lockout.isLocked("me@home.test", "192.0.2.99", 0), true);
  // Its owner is elsewhere, and others are there.
  strictEqual(lockout.isLocked("me@home.test", "198.51.100.1", 0), false);
  strictEqual(lockout.isLocked("you@home.test", "192.0.2.1", 0), false);
  strictEqual(lockout.isLocked("me@home.test", "192.0.2.1", 90_000), false);
  deepStrictEqual(lockout.locked(0), ["me@home.test from 192.0.2.0/24"]);
});

Deno.test("Lockout takes an old password that comes again for no new guess", () => {
  const lockout = new Lockout();
  const fail = (password: string, nowMs: number) =>
    lockout.failed(
      { login: "me@home.test", client: "192.0.2.1", password },
      nowMs,
    );
  // A forgotten device, once a minute for a day.
  for (let minute = 0; minute < 1_440; minute++) {
    deepStrictEqual(fail("old", minute * 60_000), []);
  }
  const nowMs = 86_400_000;
  for (let n = 0; n < 9; n++) deepStrictEqual(fail(`guess ${n}`, nowMs), []);
  deepStrictEqual(fail("one more", nowMs).map(({ what }) => what), ["login"]);

  // And at full speed it is the network's count that ends it.
  const other = new Lockout();
  const told = Array.from(
    { length: 50 },
    () =>
      other.failed({ login: "me", client: "192.0.2.1", password: "old" }, 0),
  ).flat();
  deepStrictEqual(told.map(({ what }) => what), ["network"]);
});

Deno.test("RecentGuesses keeps eight of a name", () => {
  const guesses = new RecentGuesses();
  for (let n = 0; n < 9; n++) strictEqual(guesses.isNew("a", `${n}`), true);
  strictEqual(guesses.isNew("a", "8"), false);
  strictEqual(guesses.isNew("b", "8"), true);
  strictEqual(guesses.isNew("a", "0"), true, "forgotten");
});

Deno.test("Lockout knows from where a login succeeded", () => {
  const lockout = new Lockout();
  strictEqual(lockout.isKnown("me@home.test", "192.0.2.1"), false);
  lockout.succeeded("me@home.test", "192.0.2.1");
  strictEqual(lockout.isKnown("me@home.test", "192.0.2.2"), true);
  strictEqual(lockout.isKnown("you@home.test", "192.0.2.1"), false);
  for (let n = 0; n < 20_000; n++) lockout.succeeded(`user${n}`, "192.0.2.1");
  strictEqual(lockout.isKnown("me@home.test", "192.0.2.1"), false);
  strictEqual(lockout.isKnown("user0", "192.0.2.1"), true);
});

Deno.test("Lockout locks a network that tries many logins", () => {
  const lockout = new Lockout();
  const told = Array.from(
    { length: 50 },
    (_, n) =>
      lockout.failed({ login: `user${n}@home.test`, client: "192.0.2.1" }, 0),
  ).flat();
  deepStrictEqual(told, [
    { what: "network", network: "192.0.2.0/24", forMs: 18_000 },
  ]);
  strictEqual(lockout.isLocked("new@home.test", "192.0.2.2", 0), true);
  strictEqual(lockout.isLocked("new@home.test", "192.0.3.1", 0), false);
  strictEqual(lockout.isLocked("new@home.test", "192.0.2.2", 18_000), false);
});

Deno.test("Lockout forgets a login's failures at its success, not the network's", () => {
  const lockout = new Lockout();
  for (let n = 0; n < 49; n++) {
    lockout.failed({
      login: n < 9 ? "me@home.test" : `user${n}`,
      client: "192.0.2.1",
    }, 0);
  }
  lockout.succeeded("me@home.test", "192.0.2.1");
  deepStrictEqual(
    lockout.failed({ login: "me@home.test", client: "192.0.2.1" }, 0),
    [
      { what: "network", network: "192.0.2.0/24", forMs: 18_000 },
    ],
  );
});

Deno.test("Lockout counts a /48 of IPv6 as a whole, but for who is known in it", () => {
  strictEqual(siteOf("2001:db8:1:2ff::9"), "2001:db8:1::/48");
  strictEqual(siteOf("192.0.2.1"), undefined);
  const lockout = new Lockout();
  const client = (n: number) => `2001:db8:1:${n.toString(16)}00::1`;
  lockout.succeeded("me@home.test", client(0xfe));
  const told = Array.from(
    { length: 200 },
    (_, n) =>
      lockout.failed({ login: `u${n % 40}`, client: client(n % 100) }, 0),
  ).flat();
  deepStrictEqual(told, [
    { what: "site", network: "2001:db8:1::/48", forMs: 4_500 },
  ]);
  strictEqual(lockout.isLocked("you@home.test", client(0xfe), 0), true);
  strictEqual(lockout.isLocked("me@home.test", client(0xfe), 0), false);
  strictEqual(lockout.isLocked("you@home.test", "2001:db8:2::1", 0), false);
  deepStrictEqual(lockout.locked(0), ["2001:db8:1::/48"]);
});
