// A million garbage frames: each breach costs that channel and nothing else.
// Seeded, so that a failure comes again.
import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { AnsweringEnd } from "./answering_end.ts";
import { AskingEnd } from "./asking_end.ts";
import { call, contract, type Reply } from "./call.ts";
import { encodeFrame, FRAME_KIND, type FrameKind, MAX_BODY } from "./frames.ts";
import { MemoryWire } from "./memory_wire.ts";
import { int, list, object, text } from "./schema.ts";

const FRAMES = 500_000; // for each end
/** Most garbage that one channel gets; then its other side dies. */
const CHANNEL_LIFE = 60;
const MAX_GROWTH = 4 * 2 ** 20;

const shape = object({
  n: int({ min: 0, max: 99 }),
  name: text({ max: 20 }),
  all: list(text({ max: 5 }), { max: 3 }),
});
const fuzzed = contract("queue", {
  now: call({
    from: ["smtpd"],
    withinMs: 60_000,
    ask: shape,
    answer: shape,
    refuses: ["no", "never"],
  }),
  later: call({
    from: ["smtpd"],
    withinMs: 60_000,
    ask: shape,
    answer: shape,
    refuses: ["no"],
  }),
  store: call({
    from: ["smtpd"],
    withinMs: 60_000,
    ask: object({}),
    answer: object({}),
    refuses: ["full"],
    streams: true,
  }),
  console: call({
    from: ["console"],
    withinMs: 60_000,
    ask: object({}),
    answer: object({}),
    refuses: [],
  }),
});
const good = { n: 7, name: "seven", all: ["a", "bc"] };
const GOOD = JSON.stringify(good);

/** xorshift32: small, and the same everywhere. */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  /** An integer in [0, below). */
  roll(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }
  one<T>(of: readonly T[]): T {
    return of[this.roll(of.length)]!;
  }
}

const NAMES = [
  ...["now", "now", "later", "store", "store", "console", "nosuch", ""],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"],
  ...["__defineGetter__", "NOW", "now\0", "length", "0"],
];
const VALUES: readonly (() => unknown)[] = [
  () => good,
  () => good,
  () => ({}),
  () => ({ ...good, n: 100 }),
  () => ({ ...good, n: 0.5 }),
  () => ({ ...good, name: "x".repeat(1_000) }),
  () => ({ ...good, name: "\ud800" }),
  () => ({ ...good, all: [1] }),
  () => ({ ...good, all: { length: 1 } }),
  () => ({ ...good, more: 1 }),
  () => ({ ...good, constructor: 1 }),
  () => JSON.parse('{"__proto__":{"n":1},"name":"","all":[]}'),
  () => JSON.parse('{"n":1,"name":"","all":[],"__proto__":1}'),
  () => ({ toJSON: 1, then: 1 }),
  () => null,
  () => [],
  () => [[[[]]]],
  () => "no",
  () => "never",
  () => "full",
  () => "__proto__",
  () => 1e308,
];

function nested(dice: Dice): string {
  const depth = dice.roll(500) === 0 ? 100_000 : dice.roll(300);
  return dice.roll(2) === 0
    ? "[".repeat(depth) + "]".repeat(dice.roll(2) * depth)
    : '{"n":'.repeat(Math.min(depth, 40_000)) + "1";
}

const KINDS = Object.keys(FRAME_KIND) as FrameKind[];

/** A frame that is right but for its content. */
function plausible(dice: Dice, ids: number, mostly: FrameKind): Uint8Array {
  const kind = dice.roll(4) === 0 ? dice.one(KINDS) : mostly;
  const id = dice.roll(50) === 0 ? dice.roll(2 ** 32) : 1 + dice.roll(ids);
  if (kind === "chunk") {
    return encodeFrame(kind, id, new Uint8Array(dice.roll(100)));
  }
  const value = dice.one(VALUES)();
  const message = kind === "ask" ? [dice.one(NAMES), value] : value;
  const body = dice.roll(40) === 0 ? nested(dice) : JSON.stringify(message);
  return encodeFrame(kind, id, body);
}

/** Nothing wrong with it, if its id happens to be free or asked. */
function valid(dice: Dice, ids: number, mostly: FrameKind): Uint8Array {
  const id = 1 + dice.roll(ids);
  if (mostly === "answer") return encodeFrame("answer", id, GOOD);
  if (mostly === "refusal") return encodeFrame("refusal", id, '"no"');
  if (dice.roll(3) > 0) {
    const kind = dice.one(["chunk", "end", "abort"] as const);
    return encodeFrame(kind, id, kind === "chunk" ? GOOD : "");
  }
  const call = dice.one([
    `["now",${GOOD}]`,
    `["later",${GOOD}]`,
    '["store",{}]',
  ]);
  return encodeFrame("ask", id, call);
}

/** The next garbage. */
function garbage(dice: Dice, ids: number, mostly: FrameKind): Uint8Array {
  const frame = plausible(dice, ids, mostly);
  switch (dice.roll(12)) {
    case 0: // some octets changed, the length's too
      for (let n = 1 + dice.roll(4); n > 0; n--) {
        frame[dice.roll(frame.length)] = dice.roll(256);
      }
      return frame;
    case 1: // cut: what follows is read as its rest
      return frame.subarray(0, dice.roll(frame.length));
    case 2: { // no frame at all
      const bytes = new Uint8Array(dice.roll(64));
      for (let i = 0; i < bytes.length; i++) bytes[i] = dice.roll(256);
      return bytes;
    }
    case 3: { // a length that is a lie
      const length = dice.one([0, 4, 5, MAX_BODY, MAX_BODY + 6, 2 ** 31, -1]);
      new DataView(frame.buffer).setUint32(0, length);
      return frame;
    }
    case 4: // a kind that does not exist
      frame[4] = dice.roll(256);
      return frame;
    default:
      return frame;
  }
}

/** What is in use after a collection: no garbage, of the other kind. */
function heapOctets(): number {
  v8.setFlagsFromString("--expose-gc");
  (vm.runInNewContext("gc") as () => void)();
  return Deno.memoryUsage().heapUsed;
}

/**
 * Feeds `FRAMES` pieces of garbage, each after some that are valid, in one cut
 * or two, and looks at memory.
 */
async function feed(
  dice: Dice,
  next: (make: typeof valid) => Uint8Array,
  push: (bytes: Uint8Array) => void,
): Promise<void> {
  let before = 0;
  for (let n = 0; n < FRAMES; n++) {
    for (let good = dice.roll(4); good > 0; good--) push(next(valid));
    const bytes = next(garbage);
    const cut = dice.roll(3) === 0 ? dice.roll(bytes.length + 1) : bytes.length;
    push(bytes.subarray(0, cut));
    if (cut < bytes.length) push(bytes.subarray(cut));
    if (n % 1_000 === 0) await new Promise((done) => setTimeout(done, 0));
    if (n === FRAMES / 5) before = heapOctets();
  }
  const grown = heapOctets() - before;
  assert.ok(grown < MAX_GROWTH, `memory grew by ${grown} octets`);
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.equal(({} as Record<string, unknown>)["n"], undefined);
}

Deno.test("AnsweringEnd survives half a million garbage frames", async () => {
  const dice = new Dice(0x5eed0001);
  let asked = 0;
  let opened = 0;
  let finished = 0;
  let breaches = 0;
  let made = 0;
  const check = (ask: typeof good) => {
    asked++;
    assert.ok(shape.safeParse(ask).success);
    assert.equal(Object.getPrototypeOf(ask), Object.prototype);
  };
  const open = () => {
    made++;
    const wire = new MemoryWire();
    let broken = 0;
    const end: AnsweringEnd<typeof fuzzed.calls> = new AnsweringEnd({
      contract: fuzzed,
      asker: { role: "smtpd", instance: "smtpd.0" },
      wire,
      onBreach: () => {
        assert.equal(++broken, 1, "told once");
        assert.ok(wire.closed);
        breaches++;
      },
      handlers: {
        now: (ask) => {
          check(ask);
          return dice.roll(2) === 0 ? { refusal: "no" } : { answer: ask };
        },
        later: async (ask) => {
          check(ask);
          await undefined;
          return { answer: ask };
        },
        store: () => {
          opened++;
          const { promise, resolve } = Promise.withResolvers<
            { answer: Record<string, never> } | { refusal: "full" }
          >();
          let over = false;
          const finish = () => {
            assert.equal(over, false, "ended or aborted, and once");
            over = true;
            finished++;
          };
          const sink = {
            chunk: (bytes: Uint8Array) => {
              assert.equal(over, false);
              if (bytes.length > 97) resolve({ refusal: "full" });
            },
            end: () => {
              finish();
              resolve({ answer: {} });
            },
            abort: finish,
          };
          promise.then((verdict) => {
            if ("refusal" in verdict && !over) finish();
          });
          return { sink, verdict: promise };
        },
        console: () => assert.fail("smtpd may not ask this"),
      },
    });
    return { end, wire };
  };
  let channel = open();
  let age = 0;
  let deaths = 0;
  await feed(dice, (make) => make(dice, 40, "ask"), (bytes) => {
    if (++age > CHANNEL_LIFE) {
      // A lying length would swallow the next quarter of a megabyte.
      channel.end.closed("the asker died");
      channel.wire.close();
      deaths++;
    }
    if (channel.wire.closed) {
      channel = open();
      age = 0;
    }
    channel.end.push(bytes);
    channel.wire.taken();
  });
  channel.end.closed("the end");
  assert.ok(asked > 10_000 && opened > 1_000 && breaches > 100_000);
  assert.equal(finished, opened);
  assert.ok(
    made - breaches - deaths <= 1,
    "a channel is lost by a breach only",
  );
});

Deno.test("AskingEnd survives half a million garbage frames", async () => {
  const dice = new Dice(0x5eed0002);
  let made = 0;
  let breaches = 0;
  const replies = new Map<string, number>();
  const heard = (reply: Reply<typeof fuzzed.calls.now>) => {
    replies.set(reply.kind, (replies.get(reply.kind) ?? 0) + 1);
    if (reply.kind === "answered") {
      assert.ok(shape.safeParse(reply.answer).success);
    } else if (reply.kind === "refused") {
      assert.ok(fuzzed.calls.now.refuses.includes(reply.refusal));
    }
  };
  const open = () => {
    made++;
    const wire = new MemoryWire();
    const end = new AskingEnd({
      wire,
      onBreach: () => {
        assert.ok(wire.closed);
        breaches++;
      },
    });
    return { end, wire };
  };
  let channel = open();
  let age = 0;
  let deaths = 0;
  let asked = 0;
  await feed(
    dice,
    (make) => make(dice, 20, dice.roll(5) === 0 ? "refusal" : "answer"),
    (bytes) => {
      if (++age > CHANNEL_LIFE) {
        channel.end.closed("the answerer died");
        channel.wire.close();
        deaths++;
      }
      if (channel.wire.closed) {
        channel = open();
        age = 0;
      }
      while (channel.end.waiting < 4) {
        asked++;
        channel.end.ask("now", fuzzed.calls.now, good).then(heard);
      }
      channel.end.push(bytes);
      channel.wire.taken();
    },
  );
  channel.end.closed("the end");
  await new Promise((done) => setTimeout(done, 0));
  assert.ok(made - breaches - deaths <= 1);
  assert.ok(breaches > 50_000);
  assert.ok((replies.get("answered") ?? 0) > 1_000);
  assert.ok((replies.get("refused") ?? 0) > 1_000);
  const all = [...replies.values()].reduce((sum, one) => sum + one, 0);
  assert.equal(all, asked, "every ask got one reply");
});
