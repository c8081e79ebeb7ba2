import assert from "node:assert/strict";
import type { Profile } from "../dane/profile.ts";
import { PART } from "./delivery_fixture.ts";
import { TlsPolicies } from "./destination.ts";
import { decide } from "./safety.ts";

// RFC 8460 §3: a report goes out despite whatever fails of what its receiver
// publishes. What an administrator demands holds all the same.
const ROWS: {
  name: string;
  profile: Profile;
  isTlsReport: boolean;
  want: string;
}[] = [
  {
    name: "mail with a TLSA record that no certificate can meet",
    profile: "dane",
    isTlsReport: false,
    want: "must",
  },
  {
    name: "a report with the same",
    profile: "dane",
    isTlsReport: true,
    want: "may",
  },
  {
    name: "a report where encryption is demanded here",
    profile: "encrypt",
    isTlsReport: true,
    want: "must",
  },
];

for (const { name, profile, isTlsReport, want } of ROWS) {
  Deno.test(`decide() has ${name} go out as ${want}`, async () => {
    const decided = await decide(
      {
        host: "mx.remote.test",
        address: "192.0.2.1",
        port: 25,
        dns: {
          mx: "secure",
          address: "secure",
          name: "secure",
          canonical: "mx.remote.test",
          domain: "remote.test",
        },
      },
      {
        nextHop: { kind: "mx", domain: "remote.test" },
        requireTls: false,
        isTlsReport,
      },
      {
        policies: new TlsPolicies({ ...PART, tls: profile }),
        names: {
          tlsa: () =>
            Promise.resolve({
              kind: "answered",
              answer: {
                records: [{
                  usage: 3,
                  selector: 1,
                  matching: 1,
                  data: "00".repeat(32),
                }],
              },
            }),
          explain: () => Promise.resolve({ kind: "failed", why: "no" }),
        },
        sts: () =>
          Promise.resolve({
            policy: undefined,
            lines: [],
            trouble: "",
            isUnknown: false,
          }),
      },
    );
    assert.equal(decided.unusable, undefined);
    assert.equal(decided.wanted.tls, want);
  });
}
