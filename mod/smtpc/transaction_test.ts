import assert from "node:assert/strict";
import { NO_WISHES, type Protocol } from "../core/shapes.ts";
import { PLAIN_PEER } from "./opening.ts";
import {
  type Action,
  begin,
  type Mail,
  onEarlyReply,
  onLost,
  onReply,
} from "./transaction.ts";

const MAIL: Mail = {
  reversePath: "me@us.test",
  recipients: ["a@x.test", "b@x.test"],
  sizeBytes: 100,
  eightBit: false,
  bodyType: "7bit",
  wishes: NO_WISHES,
  recipientWishes: [],
  internationalHeader: false,
};
const TO = { host: "mx.test", protocol: "smtp" } as const;
const FULL = {
  ...PLAIN_PEER,
  pipelining: true,
  eightBitMime: true,
  maxSize: 0,
};

/**
 * Plays replies (`code` or `code text`) and tells what was done: commands,
 * `(content)`, and at last `kind code` by recipient and how it goes on.
 */
function play(
  mail: Mail,
  peer: typeof PLAIN_PEER,
  replies: string[],
  protocol: Protocol = "smtp",
) {
  let [state, action] = begin(mail, peer, { ...TO, protocol });
  const told: string[] = [];
  const left = [...replies];
  while (action.do !== "done") {
    tell(told, action);
    const next = left.shift();
    assert.ok(next !== undefined, `no reply left after ${told.at(-1)}`);
    if (next === "lost") action = onLost(state, "connection lost");
    else {
      const reply = { code: Number(next.slice(0, 3)), lines: [next.slice(4)] };
      [state, action] = onReply(state, reply);
    }
  }
  tell(told, action);
  assert.deepEqual(left, [], "replies left over");
  return told;
}

function tell(told: string[], action: Action): void {
  switch (action.do) {
    case "send":
      told.push(...action.lines);
      return;
    case "wait":
      return;
    case "content":
      told.push("(content)");
      return;
    case "done":
      told.push(
        action.outcomes.map(({ kind, code }) => `${kind} ${code}`).join(", "),
        `${action.reusable ? "reuse" : "quit"}${
          action.tryNext ? "" : ", no other host"
        }`,
      );
  }
}

const ENVELOPE = [
  "MAIL FROM:<me@us.test>",
  "RCPT TO:<a@x.test>",
  "RCPT TO:<b@x.test>",
  "DATA",
];
const PIPELINED = ["MAIL FROM:<me@us.test> SIZE=100", ...ENVELOPE.slice(1)];

const PLAYS: {
  name: string;
  peer: typeof PLAIN_PEER;
  mail?: Partial<Mail>;
  replies: string[];
  want: string[];
}[] = [
  {
    name: "sends one command at a time",
    peer: PLAIN_PEER,
    replies: ["250", "250", "251", "354", "250"],
    want: [...ENVELOPE, "(content)", "delivered 250, delivered 250", "reuse"],
  },
  {
    name: "pipelines when it may",
    peer: FULL,
    replies: ["250", "250", "250", "354", "250"],
    want: [...PIPELINED, "(content)", "delivered 250, delivered 250", "reuse"],
  },
  {
    name: "sends to those that are accepted",
    peer: FULL,
    replies: ["250", "550", "250", "354", "250"],
    want: [...PIPELINED, "(content)", "permanent 550, delivered 250", "reuse"],
  },
  {
    name: "keeps the RCPT verdict when the final dot is refused",
    peer: FULL,
    replies: ["250", "550", "250", "354", "451"],
    want: [...PIPELINED, "(content)", "permanent 550, temporary 451", "reuse"],
  },
  {
    name: "sends no DATA without a recipient",
    peer: PLAIN_PEER,
    replies: ["250", "550", "450"],
    want: [...ENVELOPE.slice(0, 3), "permanent 550, temporary 450", "quit"],
  },
  {
    name: "ends a DATA for nobody with a lone dot", // RFC 2920 §3.1
    peer: FULL,
    replies: ["250", "550", "550", "354", "250"],
    want: [...PIPELINED, ".", "permanent 550, permanent 550", "reuse"],
  },
  {
    name: "leaves when DATA for nobody is refused",
    peer: FULL,
    replies: ["250", "550", "550", "554"],
    want: [...PIPELINED, "permanent 550, permanent 550", "quit"],
  },
  {
    name: "takes 552 to RCPT for 452", // RFC 5321 §4.5.3.1.10
    peer: FULL,
    replies: ["250", "250", "552 5.5.3 too many", "354", "250"],
    want: [...PIPELINED, "(content)", "delivered 250, temporary 452", "reuse"],
  },
  {
    name: "takes 5xx to MAIL for good",
    peer: PLAIN_PEER,
    replies: ["550"],
    want: [ENVELOPE[0]!, "permanent 550, permanent 550", "quit"],
  },
  {
    name: "takes 4xx to DATA for later",
    peer: PLAIN_PEER,
    replies: ["250", "250", "250", "451"],
    want: [...ENVELOPE, "temporary 451, temporary 451", "quit"],
  },
  {
    name: "does not take 250 to DATA for anything",
    peer: PLAIN_PEER,
    replies: ["250", "250", "250", "250"],
    want: [...ENVELOPE, "temporary 451, temporary 451", "quit"],
  },
  {
    name: "does not take 354 to MAIL or RCPT for a yes",
    peer: PLAIN_PEER,
    replies: ["250", "354", "354"],
    want: [...ENVELOPE.slice(0, 3), "temporary 451, temporary 451", "quit"],
  },
  {
    name: "does not take 354 to the final dot for a yes",
    peer: FULL,
    replies: ["250", "250", "250", "354", "354"],
    want: [...PIPELINED, "(content)", "temporary 451, temporary 451", "reuse"],
  },
  {
    name: "leaves on 421 to RCPT",
    peer: FULL,
    replies: ["250", "550", "421"],
    want: [...PIPELINED, "permanent 550, temporary 421", "quit"],
  },
  {
    name: "leaves on 421 to the final dot",
    peer: FULL,
    replies: ["250", "250", "250", "354", "421"],
    want: [...PIPELINED, "(content)", "temporary 421, temporary 421", "quit"],
  },
  {
    name: "may ask another host after a loss before the content",
    peer: FULL,
    replies: ["250", "550", "lost"],
    want: [...PIPELINED, "permanent 550, temporary 451", "quit"],
  },
  {
    name: "asks no other host after a loss behind the final dot",
    peer: FULL,
    replies: ["250", "250", "250", "354", "lost"],
    want: [
      ...PIPELINED,
      "(content)",
      "temporary 451, temporary 451",
      "quit, no other host",
    ],
  },
  {
    name: "labels 8-bit content", // RFC 6152
    peer: FULL,
    mail: { eightBit: true, recipients: ["a@x.test"] },
    replies: ["250", "250", "354", "250"],
    want: [
      "MAIL FROM:<me@us.test> SIZE=100 BODY=8BITMIME",
      "RCPT TO:<a@x.test>",
      "DATA",
      "(content)",
      "delivered 250",
      "reuse",
    ],
  },
  {
    name: "refuses 8-bit content for a 7-bit server",
    peer: PLAIN_PEER,
    mail: { eightBit: true },
    replies: [],
    want: ["permanent 554, permanent 554", "reuse"],
  },
  {
    name: "sends 7-bit content labelled 8bitmime to a 7-bit server",
    peer: PLAIN_PEER,
    mail: { bodyType: "8bitmime", recipients: ["a@x.test"] },
    replies: ["250", "250", "354", "250"],
    want: [
      ...ENVELOPE.filter((line) => !line.includes("b@")),
      "(content)",
      "delivered 250",
      "reuse",
    ],
  },
  {
    name: "refuses what is over the server's SIZE", // RFC 1870 §6.1
    peer: { ...FULL, maxSize: 99 },
    replies: [],
    want: ["permanent 552, permanent 552", "reuse"],
  },
  {
    name: "never writes an address that would end its path",
    peer: FULL,
    mail: { recipients: ["a> X=<b@x.test", "b@x.test"] },
    replies: ["250", "250", "354", "250"],
    want: [
      PIPELINED[0]!,
      "RCPT TO:<b@x.test>",
      "DATA",
      "(content)",
      "permanent 553, delivered 250",
      "reuse",
    ],
  },
  {
    name: "writes no UTF-8 to a server without SMTPUTF8",
    peer: FULL,
    mail: { recipients: ["jürgen@x.test"] },
    replies: [],
    want: ["permanent 553", "reuse"],
  },
  {
    name: "uses SMTPUTF8 where it is offered", // RFC 6531
    peer: { ...FULL, smtpUtf8: true },
    mail: { recipients: ["jürgen@x.test"], reversePath: "" },
    replies: ["250", "250", "354", "250"],
    want: [
      "MAIL FROM:<> SIZE=100 SMTPUTF8",
      "RCPT TO:<jürgen@x.test>",
      "DATA",
      "(content)",
      "delivered 250",
      "reuse",
    ],
  },
];

for (const { name, peer, mail, replies, want } of PLAYS) {
  Deno.test(`a transaction ${name}`, () => {
    assert.deepEqual(play({ ...MAIL, ...mail }, peer, replies), want);
  });
}

Deno.test("onEarlyReply() believes a refusal and no consent", () => {
  const [state] = begin(MAIL, FULL, TO);
  for (
    const [code, kind] of [
      [552, "permanent"],
      [452, "temporary"],
      [421, "temporary"],
      [250, "temporary"],
      [354, "temporary"],
    ] as const
  ) {
    const action = onEarlyReply(state, { code, lines: ["x"] });
    assert.ok(action.do === "done" && !action.reusable);
    assert.deepEqual(action.outcomes.map((one) => one.kind), [kind, kind]);
  }
});

// RFC 2033 §4.2
const LMTP_PLAYS: typeof PLAYS = [
  {
    name: "has one reply a recipient",
    peer: FULL,
    replies: ["250", "250", "250", "354", "250", "550 5.2.2 full"],
    want: [
      ...PIPELINED,
      "(content)",
      "delivered 250, permanent 550",
      "reuse",
    ],
  },
  {
    name: "is owed no reply by a recipient that was refused",
    peer: PLAIN_PEER,
    replies: ["250", "550", "250", "354", "250"],
    want: [
      ...ENVELOPE,
      "(content)",
      "permanent 550, delivered 250",
      "reuse",
    ],
  },
  {
    name: "puts off, and tries nowhere else, whom the loss left unanswered",
    peer: PLAIN_PEER,
    replies: ["250", "250", "250", "354", "250", "lost"],
    want: [
      ...ENVELOPE,
      "(content)",
      "delivered 250, temporary 451",
      "quit, no other host",
    ],
  },
  {
    name: "puts off all that are left at a 421",
    peer: PLAIN_PEER,
    replies: ["250", "250", "250", "354", "421"],
    want: [
      ...ENVELOPE,
      "(content)",
      "temporary 421, temporary 421",
      "quit",
    ],
  },
  {
    name: "sends no dot where nobody is to receive it",
    peer: FULL,
    replies: ["250", "550", "550", "354"],
    want: [
      ...PIPELINED,
      "permanent 550, permanent 550",
      "quit",
    ],
  },
];

for (const { name, peer, mail, replies, want } of LMTP_PLAYS) {
  Deno.test(`an LMTP transaction ${name}`, () => {
    assert.deepEqual(play({ ...MAIL, ...mail }, peer, replies, "lmtp"), want);
  });
}
