import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import { nameOf } from "../login/mailbox_name.ts";
import { passwordsIn } from "../login/password_file.ts";
import { preparePassword } from "../login/prepare.ts";
import {
  deriveScrypt,
  formatScrypt,
  makeScrypt,
} from "../login/scrypt_hash.ts";
import {
  addLogin,
  hasOldHashes,
  loginDoubts,
  type LoginFiles,
  readLogins,
  removeLogin,
  writeLogins,
} from "./logins.ts";
import { mailboxesOf } from "./users.ts";

const me = { user: "me", domain: "home.test" };
const him = { user: "him", domain: "home.test" };

interface Files {
  readonly usersFile: string;
  readonly passwordsFile: string;
}

async function inTemp(
  run: (paths: Files) => void | Promise<void>,
): Promise<void> {
  const dir = Deno.makeTempDirSync();
  try {
    await run({
      usersFile: `${dir}/users`,
      passwordsFile: `${dir}/passwords`,
    });
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function read(paths: Files): LoginFiles {
  const files = readLogins(paths);
  if (!files.ok) throw new Error(files.faults.join());
  return files;
}

/** A change that cannot fail. */
function done(changed: ReturnType<typeof addLogin>): LoginFiles {
  if (!changed.ok) throw new Error(changed.fault);
  return changed;
}

function names({ users, passwords }: LoginFiles) {
  return {
    users: mailboxesOf(users.users).map(nameOf),
    passwords: passwordsIn(passwords.lines).map((one) => nameOf(one.mailbox)),
  };
}

Deno.test("addLogin() and removeLogin() change both files", () =>
  inTemp((paths) => {
    writeLogins(paths, done(addLogin(read(paths), me, "secret")), null);
    deepStrictEqual(names(read(paths)), {
      users: ["me@home.test"],
      passwords: ["me@home.test"],
    });
    strictEqual(Deno.readTextFileSync(paths.usersFile), "me@home.test\n");
    const mode = (path: string) => Deno.statSync(path).mode! & 0o777;
    strictEqual(mode(paths.usersFile), 0o600);
    // Without accounts there is no group to let in.
    ok((mode(paths.passwordsFile) & ~0o640) === 0);

    const again = addLogin(read(paths), me, "secret");
    ok(!again.ok);
    match(again.fault, /me@home.test is there already/);
    const bad = addLogin(read(paths), him, "a\nb");
    ok(!bad.ok);
    match(bad.fault, /control/);

    writeLogins(paths, done(removeLogin(read(paths), me)), null);
    deepStrictEqual(names(read(paths)), { users: [], passwords: [] });
  }));

// What 0.4.0 wrote, at a lower cost.
function oldUsers(): string {
  const salt = new Uint8Array(16).fill(7);
  const hash = (password: string) =>
    formatScrypt(makeScrypt(password, salt, { N: 1_024, r: 8, p: 1 }));
  return `# mine\nme@home.test:${hash("secret")}\n` +
    `him@home.test:${hash("his")}\nnew@home.test\n`;
}

Deno.test("writeLogins() moves an older program's hashes, and loses none", () =>
  inTemp(async (paths) => {
    Deno.writeTextFileSync(paths.usersFile, oldUsers());
    strictEqual(hasOldHashes(read(paths).users), true);
    writeLogins(paths, read(paths), null);
    strictEqual(
      Deno.readTextFileSync(paths.usersFile),
      "# mine\nme@home.test\nhim@home.test\nnew@home.test\n",
    );
    const files = read(paths);
    strictEqual(hasOldHashes(files.users), false);
    const kept = passwordsIn(files.passwords.lines);
    deepStrictEqual(kept.map(({ mailbox }) => mailbox.user), ["me", "him"]);
    const derived = await deriveScrypt(
      preparePassword("secret")!,
      kept[0]!.scrypt!,
    );
    deepStrictEqual([...derived], [...kept[0]!.scrypt!.hash]);
    match(loginDoubts(files, paths).join("\n"), /SCRAM.*bulkhead user passwd/);
    match(loginDoubts(files, paths).join("\n"), /new@home.test have no pass/);

    // A crash between the two files, or an old copy of one: what is among the
    // passwords is the truth.
    Deno.writeTextFileSync(paths.usersFile, oldUsers());
    const before = Deno.readTextFileSync(paths.passwordsFile);
    writeLogins(paths, read(paths), null);
    strictEqual(Deno.readTextFileSync(paths.passwordsFile), before);
  }));

Deno.test("writeLogins() overwrites no change that it has not read", () =>
  inTemp((paths) => {
    const [one, other] = [read(paths), read(paths)];
    writeLogins(paths, done(addLogin(one, me, "x")), null);
    const late = done(addLogin(other, him, "x"));
    throws(() => writeLogins(paths, late, null), /changed by another command/);
    deepStrictEqual(names(read(paths)).users, ["me@home.test"]);
  }));

Deno.test("writeLogins() changes no file that is to stay as it is", () =>
  inTemp((paths) => {
    writeLogins(paths, done(addLogin(read(paths), me, "x")), null);
    const inodes = () =>
      [paths.usersFile, paths.passwordsFile].map((one) =>
        Deno.statSync(one).ino
      );
    const before = inodes();
    writeLogins(paths, read(paths), null);
    deepStrictEqual(inodes(), before);
    strictEqual(loginDoubts(read(paths), paths).length, 0);
  }));

Deno.test("readLogins() names the lines of both files", () =>
  inTemp((paths) => {
    Deno.writeTextFileSync(paths.usersFile, "me home\n");
    Deno.writeTextFileSync(paths.passwordsFile, "\nsecret\n");
    const files = readLogins(paths);
    ok(!files.ok);
    deepStrictEqual(files.faults.map((one) => /^\S+/.exec(one)![0]), [
      `${paths.usersFile}:1:`,
      `${paths.passwordsFile}:2:`,
    ]);
    ok(!files.faults.join().includes("secret"));
  }));

Deno.test("loginDoubts() names passwords without a mailbox", () =>
  inTemp((paths) => {
    writeLogins(paths, done(addLogin(read(paths), me, "x")), null);
    Deno.writeTextFileSync(paths.usersFile, "");
    match(
      loginDoubts(read(paths), paths).join(),
      /passwords of me@home\.test, who are not in/,
    );
  }));
