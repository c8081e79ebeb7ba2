import assert from "node:assert/strict";
import { NO_WISHES } from "../core/shapes.ts";
import {
  messageWishes,
  messageWishNumber,
  NOTHING_ASKED,
  notifyNumber,
  recipientWishes,
} from "./wishes.ts";

Deno.test("messageWishes() gives back what messageWishNumber() wrote, for all there are", () => {
  for (const ret of ["", "full", "hdrs"] as const) {
    for (const smtpUtf8 of [false, true]) {
      for (const requireTls of [false, true]) {
        const words = { envid: "e", verp: "+=" };
        const wishes = { ...words, ret, smtpUtf8, requireTls };
        const number = messageWishNumber(wishes);
        assert.deepEqual(messageWishes(number, words), wishes);
      }
    }
  }
});

Deno.test("recipientWishes() gives back what notifyNumber() wrote, for all there are", () => {
  const words = ["never", "success", "failure", "delay"] as const;
  for (let bits = 0; bits < 16; bits++) {
    const notify = words.filter((_, bit) => (bits >> bit) & 1);
    assert.equal(notifyNumber(notify), bits);
    assert.deepEqual(recipientWishes(bits, "rfc822;a@b"), {
      notify,
      orcpt: "rfc822;a@b",
    });
  }
});

Deno.test("messageWishes() and recipientWishes() give the shared objects when nothing was asked", () => {
  assert.equal(messageWishNumber(NO_WISHES), 0);
  assert.equal(messageWishes(0, { envid: "", verp: "" }), NO_WISHES);
  assert.equal(recipientWishes(0, ""), NOTHING_ASKED);
});
