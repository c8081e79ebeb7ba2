import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { destinationFor, destinations } from "./destinations.ts";

const NOTHING = {
  tls: null,
  match: null,
  fingerprints: null,
  source: null,
  maxSessions: null,
  intervalMs: null,
};

Deno.test("destinations.read() reads every key", () => {
  deepStrictEqual(
    destinations.read("Bank.TEST", {
      tls: "secure",
      match: [".Bank.test"],
      source: ["192.0.2.1", "2001:db8::1"],
      max_sessions: 3,
      interval: "2s",
    }),
    {
      ok: true,
      value: {
        ...NOTHING,
        name: "bank.test",
        tls: "secure",
        match: [".bank.test"],
        source: ["192.0.2.1", "2001:db8::1"],
        maxSessions: 3,
        intervalMs: 2_000,
      },
    },
  );
});

const WRONG: [name: string, destination: string, raw: unknown, says: string][] =
  [
    ["a name that is none", "a b", {}, "is no destination"],
    ["a word", "a.test", "dane", "must be a table"],
    ["an unknown key", "a.test", { tsl: "dane" }, 'has no key "tsl"'],
    ["an unknown profile", "a.test", { tls: "full" }, "tls must be one of"],
    ["no fingerprints", "a.test", { tls: "fingerprint" }, "needs fingerprints"],
    ["match for dane", "a.test", { tls: "dane", match: ["b.test"] }, "match"],
    [
      "two sources of a family",
      "a.test",
      { source: ["192.0.2.1", "192.0.2.2"] },
      "two addresses of one family",
    ],
  ];

for (const [name, destination, raw, says] of WRONG) {
  Deno.test(`destinations.read() refuses ${name}`, () => {
    const read = destinations.read(destination, raw);
    strictEqual(read.ok, false);
    strictEqual(!read.ok && read.message.includes(says), true, `${says}?`);
  });
}

const FOUND: [name: string, of: string][] = [
  ["a.test", "a.test"],
  ["b.a.test", ".a.test"],
  ["c.b.a.test", ".a.test"],
  ["d.test", "*"],
  ["[192.0.2.1]:25", "[192.0.2.1]:25"],
  ["x.a.test:25", "*"],
];

for (const [name, of] of FOUND) {
  Deno.test(`destinationFor() finds ${of} for ${name}`, () => {
    const entries = new Map(
      ["a.test", ".a.test", "*", "[192.0.2.1]:25"].map((one) => [one, one]),
    );
    strictEqual(destinationFor(entries, name), of);
  });
}
