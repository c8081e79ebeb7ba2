import { deepStrictEqual } from "node:assert/strict";
import { resolveContract } from "./resolve_ipc.ts";
import { resolveSender } from "./sender.ts";
import { buildTables } from "./tables.ts";

const TABLES = buildTables({
  hostname: "mx.home.test",
  localDomains: ["home.test", "second.test"],
  mailboxes: [
    { domain: "home.test", user: "me" },
    { domain: "home.test", user: "you" },
    { domain: "second.test", user: "me" },
  ],
  aliases: [
    { name: "sales", targets: ["team"] },
    { name: "team@home.test", targets: ["me", "you", "x@remote.test"] },
    { name: "yours@home.test", targets: ["you"] },
    { name: "away@home.test", targets: ["me@remote.test"] },
    { name: "@second.test", targets: ["you@home.test"] },
  ],
  recipientDelimiter: "+",
  postmaster: { domain: "home.test", user: "me" },
  routes: [],
  relayDomains: ["relay.test"],
  maxTargets: 1_000,
});

const SENDERS: [name: string, address: string, isMine: boolean][] = [
  ["its own", "me@home.test", true],
  ["its own, in capitals", "ME@HOME.TEST", true],
  ["its own, in quotes", '"me"@home.test', true],
  ["a sub-address", "me+lists@home.test", true],
  ["an alias of its own and others, by two steps", "sales@home.test", true],
  ["postmaster, if it is that", "postmaster@home.test", true],
  ["postmaster of the host", "postmaster@mx.home.test", true],
  ["another mailbox", "you@home.test", false],
  ["a sub-address of another mailbox", "you+me@home.test", false],
  ["the same name in another domain", "me@second.test", false],
  ["another's alias", "yours@home.test", false],
  ["another's catch-all", "anything@second.test", false],
  ["an alias that leads away", "away@home.test", false],
  ["an address of nobody", "nobody@home.test", false],
  ["an address elsewhere", "me@remote.test", false],
  ["an address in a relay domain", "me@relay.test", false],
  ["a route in disguise", '"me@home.test"@home.test', false],
];

for (const [name, address, isMine] of SENDERS) {
  Deno.test(`resolveSender() of a login and ${name}`, () => {
    const { ask } = resolveContract.calls.sender;
    const login = { domain: "home.test", user: "me" };
    deepStrictEqual(
      resolveSender(TABLES, ask.parse({ address, login })),
      isMine ? { answer: {} } : { refusal: "not-yours" },
    );
  });
}

Deno.test("resolveSender() lets a catch-all's owner send as anybody in it", () => {
  const ask = { login: { domain: "home.test", user: "you" } };
  deepStrictEqual(
    resolveSender(TABLES, { ...ask, address: "anything@second.test" }),
    { answer: {} },
  );
});

Deno.test("resolveContract lets port 25 neither relay nor ask who owns what", () => {
  const { relay, sender } = resolveContract.calls;
  deepStrictEqual([relay.from, sender.from], [["submission", "queue"], [
    "submission",
  ]]);
});
