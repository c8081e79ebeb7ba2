import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  hostPort,
  hostPortText,
  isAliasLocalPart,
  isDomainName,
  isMailDomain,
} from "./names.ts";

const DOMAINS: [text: string, is: boolean][] = [
  ["home.test", true],
  ["localhost", true],
  ["xn--bcher-kva.test", true],
  ["a-b.1.test", true],
  [`${"a".repeat(63)}.test`, true],
  [`${"a".repeat(64)}.test`, false],
  [`${"abcdefg.".repeat(32)}test`, false],
  ["", false],
  [".", false],
  ["home.test.", false],
  [".home.test", false],
  ["home..test", false],
  ["-home.test", false],
  ["home-.test", false],
  ["ho me.test", false],
  ["home_test", false],
  ["HOME.test", false],
  ["bücher.test", false],
  ["192.0.2.1", false],
  ["../etc", false],
  ["home.test\n", false],
];

for (const [text, is] of DOMAINS) {
  Deno.test(`isDomainName() says ${is} to ${JSON.stringify(text)}`, () => {
    strictEqual(isDomainName(text), is);
  });
}

Deno.test("isMailDomain() takes address literals", () => {
  for (const good of ["[192.0.2.1]", "[ipv6:2001:db8::1]"]) {
    strictEqual(isMailDomain(good), true, good);
  }
  const bad = ["[]", "[192.0.2.256]", "[::1]", "[ipv6:fe80::1%eth0]", "[x]"];
  for (const text of bad) strictEqual(isMailDomain(text), false, text);
});

Deno.test("isAliasLocalPart() takes no route, no path, no blank", () => {
  const names = ["me", "me+x", "o'brien", "a.b", "x".repeat(64)];
  for (const good of [...names, "grün", "我買", "ü".repeat(32)]) {
    strictEqual(isAliasLocalPart(good), true, good);
  }
  const bad = ["", ".me", "me.", "a..b", "a/b", "a%b", "a!b", "a b", "Me"];
  const unseen = ["u\u0308", "a\u200b", "a\u202e", "\u0338a", "\ud800"];
  const long = ["x".repeat(65), "ü".repeat(33)];
  for (const text of [...bad, ...unseen, ...long]) {
    strictEqual(isAliasLocalPart(text), false, text);
  }
});

const PORTS: [text: string, host?: string, port?: number][] = [
  ["127.0.0.1:2525", "127.0.0.1", 2525],
  ["[::1]:2600", "::1", 2600],
  ["[::]:25", "::", 25],
  ["[2001:DB8:0:0::1]:25", "2001:db8::1", 25],
  ["Mail.Remote.test:25", "mail.remote.test", 25],
  ["remote.test:65535", "remote.test", 65_535],
  ["remote.test"],
  ["remote.test:"],
  ["remote.test:0"],
  ["remote.test:65536"],
  ["remote.test:+25"],
  ["remote.test: 25"],
  [":25"],
  ["::1:25"],
  ["[127.0.0.1]:25"],
  ["[fe80::1%eth0]:25"],
  ["256.0.0.1:25"],
  ["a/b:25"],
];

for (const [text, host, port] of PORTS) {
  Deno.test(`hostPort() reads ${text}`, () => {
    const want = host === undefined ? undefined : { host, port: port! };
    const got = hostPort(text);
    deepStrictEqual(got, want);
    if (got) deepStrictEqual(hostPort(hostPortText(got)), got);
  });
}
