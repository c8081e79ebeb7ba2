import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  isBase64,
  parseClientFinal,
  parseClientFirst,
} from "./scram_message.ts";

Deno.test("parseClientFirst() reads the message of RFC 7677", () => {
  deepStrictEqual(parseClientFirst("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), {
    gs2: { text: "n,,", binding: "none", authzid: "" },
    bare: "n=user,r=rOprNGfwEbeRWgbNEkqO",
    login: "user",
    nonce: "rOprNGfwEbeRWgbNEkqO",
  });
});

Deno.test("parseClientFirst() reads bindings, identities, names, extensions", () => {
  const read = parseClientFirst(
    "p=tls-server-end-point,a=me=2Cyou,n=a=3Db=2Cc,r=x,x=y",
  );
  deepStrictEqual(read, {
    gs2: {
      text: "p=tls-server-end-point,a=me=2Cyou,",
      binding: { name: "tls-server-end-point" },
      authzid: "me,you",
    },
    bare: "n=a=3Db=2Cc,r=x,x=y",
    login: "a=b,c",
    nonce: "x",
  });
  strictEqual(parseClientFirst("y,,n=u,r=x")?.gs2.binding, "unoffered");
});

const BAD_FIRST: [name: string, text: string][] = [
  ["nothing", ""],
  ["no header", "n=user,r=x"],
  ["an unknown flag", "z,,n=user,r=x"],
  ["a flag without a name", "p=,,n=user,r=x"],
  ["a name with a space", "p=a b,,n=user,r=x"],
  ["an identity without its letter", "n,me,n=user,r=x"],
  ["no name", "n,,r=x"],
  ["an empty name", "n,,n=,r=x"],
  ["a raw equals sign", "n,,n=a=b,r=x"],
  ["a small escape", "n,,n=a=2cb,r=x"],
  ["NUL in the name", "n,,n=a\0,r=x"],
  ["no nonce", "n,,n=user"],
  ["an empty nonce", "n,,n=user,r="],
  ["a nonce with a space", "n,,n=user,r=a b"],
  ["a nonce in other letters", "n,,n=user,r=\u00e4"],
  ["a nonce of 513", `n,,n=user,r=${"x".repeat(513)}`],
  ["a mandatory extension", "n,,m=must,n=user,r=x"],
  ["one behind the nonce", "n,,n=user,r=x,m=must"],
  ["an empty extension", "n,,n=user,r=x,"],
];

for (const [name, text] of BAD_FIRST) {
  Deno.test(`parseClientFirst() refuses ${name}`, () => {
    strictEqual(parseClientFirst(text), undefined);
  });
}

Deno.test("parseClientFinal() reads the message of RFC 7677", () => {
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  deepStrictEqual(parseClientFinal(`c=biws,r=${nonce},p=${proof}`), {
    bare: `c=biws,r=${nonce}`,
    channelBinding: "biws",
    nonce,
    proof,
  });
});

const BAD_FINAL: [name: string, text: string][] = [
  ["nothing", ""],
  ["no proof", "c=biws,r=x"],
  ["an empty proof", "c=biws,r=x,p="],
  ["a proof that is no base64", "c=biws,r=x,p=a-b="],
  ["no binding", "r=x,p=AAAA"],
  ["an empty binding", "c=,r=x,p=AAAA"],
  ["no nonce", "c=biws,p=AAAA"],
  ["something behind the proof", "c=biws,r=x,p=AAAA,x=y"],
  ["a mandatory extension", "c=biws,r=x,m=y,p=AAAA"],
];

for (const [name, text] of BAD_FINAL) {
  Deno.test(`parseClientFinal() refuses ${name}`, () => {
    strictEqual(parseClientFinal(text), undefined);
  });
}

Deno.test("isBase64() wants padding where it belongs", () => {
  for (const good of ["AAAA", "AAA=", "AA==", "+/09azAZ"]) {
    strictEqual(isBase64(good), true, good);
  }
  const bad = [
    "",
    "A",
    "AA",
    "AAA",
    "=",
    "====",
    "A===",
    "A=AA",
    "AA=A",
    "AA A",
  ];
  for (const one of [...bad, "AA-_", "AAAA\r", "*", "AAA=AAAA"]) {
    strictEqual(isBase64(one), false, one);
  }
});
