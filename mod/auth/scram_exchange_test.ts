import { Buffer } from "node:buffer";
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { makeScram } from "../login/scram_keys.ts";
import type { Account } from "./logins.ts";
import { cheapLogins } from "./logins_fixture.ts";
import { clientFinal } from "../login/scram_client.ts";
import {
  checkProof,
  type ScramExchange,
  serverFirst,
} from "./scram_exchange.ts";

// RFC 7677 §3, to the letter.
const EXAMPLE = {
  salt: Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"),
  iterations: 4_096,
};
const NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const FIRST = `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const FINAL = `c=biws,r=${NONCE}`;
const PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SIGNATURE = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

function exchange(keys: Account["keys"]): ScramExchange {
  const account = cheapLogins([]).accountOf("user");
  return {
    account: { ...account, keys },
    clientFirstBare: "n=user,r=rOprNGfwEbeRWgbNEkqO",
    serverFirst: FIRST,
    nonce: NONCE,
  };
}

const pencil = { app: "", keys: makeScram("pencil", EXAMPLE) };
const other = { app: "phone", keys: makeScram("other", EXAMPLE) };

Deno.test("serverFirst() and checkProof() play the example of RFC 7677", () => {
  strictEqual(serverFirst(NONCE, EXAMPLE), FIRST);
  deepStrictEqual(checkProof(exchange([pencil]), FINAL, PROOF), {
    app: "",
    signature: SIGNATURE,
  });
});

Deno.test("checkProof() finds which of the passwords it is", () => {
  const both = exchange([pencil, other]);
  strictEqual(checkProof(both, FINAL, PROOF)?.app, "");
  const { bare, proof, signature } = clientFinal({
    ...both,
    password: "other",
    binding: Buffer.from("n,,"),
  });
  deepStrictEqual(checkProof(both, bare, proof), { app: "phone", signature });
});

Deno.test("checkProof() refuses what does not prove anything", () => {
  const octets = Buffer.from(PROOF, "base64");
  const cut = octets.subarray(1).toString("base64");
  const long = Buffer.concat([octets, octets]).toString("base64");
  const of = (keys: Account["keys"], final = FINAL, proof = PROOF) =>
    checkProof(exchange(keys), final, proof);
  strictEqual(of([]), undefined);
  strictEqual(of([other]), undefined);
  for (const proof of [cut, long, "", "AAAA"]) {
    strictEqual(of([pencil], FINAL, proof), undefined);
  }
  strictEqual(of([pencil], `${FINAL}x`), undefined, "another nonce");
  strictEqual(of([pencil], `c=eSws,r=${NONCE}`), undefined, "another binding");
  strictEqual(of([pencil], "nonsense"), undefined);
  for (let at = 0; at < octets.length; at++) {
    const bent = Buffer.from(octets);
    bent[at]! ^= 1;
    strictEqual(of([pencil], FINAL, bent.toString("base64")), undefined);
  }
});
