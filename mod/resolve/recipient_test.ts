import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { MAX_DEPTH, resolveRecipient, resolveRelay } from "./recipient.ts";
import { resolveContract } from "./resolve_ipc.ts";
import { type ResolvePart, resolvePart } from "./role.ts";
import { buildTables } from "./tables.ts";

/** A site with a bit of everything; parsed, so that the shapes are tried too. */
const PART = {
  hostname: "mx.home.test",
  localDomains: ["home.test", "second.test", "[192.0.2.1]"],
  mailboxes: [
    { domain: "home.test", user: "me" },
    { domain: "home.test", user: "you" },
    { domain: "home.test", user: "jean-paul" },
    { domain: "home.test", user: "keep" },
    { domain: "home.test", user: "constructor" },
    { domain: "second.test", user: "me" },
    { domain: "home.test", user: "k" },
  ],
  aliases: [
    { name: "webmaster", targets: ["me"] },
    { name: "sales@home.test", targets: ["me", "you", "p@remote.test"] },
    { name: "team", targets: ["sales@home.test", "jean-paul"] },
    { name: "jean", targets: ["you"] },
    { name: "keep", targets: ["keep", "copy@remote.test"] },
    { name: "keep@second.test", targets: ["keep@home.test"] },
    { name: "a@home.test", targets: ["b"] },
    { name: "b@home.test", targets: ["c"] },
    { name: "c@home.test", targets: ["a"] },
    { name: "gone", targets: ["nobody"] },
    { name: "half", targets: ["nobody", "me"] },
    { name: "twice", targets: ["me", "me+x", "ME@home.test", "webmaster"] },
    { name: "far", targets: ["Some.One@REMOTE.test"] },
    { name: "farther", targets: ["x@lab.routed.test"] },
    { name: "me+shop", targets: ["you"] },
    { name: "tagged", targets: ["me+tag"] },
    { name: "o'brien", targets: ["me"] },
    { name: "@second.test", targets: ["me@second.test"] },
    { name: "__proto__", targets: ["me"] },
    { name: "root", targets: ["postmaster"] },
    { name: "grün", targets: ["me"] },
  ],
  recipientDelimiter: "+-",
  postmaster: { domain: "home.test", user: "me" },
  routes: [
    {
      domain: "routed.test",
      nextHop: { kind: "host", host: "127.0.0.1", port: 2600 },
    },
    {
      domain: ".routed.test",
      nextHop: { kind: "host", host: "::1", port: 2601 },
    },
    { domain: "direct.routed.test", nextHop: { kind: "mx" } },
  ],
  relayDomains: ["relay.test", ".branch.test"],
  maxTargets: 1_000,
};

const site = (change: Partial<ResolvePart> = {}) =>
  buildTables(resolvePart.parse({ ...PART, ...change }));
const TABLES = site();

/** Resolves, and writes the verdict as short as a table row needs it. */
function told(address: string, mayRelay: boolean, tables = TABLES): string {
  const { recipient } = resolveContract.calls;
  const ask = recipient.ask.parse({ address });
  const verdict = mayRelay
    ? resolveRelay(tables, ask)
    : resolveRecipient(tables, ask);
  if ("refusal" in verdict) return verdict.refusal;
  return recipient.answer.parse(verdict.answer).targets.map((target) => {
    if (target.kind === "mailbox") {
      return `${target.mailbox.user}@${target.mailbox.domain} ` +
        `(${target.address})`;
    }
    const { nextHop } = target;
    switch (nextHop.kind) {
      case "mx":
        return `${target.address} > mx ${nextHop.domain}`;
      case "host":
        return `${target.address} > ${nextHop.host} ${nextHop.port}`;
      case "unix":
        return `${target.address} > unix ${nextHop.path}`;
    }
  }).join(", ");
}

const UNKNOWN = "unknown-recipient";
const DENIED = "relay-denied";
const ME = "me@home.test";
const you = (address: string) => `you@home.test (${address})`;
const LONG = "x".repeat(64);

// What a stranger gets. [address, verdict]
const STRANGERS: [name: string, address: string, want: string][] = [
  ["a mailbox", ME, `${ME} (${ME})`],
  [
    "a mailbox in another domain",
    "me@second.test",
    "me@second.test (me@second.test)",
  ],
  ["a mailbox, in capitals", "ME@HOME.TEST", `${ME} (ME@HOME.TEST)`],
  ["no mailbox", "nobody@home.test", UNKNOWN],
  [
    "a mailbox that only the other domain has",
    "you@second.test",
    "me@second.test (me@second.test)",
  ],
  // RFC 5321 §4.1.2: quotes that are not needed make no difference.
  ["a quoted mailbox", '"me"@home.test', `${ME} ("me"@home.test)`],
  [
    "a quoted mailbox with an escape",
    '"m\\e"@home.test',
    `${ME} ("m\\e"@home.test)`,
  ],
  ["a quoted space", '"me "@home.test', UNKNOWN],
  ["an open quote", '"me@home.test', UNKNOWN],
  ["text behind the quote", '"me"x@home.test', UNKNOWN],
  ["an escape at the end", '"me\\"@home.test', UNKNOWN],
  ["an empty quoted string", '""@home.test', UNKNOWN],
  ["a quoted extension", '"me+a b"@home.test', `${ME} ("me+a b"@home.test)`],
  // Extensions
  ["an extension", "me+x@home.test", `${ME} (me+x@home.test)`],
  ["the other delimiter", "me-x@home.test", `${ME} (me-x@home.test)`],
  [
    "the first delimiter of several",
    "me+x-y+z@home.test",
    `${ME} (me+x-y+z@home.test)`,
  ],
  ["an empty extension", "me+@home.test", `${ME} (me+@home.test)`],
  [
    "a mailbox whose name has a delimiter",
    "jean-paul@home.test",
    "jean-paul@home.test (jean-paul@home.test)",
  ],
  ["the alias before a delimiter", "jean-luc@home.test", you("you@home.test")],
  [
    "an alias with its own extension",
    "me+shop@home.test",
    you("you@home.test"),
  ],
  [
    "that alias with more behind",
    "me+shop+x@home.test",
    `${ME} (me+shop+x@home.test)`,
  ],
  ["nothing before the delimiter", "+me@home.test", UNKNOWN],
  ["an unknown name with extension", "nobody+me@home.test", UNKNOWN],
  // Aliases
  ["an alias of every domain", "webmaster@home.test", `${ME} (${ME})`],
  [
    "the same in another domain",
    "webmaster@second.test",
    "me@second.test (me@second.test)",
  ],
  ["an alias with an extension", "webmaster+x@home.test", `${ME} (${ME})`],
  ["an alias in capitals", "WebMaster@home.test", `${ME} (${ME})`],
  [
    "an alias to several, one elsewhere",
    "sales@home.test",
    `${ME} (${ME}), ${you("you@home.test")}, p@remote.test > mx remote.test`,
  ],
  [
    "an alias of one domain, in another",
    "sales@second.test",
    "me@second.test (me@second.test)",
  ],
  [
    "nested aliases",
    "team@home.test",
    `jean-paul@home.test (jean-paul@home.test), ${ME} (${ME}), ${
      you("you@home.test")
    }, p@remote.test > mx remote.test`,
  ],
  [
    "an alias that names itself",
    "keep@home.test",
    "keep@home.test (keep@home.test), copy@remote.test > mx remote.test",
  ],
  [
    "an alias to such an alias",
    "keep@second.test",
    "keep@home.test (keep@home.test), copy@remote.test > mx remote.test",
  ],
  ["a cycle", "a@home.test", "alias-loop"],
  ["a cycle, from within", "c+x@home.test", "alias-loop"],
  ["an alias to nobody", "gone@home.test", UNKNOWN],
  ["an alias to somebody and nobody", "half@home.test", `${ME} (${ME})`],
  ["one mailbox under four names", "twice@home.test", `${ME} (${ME})`],
  [
    "an alias elsewhere: its local part is left alone",
    "far@home.test",
    "Some.One@remote.test > mx remote.test",
  ],
  [
    "an alias elsewhere, with a route",
    "farther@home.test",
    "x@lab.routed.test > ::1 2601",
  ],
  ["an alias to an extension", "tagged@home.test", `${ME} (me+tag@home.test)`],
  ["an alias with an apostrophe", "o'brien@home.test", `${ME} (${ME})`],
  // Prototype names
  ["an alias named __proto__", "__proto__@home.test", `${ME} (${ME})`],
  [
    "a mailbox named constructor",
    "constructor@home.test",
    "constructor@home.test (constructor@home.test)",
  ],
  ["toString, which nobody has", "tostring@home.test", UNKNOWN],
  ["hasOwnProperty as a domain", "me@hasownproperty", DENIED],
  ["__proto__ as a domain", "me@__proto__", DENIED],
  // Catch-all
  ["the catch-all", "whoever@second.test", "me@second.test (me@second.test)"],
  [
    "the catch-all with extension",
    "who+ever@second.test",
    "me@second.test (me@second.test)",
  ],
  // RFC 5321 §4.5.1, RFC 2142
  ["postmaster", "postmaster@home.test", `${ME} (${ME})`],
  ["postmaster in capitals", "POSTMASTER@home.test", `${ME} (${ME})`],
  [
    "postmaster before the catch-all",
    "postmaster@second.test",
    `${ME} (${ME})`,
  ],
  ["abuse", "abuse@home.test", `${ME} (${ME})`],
  ["postmaster of a literal", "postmaster@[192.0.2.1]", `${ME} (${ME})`],
  ["postmaster of the host", "postmaster@mx.home.test", `${ME} (${ME})`],
  ["an alias to postmaster", "root@home.test", `${ME} (${ME})`],
  ["another name at the host", "me@mx.home.test", DENIED],
  ["hostmaster, whom nobody asks for", "hostmaster@home.test", UNKNOWN],
  // What can be no name of ours
  ["a path upwards", "../me@home.test", UNKNOWN],
  ["two dots", "me..x@home.test", UNKNOWN],
  ["a slash", "me/x@home.test", UNKNOWN],
  ["a slash before the catch-all", "me/x@second.test", UNKNOWN],
  ["a leading dot", ".me@home.test", UNKNOWN],
  ["a leading dot before the catch-all", ".me@second.test", UNKNOWN],
  [
    "64 octets before the catch-all",
    `${LONG}@second.test`,
    "me@second.test (me@second.test)",
  ],
  ["65 octets before the catch-all", `${LONG}x@second.test`, UNKNOWN],
  // RFC 6531: letters beyond ASCII are compared as they are.
  ["a UTF-8 alias", "Grün@home.test", "me@home.test (me@home.test)"],
  ["a UTF-8 alias in capitals", "GRÜN@home.test", UNKNOWN],
  ["a UTF-8 stranger", "gruen\u00df@home.test", UNKNOWN],
  ["64 letters of two octets", `${"é".repeat(64)}@second.test`, UNKNOWN],
  ["the Kelvin sign, which is no k", "\u212a@home.test", UNKNOWN],
  // Open relay: none of these goes anywhere.
  ["another domain", "x@remote.test", DENIED],
  ["a percent hack", "x%remote.test@home.test", UNKNOWN],
  ["a percent hack before the catch-all", "x%remote.test@second.test", UNKNOWN],
  ["a percent hack with our mailbox", "me%home.test@home.test", UNKNOWN],
  ["a percent hack elsewhere", "me%home.test@remote.test", DENIED],
  ["a bang path", "remote.test!x@home.test", UNKNOWN],
  ["a bang path before the catch-all", "remote.test!x@second.test", UNKNOWN],
  ["a quoted address", '"x@remote.test"@home.test', UNKNOWN],
  [
    "a quoted address before the catch-all",
    '"x@remote.test"@second.test',
    UNKNOWN,
  ],
  ["two at signs", "x@remote.test@home.test", UNKNOWN],
  ["two at signs, ours first", "me@home.test@remote.test", DENIED],
  ["a source route through us", "@home.test:x@remote.test", DENIED],
  ["a source route to us", "@remote.test:me@home.test", UNKNOWN],
  ["a quoted percent hack", '"x%remote.test"@home.test', UNKNOWN],
  ["an escaped at sign", '"x\\@remote.test"@second.test', UNKNOWN],
  ["a percent hack as extension", "me+x%remote.test@home.test", UNKNOWN],
  ["a domain below ours", "me@sub.home.test", DENIED],
  ["a domain that ends like ours", "me@nothome.test", DENIED],
  ["our domain with a dot behind", "me@home.test.", DENIED],
  ["a literal that is not ours", "me@[192.0.2.2]", DENIED],
  ["a loopback literal", "me@[127.0.0.1]", DENIED],
  ["an IPv6 literal", "me@[IPv6:::1]", DENIED],
  ["a mapped literal", "me@[ipv6:::ffff:192.0.2.1]", DENIED],
  ["an address without brackets", "me@192.0.2.1", DENIED],
  ["localhost", "me@localhost", DENIED],
  ["a literal of ours without that mailbox", "me@[192.0.2.1]", UNKNOWN],
  ["a routed domain", "x@routed.test", DENIED],
  ["a domain that is a name of an alias", "x@sales", DENIED],
  // Relay domains
  ["a relay domain", "X@relay.test", "X@relay.test > mx relay.test"],
  ["below a relay domain", "x@sub.relay.test", DENIED],
  [
    "below a dotted relay domain",
    "x@a.b.branch.test",
    "x@a.b.branch.test > mx a.b.branch.test",
  ],
  ["a dotted relay domain itself", "x@branch.test", DENIED],
  ["a dot before a relay domain", "x@.branch.test", DENIED],
  ["a percent hack to a relay domain", "x%remote.test@relay.test", DENIED],
  ["a bang path to a relay domain", "remote.test!x@relay.test", DENIED],
  ["a quoted address to a relay domain", '"x@y.test"@relay.test', DENIED],
  [
    "a quoted name to a relay domain",
    '"a b"@relay.test',
    '"a b"@relay.test > mx relay.test',
  ],
];

for (const [name, address, want] of STRANGERS) {
  Deno.test(`resolveRecipient() for a stranger: ${name}`, () => {
    strictEqual(told(address, false), want);
  });
}

// What a message that may go anywhere gets, where it differs.
const TRUSTED: [name: string, address: string, want: string][] = [
  ["another domain", "X.y@Remote.test", "X.y@remote.test > mx remote.test"],
  ["a route", "x@routed.test", "x@routed.test > 127.0.0.1 2600"],
  ["a route above", "x@a.b.routed.test", "x@a.b.routed.test > ::1 2601"],
  [
    "an exact route below it",
    "x@direct.routed.test",
    "x@direct.routed.test > mx direct.routed.test",
  ],
  ["a literal", "x@[192.0.2.9]", "x@[192.0.2.9] > mx [192.0.2.9]"],
  ["what is no domain", "x@d/main.test", UNKNOWN],
  [
    "a percent hack elsewhere, as written",
    "x%y@remote.test",
    "x%y@remote.test > mx remote.test",
  ],
  ["nobody here", "nobody@home.test", UNKNOWN],
  ["a percent hack here", "x%remote.test@home.test", UNKNOWN],
];

for (const [name, address, want] of TRUSTED) {
  Deno.test(`resolveRelay() for the queue: ${name}`, () => {
    strictEqual(told(address, true), want);
  });
}

Deno.test("resolveRecipient() uses the route * for all other domains", () => {
  const nextHop = { kind: "host", host: "smart.test", port: 587 } as const;
  const tables = site({ routes: [{ domain: "*", nextHop }] });
  strictEqual(told("x@y.test", true, tables), "x@y.test > smart.test 587");
  strictEqual(
    told("x@[192.0.2.9]", true, tables),
    "x@[192.0.2.9] > smart.test 587",
  );
  strictEqual(told("x@y.test", false, tables), DENIED);
});

Deno.test("resolveRecipient() cuts no extension without a delimiter", () => {
  const tables = site({ recipientDelimiter: "" });
  strictEqual(told("me+x@home.test", false, tables), UNKNOWN);
});

Deno.test("resolveRecipient() knows no postmaster if nobody is named", () => {
  const tables = site({ postmaster: null });
  strictEqual(told("postmaster@home.test", false, tables), UNKNOWN);
  // The catch-all of the domain is somebody.
  strictEqual(
    told("abuse@second.test", false, tables),
    "me@second.test (me@second.test)",
  );
});

Deno.test("resolveRecipient() ends when postmaster's mailbox is gone", () => {
  const tables = site({ postmaster: { domain: "home.test", user: "late" } });
  strictEqual(told("postmaster@home.test", false, tables), UNKNOWN);
});

/** Aliases n0 -> n1 -> ... -> me. */
const chain = (length: number) =>
  Array.from({ length }, (_, at) => ({
    name: `n${at}`,
    targets: [at === length - 1 ? "me" : `n${at + 1}`],
  }));

Deno.test("resolveRecipient() follows aliases as deep as MAX_DEPTH", () => {
  const deep = site({ aliases: chain(MAX_DEPTH) });
  strictEqual(told("n0@home.test", false, deep), `${ME} (${ME})`);
  const deeper = site({ aliases: chain(MAX_DEPTH + 1) });
  strictEqual(told("n0@home.test", false, deeper), "alias-loop");
});

Deno.test("resolveRecipient() takes maxTargets targets and no more", () => {
  const targets = Array.from({ length: 20 }, (_, at) => `x${at}@remote.test`);
  const aliases = [{ name: "all", targets }];
  const enough = told(
    "all@home.test",
    false,
    site({ aliases, maxTargets: 20 }),
  );
  strictEqual(enough.split(", ").length, 20);
  strictEqual(
    told("all@home.test", false, site({ aliases, maxTargets: 19 })),
    "alias-loop",
  );
});

Deno.test("resolveRecipient() refuses an answer that no frame could hold", () => {
  const domain = `${"d".repeat(60)}.${"e".repeat(60)}.${"f".repeat(60)}`;
  const targets = Array.from({ length: 1_000 }, (_, at) => `x${at}@${domain}`);
  const tables = site({ aliases: [{ name: "all", targets }] });
  strictEqual(told("all@home.test", false, tables), "alias-loop");
});

Deno.test("resolveRecipient() is quick however aliases branch", () => {
  // Every level names every alias of the next: 30^20 ways, 600 aliases.
  const aliases = Array.from({ length: 600 }, (_, at) => ({
    name: `l${Math.floor(at / 30)}n${at % 30}`,
    targets: Array.from(
      { length: 30 },
      (_, next) => at >= 570 ? "me" : `l${Math.floor(at / 30) + 1}n${next}`,
    ),
  }));
  const before = performance.now();
  const verdict = told("l0n0@home.test", false, site({ aliases }));
  ok(verdict === "alias-loop" || verdict === `${ME} (${ME})`, verdict);
  ok(performance.now() - before < 1_000);
});

Deno.test("resolveRecipient() answers what its contract allows when a bare target grows too long", () => {
  const long = `${"d".repeat(63)}.${"e".repeat(63)}.${"f".repeat(63)}.test`;
  const tables = site({
    localDomains: [long],
    aliases: [{ name: "a", targets: ["x".repeat(64)] }],
  });
  strictEqual(told(`a@${long}`, false, tables), UNKNOWN);
});

Deno.test("buildTables() keeps names of every domain apart", () => {
  deepStrictEqual([...TABLES.mailboxes.keys()].slice(0, 2), [
    "me@home.test",
    "you@home.test",
  ]);
  strictEqual(TABLES.aliases.get("sales@home.test")?.length, 3);
});
