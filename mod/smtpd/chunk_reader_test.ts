import assert from "node:assert/strict";
import { ChunkReader } from "./chunk_reader.ts";
import type { Spoilt } from "./data_reader.ts";

interface Reading {
  readonly body: string;
  readonly spoilt?: Spoilt;
}

// RFC 3030 §2. Chunks are written one after another, the last one is the last.
const READINGS: {
  name: string;
  chunks: string[];
  binary?: true;
  want: Reading;
}[] = [
  { name: "reads one chunk", chunks: ["a\r\n"], want: { body: "a\r\n" } },
  {
    name: "joins chunks, wherever a line is cut",
    chunks: ["a\r", "\nb", "", "\r\n"],
    want: { body: "a\r\nb\r\n" },
  },
  { name: "takes an empty message", chunks: [""], want: { body: "" } },
  {
    name: "ends at an empty last chunk",
    chunks: ["a\r\n", ""],
    want: { body: "a\r\n" },
  },
  {
    name: "takes a line without an end",
    chunks: ["a\r\nb"],
    want: { body: "a\r\nb" },
  },
  {
    name: "does not end at a dot, nor take one away",
    chunks: ["\r\n.\r\n", "..\r\nQUIT\r\n"],
    want: { body: "\r\n.\r\n..\r\nQUIT\r\n" },
  },
  {
    name: "refuses a bare LF",
    chunks: ["a\nb\r\n"],
    want: { body: "", spoilt: "bare-lf" },
  },
  {
    name: "refuses an LF in a chunk of its own",
    chunks: ["a\r\n", "\n", "x"],
    want: { body: "a\r\n", spoilt: "bare-lf" },
  },
  {
    name: "refuses a bare CR",
    chunks: ["a\rb"],
    want: { body: "", spoilt: "bare-cr" },
  },
  {
    name: "refuses CR CR LF",
    chunks: ["\r\r\n"],
    want: { body: "", spoilt: "bare-cr" },
  },
  {
    name: "refuses a CR at the very end",
    chunks: ["ab\r"],
    want: { body: "ab\r", spoilt: "bare-cr" },
  },
  {
    name: "refuses a CR before an empty last chunk",
    chunks: ["ab\r", ""],
    want: { body: "ab\r", spoilt: "bare-cr" },
  },
  {
    name: "refuses a CR cut from what is no LF",
    chunks: ["ab\r", "c"],
    want: { body: "ab\r", spoilt: "bare-cr" },
  },
  {
    name: "refuses a NUL",
    chunks: ["a\0b"],
    want: { body: "", spoilt: "nul" },
  },
  {
    name: "takes anything as BINARYMIME",
    chunks: ["\n\r\0", "\r", "\n.\n"],
    binary: true,
    want: { body: "\n\r\0\r\n.\n" },
  },
];

/** Reads chunks as a connection does: what follows each is not the chunk's. */
function read(
  chunks: readonly string[],
  { binary, cut }: { binary: boolean; cut: number },
): Reading {
  const pieces: string[] = [];
  const reader = new ChunkReader(
    (piece) => void pieces.push(String.fromCharCode(...piece)),
    binary,
  );
  const wire = octets(chunks.join("") + "MORE");
  let at = 0;
  for (const [i, chunk] of chunks.entries()) {
    reader.begin(chunk.length, i === chunks.length - 1);
    const end = at + chunk.length;
    while (!reader.isBetween) {
      assert.equal(reader.ended, false);
      // To the next cut, and beyond the chunk if nothing is cut.
      const to = at < cut ? cut : wire.length;
      at += reader.push(wire.subarray(at, to));
    }
    assert.equal(at, end, "the chunk's octets and no other");
  }
  assert.ok(reader.ended);
  // What was emitted before a fault depends on the cut; a store forgets it.
  const body = pieces.join("");
  return reader.spoilt === undefined
    ? { body }
    : { body: "", spoilt: reader.spoilt };
}

function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

for (const { name, chunks, binary = false, want } of READINGS) {
  Deno.test(`ChunkReader ${name}, wherever TCP cuts it`, () => {
    const length = chunks.join("").length;
    for (let cut = 0; cut <= length; cut++) {
      const got = read(chunks, { binary, cut });
      assert.equal(got.spoilt, want.spoilt, `cut at ${cut}`);
      if (want.spoilt === undefined) {
        assert.equal(got.body, want.body, `cut at ${cut}`);
      }
    }
  });
}

Deno.test("ChunkReader finds the same in any cut into chunks", () => {
  for (const { chunks, want } of READINGS.filter((one) => !one.binary)) {
    const whole = chunks.join("");
    for (let first = 0; first <= whole.length; first++) {
      for (let second = first; second <= whole.length; second++) {
        const cut = [
          whole.slice(0, first),
          whole.slice(first, second),
          whole.slice(second),
        ];
        const got = read(cut, { binary: false, cut: 0 });
        assert.equal(got.spoilt, want.spoilt, `${first} ${second}`);
      }
    }
  }
});

Deno.test("ChunkReader emits nothing behind a fault", () => {
  const pieces: Uint8Array[] = [];
  const reader = new ChunkReader((piece) => void pieces.push(piece), false);
  reader.begin(4, true);
  reader.push(octets("a\n"));
  reader.push(octets("bc"));
  assert.deepEqual(pieces, []);
});

Deno.test("ChunkReader throws if a chunk begins out of place", () => {
  const reader = new ChunkReader(() => {}, false);
  reader.begin(1, false);
  assert.throws(() => reader.begin(1, false), RangeError);
  reader.push(octets("a"));
  reader.begin(0, true);
  assert.throws(() => reader.begin(0, true), RangeError);
});
