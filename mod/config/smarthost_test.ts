import assert from "node:assert/strict";
import { smarthost } from "./smarthost.ts";

const LONG = "x".repeat(1_001);

const GOOD: [written: string, want: string][] = [
  [
    "submission://me:secret@smtp.provider.test",
    "submission smtp.provider.test 587 me secret",
  ],
  [
    "submissions://me%40home.test:a%3Ab%2F@smtp.provider.test/",
    "submissions smtp.provider.test 465 me@home.test a:b/",
  ],
  // What people paste, though a URL would have it encoded.
  [
    "submission://me@home.test:a@b:c@SMTP.provider.test:2587",
    "submission smtp.provider.test 2587 me@home.test a@b:c",
  ],
  ["submission://me@smtp.test", "submission smtp.test 587 me null"],
  ["smtp://relay.test", "smtp relay.test 25 null null"],
  ["smtp://[2001:DB8::1]:26", "smtp 2001:db8::1 26 null null"],
  ["smtp://[2001:db8::1]", "smtp 2001:db8::1 25 null null"],
  ["smtp://192.0.2.1", "smtp 192.0.2.1 25 null null"],
];

for (const [written, want] of GOOD) {
  Deno.test(`smarthost reads ${written}`, () => {
    const read = smarthost.read(written);
    assert.ok(read.ok && read.value !== null, JSON.stringify(read));
    const { protocol, host, port, user, password } = read.value;
    assert.equal(`${protocol} ${host} ${port} ${user} ${password}`, want);
  });
}

const BAD: [name: string, written: unknown, message: RegExp][] = [
  ["a number", 25, /must be such as/],
  ["another scheme", "https://hunter2@x.test", /must be such as/],
  ["lmtp", "lmtp://x.test", /must be such as/],
  ["no host", "submission://me:hunter2@", /is no host/],
  ["a path", "submission://me:hunter2@x.test/a", /is no host/],
  ["a port out of range", "submission://me:hunter2@x.test:0", /is no host/],
  ["a login by smtp", "smtp://me:hunter2@x.test", /write submission/],
  ["no login", "submission://x.test", /has no login/],
  ["an empty user", "submission://:hunter2@x.test", /has a user/],
  ["an empty password", "submission://me:@x.test", /password is empty/],
  ["half an escape", "submission://me:hunter2%4@x.test", /%25/],
  ["no UTF-8", "submission://me:hunter2%ff@x.test", /%25/],
  ["NUL in the user", "submission://m%00e:hunter2@x.test", /has a user/],
  ["NUL in the password", "submission://me:hunter2%00@x.test", /control/],
  ["a long password", `submission://me:${LONG}@x.test`, /more than 1000/],
];

for (const [name, written, message] of BAD) {
  Deno.test(`smarthost refuses ${name}, and does not show it`, () => {
    const read = smarthost.read(written);
    assert.ok(!read.ok);
    assert.match(read.message, message);
    assert.doesNotMatch(read.message, /hunter2/);
  });
}
