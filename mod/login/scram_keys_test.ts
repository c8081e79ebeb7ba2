import { Buffer } from "node:buffer";
import { deepStrictEqual, notDeepStrictEqual } from "node:assert/strict";
import { deriveScram, makeScram, saltOf } from "./scram_keys.ts";
import {
  deriveScrypt,
  formatScrypt,
  makeScrypt,
  parseScrypt,
} from "./scrypt_hash.ts";

// The example of RFC 7677 §3; its keys are in `mod/auth/scram_exchange_test`.
const EXAMPLE = {
  salt: Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"),
  iterations: 4_096,
};

Deno.test("deriveScram() makes what makeScram() makes", async () => {
  for (const password of ["pencil", "b\u00fccher", ""]) {
    const { storedKey, serverKey } = makeScram(password, EXAMPLE);
    deepStrictEqual(await deriveScram(password, EXAMPLE), {
      storedKey,
      serverKey,
    });
  }
});

Deno.test("saltOf() is the same for a name, and for no other", () => {
  const key = new Uint8Array(32).fill(7);
  deepStrictEqual(saltOf(key, "me@home.test"), saltOf(key, "me@home.test"));
  notDeepStrictEqual(saltOf(key, "me@home.test"), saltOf(key, "you@home.test"));
});

// RFC 7914 §12: its third vector, cut to our 32 octets.
Deno.test("makeScrypt() and deriveScrypt() are RFC 7914's function", async () => {
  const salt = Buffer.from("SodiumChloride");
  const cost = { N: 16_384, r: 8, p: 1 };
  const want = "7023bdcb3afd7348461c06cd81fd38eb" +
    "fda8fbba904f8e3ea9b543f6545da1f2";
  const made = makeScrypt("pleaseletmein", salt, cost);
  deepStrictEqual(Buffer.from(made.hash).toString("hex"), want);
  deepStrictEqual(
    Buffer.from(await deriveScrypt("pleaseletmein", made)).toString("hex"),
    want,
  );
});

Deno.test("makeScrypt() salts, and its text form is read again", () => {
  const cost = { N: 1_024, r: 1, p: 1 };
  const salt = new Uint8Array(16).fill(7);
  const made = makeScrypt("secret", salt, cost);
  const read = parseScrypt(formatScrypt(made))!;
  deepStrictEqual(Buffer.from(read.hash), Buffer.from(made.hash));
  deepStrictEqual(read.cost, cost);
  const [one, other] = [1, 2].map(() => makeScrypt("x", undefined, cost));
  notDeepStrictEqual(one!.hash, other!.hash);
});
