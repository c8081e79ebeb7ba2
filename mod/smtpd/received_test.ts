import assert from "node:assert/strict";
import { protocolOf, receivedField } from "./received.ts";

const NOW = Date.UTC(2025, 10, 21, 2, 10, 5);

Deno.test("receivedField says from, by, with, id and when", () => {
  const trace = {
    helo: "mx.a.test",
    address: "192.0.2.1",
    hostname: "mx.home.test",
    hidesClient: false,
    protocol: "ESMTPS" as const,
    queueId: "01KAJ2V7Z0ABCDEF",
    nowMs: NOW,
  };
  assert.equal(
    receivedField(trace),
    "Received: from mx.a.test ([192.0.2.1])\r\n" +
      "\tby mx.home.test with ESMTPS id 01KAJ2V7Z0ABCDEF;\r\n" +
      "\tFri, 21 Nov 2025 02:10:05 +0000\r\n",
  );
  assert.match(
    receivedField({ ...trace, address: "2001:db8::1" }),
    /\(\[IPv6:2001:db8::1\]\)/,
  );
  assert.equal(
    receivedField({ ...trace, hidesClient: true, protocol: "ESMTPSA" }),
    "Received: by mx.home.test with ESMTPSA id 01KAJ2V7Z0ABCDEF;\r\n" +
      "\tFri, 21 Nov 2025 02:10:05 +0000\r\n",
  );
});

// RFC 3848, RFC 6531 §3.7.3.
const PROTOCOLS = [
  ["---", "SMTP"],
  ["E--", "ESMTP"],
  ["ES-", "ESMTPS"],
  ["E-A", "ESMTPA"],
  ["ESA", "ESMTPSA"],
  ["U--", "UTF8SMTP"],
  ["US-", "UTF8SMTPS"],
  ["U-A", "UTF8SMTPA"],
  ["USA", "UTF8SMTPSA"],
] as const;

for (const [how, want] of PROTOCOLS) {
  Deno.test(`protocolOf() says ${want}`, () => {
    const got = protocolOf({
      esmtp: how[0] !== "-",
      smtpUtf8: how[0] === "U",
      secured: how[1] === "S",
      authenticated: how[2] === "A",
    });
    assert.equal(got, want);
  });
}
