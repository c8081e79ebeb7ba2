import assert from "node:assert/strict";
import type { ContentRef } from "../core/shapes.ts";
import { recordLength } from "./format.ts";
import { DamagedError, readContent } from "./reader.ts";
import { Sealer } from "./seal.ts";

const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000];

interface Sealed {
  readonly record: Uint8Array;
  readonly key: string;
  readonly plaintext: Uint8Array;
}

function seal(sizeBytes: number, step = 50_000): Sealed {
  const plaintext = new Uint8Array(sizeBytes).map((_, at) => (at * 31) >> 3);
  const pieces: Uint8Array[] = [];
  const sealer = new Sealer((piece) => pieces.push(piece));
  for (let at = 0; at < sizeBytes; at += step) {
    sealer.push(plaintext.subarray(at, at + step));
  }
  sealer.finish();
  const record = new Uint8Array(pieces.flatMap((piece) => [...piece]));
  assert.equal(record.length, sealer.length);
  return { record, key: sealer.takeKey(), plaintext };
}

/** Puts octets into a segment file, behind `offset` others. */
function place(
  octets: Uint8Array,
  at: { offset?: number; sizeBytes: number; behind?: Uint8Array },
): { dir: string; ref: ContentRef } & Disposable {
  const { offset = 0, sizeBytes, behind = new Uint8Array(0) } = at;
  const dir = Deno.makeTempDirSync();
  const file = new Uint8Array(offset + octets.length + behind.length);
  file.set(octets, offset);
  file.set(behind, offset + octets.length);
  Deno.writeFileSync(`${dir}/s.seg`, file);
  return {
    dir,
    ref: { segment: "s", offset, length: recordLength(sizeBytes), sizeBytes },
    [Symbol.dispose]: () => Deno.removeSync(dir, { recursive: true }),
  };
}

function read(dir: string, ref: ContentRef, key: string): Uint8Array {
  const chunks = [...readContent(dir, ref, key)];
  for (const chunk of chunks) assert.ok(chunk.length <= 65_536);
  return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
}

for (const sizeBytes of SIZES) {
  Deno.test(`readContent gives ${sizeBytes} octets back as they were sealed`, () => {
    const { record, key, plaintext } = seal(sizeBytes);
    const more = new Uint8Array(300).fill(9);
    using placed = place(record, { offset: 4_096, sizeBytes, behind: more });
    assert.deepEqual(read(placed.dir, placed.ref, key), plaintext);
  });

  Deno.test(`readContent notices every altered octet of ${sizeBytes}`, () => {
    const { record, key } = seal(sizeBytes);
    const step = Math.max(1, Math.floor(record.length / 97));
    for (let at = 0; at < record.length; at += at < 64 ? 1 : step) {
      const altered = record.slice();
      altered[at]! ^= 1 << (at % 8);
      using placed = place(altered, { sizeBytes });
      assert.throws(
        () => read(placed.dir, placed.ref, key),
        DamagedError,
        `octet ${at}`,
      );
    }
  });
}

Deno.test("Sealer makes the same record however its octets were cut", () => {
  for (const step of [1, 7, 4_096, 65_536, 65_537, 200_000]) {
    const { record, key, plaintext } = seal(140_000, step);
    using placed = place(record, { sizeBytes: plaintext.length });
    assert.deepEqual(read(placed.dir, placed.ref, key), plaintext);
  }
});

Deno.test("readContent notices a file that ends within the record", () => {
  const { record, key, plaintext } = seal(70_000);
  for (const end of [0, 10, 32, 40, 65_584, 65_600, record.length - 1]) {
    using placed = place(record.subarray(0, end), {
      sizeBytes: plaintext.length,
    });
    assert.throws(() => read(placed.dir, placed.ref, key), DamagedError);
  }
});

Deno.test("readContent notices a reference that cuts the message at a chunk", () => {
  const { record, key } = seal(3 * 65_536);
  for (const sizeBytes of [65_536, 2 * 65_536, 4 * 65_536]) {
    using placed = place(record, {
      sizeBytes,
      behind: new Uint8Array(70_000),
    });
    assert.throws(() => read(placed.dir, placed.ref, key), DamagedError);
  }
});

Deno.test("readContent notices a reference whose length and size disagree", () => {
  const { record, key } = seal(100);
  using placed = place(record, { sizeBytes: 100 });
  const ref = { ...placed.ref, length: placed.ref.length + 1 };
  assert.throws(() => read(placed.dir, ref, key), DamagedError);
});

Deno.test("readContent notices chunks that were swapped, doubled or dropped", () => {
  const sizeBytes = 3 * 65_536;
  const { record, key } = seal(sizeBytes);
  const sealedChunk = 65_536 + 16;
  const header = record.subarray(0, 32);
  const chunk = (n: number) =>
    record.subarray(32 + n * sealedChunk, 32 + (n + 1) * sealedChunk);
  for (const order of [[1, 0, 2], [0, 0, 2], [0, 2, 1], [0, 1, 1], [2, 1, 0]]) {
    const parts = [header, ...order.map(chunk)];
    const spliced = new Uint8Array(record.length);
    let at = 0;
    for (const part of parts) {
      spliced.set(part, at);
      at += part.length;
    }
    using placed = place(spliced, { sizeBytes });
    assert.throws(
      () => read(placed.dir, placed.ref, key),
      DamagedError,
      String(order),
    );
  }
});

Deno.test("readContent notices a chunk of another message in the same place", () => {
  const one = seal(100_000);
  const other = seal(100_000);
  const spliced = one.record.slice();
  spliced.set(other.record.subarray(32 + 65_552), 32 + 65_552);
  using placed = place(spliced, { sizeBytes: 100_000 });
  assert.throws(() => read(placed.dir, placed.ref, one.key), DamagedError);
});

Deno.test("readContent notices another message's key, or another record", () => {
  const one = seal(5_000);
  const other = seal(5_000);
  using placed = place(other.record, { sizeBytes: 5_000 });
  assert.throws(() => read(placed.dir, placed.ref, one.key), DamagedError);
  const ref = { ...placed.ref, offset: 8 };
  assert.throws(() => read(placed.dir, ref, other.key), DamagedError);
});

Deno.test("readContent shows neither key nor content in an error text", () => {
  const one = seal(5_000);
  using placed = place(new Uint8Array(6_000), { sizeBytes: 5_000 });
  try {
    read(placed.dir, placed.ref, one.key);
    assert.fail("read a record of zeros");
  } catch (error) {
    assert.ok(error instanceof DamagedError);
    assert.ok(!error.stack!.includes(one.key));
  }
});

Deno.test("readContent lets a missing file through as the system's error", () => {
  const one = seal(5_000);
  using placed = place(one.record, { sizeBytes: 5_000 });
  const ref = { ...placed.ref, segment: "gone" };
  assert.throws(() => read(placed.dir, ref, one.key), Deno.errors.NotFound);
});

Deno.test("readContent closes its file when the reader stops early", () => {
  const one = seal(200_000);
  using placed = place(one.record, { sizeBytes: 200_000 });
  // Deno.test fails on a resource that is still open.
  for (const chunk of readContent(placed.dir, placed.ref, one.key)) {
    assert.equal(chunk.length, 65_536);
    break;
  }
});

Deno.test("Sealer gives its key out once and refuses to go on afterwards", () => {
  const sealer = new Sealer(() => {});
  assert.throws(() => sealer.takeKey(), RangeError);
  sealer.finish();
  sealer.takeKey();
  assert.throws(() => sealer.takeKey(), RangeError);
  assert.throws(() => sealer.push(new Uint8Array(1)), RangeError);
});
