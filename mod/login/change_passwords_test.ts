import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  addAppPassword,
  appPasswordsOf,
  makeAppPassword,
  removeAppPassword,
  removePasswords,
  setPassword,
  withSaltKey,
} from "./change_passwords.ts";
import { type PasswordFile, passwordsIn, saltKeyIn } from "./password_file.ts";
import { saltOf } from "./scram_keys.ts";

const me = { user: "me", domain: "home.test" };
const you = { user: "you", domain: "home.test" };
const EMPTY: PasswordFile = { lines: [], was: "" };

/** A change that cannot fail. */
function done(
  changed: ReturnType<typeof setPassword>,
): PasswordFile {
  if (!changed.ok) throw new Error(changed.fault);
  return changed;
}

function app(file: PasswordFile, name: string): PasswordFile {
  return done(
    addAppPassword(file, {
      mailbox: me,
      app: name,
      password: makeAppPassword(),
    }),
  );
}

Deno.test("setPassword() makes both hashes, and replaces them in their place", () => {
  const one = done(setPassword(EMPTY, me, "secret"));
  const two = done(setPassword(one, you, "other"));
  const three = done(setPassword(two, me, "changed"));
  deepStrictEqual(
    passwordsIn(three.lines).map(({ mailbox }) => mailbox.user),
    ["me", "you"],
  );
  const [before, after] = [one, three].map((file) =>
    passwordsIn(file.lines)[0]!
  );
  ok(before!.scrypt !== null && before!.scram !== null);
  ok(!Object.is(after!.scrypt, before!.scrypt));
  match(after!.made, /^\d{4}-\d{2}-\d{2}$/);
  // What an unknown login of that name would have been told, too.
  const salt = saltOf(saltKeyIn(three.lines)!, "me@home.test");
  deepStrictEqual(after!.scram!.salt, salt);
  const bad = setPassword(one, me, "a\nb");
  ok(!bad.ok);
  match(bad.fault, /control/);
});

Deno.test("addAppPassword() keeps to one salt a mailbox, and to its names", () => {
  const own = done(setPassword(EMPTY, me, "secret"));
  const file = app(app(own, "phone"), "laptop-2");
  const salts = passwordsIn(file.lines).map(({ scram }) => scram!.salt);
  deepStrictEqual(salts[1], salts[0]);
  deepStrictEqual(salts[2], salts[0]);
  deepStrictEqual(
    appPasswordsOf(file, me).map((one) => [one.app, one.scrypt]),
    [["phone", null], ["laptop-2", null]],
  );
  const add = (name: string) =>
    addAppPassword(file, { mailbox: me, app: name, password: "x" });
  for (const bad of ["", "Phone", "a b", "a:b", "-a", "x".repeat(33)]) {
    const changed = add(bad);
    ok(!changed.ok, bad);
    match(changed.fault, /can be no app password's name/);
  }
  const again = add("phone");
  ok(!again.ok);
  match(again.fault, /already/);
});

Deno.test("removeAppPassword() takes one, removePasswords() all", () => {
  const file = app(app(done(setPassword(EMPTY, me, "x")), "a"), "b");
  const less = done(removeAppPassword(file, me, "a"));
  deepStrictEqual(appPasswordsOf(less, me).map((one) => one.app), ["b"]);
  const none = removeAppPassword(less, me, "a");
  ok(!none.ok);
  match(none.fault, /no app password "a"/);
  // The user's own has no name, and is not one of them.
  strictEqual(removeAppPassword(less, you, "").ok, false);
  strictEqual(passwordsIn(removePasswords(less, me).lines).length, 0);
});

Deno.test("withSaltKey() makes one key, once", () => {
  const file = withSaltKey(EMPTY);
  strictEqual(saltKeyIn(file.lines)?.length, 32);
  strictEqual(withSaltKey(file), file);
});

Deno.test("makeAppPassword() makes 24 letters that are never the same", () => {
  const made = new Set(Array.from({ length: 50 }, makeAppPassword));
  strictEqual(made.size, 50);
  for (const one of made) {
    match(one, /^([a-km-np-z2-9]{4}-){5}[a-km-np-z2-9]{4}$/);
  }
});
