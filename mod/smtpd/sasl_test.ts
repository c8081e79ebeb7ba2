import { leastMs } from "../core/least_time.ts";
import { Buffer } from "node:buffer";
import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import type { Edge } from "../ipc/edge.ts";
import type { authContract } from "../auth/auth_ipc.ts";
import { clientFinal } from "../login/scram_client.ts";
import { begin, mechanismsOn, onAnswer, onLine } from "./sasl.ts";
import { askAuth, type SaslAction, type SaslState } from "./sasl_step.ts";

const CLIENT = "192.0.2.7";
const END_POINT = new Uint8Array(32).fill(5);
const BOUND = { client: CLIENT, endPoint: END_POINT };
const UNBOUND = { client: CLIENT, endPoint: null };
const GRANTED = {
  mailbox: { user: "me", domain: "home.test" },
  appPassword: "",
};

function b64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function text(challenge: string): string {
  return Buffer.from(challenge, "base64").toString();
}

Deno.test("mechanismsOn() offers -PLUS where there is something to bind to", () => {
  const others = ["SCRAM-SHA-256", "PLAIN", "LOGIN"];
  deepStrictEqual(mechanismsOn(UNBOUND), others);
  deepStrictEqual(mechanismsOn(BOUND), ["SCRAM-SHA-256-PLUS", ...others]);
});

/**
 * One exchange up to its first question or end: `S` what we say, decoded; `C`
 * what the client answers, as it stands on the wire.
 */
const EXCHANGES: {
  name: string;
  mechanism: string;
  initial: string | undefined;
  channel?: typeof BOUND | typeof UNBOUND;
  lines?: readonly (readonly [S: string, C: string])[];
  want:
    | { login: string; password: string }
    | { bare: string }
    | { fault: string };
}[] = [
  {
    name: "PLAIN with its initial response", // RFC 4616 §4
    mechanism: "PLAIN",
    initial: b64("\0tim\0tanstaaftanstaaf"),
    want: { login: "tim", password: "tanstaaftanstaaf" },
  },
  {
    name: "PLAIN without it",
    mechanism: "plain",
    initial: undefined,
    lines: [["", b64("\0me@home.test\0a b:c")]],
    want: { login: "me@home.test", password: "a b:c" },
  },
  {
    name: "PLAIN with the login as identity",
    mechanism: "PLAIN",
    initial: b64("ME@home.test\0me@home.test\0x"),
    want: { login: "me@home.test", password: "x" },
  },
  {
    name: "PLAIN with composed letters",
    mechanism: "PLAIN",
    initial: b64("\0me\0o\u0308"),
    want: { login: "me", password: "\u00f6" },
  },
  {
    name: "PLAIN for somebody else", // RFC 4616 §4, its second example
    mechanism: "PLAIN",
    initial: b64("Ursel\0Kurt\0xipj3plmq"),
    want: { fault: "denied" },
  },
  ...["", "\0", "me", "\0me", "\0me\0", "\0\0x", "\0a\0b\0c", "a\0b"].map(
    (message) => ({
      name: `PLAIN with ${JSON.stringify(message)}`,
      mechanism: "PLAIN",
      initial: undefined,
      lines: [["", b64(message)] as const],
      want: { fault: "malformed" },
    }),
  ),
  {
    name: "PLAIN with an empty initial response", // RFC 4954 §4
    mechanism: "PLAIN",
    initial: "=",
    want: { fault: "malformed" },
  },
  {
    name: "PLAIN with a login that is not UTF-8",
    mechanism: "PLAIN",
    initial: Buffer.from([0, 0xff, 0, 0x78]).toString("base64"),
    want: { fault: "malformed" },
  },
  {
    name: "PLAIN with a control character in the password",
    mechanism: "PLAIN",
    initial: b64("\0me\0a\nb"),
    want: { fault: "denied" },
  },
  {
    name: "PLAIN with a password of 1,001 octets",
    mechanism: "PLAIN",
    initial: b64(`\0me\0${"x".repeat(1_001)}`),
    want: { fault: "denied" },
  },
  {
    name: "an initial response that is no base64",
    mechanism: "PLAIN",
    initial: "nonsense!",
    want: { fault: "not-base64" },
  },
  {
    name: "base64 without its padding",
    mechanism: "PLAIN",
    initial: b64("\0me\0abc").replaceAll("=", "").slice(0, -1),
    want: { fault: "not-base64" },
  },
  {
    name: "a line that is no base64",
    mechanism: "PLAIN",
    initial: undefined,
    lines: [["", "MAIL FROM:<me@home.test>"]],
    want: { fault: "not-base64" },
  },
  {
    name: "a client that cancels",
    mechanism: "LOGIN",
    initial: undefined,
    lines: [["Username:", b64("me")], ["Password:", "*"]],
    want: { fault: "cancelled" },
  },
  {
    name: "the longest line", // RFC 4954 §4
    mechanism: "PLAIN",
    initial: undefined,
    lines: [["", "A".repeat(12_284)]],
    want: { fault: "malformed" },
  },
  {
    name: "a longer line",
    mechanism: "PLAIN",
    initial: undefined,
    lines: [["", "A".repeat(12_288)]],
    want: { fault: "too-long" },
  },
  {
    name: "LOGIN",
    mechanism: "LOGIN",
    initial: undefined,
    lines: [["Username:", b64("me")], ["Password:", b64("se cret")]],
    want: { login: "me", password: "se cret" },
  },
  {
    name: "LOGIN with the login beforehand",
    mechanism: "LOGIN",
    initial: b64("me"),
    lines: [["Password:", b64("secret")]],
    want: { login: "me", password: "secret" },
  },
  {
    name: "LOGIN without a login",
    mechanism: "LOGIN",
    initial: undefined,
    lines: [["Username:", ""]],
    want: { fault: "malformed" },
  },
  {
    name: "LOGIN without a password",
    mechanism: "LOGIN",
    initial: undefined,
    lines: [["Username:", b64("me")], ["Password:", ""]],
    want: { fault: "denied" },
  },
  {
    name: "a mechanism that we lack",
    mechanism: "CRAM-MD5",
    initial: undefined,
    want: { fault: "unknown-mechanism" },
  },
  {
    name: "-PLUS where it is not offered",
    mechanism: "SCRAM-SHA-256-PLUS",
    initial: b64("p=tls-server-end-point,,n=me,r=x"),
    channel: UNBOUND,
    want: { fault: "unknown-mechanism" },
  },
  {
    name: "SCRAM by a client that cannot bind",
    mechanism: "SCRAM-SHA-256",
    initial: b64("n,,n=me,r=x"),
    want: { bare: "n=me,r=x" },
  },
  {
    name: "SCRAM without an initial response",
    mechanism: "SCRAM-SHA-256",
    initial: undefined,
    lines: [["", b64("n,a=me,n=me,r=x")]],
    want: { bare: "n=me,r=x" },
  },
  {
    name: "SCRAM by a client that could bind where we cannot",
    mechanism: "SCRAM-SHA-256",
    initial: b64("y,,n=me,r=x"),
    channel: UNBOUND,
    want: { bare: "n=me,r=x" },
  },
  {
    name: "SCRAM by a client that was not shown -PLUS", // RFC 5802 §6
    mechanism: "SCRAM-SHA-256",
    initial: b64("y,,n=me,r=x"),
    want: { fault: "denied" },
  },
  {
    name: "SCRAM with a binding and without -PLUS",
    mechanism: "SCRAM-SHA-256",
    initial: b64("p=tls-server-end-point,,n=me,r=x"),
    want: { fault: "denied" },
  },
  {
    name: "SCRAM for somebody else",
    mechanism: "SCRAM-SHA-256",
    initial: b64("n,a=you,n=me,r=x"),
    want: { fault: "denied" },
  },
  {
    name: "SCRAM that makes no sense",
    mechanism: "SCRAM-SHA-256",
    initial: b64("n,,n=me"),
    want: { fault: "malformed" },
  },
  {
    name: "-PLUS",
    mechanism: "Scram-Sha-256-Plus",
    initial: b64("p=tls-server-end-point,,n=me,r=x"),
    want: { bare: "n=me,r=x" },
  },
  ...["n", "y", "p=tls-unique", "p=tls-exporter", "p=TLS-SERVER-END-POINT"].map(
    (flag) => ({
      name: `-PLUS with ${flag}`,
      mechanism: "SCRAM-SHA-256-PLUS",
      initial: b64(`${flag},,n=me,r=x`),
      want: { fault: "denied" },
    }),
  ),
];

/** The question or the end, in the words of the table. */
function outcome(action: SaslAction): unknown {
  switch (action.do) {
    case "ask": {
      const { call, ask } = action.question;
      if (call === "scramFinal") return { final: ask.clientFinalBare };
      strictEqual(ask.client, CLIENT);
      return call === "password"
        ? { login: ask.login, password: ask.password }
        : { bare: ask.clientFirstBare };
    }
    case "fail":
      return { fault: action.fault };
    case "say":
      return { said: text(action.challenge) };
    case "grant":
      return { granted: action.granted };
  }
}

for (const { name, lines = [], channel = BOUND, want, ...how } of EXCHANGES) {
  Deno.test(`SASL reads ${name}`, () => {
    let [state, action] = begin({ ...how, channel });
    for (const [said, line] of lines) {
      deepStrictEqual(outcome(action), { said });
      [state, action] = onLine(state!, line);
    }
    deepStrictEqual(outcome(action), want);
    strictEqual(state === null, action.do === "fail");
  });
}

/** An exchange of SCRAM up to the client's final message. */
function scram(options: {
  mechanism: string;
  header: string;
  bound?: Uint8Array;
  channel?: typeof BOUND | typeof UNBOUND;
}) {
  const { mechanism, header, channel = BOUND } = options;
  const bare = "n=me,r=abc";
  const serverFirst = `r=abcdef,s=${b64("salt")},i=4096`;
  const initial = b64(header + bare);
  const [asked] = begin({ mechanism, initial, channel });
  const [waiting, said] = onAnswer(asked!, {
    call: "scramFirst",
    reply: { kind: "answered", answer: { exchange: "e1", serverFirst } },
  });
  deepStrictEqual(outcome(said), { said: serverFirst });
  const final = clientFinal({
    clientFirstBare: bare,
    serverFirst,
    password: "secret",
    binding: Buffer.concat([
      Buffer.from(header),
      options.bound ?? new Uint8Array(),
    ]),
  });
  const line = b64(`${final.bare},p=${final.proof}`);
  return { final, step: onLine(waiting!, line) };
}

const PLUS = {
  mechanism: "SCRAM-SHA-256-PLUS",
  header: "p=tls-server-end-point,,",
};
const PLAIN_SCRAM = { mechanism: "SCRAM-SHA-256", header: "n,," };

for (
  const how of [
    PLAIN_SCRAM,
    { ...PLUS, bound: END_POINT },
    { mechanism: "SCRAM-SHA-256", header: "y,,", channel: UNBOUND },
  ]
) {
  Deno.test(`SASL goes through ${how.mechanism} with ${how.header} to its end`, () => {
    const { final, step } = scram(how);
    const [asked, action] = step;
    ok(action.do === "ask" && action.question.call === "scramFinal");
    deepStrictEqual(action.question.ask, {
      exchange: "e1",
      clientFinalBare: final.bare,
      proof: final.proof,
    });
    const [confirming, said] = onAnswer(asked!, {
      call: "scramFinal",
      reply: {
        kind: "answered",
        answer: { granted: GRANTED, signature: final.signature },
      },
    });
    deepStrictEqual(outcome(said), { said: `v=${final.signature}` });
    deepStrictEqual(onLine(confirming!, ""), [null, {
      do: "grant",
      granted: GRANTED,
    }]);
    deepStrictEqual(outcome(onLine(confirming!, "*")[1]), {
      fault: "cancelled",
    });
    deepStrictEqual(outcome(onLine(confirming!, b64("x"))[1]), {
      fault: "malformed",
    });
  });
}

const UNFIT: [name: string, how: Parameters<typeof scram>[0]][] = [
  ["another certificate", { ...PLUS, bound: new Uint8Array(32).fill(6) }],
  ["a part of the binding", { ...PLUS, bound: END_POINT.subarray(1) }],
  ["no binding", PLUS],
  ["a binding where none was named", { ...PLAIN_SCRAM, bound: END_POINT }],
];

for (const [name, how] of UNFIT) {
  Deno.test(`SASL refuses a SCRAM client that is bound to ${name}`, () => {
    const [state, action] = scram(how).step;
    strictEqual(state, null);
    ok(action.do === "fail");
    strictEqual(action.fault, "denied");
    match(action.why, /another channel/);
  });
}

Deno.test("SASL fails with what auth refuses with", () => {
  const [asked] = begin({
    mechanism: "PLAIN",
    initial: b64("\0me\0x"),
    channel: BOUND,
  });
  const cases = [
    ["denied", "denied"],
    ["locked", "later"],
    ["busy", "later"],
    ["unhealthy", "later"],
  ] as const;
  for (const [refusal, fault] of cases) {
    deepStrictEqual(
      onAnswer(asked!, {
        call: "password",
        reply: { kind: "refused", refusal },
      }),
      [null, { do: "fail", fault, why: refusal }],
    );
  }
  deepStrictEqual(
    onAnswer(asked!, {
      call: "password",
      reply: { kind: "failed", why: "auth is not there" },
    }),
    [null, { do: "fail", fault: "later", why: "auth is not there" }],
  );
  deepStrictEqual(
    onAnswer(asked!, {
      call: "password",
      reply: { kind: "answered", answer: GRANTED },
    }),
    [null, { do: "grant", granted: GRANTED }],
  );
});

Deno.test("SASL takes no line and no answer out of turn", () => {
  const asked: SaslState = { at: "asked-password" };
  throws(() => onLine(asked, b64("x")), RangeError);
  const reply = { kind: "failed", why: "" } as const;
  throws(() => onAnswer(asked, { call: "scramFirst", reply }), RangeError);
});

Deno.test("askAuth() asks what was to be asked", async () => {
  const asked: unknown[] = [];
  const auth = {
    ask: (name: string, ask: unknown) => {
      asked.push([name, ask]);
      return Promise.resolve({ kind: "failed", why: "not there" });
    },
  } as unknown as Edge<typeof authContract.calls>;
  const ask = { login: "me", password: "x", client: CLIENT };
  deepStrictEqual(await askAuth({ call: "password", ask }, auth), {
    call: "password",
    reply: { kind: "failed", why: "not there" },
  });
  deepStrictEqual(asked, [["password", ask]]);
});

/** Octets that SASL's readers look for, and some that they do not. */
const PIECES = [
  ...["", "n", "y", "p=", "tls-server-end-point", "tls-exporter", ",", ",,"],
  ...["a=", "n=", "r=", "c=", "p=", "m=", "x=", "=2C", "=3D", "=", "me", "\0"],
  ...["biws", "AAAA", "\u00fc", "\ud800", "\n", "*", "x".repeat(300)],
];

Deno.test("SASL reads anything to an action, and never throws", () => {
  let seed = 1;
  // A linear congruence (Numerical Recipes): the same run each time.
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  const seen = new Set<string>();
  for (let n = 0; n < 20_000; n++) {
    const message = Array.from(
      { length: random(9) },
      () => PIECES[random(PIECES.length)]!,
    ).join("");
    const line = random(10) === 0 ? message : b64(message);
    const mechanism = mechanismsOn(BOUND)[random(4)]!;
    const [state, action] = random(4) === 0
      ? onLine(
        { at: "scram-final", exchange: "e", binding: END_POINT },
        line,
      )
      : begin({ mechanism, initial: line, channel: BOUND });
    seen.add(action.do === "fail" ? action.fault : action.do);
    if (state?.at === "login-password") onLine(state, line);
  }
  for (const one of ["ask", "say", "denied", "malformed", "not-base64"]) {
    ok(seen.has(one), one);
  }
});

Deno.test("SASL spends no time on bait", () => {
  const full = (start: string, bait: string) =>
    Buffer.from(start + bait.repeat(9_000)).subarray(0, 9_000)
      .toString("base64");
  const baits = ["=2C", "=", ",", ",p=", "\0", "n,,n=", "a=b,", "\u0308"];
  const states: SaslState[] = [
    { at: "plain", channel: BOUND },
    { at: "login-name", channel: BOUND },
    { at: "login-password", channel: BOUND, login: "me" },
    { at: "scram-first", channel: BOUND, isPlus: false },
    { at: "scram-final", exchange: "e", binding: END_POINT },
  ];
  for (const bait of baits) {
    for (const start of ["", "n,,n=", "c=biws,r=", "\0me\0"]) {
      for (const state of states) {
        const line = full(start, bait);
        const tookMs = leastMs(() => onLine(state, line), 50);
        ok(tookMs < 50, JSON.stringify([state.at, bait]));
      }
    }
  }
});
