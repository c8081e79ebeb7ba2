import assert from "node:assert/strict";
import { CrashImages, seeded, writeImage } from "./crash_images.ts";
import type { DeviceEvent } from "./recorder_worker.ts";

const SECTOR = 512;

function write(sector: number, value: number, sectors = 1): DeviceEvent {
  const octets = new Uint8Array(sectors * SECTOR).fill(value);
  return { offset: sector * SECTOR, octets };
}
const FLUSH: DeviceEvent = { offset: 0 };

function sectorsOf(image: Uint8Array): number[] {
  return Array.from(
    { length: image.length / SECTOR },
    (_, n) => image[n * SECTOR]!,
  );
}

Deno.test("CrashImages keeps what was flushed, and of the rest what is asked", () => {
  const images = new CrashImages(new Uint8Array(4 * SECTOR), [
    write(0, 1),
    write(1, 1),
    FLUSH,
    write(1, 2),
    write(2, 2),
    FLUSH,
  ]);
  const at = (count: number, tail: "all" | "none") =>
    sectorsOf(images.at(count, tail, Math.random));
  assert.deepEqual(at(1, "none"), [0, 0, 0, 0]);
  assert.deepEqual(at(2, "none"), [0, 0, 0, 0], "written, not flushed");
  assert.deepEqual(at(2, "all"), [1, 1, 0, 0]);
  assert.deepEqual(at(3, "none"), [1, 1, 0, 0], "flushed");
  assert.deepEqual(at(5, "all"), [1, 2, 2, 0]);
  assert.deepEqual(at(5, "none"), [1, 1, 0, 0], "and nothing of `all` stays");
  assert.deepEqual(at(6, "none"), [1, 2, 2, 0]);
  assert.throws(() => images.at(2, "none", Math.random), RangeError);
});

Deno.test("CrashImages loses, keeps and tears unflushed writes, and no others", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const images = new CrashImages(new Uint8Array(4 * SECTOR), [
      write(0, 1),
      FLUSH,
      write(1, 1),
      write(2, 1, 2),
    ]);
    const got = sectorsOf(images.at(4, "some", seeded(seed)));
    assert.equal(got[0], 1, "what was flushed");
    seen.add(got.slice(1).join(""));
  }
  assert.equal(seen.size, 8, `every combination of sectors: ${[...seen]}`);
});

Deno.test("writeImage makes a file equal, whatever it held", async () => {
  const path = await Deno.makeTempFile();
  try {
    const image = new Uint8Array(2_500_000 - 2_500_000 % SECTOR);
    crypto.getRandomValues(image.subarray(1_048_000, 1_050_000));
    await Deno.truncate(path, image.length);
    writeImage(path, image);
    assert.deepEqual(await Deno.readFile(path), image);
    image[0] = 1;
    image.fill(0, 1_048_000, 1_049_000);
    image[image.length - 1] = 1;
    writeImage(path, image);
    assert.deepEqual(await Deno.readFile(path), image);
  } finally {
    await Deno.remove(path);
  }
});
