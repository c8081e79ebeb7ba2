import assert from "node:assert/strict";
import { AnsweringEnd, MAX_OPEN_ASKS } from "./answering_end.ts";
import { call, contract, type RoleName } from "./call.ts";
import { encodeFrame, type FrameKind, MAX_BODY } from "./frames.ts";
import { MemoryWire } from "./memory_wire.ts";
import { int, object, text } from "./schema.ts";

const N = object({ n: int({ min: 0, max: 9 }) });

const calls = contract("queue", {
  now: call({
    from: ["smtpd"],
    withinMs: 1_000,
    ask: N,
    answer: N,
    refuses: ["odd"],
  }),
  later: call({
    from: ["smtpd", "console"],
    withinMs: 1_000,
    ask: N,
    answer: object({ text: text({ max: 2 ** 20 }) }),
    refuses: [],
  }),
  store: call({
    from: ["smtpd"],
    withinMs: 1_000,
    ask: object({}),
    answer: object({ octets: int({ min: 0, max: 2 ** 30 }) }),
    refuses: ["full"],
    streams: true,
  }),
});

type Promised<T> = PromiseWithResolvers<T>;

/** An answering end under test, and everything that it did. */
function setUp(role: RoleName = "smtpd") {
  const wire = new MemoryWire();
  const breaches: string[] = [];
  const seen: string[] = [];
  const later: Promised<{ answer: { text: string } }>[] = [];
  const stored: Promised<
    { answer: { octets: number } } | { refusal: "full" }
  >[] = [];
  const end = new AnsweringEnd({
    contract: calls,
    asker: { role, instance: `${role}.3` },
    wire,
    onBreach: (why) => breaches.push(why),
    handlers: {
      now: ({ n }, asker) => {
        seen.push(`now ${n} ${asker}`);
        return n % 2 === 1 ? { refusal: "odd" } : { answer: { n: n / 2 } };
      },
      later: ({ n }) => {
        seen.push(`later ${n}`);
        const promised = Promise.withResolvers<{ answer: { text: string } }>();
        later.push(promised);
        return promised.promise;
      },
      store: () => {
        const promised = Promise.withResolvers<
          { answer: { octets: number } } | { refusal: "full" }
        >();
        stored.push(promised);
        const which = stored.length;
        let octets = 0;
        return {
          sink: {
            chunk: (bytes) => void (octets += bytes.length),
            end: () => promised.resolve({ answer: { octets } }),
            abort: (why) => void seen.push(`abort ${which} ${octets}: ${why}`),
          },
          verdict: promised.promise,
        };
      },
    },
  });
  return {
    wire,
    breaches,
    seen,
    later,
    stored,
    end,
    push: (kind: FrameKind, id: number, body?: unknown) =>
      end.push(
        encodeFrame(kind, id, body === undefined ? "" : JSON.stringify(body)),
      ),
    chunk: (id: number, octets: number) =>
      end.push(encodeFrame("chunk", id, new Uint8Array(octets))),
  };
}

/** Lets every promise that can settle do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("AnsweringEnd answers and refuses, and names the asker", () => {
  const { push, wire, seen, breaches } = setUp();
  push("ask", 7, ["now", { n: 8 }]);
  push("ask", 7, ["now", { n: 3 }]);
  assert.deepEqual(wire.takenJson(), [
    ["answer", 7, { n: 4 }],
    ["refusal", 7, "odd"],
  ]);
  assert.deepEqual(seen, ["now 8 smtpd.3", "now 3 smtpd.3"]);
  assert.deepEqual(breaches, []);
});

Deno.test("AnsweringEnd answers as the verdicts come, in any order", async () => {
  const { push, wire, later } = setUp();
  push("ask", 1, ["later", { n: 1 }]);
  push("ask", 2, ["later", { n: 2 }]);
  push("ask", 3, ["now", { n: 0 }]);
  later[1]!.resolve({ answer: { text: "b" } });
  await settle();
  later[0]!.resolve({ answer: { text: "a" } });
  await settle();
  assert.deepEqual(wire.takenJson(), [
    ["answer", 3, { n: 0 }],
    ["answer", 2, { text: "b" }],
    ["answer", 1, { text: "a" }],
  ]);
});

const ok = ["now", { n: 0 }];
const BREACHES: {
  name: string;
  kind?: FrameKind;
  body: unknown;
  role?: RoleName;
}[] = [
  { name: "an unknown call", body: ["nosuch", { n: 0 }] },
  { name: "__proto__ as a call", body: ["__proto__", { n: 0 }] },
  { name: "constructor as a call", body: ["constructor", { n: 0 }] },
  { name: "toString as a call", body: ["toString", { n: 0 }] },
  { name: "hasOwnProperty as a call", body: ["hasOwnProperty", { n: 0 }] },
  { name: "a call that is no string", body: [["now"], { n: 0 }] },
  { name: "a role that may not ask", body: ok, role: "console" },
  { name: "an unknown key", body: ["now", { n: 0, m: 0 }] },
  { name: "a missing key", body: ["now", {}] },
  { name: "a value out of bounds", body: ["now", { n: 10 }] },
  { name: "null as the ask", body: ["now", null] },
  { name: "a list as the ask", body: ["now", [0]] },
  { name: "an ask without arguments", body: ["now"] },
  { name: "an ask with too many arguments", body: ["now", { n: 0 }, 1] },
  { name: "an object as the message", body: { 0: "now", 1: {}, length: 2 } },
  { name: "no body", body: undefined },
  { name: "an answer", kind: "answer", body: ok },
  { name: "a refusal", kind: "refusal", body: "odd" },
  { name: "a control frame", kind: "control", body: { do: "stop" } },
];

for (const { name, kind = "ask", body, role = "smtpd" } of BREACHES) {
  Deno.test(`AnsweringEnd closes the channel at ${name}`, () => {
    const { push, wire, breaches, seen } = setUp(role);
    push(kind, 1, body);
    assert.equal(breaches.length, 1);
    assert.ok(wire.closed);
    push("ask", 2, ok);
    assert.deepEqual(seen, []);
    assert.equal(breaches.length, 1, "a closed channel hears nothing more");
  });
}

for (
  const [name, json] of [
    ["JSON with __proto__ as a key", '["now",{"n":0,"__proto__":{}}]'],
    ["JSON that inherits its key", '["now",{"__proto__":{"n":0}}]'],
    ["JSON that is cut", '["now",{"n":0}'],
    ["JSON that is nested too deep", "[".repeat(130_000) + "]".repeat(130_000)],
    [
      "arguments that are nested too deep",
      `["now",${"[".repeat(130_000)}${"]".repeat(130_000)}]`,
    ],
    [
      "objects that are nested too deep",
      `["now",${'{"n":'.repeat(40_000)}0${"}".repeat(40_000)}]`,
    ],
  ] as const
) {
  Deno.test(`AnsweringEnd closes the channel at ${name}`, () => {
    const { end, breaches } = setUp();
    end.push(encodeFrame("ask", 1, json));
    assert.equal(breaches.length, 1);
  });
}

Deno.test("AnsweringEnd closes the channel at invalid UTF-8", () => {
  const { end, breaches } = setUp();
  end.push(encodeFrame("ask", 1, new Uint8Array([0x22, 0xc3, 0x28, 0x22])));
  assert.deepEqual(breaches, ["ask is not JSON"]);
});

Deno.test("AnsweringEnd closes the channel at a request id in use", () => {
  const { push, breaches } = setUp();
  push("ask", 1, ["later", { n: 0 }]);
  push("ask", 1, ok);
  assert.deepEqual(breaches, ["request id 1 is in use"]);
});

Deno.test("AnsweringEnd closes the channel at one ask too many", () => {
  const { push, breaches, seen } = setUp();
  for (let id = 1; id <= MAX_OPEN_ASKS; id++) {
    push("ask", id, ["later", { n: 0 }]);
  }
  assert.deepEqual(breaches, []);
  push("ask", 0, ["later", { n: 0 }]);
  assert.deepEqual(breaches, ["too many open asks"]);
  assert.equal(seen.length, MAX_OPEN_ASKS);
});

Deno.test("AnsweringEnd counts an ask that was given up until it is done", async () => {
  const { push, breaches, later, wire } = setUp();
  for (let id = 1; id <= MAX_OPEN_ASKS; id++) {
    push("ask", id, ["later", { n: 0 }]);
    push("abort", id);
  }
  for (const one of later) one.resolve({ answer: { text: "" } });
  await settle();
  assert.deepEqual(wire.taken(), [], "nobody waits for these");
  push("ask", 1, ok);
  assert.deepEqual(wire.takenJson(), [["answer", 1, { n: 0 }]]);
  for (let id = 1; id <= MAX_OPEN_ASKS + 1; id++) {
    push("ask", id, ["later", { n: 0 }]);
    push("abort", id);
  }
  assert.deepEqual(breaches, ["too many open asks"]);
});

Deno.test("AnsweringEnd hands chunks to the sink and the verdict back", async () => {
  const { push, chunk, wire, breaches } = setUp();
  push("ask", 1, ["store", {}]);
  push("ask", 2, ["store", {}]);
  chunk(1, 10);
  chunk(2, MAX_BODY);
  chunk(1, 5);
  push("end", 1);
  push("end", 2);
  await settle();
  assert.deepEqual(wire.takenJson(), [
    ["answer", 1, { octets: 15 }],
    ["answer", 2, { octets: MAX_BODY }],
  ]);
  assert.deepEqual(breaches, []);
});

Deno.test("AnsweringEnd ignores what follows an early verdict", async () => {
  const { push, chunk, wire, stored, seen, breaches, end } = setUp();
  push("ask", 1, ["store", {}]);
  chunk(1, 10);
  stored[0]!.resolve({ refusal: "full" });
  await settle();
  chunk(1, 10);
  push("end", 1);
  push("abort", 1);
  end.closed("gone");
  assert.deepEqual(wire.takenJson(), [["refusal", 1, "full"]]);
  assert.deepEqual([seen, breaches], [[], []]);
});

Deno.test("AnsweringEnd aborts a stream once, and tells nobody a late verdict", async () => {
  const { push, chunk, wire, stored, seen, end } = setUp();
  push("ask", 1, ["store", {}]);
  chunk(1, 10);
  push("abort", 1);
  push("abort", 1);
  push("ask", 1, ["store", {}]);
  stored[0]!.resolve({ refusal: "full" });
  await settle();
  end.closed("the asker is gone");
  end.closed("the asker is gone");
  assert.deepEqual(seen, [
    "abort 1 10: the asker gave up",
    "abort 2 0: the asker is gone",
  ]);
  assert.deepEqual(wire.taken(), [], "the id is another stream's now");
});

Deno.test("AnsweringEnd aborts every open stream when the asker breaks the contract", async () => {
  const { push, chunk, seen, stored, wire, breaches, end } = setUp();
  push("ask", 1, ["store", {}]);
  push("ask", 2, ["store", {}]);
  chunk(2, 3);
  push("answer", 2, {});
  assert.deepEqual(seen, [
    "abort 1 0: frame of kind answer from an asker",
    "abort 2 3: frame of kind answer from an asker",
  ]);
  end.closed("the asker is gone");
  assert.equal(seen.length, 2);
  assert.equal(breaches.length, 1);
  stored[0]!.resolve({ answer: { octets: 0 } });
  await settle();
  assert.deepEqual(wire.taken(), []);
});

Deno.test("AnsweringEnd gives up an ask whose answer does not fit a frame", async () => {
  const { push, wire, later } = setUp();
  push("ask", 1, ["later", { n: 0 }]);
  push("ask", 2, ["later", { n: 0 }]);
  later[0]!.resolve({ answer: { text: "x".repeat(MAX_BODY) } });
  later[1]!.resolve({ answer: { text: "x" } });
  await settle();
  assert.deepEqual(wire.takenJson(), [
    ["abort", 1, null],
    ["answer", 2, { text: "x" }],
  ]);
});

Deno.test("AnsweringEnd throws when our own handler refuses with an undeclared word", () => {
  const end = new AnsweringEnd({
    contract: contract("queue", { now: calls.calls.now }),
    asker: { role: "smtpd", instance: "smtpd.0" },
    wire: new MemoryWire(),
    onBreach: () => {},
    handlers: { now: () => ({ refusal: "even" as "odd" }) },
  });
  const ask = encodeFrame("ask", 1, JSON.stringify(ok));
  assert.throws(() => end.push(ask), RangeError);
});
