import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  addUser,
  type Changed,
  formatUsers,
  hasUser,
  mailboxesOf,
  parseUsers,
  removeUser,
  type UsersFile,
} from "./users.ts";

const HASH = `scrypt$32768$8$3$${"A".repeat(22)}$${"B".repeat(43)}`;
const FILE = `# who has mail here

me@home.test
# the other one
you@home.test
`;

function parsed(text: string): UsersFile {
  const read = parseUsers(text);
  if (!read.ok) throw new Error(read.faults[0]!.message);
  return read;
}

function boxes(text: string) {
  return mailboxesOf(parsed(text).users);
}

function text(changed: Changed): string {
  return changed.ok ? formatUsers(changed.users) : changed.fault;
}

const me = { user: "me", domain: "home.test" };
const him = { user: "him", domain: "home.test" };

Deno.test("parseUsers() and formatUsers() keep comments and order", () => {
  strictEqual(formatUsers(parsed(FILE).users), FILE);
  deepStrictEqual(boxes(FILE), [me, { ...me, user: "you" }]);
  deepStrictEqual(boxes(""), []);
});

Deno.test("parseUsers() takes a last line without an end, and CRLF", () => {
  strictEqual(boxes(FILE.trimEnd()).length, 2);
  strictEqual(boxes(FILE.replaceAll("\n", "\r\n")).length, 2);
});

const BAD_LINES: [name: string, line: string, why: RegExp][] = [
  ["no domain", `me:${HASH}`, /no mailbox/],
  ["a path", `../me@home.test:${HASH}`, /no mailbox/],
  ["a slash", `a/b@home.test:${HASH}`, /no mailbox/],
  ["a leading dot", `.me@home.test:${HASH}`, /no mailbox/],
  ["a leading dash", `-me@home.test:${HASH}`, /no mailbox/],
  ["two dots", `me@home..test:${HASH}`, /no mailbox/],
  ["a domain that is a path", `me@..:${HASH}`, /no mailbox/],
  ["NUL", `m\0e@home.test:${HASH}`, /no mailbox/],
  ["65 letters", `${"x".repeat(65)}@home.test:${HASH}`, /no mailbox/],
  ["no domain and no hash", "me", /no mailbox/],
  ["nothing behind the colon", "me@home.test:", /hash/],
  ["a password", "me@home.test:secret", /hash/],
  ["another scheme", "me@home.test:$2y$10$abc", /hash/],
  [
    "N that is no power of 2",
    `me@home.test:${HASH.replace("32768", "32769")}`,
    /hash/,
  ],
  [
    "N of gigabytes",
    `me@home.test:${HASH.replace("32768", "33554432")}`,
    /hash/,
  ],
  ["r of 0", `me@home.test:${HASH.replace("$8$", "$0$")}`, /hash/],
  ["a cut hash", `me@home.test:${HASH.slice(0, -1)}`, /hash/],
  ["a further field", `me@home.test:${HASH}:x`, /hash/],
  ["1,000 characters", `me@home.test:${"x".repeat(1_000)}`, /longer/],
];

for (const [name, line, why] of BAD_LINES) {
  Deno.test(`parseUsers() names the line with ${name}`, () => {
    const read = parseUsers(`# one\n${line}\nyou@home.test:${HASH}\n`);
    ok(!read.ok);
    strictEqual(read.faults.length, 1);
    strictEqual(read.faults[0]!.line, 2);
    match(read.faults[0]!.message, why);
    // The password that somebody wrote by mistake stays out of the message.
    ok(!read.faults[0]!.message.includes("secret"));
  });
}

Deno.test("parseUsers() finds a user twice, in capitals too, and all faults", () => {
  const read = parseUsers(`x\nme@home.test:${HASH}\nME@HOME.test:${HASH}\n`);
  ok(!read.ok);
  deepStrictEqual(read.faults.map(({ line }) => line), [1, 3]);
  match(read.faults[1]!.message, /me@home\.test is in line 2 already/);
});

Deno.test("parseUsers() reads an older program's hash, which is not written", () => {
  const { users } = parsed(`me@home.test:${HASH}\nyou@home.test\n`);
  deepStrictEqual(
    users.map((line) => line.kind === "user" && line.hash?.cost.N),
    [32_768, undefined],
  );
  strictEqual(formatUsers(users), "me@home.test\nyou@home.test\n");
});

Deno.test("addUser() appends, once", () => {
  strictEqual(text(addUser(parsed(FILE), him)), `${FILE}him@home.test\n`);
  match(text(addUser(parsed(FILE), me)), /me@home.test is there already/);
});

Deno.test("removeUser() takes one line out", () => {
  const left = FILE.replace("me@home.test\n", "");
  strictEqual(text(removeUser(parsed(FILE), me)), left);
  match(text(removeUser(parsed(FILE), him)), /him@home.test is not there/);
});

Deno.test("hasUser() knows who is there", () => {
  strictEqual(hasUser(parsed(FILE), me), true);
  strictEqual(hasUser(parsed(FILE), him), false);
});
