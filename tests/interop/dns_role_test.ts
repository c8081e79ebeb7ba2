/**
 * The role dns as it runs, behind all its walls, walking a DNS of signed zones
 * from a root of our own. The hosts that it finds are on the loopback, where
 * mail is never sent; that this is said of a domain shows that it was found.
 */
import assert from "node:assert/strict";
import { hasNsd, withNsd } from "../../mod/dns/nsd_fixture.ts";
import { server, until } from "../system/server_fixture.ts";
import { octets, SmtpClient } from "../system/smtp_client.ts";
import { type Draft, signed } from "./dnssec_zones.ts";
import { areInstalled } from "./peers.ts";

const DOMAINS = ["signed.test", "plain.test", "forged.test"];
const RECORDS = [
  "@ 300 SOA ns.test. root.test. 1 3600 600 86400 60",
  "@ 300 NS ns.test.",
  "@ 300 MX 10 mx.@",
  "mx.@ 300 A 127.0.0.1",
];
const DRAFTS: Draft[] = [
  { name: "signed.test", records: RECORDS },
  { name: "plain.test", records: RECORDS, keys: [] },
  {
    name: "forged.test",
    records: RECORDS,
    // Every signature ran out an hour ago.
    tweak: (fields) => ({
      ...fields,
      expirationS: Math.floor(Date.now() / 1_000) - 200_000,
    }),
  },
];

Deno.test({
  name:
    "dns walks signed zones behind its walls, and nobody is sent where they are forged",
  ignore: !areInstalled("DNS role", "/usr/sbin/nsd") || !hasNsd,
  fn: async () => {
    const { zones, anchor } = signed(DRAFTS);
    await withNsd({ zones }, async (port) => {
      await using made = await server({
        settings: `
[server]
relay_domains = ${JSON.stringify(DOMAINS)}
[smtp]
processes = 1
[outbound]
mta_sts = false
[dns]
resolve = "recurse"
port = ${port}
root_hints = ["127.0.0.1"]
trust_anchors = ["${anchor}"]
`,
      });
      const client = await SmtpClient.ready(made.smtpPort);
      await client.transact(
        "me@home.test",
        DOMAINS.map((domain) => `you@${domain}`),
        octets("Subject: x\r\n\r\nx\r\n"),
      );
      const said = await until("three outcomes", () => {
        const ends = made.events().filter(({ event }) =>
          event.startsWith("recipient-") && event !== "recipient-delivered"
        );
        return ends.length < 3 ? undefined : new Map(
          ends.map(({ to, text }) => [String(to).slice(4), String(text)]),
        );
      });
      assert.match(said.get("signed.test")!, /loops back/);
      assert.match(said.get("plain.test")!, /loops back/);
      assert.match(said.get("forged.test")!, /DNSSEC.*expired/);
      const bogus = made.events().find(({ event }) => event === "dns-bogus");
      assert.equal(bogus?.role, "dns.0");
      assert.equal(bogus?.["name"], "forged.test");
      await made.stopCleanly();
    });
  },
});
