import { deepStrictEqual } from "node:assert/strict";
import { danglingTargets } from "./dangling.ts";
import { buildTables } from "./tables.ts";

const TABLES = buildTables({
  hostname: "mx.home.test",
  localDomains: ["home.test", "second.test"],
  mailboxes: [{ domain: "home.test", user: "me" }],
  aliases: [
    { name: "good", targets: ["me", "me+x", "x@remote.test", "good2"] },
    { name: "good2", targets: ["ME@home.test"] },
    { name: "bad", targets: ["me", "nobody"] },
    { name: "bad@second.test", targets: ["me", "nobody@home.test"] },
  ],
  recipientDelimiter: "+",
  postmaster: null,
  routes: [],
  relayDomains: [],
  maxTargets: 1_000,
});

Deno.test("danglingTargets() finds targets that nobody answers for", () => {
  deepStrictEqual(danglingTargets(TABLES, 20), [
    { alias: "bad", target: "nobody" },
    { alias: "bad@second.test", target: "me" },
    { alias: "bad@second.test", target: "nobody@home.test" },
  ]);
});

Deno.test("danglingTargets() stops at the number asked for", () => {
  deepStrictEqual(danglingTargets(TABLES, 1).length, 1);
});
