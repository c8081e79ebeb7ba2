import assert from "node:assert/strict";
import type { ShownRecords, TlsShown } from "./tls.ts";
import { tlsText } from "./tls_text.ts";

const ROWS: { name: string; found: Partial<ShownRecords>; want: string }[] = [
  {
    name: "what is proven not to be there",
    found: { security: "secure" },
    want: "MX a.test: secure, none (NOERROR)",
  },
  {
    name: "an answer that is forged, and so says nothing",
    found: { security: "bogus", why: "it is forged" },
    want: "MX a.test: bogus (NOERROR), it is forged",
  },
  {
    name: "no answer",
    found: { security: "indeterminate", status: "SERVFAIL", why: "no answer" },
    want: "MX a.test: indeterminate (SERVFAIL), no answer",
  },
];

for (const { name, found, want } of ROWS) {
  Deno.test(`tlsText() tells ${name}`, () => {
    const records: ShownRecords = {
      name: "a.test",
      type: "MX",
      security: "secure",
      status: "NOERROR",
      records: [],
      proof: [],
      why: "",
      ...found,
    };
    const shown: TlsShown = {
      asked: "a.test",
      nextHop: { kind: "mx", domain: "a.test" },
      profile: "dane",
      entry: "",
      nowhere: null,
      hosts: [],
      records: [records],
    };
    const text = tlsText(shown, { kind: "deferred", words: "It waits." });
    assert.ok(text.split("\n").includes(want), text);
  });
}
