import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import { scryptSync } from "node:crypto";
import {
  addUser,
  type Changed,
  formatUsers,
  hashPassword,
  isPassword,
  mailboxesOf,
  parseMailbox,
  parseUsers,
  passwordFault,
  readUsersFile,
  removeUser,
  setPassword,
  type UsersFile,
  writeUsersFile,
} from "./users.ts";

const HASH = `scrypt$32768$8$3$${"A".repeat(22)}$${"B".repeat(43)}`;
const FILE = `# who has mail here

me@home.test:${HASH}
# the other one
you@home.test:${HASH}
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

/** The hash that a changed file has for a name. */
function hashOf(changed: Changed, name: string): string {
  const line = text(changed).split("\n").find((one) =>
    one.startsWith(`${name}:`)
  );
  return line?.slice(name.length + 1) ?? "";
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
  ["no colon", "me@home.test", /no colon/],
  ["no domain", `me:${HASH}`, /no mailbox/],
  ["a path", `../me@home.test:${HASH}`, /no mailbox/],
  ["a slash", `a/b@home.test:${HASH}`, /no mailbox/],
  ["a leading dot", `.me@home.test:${HASH}`, /no mailbox/],
  ["a leading dash", `-me@home.test:${HASH}`, /no mailbox/],
  ["two dots", `me@home..test:${HASH}`, /no mailbox/],
  ["a domain that is a path", `me@..:${HASH}`, /no mailbox/],
  ["NUL", `m\0e@home.test:${HASH}`, /no mailbox/],
  ["65 letters", `${"x".repeat(65)}@home.test:${HASH}`, /no mailbox/],
  ["no hash", "me@home.test:", /hash/],
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

Deno.test("parseMailbox() folds capitals, and only those of ASCII", () => {
  deepStrictEqual(parseMailbox("ME@Home.Test"), me);
  strictEqual(parseMailbox("\u212a@home.test"), undefined);
  strictEqual(parseMailbox("me@home@home.test"), undefined);
});

Deno.test("addUser() appends, once", () => {
  const added = addUser(parsed(FILE), him, "secret");
  ok(text(added).startsWith(`${FILE}him@home.test:scrypt$`));
  ok(isPassword("secret", hashOf(added, "him@home.test")));
  match(text(addUser(parsed(FILE), me, "x")), /me@home.test is there already/);
  match(text(addUser(parsed(FILE), him, "")), /password is empty/);
});

Deno.test("removeUser() takes one line out", () => {
  const left = FILE.replace(`me@home.test:${HASH}\n`, "");
  strictEqual(text(removeUser(parsed(FILE), me)), left);
  match(text(removeUser(parsed(FILE), him)), /him@home.test is not there/);
});

Deno.test("setPassword() changes one line in its place", () => {
  const changed = setPassword(parsed(FILE), me, "secret");
  const hash = hashOf(changed, "me@home.test");
  ok(isPassword("secret", hash));
  strictEqual(
    text(changed),
    FILE.replace(`me@home.test:${HASH}`, `me@home.test:${hash}`),
  );
  match(text(setPassword(parsed(FILE), him, "secret")), /is not there/);
  match(text(setPassword(parsed(FILE), me, "a\nb")), /control/);
});

Deno.test("hashPassword() is scrypt as node:crypto has it", () => {
  const salt = new Uint8Array(16).fill(7);
  const hash = hashPassword("secret", salt);
  const want = scryptSync("secret", salt, 32, {
    N: 32_768,
    r: 8,
    p: 3,
    maxmem: 2 ** 26,
  });
  strictEqual(hash.split("$").at(-1), want.toString("base64").slice(0, 43));
  strictEqual(boxes(`me@home.test:${hash}`).length, 1);
});

Deno.test("isPassword() knows the password from another", () => {
  const hash = hashPassword("pa$$w\u00f6rd: x");
  strictEqual(isPassword("pa$$w\u00f6rd: x", hash), true);
  // The same letters, composed otherwise.
  strictEqual(isPassword("pa$$wo\u0308rd: x", hash), true);
  strictEqual(isPassword("pa$$word: x", hash), false);
  strictEqual(isPassword("", hash), false);
  strictEqual(isPassword("x", "scrypt$nonsense"), false);
});

Deno.test("hashPassword() salts", () => {
  ok(hashPassword("secret") !== hashPassword("secret"));
});

Deno.test("passwordFault() refuses what no client could send", () => {
  match(passwordFault("")!, /empty/);
  match(passwordFault("secret\n")!, /control/);
  match(passwordFault("a\0b")!, /control/);
  match(passwordFault("\u00e9".repeat(513))!, /1024 octets/);
  strictEqual(passwordFault("\u00e9".repeat(512)), undefined);
});

function inTemp(run: (path: string) => void): void {
  const dir = Deno.makeTempDirSync();
  try {
    run(`${dir}/users`);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** What the file holds, read as a command does. */
function read(path: string): UsersFile {
  return parsed(readUsersFile(path));
}

/** A change that cannot fail. */
function done(changed: Changed): UsersFile {
  if (!changed.ok) throw new Error(changed.fault);
  return changed;
}

Deno.test("writeUsersFile() makes the file, mode 0600, whatever the umask", () =>
  inTemp((path) => {
    const umask = Deno.umask(0);
    try {
      writeUsersFile(path, { ...parsed(FILE), was: readUsersFile(path) });
    } finally {
      Deno.umask(umask);
    }
    strictEqual(Deno.readTextFileSync(path), FILE);
    strictEqual(Deno.statSync(path).mode! & 0o777, 0o600);
  }));

Deno.test("writeUsersFile() replaces the file and leaves no half of one", () =>
  inTemp((path) => {
    Deno.writeTextFileSync(path, FILE, { mode: 0o644 });
    // What a crash may leave.
    Deno.writeTextFileSync(`${path}.new`, "half a li");
    const before = Deno.statSync(path).ino;
    writeUsersFile(path, done(removeUser(read(path), me)));
    const now = Deno.statSync(path);
    ok(now.ino !== before, "written in place");
    strictEqual(now.mode! & 0o777, 0o600);
    const names = [...Deno.readDirSync(path.replace(/users$/, ""))]
      .map(({ name }) => name).sort();
    deepStrictEqual(names, ["users", "users.lock"]);
  }));

Deno.test("writeUsersFile() overwrites no change that it has not read", () =>
  inTemp((path) => {
    Deno.writeTextFileSync(path, FILE);
    const [one, other] = [read(path), read(path)];
    writeUsersFile(path, done(addUser(one, him, "secret")));
    const late = done(removeUser(other, me));
    throws(() => writeUsersFile(path, late), /changed by another command/);
    strictEqual(mailboxesOf(read(path).users).length, 3);
  }));

Deno.test("writeUsersFile() follows no link where the new file goes", () =>
  inTemp((path) => {
    Deno.writeTextFileSync(path, FILE);
    Deno.writeTextFileSync(`${path}.victim`, "precious");
    Deno.symlinkSync(`${path}.victim`, `${path}.new`);
    writeUsersFile(path, done(removeUser(read(path), me)));
    strictEqual(Deno.readTextFileSync(`${path}.victim`), "precious");
    ok(!Deno.lstatSync(path).isSymlink);
  }));
