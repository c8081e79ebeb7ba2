import assert from "node:assert/strict";
import {
  encodeFrame,
  type Frame,
  FRAME_KIND,
  FrameError,
  type FrameKind,
  FrameReader,
  MAX_BODY,
} from "./frames.ts";

const KINDS = Object.keys(FRAME_KIND) as FrameKind[];

function copy(frames: Iterable<Frame>): Frame[] {
  return Array.from(frames, (one) => ({ ...one, body: one.body.slice() }));
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** The first nine octets of a frame, whatever they say. */
function header(length: number, kind: number): Uint8Array {
  const bytes = new Uint8Array(9);
  new DataView(bytes.buffer).setUint32(0, length);
  bytes[4] = kind;
  return bytes;
}

Deno.test("encodeFrame writes length, kind, id and body, big-endian", () => {
  assert.deepEqual(
    encodeFrame("ask", 0x01020304, "[]"),
    new Uint8Array([0, 0, 0, 7, 1, 1, 2, 3, 4, 0x5b, 0x5d]),
  );
});

Deno.test("encodeFrame throws on a body over the limit, not at it", () => {
  assert.equal(
    encodeFrame("chunk", 1, new Uint8Array(MAX_BODY)).length,
    MAX_BODY + 9,
  );
  assert.throws(
    () => encodeFrame("chunk", 1, new Uint8Array(MAX_BODY + 1)),
    RangeError,
  );
});

Deno.test("FrameReader reads what encodeFrame wrote, wherever it is cut", () => {
  const wire = concat(
    ...KINDS.map((kind, i) =>
      encodeFrame(kind, 0xffff_fff0 + i, "é".repeat(i))
    ),
  );
  const whole = copy(new FrameReader().push(wire));
  assert.deepEqual(whole.map((one) => one.kind), KINDS);
  assert.deepEqual(
    whole.map((one) => one.id),
    KINDS.map((_, i) => 0xffff_fff0 + i),
  );
  for (let cut = 0; cut <= wire.length; cut++) {
    for (const second of [cut, Math.min(cut + 1, wire.length), wire.length]) {
      const reader = new FrameReader();
      const got = [
        ...copy(reader.push(wire.subarray(0, cut))),
        ...copy(reader.push(wire.subarray(cut, second))),
        ...copy(reader.push(wire.subarray(second))),
      ];
      assert.deepEqual(got, whole, `cut at ${cut} and ${second}`);
      assert.equal(reader.heldOctets, 0);
    }
  }
});

Deno.test("FrameReader keeps no view of a buffer that was lent to it", () => {
  const wire = encodeFrame("answer", 7, "abcdef");
  const reader = new FrameReader();
  const lent = wire.slice(0, 12);
  assert.deepEqual([...reader.push(lent)], []);
  lent.fill(0xff);
  const [frame] = copy(reader.push(wire.subarray(12)));
  assert.equal(new TextDecoder().decode(frame!.body), "abcdef");
});

const IMPOSSIBLE: { name: string; bytes: Uint8Array }[] = [
  { name: "a length of 0", bytes: header(0, 1) },
  { name: "a length that holds no id", bytes: header(4, 1) },
  { name: "a length over the limit", bytes: header(MAX_BODY + 6, 1) },
  { name: "a length with the sign bit", bytes: header(0xffff_ffff, 1) },
  { name: "kind 0", bytes: header(5, 0) },
  { name: "kind 10", bytes: header(5, 10) },
  { name: "kind 255", bytes: header(5, 255) },
];

for (const { name, bytes } of IMPOSSIBLE) {
  Deno.test(`FrameReader refuses ${name}, wherever it is cut`, () => {
    const wire = concat(encodeFrame("end", 1), bytes);
    for (let cut = 0; cut <= wire.length; cut++) {
      const reader = new FrameReader();
      assert.throws(() => {
        [...reader.push(wire.subarray(0, cut))];
        [...reader.push(wire.subarray(cut))];
      }, FrameError);
    }
  });
}

Deno.test("FrameReader refuses a huge length at once, not when it is there", () => {
  const reader = new FrameReader();
  assert.throws(() => [...reader.push(header(2 ** 31, 1).subarray(0, 4))]);
  assert.equal(reader.heldOctets, 0);
});

Deno.test("FrameReader takes linear time when octets drip", () => {
  const drip = (octets: number) => {
    const wire = encodeFrame("chunk", 1, new Uint8Array(octets));
    const from = performance.now();
    const reader = new FrameReader();
    let frames = 0;
    for (let at = 0; at < wire.length; at++) {
      for (const _ of reader.push(wire.subarray(at, at + 1))) frames++;
    }
    assert.equal(frames, 1);
    return performance.now() - from;
  };
  drip(20 * 1024);
  // Copying all that is held at each octet would be 20 GB: many seconds.
  assert.ok(drip(200 * 1024) < 1_000);
});

Deno.test("FrameReader takes linear time when small frames are cut", () => {
  const one = encodeFrame("ask", 1, "x".repeat(20));
  const wire = new Uint8Array(one.length * 30_000);
  for (let at = 0; at < wire.length; at += one.length) wire.set(one, at);
  const from = performance.now();
  const reader = new FrameReader();
  let frames = 0;
  for (let at = 0; at < wire.length; at += 1_000) {
    for (const _ of reader.push(wire.subarray(at, at + 1_000))) frames++;
  }
  assert.equal(frames, 30_000);
  assert.ok(performance.now() - from < 1_000);
});

Deno.test("FrameReader holds at most one frame and gives a large one back", () => {
  const wire = encodeFrame("chunk", 1, new Uint8Array(MAX_BODY));
  const reader = new FrameReader();
  [...reader.push(wire.subarray(0, wire.length - 1))];
  assert.equal(reader.heldOctets, wire.length - 1);
  assert.equal([...reader.push(wire.subarray(wire.length - 1))].length, 1);
  assert.equal(reader.heldOctets, 0);
});
