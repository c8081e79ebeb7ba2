import assert from "node:assert/strict";
import { clientKey, ClientLimits, plainAddress } from "./client_limits.ts";

Deno.test("plainAddress takes the disguise off", () => {
  assert.equal(plainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(plainAddress("::FFFF:c000:201"), "192.0.2.1");
  assert.equal(plainAddress("192.0.2.1"), "192.0.2.1");
  assert.equal(plainAddress("2001:DB8::1"), "2001:db8::1");
  assert.equal(plainAddress("fe80::1%eth0"), "fe80::1");
  assert.equal(plainAddress("::1"), "::1");
});

Deno.test("clientKey counts IPv6 by /64 and IPv4 by address", () => {
  assert.equal(
    clientKey("2001:db8:0:1::1"),
    clientKey("2001:db8::1:ffff:0:0:2"),
  );
  assert.notEqual(clientKey("2001:db8:0:1::1"), clientKey("2001:db8:0:2::1"));
  assert.notEqual(clientKey("192.0.2.1"), clientKey("192.0.2.2"));
});

Deno.test("ClientLimits bounds all and each, and forgets who left", () => {
  const limits = new ClientLimits();
  const bounds = { maxSessions: 3, maxSessionsPerClient: 2 };
  assert.equal(limits.enter("a", bounds), undefined);
  assert.equal(limits.enter("a", bounds), undefined);
  assert.equal(limits.enter("a", bounds), "too-many-from-client");
  assert.equal(limits.enter("__proto__", bounds), undefined);
  assert.equal(limits.enter("c", bounds), "too-many");
  limits.leave("a");
  assert.equal(limits.enter("c", bounds), undefined);
  limits.leave("a");
  assert.throws(() => limits.leave("a"), RangeError);
});
