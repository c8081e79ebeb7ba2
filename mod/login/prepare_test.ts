import { match, strictEqual } from "node:assert/strict";
import { passwordFault, prepareLogin, preparePassword } from "./prepare.ts";

Deno.test("preparePassword() composes letters", () => {
  strictEqual(preparePassword("pa$$wo\u0308rd: x"), "pa$$w\u00f6rd: x");
  strictEqual(preparePassword("pa$$w\u00f6rd: x"), "pa$$w\u00f6rd: x");
});

Deno.test("preparePassword() makes of a password what a SCRAM client does", () => {
  for (
    const [name, given, want] of [
      // RFC 4013 §3.
      ["a soft hyphen", "I\u00adX", "IX"],
      ["plain text", "user", "user"],
      ["upper case", "USER", "USER"],
      ["a compatibility form", "\u00aa", "a"],
      ["a Roman number", "\u2168", "IX"],
      ["what German keyboards have", "\u00b2\u00b3\u00b5", "23\u03bc"],
      ["odd spaces", "a\u00a0b\u1680c\u3000d", "a b c d"],
      ["a byte order mark", "\ufeffa", "a"],
    ] as const
  ) {
    strictEqual(preparePassword(given), want, name);
  }
  match(passwordFault("\u00ad")!, /empty/);
  match(passwordFault("\ufdfa".repeat(40))!, /1000 octets/);
});

Deno.test("passwordFault() refuses what no client could send", () => {
  match(passwordFault("")!, /empty/);
  match(passwordFault("secret\n")!, /control/);
  match(passwordFault("a\0b")!, /control/);
  match(passwordFault("a\u0085b")!, /control/);
  match(passwordFault("\u00e9".repeat(501))!, /1000 octets/);
  strictEqual(passwordFault("\u00e9".repeat(500)), undefined);
  strictEqual(preparePassword("a\0b"), undefined);
});

Deno.test("prepareLogin() composes letters and bounds them", () => {
  strictEqual(prepareLogin("o\u0308@home.test"), "\u00f6@home.test");
  strictEqual(prepareLogin("x".repeat(255))?.length, 255);
  for (const bad of ["", "a\nb", "a\0", "\u007f", "x".repeat(256)]) {
    strictEqual(prepareLogin(bad), undefined, JSON.stringify(bad));
  }
});
