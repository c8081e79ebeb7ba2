import assert from "node:assert/strict";
import { loadConfig } from "../config/load.ts";
import { deadAliases } from "./alias_check.ts";

function dead(aliases: string): string[] {
  const loaded = loadConfig(
    `[server]
hostname = "mx.home.test"
local_domains = ["home.test", "catch.test"]
[aliases]
${aliases}`,
    "/x.toml",
  );
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return deadAliases(loaded.config, [{ domain: "home.test", user: "me" }]);
}

const GOOD = [
  `"a@home.test" = "me"`,
  `"a@home.test" = "me+lists"`,
  `"a@home.test" = "someone@remote.test"`,
  `"a@home.test" = "b"\n"b@home.test" = "me"`,
  `"@catch.test" = "me@home.test"`,
  `"me@home.test" = ["me", "copy@remote.test"]`,
  `"a@home.test" = "postmaster"`,
  `"a@home.test" = "b"\n"@home.test" = "me"`,
];

const DEAD = [
  `"loop1" = "loop2@home.test"\n"loop2" = "loop1@home.test"`,
  `"@catch.test" = "me"`,
  `"a@home.test" = "nobody-there"`,
  `"a@home.test" = "b"\n"b@home.test" = "c"\n"c@home.test" = "b"`,
  `"a@home.test" = ["me", "ghost"]`,
];

Deno.test("deadAliases() finds nothing wrong with aliases that deliver", () => {
  for (const aliases of GOOD) assert.deepEqual(dead(aliases), [], aliases);
});

Deno.test("deadAliases() names aliases that lead nowhere", () => {
  for (const aliases of DEAD) {
    assert.match(dead(aliases).join("\n"), /is no mailbox/, aliases);
  }
});
