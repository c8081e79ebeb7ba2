/** Kept sessions are used only under what they were opened under. */
import assert from "node:assert/strict";
import type { TlsaRecord } from "../dns/dns_ipc.ts";
import { certificates, daneEe } from "./certified_fixture.ts";
import { type Options, run, withServer } from "./delivery_fixture.ts";
import { IdlePool } from "./idle_pool.ts";
import { behave, type Heard } from "./scripted_server.ts";
import type { Session } from "./session_io.ts";

const made = await certificates();
const right = made && daneEe(made.good.x509);
const more: TlsaRecord = {
  usage: 3,
  selector: 1,
  matching: 1,
  data: "cd".repeat(32),
};

/** One delivery's circumstances, and whether it needs a connection more. */
interface Turn {
  readonly tlsa?: readonly TlsaRecord[];
  readonly part?: Options["part"];
  readonly mxSecurity?: "insecure";
  readonly isNew: boolean;
}

const ROWS: { name: string; vouchedMs: number; turns: readonly Turn[] }[] =
  right === undefined ? [] : [
    {
      name: "while the records are not doubted",
      vouchedMs: 10_000,
      turns: [{ tlsa: [right], isNew: true }, { tlsa: [right], isNew: false }, {
        tlsa: [more],
        isNew: false,
      }],
    },
    {
      name: "when the records are looked at again, and are the same",
      vouchedMs: 0,
      turns: [{ tlsa: [right], isNew: true }, { tlsa: [right], isNew: false }],
    },
    {
      name: "not under other records",
      vouchedMs: 0,
      turns: [{ tlsa: [right], isNew: true }, {
        tlsa: [right, more],
        isNew: true,
      }],
    },
    {
      name: "not under records, if it was opened without",
      vouchedMs: 0,
      turns: [{ mxSecurity: "insecure", isNew: true }, {
        tlsa: [right],
        isNew: true,
      }],
    },
    {
      name: "not under another profile, however long it is vouched for",
      vouchedMs: 10_000,
      turns: [{ part: { tls: "may" }, isNew: true }, {
        part: { tls: "encrypt" },
        isNew: true,
      }, { part: { tls: "may" }, isNew: false }],
    },
  ];

for (const { name, vouchedMs, turns } of ROWS) {
  Deno.test(`deliver() uses a kept session ${name}`, async () => {
    const pool = new IdlePool<Session>();
    const heard: Heard = { lines: [], messages: [] };
    await withServer(async (visit) => {
      visit.say("220 fake.test\r\n");
      await visit.line();
      visit.say("250-fake.test\r\n250 STARTTLS\r\n");
      await visit.line();
      await visit.startTls(made!.good.context, "220 go\r\n");
      await behave(visit, { greeting: "MUTE" }, heard);
    }, async (server) => {
      let visits = 0;
      for (const { tlsa, part, mxSecurity = "secure", isNew } of turns) {
        const security = "secure";
        const got = await run(server.port, {
          pool,
          vouchedMs,
          nextHop: { kind: "mx", domain: "x.test" },
          mxSecurity,
          hosts: [{
            name: "mx.x.test",
            preference: 1,
            addresses: ["127.0.0.1"],
            security,
            nameSecurity: security,
            canonical: "mx.x.test",
          }],
          part: { tls: "dane", ...part, port: server.port },
          tlsa: () =>
            Promise.resolve(
              tlsa === undefined
                ? { kind: "refused", refusal: "none" }
                : { kind: "answered", answer: { records: [...tlsa] } },
            ),
        });
        assert.equal(got.said, "delivered 250 2.0.0");
        if (isNew) visits++;
        assert.equal(server.visits, visits);
        // A session is reported once, and told of each time.
        assert.equal(got.attempt!.tlsResults.length, isNew ? 1 : 0);
        assert.equal(got.attempt!.hosts.length, 1);
      }
    });
    pool.close();
  });
}
