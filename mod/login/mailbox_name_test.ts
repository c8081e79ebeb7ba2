import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { mailboxOfLogin, parseMailbox } from "./mailbox_name.ts";

const me = { user: "me", domain: "home.test" };

Deno.test("parseMailbox() folds capitals, and only those of ASCII", () => {
  deepStrictEqual(parseMailbox("ME@Home.Test"), me);
  strictEqual(parseMailbox("\u212a@home.test"), undefined);
  strictEqual(parseMailbox("me@home@home.test"), undefined);
});

Deno.test("mailboxOfLogin() adds the domain, and reads any script's", () => {
  deepStrictEqual(mailboxOfLogin("Me", "home.test"), me);
  deepStrictEqual(mailboxOfLogin("me@home.test", "other.test"), me);
  deepStrictEqual(mailboxOfLogin("me@B\u00fccher.test", "home.test"), {
    user: "me",
    domain: "xn--bcher-kva.test",
  });
  for (const bad of ["", "@", "me@", "a/b", "../me", "m e", "\u00f6"]) {
    strictEqual(mailboxOfLogin(bad, "home.test"), undefined, bad);
  }
});
