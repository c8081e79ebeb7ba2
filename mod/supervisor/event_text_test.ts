import assert from "node:assert/strict";
import { eventLines } from "./commands/event_text.ts";

type Shown = Parameters<typeof eventLines>[0];
type Host = Shown["hosts"][number];

const HOST: Host = {
  host: "mx1.remote.test",
  address: "192.0.2.1",
  port: 25,
  profile: "dane",
  demand: "dane: 2 usable TLSA records",
  reached: "dane",
  tls: "TLSv1.3 TLS_AES_256_GCM_SHA384",
  certificate: "TLSA 3 1 1 2fb4...",
  dns: { mx: "secure", address: "insecure", tlsa: "secure" },
  mtaSts: "enforce 20261121",
  result: "250 2.0.0 ok",
  tookMs: 1_234,
};

const EVENT: Shown = {
  atMs: Date.UTC(2026, 10, 21, 2, 3, 4),
  recipient: "bob@remote.test",
  what: "delivered",
  host: "mx1.remote.test",
  tls: "TLSv1.3 TLS_AES_256_GCM_SHA384",
  code: 250,
  text: "2.0.0 ok",
  address: "192.0.2.1",
  tookMs: 1_300,
  hosts: [],
  transcript: [],
  taken: null,
};

const ROWS: { name: string; event: Partial<Shown>; want: string[] }[] = [
  {
    name: "an attempt with every fact",
    event: { hosts: [HOST], transcript: ["C: EHLO mx.home.test"] },
    want: [
      "2026-11-21T02:03:04.000Z delivered <bob@remote.test> at " +
      "mx1.remote.test [192.0.2.1] (TLSv1.3 TLS_AES_256_GCM_SHA384) 250 " +
      "2.0.0 ok in 1.3 s",
      "    mx1.remote.test [192.0.2.1]:25, 1.2 s: 250 2.0.0 ok",
      "        asked for  dane: 2 usable TLSA records",
      "        reached    TLS with a certificate that matched by DANE: " +
      "TLSv1.3 TLS_AES_256_GCM_SHA384, TLSA 3 1 1 2fb4...",
      "        DNSSEC     MX secure, address insecure, TLSA secure",
      "        MTA-STS    enforce 20261121",
      "    C: EHLO mx.home.test",
    ],
  },
  {
    name: "a host that was not connected to",
    event: {
      what: "deferred",
      host: "",
      address: "",
      tls: "",
      code: 451,
      text: "4.7.5 bogus",
      tookMs: 0,
      hosts: [{
        ...HOST,
        address: "",
        demand: "",
        reached: "",
        tls: "",
        certificate: "",
        dns: { mx: "bogus", address: "", tlsa: "" },
        mtaSts: "",
        result: "451 4.7.5 bogus",
        tookMs: 12,
      }],
    },
    want: [
      "2026-11-21T02:03:04.000Z deferred <bob@remote.test> 451 4.7.5 bogus",
      "    mx1.remote.test (no connection), 12 ms: 451 4.7.5 bogus",
      "        asked for  dane",
      "        DNSSEC     MX bogus",
    ],
  },
  {
    name: "an event that is no attempt",
    event: {
      recipient: "",
      what: "accepted",
      host: "192.0.2.9",
      address: "",
      tls: "",
      code: 0,
      text: "from <a@b.test> by ESMTP",
      tookMs: 0,
    },
    want: [
      "2026-11-21T02:03:04.000Z accepted at 192.0.2.9 from <a@b.test> by ESMTP",
    ],
  },
];

for (const { name, event, want } of ROWS) {
  Deno.test(`eventLines() tells of ${name}`, () => {
    assert.deepEqual(eventLines({ ...EVENT, ...event }), want);
  });
}
