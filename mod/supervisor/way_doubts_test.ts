import assert from "node:assert/strict";
import { loadConfig } from "../config/load.ts";
import { THIS_MACHINE, wayDoubts } from "./way_doubts.ts";

const TEXT = `
[server]
hostname = "mx.home.test"
local_domains = ["home.test"]
[outbound]
source = ["127.0.0.1"]
[routes]
"a.test" = "lmtp:unix:/run/a.sock"
"b.test" = "127.0.0.1:2600"
[destinations]
"c.test" = { source = ["203.0.113.9"] }
`;

Deno.test("wayDoubts() tells of ways that lead nowhere", () => {
  const read = loadConfig(TEXT, "/srv/bulkhead.toml");
  assert.ok(read.ok);
  const some = { hasAddress: () => true, hasSocket: () => true };
  assert.deepEqual(wayDoubts(read.config, some), []);
  const none = { hasAddress: () => false, hasSocket: () => false };
  const doubts = wayDoubts(read.config, none);
  assert.equal(doubts.length, 3);
  assert.match(doubts[0]!, /^outbound\.source: 127\.0\.0\.1 is not an address/);
  assert.match(doubts[1]!, /^destinations\."c\.test" source: 203\.0\.113\.9 /);
  assert.match(doubts[2]!, /^routes\."a\.test": .* socket \/run\/a\.sock/);
});

Deno.test("wayDoubts() tells of settings under a domain whose mail takes a route", () => {
  const more = `"b.test" = { tls = "encrypt" }\n`;
  const doubts = (text: string) => {
    const read = loadConfig(text, "/srv/bulkhead.toml");
    assert.ok(read.ok);
    return wayDoubts(read.config, {
      hasAddress: () => true,
      hasSocket: () => true,
    });
  };
  const [doubt, ...others] = doubts(TEXT + more);
  assert.match(doubt!, /^destinations\."b\.test" .* to "127\.0\.0\.1:2600"/);
  assert.deepEqual(others, []);
  const both = `${more}"127.0.0.1:2600" = { tls = "encrypt" }\n`;
  assert.deepEqual(doubts(TEXT + both), []);
});

Deno.test("THIS_MACHINE knows its own addresses and sockets", () => {
  assert.ok(THIS_MACHINE.hasAddress("127.0.0.1"));
  assert.ok(!THIS_MACHINE.hasAddress("203.0.113.9"));
  assert.ok(!THIS_MACHINE.hasSocket("/etc/passwd"));
  assert.ok(!THIS_MACHINE.hasSocket("/none/x"));
});
