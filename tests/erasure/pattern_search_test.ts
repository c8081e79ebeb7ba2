import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes, randomInt } from "node:crypto";
import { formsOf, type Pattern, PatternSearch } from "./pattern_search.ts";

const READ_OCTETS = 4_194_304;

function randomPatterns(count: number): Pattern<number>[] {
  return Array.from({ length: count }, (_, n) => ({
    octets: Uint8Array.from(randomBytes(randomInt(20, 60))),
    means: n,
  }));
}

Deno.test("PatternSearch.find() finds what indexOf finds, in adverse text", () => {
  // Few different octets: patterns overlap themselves and one another.
  for (let round = 0; round < 50; round++) {
    const letters = (length: number) =>
      Uint8Array.from({ length }, () => 97 + randomInt(2));
    const text = letters(3_000);
    const patterns = Array.from({ length: 40 }, (_, means) => ({
      octets: letters(randomInt(8, 14)),
      means,
    }));
    const want = patterns.flatMap(({ octets, means }) =>
      everyIndexOf(text, octets).map((offset) => `${means} at ${offset}`)
    );
    const got = new PatternSearch(patterns).find(text)
      .map(({ means, offset }) => `${means} at ${offset}`);
    assert.deepEqual(got.sort(), want.sort());
  }
});

function everyIndexOf(text: Uint8Array, octets: Uint8Array): number[] {
  const places: number[] = [];
  const whole = Buffer.from(text);
  for (let at = -1; (at = whole.indexOf(octets, at + 1)) >= 0;) {
    places.push(at);
  }
  return places;
}

Deno.test("PatternSearch.findInFile() finds every pattern once, wherever a read ends", () => {
  const patterns = randomPatterns(2_000);
  const search = new PatternSearch(patterns);
  const file = Deno.makeTempFileSync({ prefix: "bulkhead-search-" });
  try {
    const disk = new Uint8Array(3 * READ_OCTETS + 777);
    const planted = [0, disk.length - 60]
      .concat(
        [1, 2, 3].flatMap((reads) =>
          Array.from(
            { length: 3 },
            (_, i) => reads * READ_OCTETS - 100 + 80 * i,
          )
        ),
      );
    for (const [n, at] of planted.entries()) {
      disk.set(patterns[n]!.octets, at);
    }
    Deno.writeFileSync(file, disk);
    const got = search.findInFile(file)
      .map(({ means, offset }) => `${means} at ${offset}`);
    const want = planted.map((at, n) => `${n} at ${at}`);
    assert.deepEqual(got.sort(), want.sort());
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("PatternSearch reads 100 MB for 30,000 patterns in seconds", () => {
  const patterns = randomPatterns(30_000);
  const search = new PatternSearch(patterns);
  const part = Uint8Array.from(randomBytes(10_000_000));
  part.set(patterns[7]!.octets, 5_000_000);
  const began = performance.now();
  let hits = 0;
  for (let i = 0; i < 10; i++) hits += search.find(part).length;
  const ms = performance.now() - began;
  assert.equal(hits, 10);
  assert.ok(ms < 5_000, `took ${Math.round(ms)} ms`);
});

Deno.test("formsOf() gives forms that stand in every encoding of the octets", () => {
  const octets = Uint8Array.from(randomBytes(32));
  const forms = formsOf(octets).map((form) => Buffer.from(form));
  for (let before = 0; before < 6; before++) {
    const text = Buffer.concat([
      randomBytes(before),
      octets,
      randomBytes(5),
    ]);
    const encodings = ["latin1", "hex", "base64", "base64url"] as const;
    for (const encoding of encodings) {
      const written = encoding === "latin1"
        ? text
        : Buffer.from(text.toString(encoding), "latin1");
      assert.ok(
        forms.some((form) => written.includes(form)),
        `${encoding} behind ${before} octets`,
      );
    }
  }
});

Deno.test("PatternSearch refuses patterns that it could not tell from chance", () => {
  const short = { octets: new Uint8Array(7), means: 0 };
  assert.throws(() => new PatternSearch([short]), RangeError);
  assert.throws(() => new PatternSearch([]), RangeError);
});
