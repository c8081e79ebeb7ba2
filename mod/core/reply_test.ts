import assert from "node:assert/strict";
import { formatReply, isPermanent, smtpReply } from "./reply.ts";

Deno.test("formatReply writes one line with its enhanced code", () => {
  assert.equal(
    formatReply(smtpReply(250, "2.1.5", "Recipient ok")),
    "250 2.1.5 Recipient ok\r\n",
  );
});

Deno.test("formatReply hyphenates all lines but the last", () => {
  assert.equal(
    formatReply({ code: 250, lines: ["mx.home.test", "PIPELINING", "HELP"] }),
    "250-mx.home.test\r\n250-PIPELINING\r\n250 HELP\r\n",
  );
});

for (const text of ["a\r\n250 b", "a\nb", "a\0", "\x1b[2J", "é"]) {
  Deno.test(`formatReply throws on ${JSON.stringify(text)}`, () => {
    assert.throws(() => formatReply(smtpReply(250, "2.0.0", text)), RangeError);
  });
}

Deno.test("isPermanent tells 5xx from 4xx", () => {
  assert.equal(isPermanent(smtpReply(550, "5.1.1", "x")), true);
  assert.equal(isPermanent(smtpReply(452, "4.3.1", "x")), false);
});
