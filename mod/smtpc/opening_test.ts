import assert from "node:assert/strict";
import {
  afterHandshake,
  FIRST,
  onOpeningReply,
  type Opening,
  type OpeningFacts,
  readPeer,
} from "./opening.ts";
import type { Reply } from "./reply.ts";

const FACTS: OpeningFacts = {
  hostname: "us.test",
  host: "mx.test",
  tls: "may",
  requireTls: false,
  noLoop: true,
  protocol: "smtp",
};
const reply = (code: number, ...lines: string[]): Reply => ({ code, lines });
const inClear = (at: Opening["at"]): Opening => ({ at, inTls: false });
const inTls = (at: Opening["at"]): Opening => ({ at, inTls: true });

const STEPS: {
  name: string;
  state: Opening;
  reply: Reply;
  facts?: Partial<OpeningFacts>;
  want: string;
}[] = [
  {
    name: "says EHLO to a greeting",
    state: FIRST,
    reply: reply(220, "mx.test ESMTP"),
    want: "send EHLO us.test",
  },
  {
    name: "says LHLO to an LMTP greeting", // RFC 2033 §4.1
    state: FIRST,
    facts: { protocol: "lmtp" },
    reply: reply(220, "mx.test LMTP"),
    want: "send LHLO us.test",
  },
  {
    name: "has no HELO for a server that refuses LHLO",
    state: inClear("ehlo"),
    facts: { protocol: "lmtp" },
    reply: reply(500, "5.5.1 what"),
    want: "give-up temporary 400 4.5.1",
  },
  {
    name: "gives a host up, for now, that greets with 554",
    state: FIRST,
    reply: reply(554, "5.7.1 no service"),
    want: "give-up temporary 454 4.7.1",
  },
  {
    name: "gives a host up that greets with 421",
    state: FIRST,
    reply: reply(421, "4.3.2 later"),
    want: "give-up temporary 421 4.3.2",
  },
  {
    name: "gives a host up that greets with 235", // PREAUTH class
    state: FIRST,
    reply: reply(235, "authenticated"),
    want: "give-up temporary 451 4.5.0",
  },
  {
    name: "gives a host up that greets with 250",
    state: FIRST,
    reply: reply(250, "mx.test"),
    want: "give-up temporary 451 4.5.0",
  },
  {
    name: "sees its own name in a greeting",
    state: FIRST,
    reply: reply(220, "US.test ESMTP"),
    want: "loop",
  },
  {
    name: "does not mind its own name where a loop is no matter",
    state: FIRST,
    reply: reply(220, "us.test ESMTP"),
    facts: { noLoop: false },
    want: "send EHLO us.test",
  },
  {
    name: "falls back to HELO on 5xx",
    state: inClear("ehlo"),
    reply: reply(502, "what?"),
    want: "send HELO us.test",
  },
  {
    name: "does not fall back to HELO on 4xx",
    state: inClear("ehlo"),
    reply: reply(451, "4.3.0 later"),
    want: "give-up temporary 451 4.3.0",
  },
  {
    name: "expects nothing of a HELO server",
    state: inClear("helo"),
    reply: reply(250, "mx.test"),
    want: "ready",
  },
  {
    name: "gives a host up that refuses EHLO and HELO",
    state: inClear("helo"),
    reply: reply(550, "no"),
    want: "give-up temporary 450 4.0.0",
  },
  {
    name: "takes STARTTLS when it is offered",
    state: inClear("ehlo"),
    reply: reply(250, "mx.test", "starttls"),
    want: "send STARTTLS",
  },
  {
    name: "takes no STARTTLS after it failed",
    state: inClear("ehlo"),
    reply: reply(250, "mx.test", "STARTTLS"),
    facts: { tls: "never" },
    want: "ready starttls",
  },
  {
    name: "takes no STARTTLS within TLS",
    state: inTls("ehlo"),
    reply: reply(250, "mx.test", "STARTTLS"),
    want: "ready starttls",
  },
  {
    name: "shakes hands on 220",
    state: inClear("starttls"),
    reply: reply(220, "a", "b"),
    want: "handshake",
  },
  {
    name: "goes on without TLS on 454",
    state: inClear("starttls"),
    reply: reply(454, "no"),
    want: "without-tls",
  },
  {
    name: "gives a host up that refuses the TLS that it must have",
    state: inClear("starttls"),
    reply: reply(454, "no"),
    facts: { tls: "must" },
    want: "give-up temporary 451 4.7.4",
  },
  {
    name: "gives a host up without the TLS that it must have",
    state: inClear("ehlo"),
    reply: reply(250, "mx.test", "PIPELINING"),
    facts: { tls: "must" },
    want: "give-up temporary 451 4.7.4",
  },
  {
    name: "gives a HELO server up that must have TLS",
    state: inClear("helo"),
    reply: reply(250, "mx.test"),
    facts: { tls: "must" },
    want: "give-up temporary 451 4.7.4",
  },
  {
    name: "is ready within the TLS that it must have",
    state: inTls("ehlo"),
    reply: reply(250, "mx.test"),
    facts: { tls: "must" },
    want: "ready",
  },
  {
    name: "gives a host up for good that cannot have REQUIRETLS",
    state: inTls("ehlo"),
    reply: reply(250, "mx.test"),
    facts: { tls: "must", requireTls: true },
    want: "give-up permanent 550 5.7.30",
  },
  {
    name: "gives a host up for now that has no TLS for REQUIRETLS now",
    state: inClear("starttls"),
    reply: reply(454, "no"),
    facts: { tls: "must", requireTls: true },
    want: "give-up temporary 451 4.7.4",
  },
];

for (const { name, state, reply, facts, want } of STEPS) {
  Deno.test(`onOpeningReply() ${name}`, () => {
    const [, action] = onOpeningReply(state, reply, { ...FACTS, ...facts });
    assert.equal(wordsOf(action), want);
  });
}

function wordsOf(action: ReturnType<typeof onOpeningReply>[1]): string {
  switch (action.do) {
    case "send":
      return `send ${action.line}`;
    case "give-up": {
      const { kind, code, enhanced } = action.outcome;
      return `give-up ${kind} ${code} ${enhanced}`;
    }
    case "ready":
      return action.peer.startTls ? "ready starttls" : "ready";
    case "handshake":
    case "loop":
    case "without-tls":
      return action.do;
  }
}

Deno.test("afterHandshake() forgets all and says EHLO again", () => {
  const [state, action] = afterHandshake(FACTS);
  assert.deepEqual(state, { at: "ehlo", inTls: true });
  assert.deepEqual(action, { do: "send", line: "EHLO us.test" });
});

Deno.test("readPeer() reads keywords in any case and ignores the first line", () => {
  const peer = readPeer(
    reply(250, "PIPELINING STARTTLS", "size 1000", "8bitMIME", "__proto__", ""),
  );
  assert.deepEqual(peer, {
    pipelining: false,
    eightBitMime: true,
    smtpUtf8: false,
    startTls: false,
    dsn: false,
    binaryMime: false,
    auth: [],
    requireTls: false,
    maxSize: 1_000,
  });
  assert.equal(readPeer(reply(250, "h", "SIZE")).maxSize, 0);
  assert.deepEqual(
    readPeer(reply(250, "h", "auth  plain Login")).auth,
    ["PLAIN", "LOGIN"],
  );
  assert.equal(readPeer(reply(250, "h", "SIZE 99999999999999999")).maxSize, 0);
});
