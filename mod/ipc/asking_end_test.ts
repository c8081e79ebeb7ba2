import assert from "node:assert/strict";
import { AskingEnd, CHANNEL_LOST } from "./asking_end.ts";
import { call } from "./call.ts";
import { encodeFrame, type FrameKind, MAX_BODY } from "./frames.ts";
import { MemoryWire } from "./memory_wire.ts";
import { int, object, text } from "./schema.ts";

const N = object({ n: int({ min: 0, max: 9 }) });

const half = call({
  from: ["smtpd"],
  withinMs: 30,
  ask: N,
  answer: N,
  refuses: ["odd"],
});
const store = call({
  from: ["smtpd"],
  withinMs: 1_000,
  ask: object({}),
  answer: object({}),
  refuses: ["full"],
  streams: true,
});
const long = call({
  from: ["smtpd"],
  withinMs: 1_000,
  ask: object({ text: text({ max: 2 ** 20 }) }),
  answer: object({}),
  refuses: [],
});

/** An asking end under test, and everything that it did. */
function setUp() {
  const wire = new MemoryWire();
  const breaches: string[] = [];
  const end = new AskingEnd({ wire, onBreach: (why) => breaches.push(why) });
  return {
    wire,
    breaches,
    end,
    push: (kind: FrameKind, id: number, body: unknown) =>
      end.push(encodeFrame(kind, id, JSON.stringify(body))),
  };
}

const LOST = { kind: "failed", why: CHANNEL_LOST };

Deno.test("AskingEnd sends name and ask, and reads the answer", async () => {
  const { end, wire, push } = setUp();
  const reply = end.ask("half", half, { n: 8 });
  assert.deepEqual(wire.takenJson(), [["ask", 1, ["half", { n: 8 }]]]);
  assert.equal(end.waiting, 1);
  push("answer", 1, { n: 4 });
  assert.deepEqual(await reply, { kind: "answered", answer: { n: 4 } });
  assert.equal(end.waiting, 0);
});

Deno.test("AskingEnd matches answers by id, in any order, cut anywhere", async () => {
  const { end } = setUp();
  const replies = [0, 1, 2].map((n) => end.ask("half", half, { n }));
  const wire = [
    encodeFrame("refusal", 2, '"odd"'),
    encodeFrame("answer", 3, '{"n":1}'),
    encodeFrame("answer", 1, '{"n":0}'),
  ].flatMap((frame) => [...frame]);
  for (const octet of wire) end.push(new Uint8Array([octet]));
  assert.deepEqual(await Promise.all(replies), [
    { kind: "answered", answer: { n: 0 } },
    { kind: "refused", refusal: "odd" },
    { kind: "answered", answer: { n: 1 } },
  ]);
});

Deno.test("AskingEnd gives up at the time limit, says so, and ignores the late answer", async () => {
  const { end, wire, push, breaches } = setUp();
  const reply = end.ask("half", half, { n: 8 });
  wire.taken();
  assert.deepEqual(await reply, {
    kind: "failed",
    why: "no answer within 30 ms",
  });
  assert.deepEqual(wire.takenJson(), [["abort", 1, null]]);
  push("answer", 1, { n: 4 });
  push("answer", 1, "garbage");
  push("answer", 99, { n: 4 });
  assert.deepEqual(breaches, []);
  assert.equal(wire.closed, false);
});

const BREACHES: { name: string; kind: FrameKind; body: string }[] = [
  { name: "an undeclared refusal", kind: "refusal", body: '"even"' },
  { name: "a prototype name as refusal", kind: "refusal", body: '"length"' },
  { name: "a refusal that is no string", kind: "refusal", body: '["odd"]' },
  { name: "an answer that is not JSON", kind: "answer", body: "{" },
  { name: "an empty answer", kind: "answer", body: "" },
  { name: "an answer of another shape", kind: "answer", body: '{"m":1}' },
  { name: "an answer out of bounds", kind: "answer", body: '{"n":10}' },
  { name: "an unknown key", kind: "answer", body: '{"n":1,"__proto__":1}' },
  {
    name: "an answer nested too deep",
    kind: "answer",
    body: `{"n":${"[".repeat(130_000)}${"]".repeat(130_000)}}`,
  },
  { name: "an ask", kind: "ask", body: '["half",{"n":1}]' },
  { name: "a chunk", kind: "chunk", body: "x" },
  { name: "an end", kind: "end", body: "" },
  { name: "a control frame", kind: "control", body: "{}" },
];

for (const { name, kind, body } of BREACHES) {
  Deno.test(`AskingEnd closes the channel at ${name}, and fails every ask`, async () => {
    const { end, wire, breaches } = setUp();
    const replies = [
      end.ask("half", half, { n: 1 }),
      end.ask("half", half, { n: 2 }),
    ];
    end.push(encodeFrame(kind, 1, body));
    assert.equal(breaches.length, 1);
    assert.ok(wire.closed);
    assert.deepEqual(await Promise.all(replies), [LOST, LOST]);
    end.push(encodeFrame(kind, 1, body));
    assert.equal(breaches.length, 1);
  });
}

Deno.test("AskingEnd closes the channel at bytes that are no frame", async () => {
  const { end, breaches } = setUp();
  const reply = end.ask("half", half, { n: 1 });
  end.push(new Uint8Array([255, 255, 255, 255]));
  assert.equal(breaches.length, 1);
  assert.deepEqual(await reply, LOST);
});

Deno.test("AskingEnd fails asks on a channel that is closed, at once", async () => {
  const { end, wire } = setUp();
  end.closed(CHANNEL_LOST);
  assert.deepEqual(await end.ask("half", half, { n: 1 }), LOST);
  const stream = end.stream("store", store, {});
  await stream.write(new Uint8Array(10));
  assert.deepEqual(await stream.end(), LOST);
  stream.abort();
  assert.deepEqual(wire.taken(), []);
});

Deno.test("AskingEnd fails an ask that the answerer gave up", async () => {
  const { end, breaches } = setUp();
  const reply = end.ask("half", half, { n: 1 });
  end.push(encodeFrame("abort", 1));
  assert.deepEqual(await reply, {
    kind: "failed",
    why: "the answerer gave up",
  });
  assert.deepEqual(breaches, []);
});

Deno.test("AskingEnd fails an ask that does not fit a frame, and sends nothing", async () => {
  const { end, wire } = setUp();
  const reply = await end.ask("long", long, { text: '"'.repeat(MAX_BODY / 2) });
  assert.deepEqual(reply, { kind: "failed", why: "the ask is too large" });
  assert.deepEqual(wire.taken(), []);
});

Deno.test("AskingEnd streams chunks no larger than a frame, then the end", async () => {
  const { end, wire, push } = setUp();
  const stream = end.stream("store", store, {});
  await stream.write(new Uint8Array(MAX_BODY + 3));
  const reply = stream.end();
  assert.deepEqual(
    wire.taken().map(({ kind, body }) => [kind, body.length]),
    [["ask", 12], ["chunk", MAX_BODY], ["chunk", 3], ["end", 0]],
  );
  push("answer", 1, {});
  assert.deepEqual(await reply, { kind: "answered", answer: {} });
});

Deno.test("AskingEnd waits with chunks while the answerer is slow", async () => {
  const { end, wire, push } = setUp();
  const stream = end.stream("store", store, {});
  wire.slow = true;
  let written = false;
  const write = stream.write(new Uint8Array(2 * MAX_BODY)).then(() => {
    written = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(written, false);
  assert.equal(wire.taken().length, 2, "the ask and one chunk");
  wire.drain();
  await write;
  assert.equal(wire.taken().length, 1);
  push("answer", 1, {});
  await stream.reply;
});

Deno.test("AskingEnd stops streaming when the reply comes early", async () => {
  const { end, wire, push } = setUp();
  const stream = end.stream("store", store, {});
  await stream.write(new Uint8Array(1));
  push("refusal", 1, "full");
  assert.deepEqual(await stream.reply, { kind: "refused", refusal: "full" });
  wire.taken();
  await stream.write(new Uint8Array(1));
  assert.deepEqual(await stream.end(), { kind: "refused", refusal: "full" });
  stream.abort();
  assert.deepEqual(wire.taken(), []);
});

Deno.test("AskingEnd aborts a stream once", async () => {
  const { end, wire } = setUp();
  const stream = end.stream("store", store, {});
  await stream.write(new Uint8Array(1));
  wire.taken();
  stream.abort();
  stream.abort();
  await stream.write(new Uint8Array(1));
  assert.deepEqual(wire.takenJson(), [["abort", 1, null]]);
  assert.equal((await stream.reply).kind, "failed");
});

Deno.test("AskingEnd says nothing of a stream that was given up unwritten", async () => {
  const { end, wire } = setUp();
  const stream = end.stream("store", store, {});
  stream.abort();
  assert.deepEqual(wire.takenJson(), []);
  assert.equal((await stream.reply).kind, "failed");
});

Deno.test("AskingEnd fails a stream whose answerer dies while it is slow", async () => {
  const { end, wire } = setUp();
  const stream = end.stream("store", store, {});
  wire.slow = true;
  const write = stream.write(new Uint8Array(4 * MAX_BODY));
  wire.close();
  end.closed(CHANNEL_LOST);
  await write;
  assert.deepEqual(await stream.end(), LOST);
});
