import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { pbkdf2Sync } from "node:crypto";
import { beginLogin, type Derive, onLoginReply, tellable } from "./login.ts";

const LOGIN = { user: "user", password: "pencil" };
const NONCE = "rOprNGfwEbeRWgbNEkqO";
const base64 = (text: string) => Buffer.from(text).toString("base64");
const derive: Derive = (password, salt, iterations) =>
  Promise.resolve(pbkdf2Sync(password, salt, iterations, 32, "sha256"));

/** Plays replies, and tells what was sent, in plain text, and how it ended. */
async function play(offered: string[], replies: string[], login = LOGIN) {
  let [state, action] = beginLogin(offered, login, NONCE);
  const told: string[] = [];
  for (const next of [...replies, undefined]) {
    if (action.do === "send") {
      const words = action.line.split(" ");
      const last = words.at(-1)!;
      const isAnswer = action.line !== action.shown || words.length > 2;
      told.push([
        ...words.slice(0, -1),
        isAnswer
          ? Buffer.from(last, "base64").toString().replaceAll("\0", "|")
          : last,
      ].join(" "));
      assert.ok(last === "" || !isAnswer || !action.shown.includes(last));
    } else {
      told.push(action.do === "failed" ? `failed: ${action.why}` : action.do);
      assert.equal(next, undefined, "replies left over");
      return told;
    }
    if (next === undefined) break;
    const reply = { code: Number(next.slice(0, 3)), lines: [next.slice(4)] };
    [state, action] = await onLoginReply(state, reply, { login, derive });
  }
  return told;
}

// RFC 7677 §3
const SERVER_FIRST = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
  "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const CLIENT_FINAL = "c=biws,r=rOprNGfwEbeRWgbNEkqO" +
  "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
  "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
const ALL = ["LOGIN", "PLAIN", "SCRAM-SHA-256"];
const FIRST = "AUTH SCRAM-SHA-256 n,,n=user,r=rOprNGfwEbeRWgbNEkqO";

const PLAYS: {
  name: string;
  offered: string[];
  replies: string[];
  want: string[];
}[] = [
  {
    name: "uses SCRAM-SHA-256 before all, as in RFC 7677 §3",
    offered: ALL,
    replies: [
      `334 ${base64(SERVER_FIRST)}`,
      `334 ${base64(SERVER_FINAL)}`,
      "235 2.7.0 in",
    ],
    want: [FIRST, CLIENT_FINAL, "", "logged-in"],
  },
  {
    name: "believes no server that cannot sign",
    offered: ALL,
    replies: [`334 ${base64(SERVER_FIRST)}`, `334 ${base64("v=AAAA")}`],
    want: [
      FIRST,
      CLIENT_FINAL,
      "failed: the server does not know the password itself",
    ],
  },
  {
    name: "believes no server that says 235 without having signed",
    offered: ALL,
    replies: [`334 ${base64(SERVER_FIRST)}`, "235 2.7.0 in"],
    want: [FIRST, CLIENT_FINAL, "failed: unexpected reply 235 to the login"],
  },
  ...[
    ["another nonce", "r=xxx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"],
    ["our nonce alone", `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ["too few rounds", `r=${NONCE}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1`],
    ["rounds without end", `r=${NONCE}x,s=W22Z,i=999999999`],
    ["no salt", `r=${NONCE}x,s=,i=4096`],
    ["nothing", ""],
  ].map(([name, first]) => ({
    name: `answers no challenge with ${name}`,
    offered: ["SCRAM-SHA-256"],
    replies: [`334 ${base64(first!)}`],
    want: [FIRST, "failed: no good SCRAM challenge"],
  })),
  {
    name: "says PLAIN in one line",
    offered: ["LOGIN", "PLAIN", "XOAUTH2"],
    replies: ["235 in"],
    want: ["AUTH PLAIN |user|pencil", "logged-in"],
  },
  {
    name: "answers LOGIN's two questions",
    offered: ["LOGIN"],
    replies: ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 in"],
    want: ["AUTH LOGIN", "user", "pencil", "logged-in"],
  },
  {
    name: "answers no third question",
    offered: ["LOGIN"],
    replies: ["334 a", "334 b", "334 c"],
    want: ["AUTH LOGIN", "user", "pencil", "failed: one question too many"],
  },
  {
    name: "has nothing for a server without a mechanism that we know",
    offered: ["NTLM", "CRAM-MD5"],
    replies: [],
    want: ["failed: AUTH is offered with NTLM CRAM-MD5 alone"],
  },
  {
    name: "has nothing for a server without AUTH",
    offered: [],
    replies: [],
    want: ["failed: no AUTH is offered"],
  },
  {
    name: "is refused by a 535",
    offered: ["PLAIN"],
    replies: ["535 5.7.8 no"],
    want: ["AUTH PLAIN |user|pencil", "refused"],
  },
  {
    name: "is put off by a 454",
    offered: ["PLAIN"],
    replies: ["454 4.7.0 later"],
    want: ["AUTH PLAIN |user|pencil", "failed: the login got 454"],
  },
  {
    name: "is not let in by a 250",
    offered: ["PLAIN"],
    replies: ["250 ok"],
    want: [
      "AUTH PLAIN |user|pencil",
      "failed: unexpected reply 250 to the login",
    ],
  },
];

for (const { name, offered, replies, want } of PLAYS) {
  Deno.test(`a login ${name}`, async () => {
    assert.deepEqual(await play(offered, replies), want);
  });
}

Deno.test("a login says a long PLAIN in two lines, RFC 4954 §4", async () => {
  const password = "x".repeat(600);
  const told = await play(["PLAIN"], ["334 ", "235 in"], {
    user: "user",
    password,
  });
  assert.deepEqual(told, ["AUTH PLAIN", `|user|${password}`, "logged-in"]);
});

Deno.test("tellable() keeps back questions and what tells the password", () => {
  const shown = (code: number, ...lines: string[]) =>
    tellable({ code, lines }, LOGIN).lines;
  assert.deepEqual(shown(334, base64(SERVER_FIRST)), ["(a question)"]);
  assert.deepEqual(
    shown(535, "no pencil here", `not ${base64("\0user\0pencil")}`, "sorry"),
    ["no ***", "not ***", "sorry"],
  );
  const long = { user: "me@home.test", password: "p".repeat(90) };
  for (const one of [long.password, `\0${long.user}\0${long.password}`]) {
    const lines = [`bad ${base64(one)}`, `bad ${one.slice(0, 60)}`];
    const [first] = tellable({ code: 535, lines }, long).lines;
    assert.equal(first, "bad ***");
  }
});
