import assert from "node:assert/strict";
import type { Line } from "./line_reader.ts";
import {
  beginScreening,
  isOver,
  type Refusal,
  type Score,
  screen,
  type Screening,
  type ScreeningAction,
  type ScreeningEvent,
  type ScreeningRules,
  type Test,
} from "./screening.ts";

const ENFORCE: ScreeningRules = {
  shadow: false,
  greetAction: "enforce",
  deepAction: "enforce",
};
const ALL: Test[] = ["pregreet", "dnsbl", "deep"];

function begin(tests: Test[], waitMs = 3_000) {
  return beginScreening({ tests, refusal: undefined, waitMs, nowMs: 1_000 });
}

/** Runs events through; returns the actions in a few words each. */
function run(
  start: readonly [Screening, readonly ScreeningAction[]],
  events: ScreeningEvent[],
  rules = ENFORCE,
): { screening: Screening; did: string[] } {
  let [screening] = start;
  const did = start[1].map(word);
  for (const event of events) {
    const [next, actions] = screen(screening, event, rules);
    screening = next;
    did.push(...actions.map(word));
  }
  return { screening, did };
}

function word(action: ScreeningAction): string {
  switch (action.do) {
    case "tell": {
      const failed = action.failed.map((one) =>
        `${one.stopped ? "!" : "?"}${one.rule}`
      );
      return `tell ${[...action.passed, ...failed].join(" ")}`;
    }
    case "drop":
      return `drop ${action.reply.code}`;
    case "tease":
    case "score":
    case "greet":
      return action.do;
  }
}

const spoke: ScreeningEvent = {
  is: "spoke",
  octets: new TextEncoder().encode("EHLO bot\r\n"),
  nowMs: 1_200,
};
const clock = (nowMs: number): ScreeningEvent => ({ is: "clock", nowMs });
const scored = (score: Score): ScreeningEvent => ({ is: "scored", score });
const listed = (closes: boolean): Score => ({
  is: "failed",
  evidence: "zen.test*3",
  refusal: {
    reply: { code: closes ? 521 : 550, enhanced: "5.7.1", lines: ["Listed"] },
    closes,
    rule: "dnsbl",
  },
});

Deno.test("screen() lets a good client in when it has waited", () => {
  const { did, screening } = run(begin(ALL), [
    clock(2_000),
    scored({ is: "passed" }),
    clock(3_999),
    clock(4_000),
    clock(4_100),
  ]);
  assert.deepEqual(did, [
    "tease",
    "score",
    "tell dnsbl pregreet",
    "greet",
  ]);
  assert.equal(isOver(screening), false, "its session is watched");
  const after = run([screening, []], [{ is: "mailed" }, { is: "mailed" }]);
  assert.deepEqual(after.did, ["tell deep"]);
  assert.equal(isOver(after.screening), true);
});

Deno.test("screen() greets at once who has nothing to show", () => {
  const { did, screening } = run(begin([]), []);
  assert.deepEqual(did, ["greet"]);
  assert.equal(isOver(screening), true);
});

Deno.test("screen() makes no trap without a wait", () => {
  assert.deepEqual(run(begin(ALL, 0), []).did, ["score", "greet"]);
});

Deno.test("screen() waits for the lists alone no longer than for the trap", () => {
  assert.deepEqual(
    run(begin(["dnsbl"]), [scored({ is: "passed" })]).did,
    ["score", "tell dnsbl", "greet"],
  );
  assert.deepEqual(run(begin(["dnsbl"]), [clock(4_000)]).did, [
    "score",
    "greet",
  ]);
});

Deno.test("screen() enforces what comes late from when it comes", () => {
  for (const closes of [true, false]) {
    const { did, screening } = run(begin(["dnsbl"]), [
      clock(4_000),
      scored(listed(closes)),
    ]);
    assert.deepEqual(did, ["score", "greet", "tell !dnsbl"]);
    assert.equal(screening.refusal?.closes, closes);
    assert.equal(isOver(screening), false);
  }
});

Deno.test("screen() skips all other tests of a client that is allowed", () => {
  const { did, screening } = run(begin(ALL), [scored({ is: "allowed" })]);
  assert.deepEqual(did, ["tease", "score", "tell dnsbl", "greet"]);
  assert.equal(isOver(screening), true);
});

Deno.test("screen() lets in when the gate falls silent", () => {
  const { did } = run(begin(ALL), [scored({ is: "unknown" }), clock(4_000)]);
  assert.deepEqual(did, ["tease", "score", "tell pregreet", "greet"]);
});

Deno.test("screen() keeps what the gate said at once", () => {
  const refusal: Refusal = {
    reply: { code: 550, lines: ["No"] },
    closes: false,
    rule: "deny",
  };
  const [screening] = beginScreening({
    tests: [],
    refusal,
    waitMs: 3_000,
    nowMs: 0,
  });
  assert.equal(screening.refusal, refusal);
  assert.equal(isOver(screening), false);
});

const PREGREET: {
  name: string;
  rules: ScreeningRules;
  did: string[];
  refused: number | undefined;
}[] = [
  {
    name: "enforce",
    rules: ENFORCE,
    did: ["tease", "tell !pregreet", "greet"],
    refused: 550,
  },
  {
    name: "drop",
    rules: { ...ENFORCE, greetAction: "drop" },
    did: ["tease", "tell !pregreet", "drop 521"],
    refused: undefined,
  },
  {
    name: "ignore",
    rules: { ...ENFORCE, greetAction: "ignore" },
    did: ["tease", "tell ?pregreet", "greet"],
    refused: undefined,
  },
  {
    name: "shadow",
    rules: { ...ENFORCE, greetAction: "drop", shadow: true },
    did: ["tease", "tell ?pregreet", "greet"],
    refused: undefined,
  },
];

for (const { name, rules, did, refused } of PREGREET) {
  Deno.test(`screen() of who talks too early does ${name}`, () => {
    const got = run(begin(["pregreet"]), [spoke, spoke, clock(9_000)], rules);
    assert.deepEqual(got.did, did);
    assert.equal(got.screening.refusal?.reply.code, refused);
  });
}

Deno.test("screen() lets the lists speak after a trap that has sprung", () => {
  const { did, screening } = run(begin(["pregreet", "dnsbl"]), [
    spoke,
    scored(listed(false)),
  ]);
  assert.deepEqual(did, [
    "tease",
    "score",
    "tell !pregreet !dnsbl",
    "greet",
  ]);
  assert.equal(screening.refusal?.rule, "pregreet");
});

Deno.test("screen() drops a listed client in the trap", () => {
  const { did } = run(begin(ALL), [scored(listed(true)), spoke, clock(9_000)]);
  assert.deepEqual(did, ["tease", "score", "tell !dnsbl", "drop 521"]);
});

const text = (text: string): Line => ({ is: "line", text });
const DEEP: {
  name: string;
  line: Line;
  moreFollows?: boolean;
  mayPipeline?: boolean;
  rule: string | undefined;
}[] = [
  { name: "a command", line: text("NOOP"), rule: undefined },
  {
    name: "what was offered",
    line: text("MAIL FROM:<a@b.test>"),
    moreFollows: true,
    mayPipeline: true,
    rule: undefined,
  },
  {
    name: "more behind a command before EHLO",
    line: text("NOOP"),
    moreFollows: true,
    rule: "pipelining",
  },
  {
    name: "more behind EHLO",
    line: text("ehlo a.test"),
    moreFollows: true,
    mayPipeline: true,
    rule: "pipelining",
  },
  {
    name: "a bare LF",
    line: { is: "fault", fault: "bare-lf" },
    rule: "bare-newline",
  },
  {
    name: "a line that is too long",
    line: { is: "fault", fault: "too-long" },
    rule: undefined,
  },
  { name: "HTTP", line: text("GET / HTTP/1.1"), rule: "non-smtp-command" },
  { name: "a field", line: text("X-Spam: no"), rule: "non-smtp-command" },
  { name: "TLS", line: text("\x16\x03\x01"), rule: "non-smtp-command" },
  { name: "a path", line: text("RCPT TO:<a@b.test>"), rule: undefined },
  { name: "nothing", line: text(""), rule: undefined },
  { name: "a lone colon", line: text(": x"), rule: undefined },
];

for (const { name, line, moreFollows, mayPipeline, rule } of DEEP) {
  Deno.test(`screen() finds ${rule ?? "nothing"} in ${name}`, () => {
    const [screening, actions] = screen(begin(["deep"])[0], {
      is: "line",
      line,
      moreFollows: moreFollows ?? false,
      mayPipeline: mayPipeline ?? false,
    }, ENFORCE);
    assert.equal(screening.refusal?.rule, rule);
    assert.deepEqual(
      actions.map(word),
      rule === undefined ? [] : [`tell !${rule}`],
    );
  });
}

Deno.test("screen() is content with QUIT only after a recipient", () => {
  const line = (said: string): ScreeningEvent => ({
    is: "line",
    line: text(said),
    moreFollows: false,
    mayPipeline: true,
  });
  assert.deepEqual(run(begin(["deep"]), [line("QUIT")]).did, ["greet"]);
  assert.deepEqual(
    run(begin(["deep"]), [line("RCPT TO:<a@b.test>"), line("quit")]).did,
    ["greet", "tell deep"],
  );
});

Deno.test("screen() says no more than fits of what it saw", () => {
  const octets = new Uint8Array(5_000);
  const [screening] = screen(
    begin(["pregreet", "dnsbl"])[0],
    { is: "spoke", octets, nowMs: 1_001 },
    ENFORCE,
  );
  assert.ok(screening.failed[0]!.evidence.length <= 300);
});
