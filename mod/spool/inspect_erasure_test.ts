import assert from "node:assert/strict";
import { encodeHeader } from "../content/format.ts";
import { spoolErasure } from "./erasure_ipc.ts";
import { inspectErasure } from "./inspect_erasure.ts";

const BYTES = 65_536;

/** A spool's directories with one file of each kind. */
class Place implements Disposable {
  readonly dir = Deno.makeTempDirSync({ dir: "/var/tmp" });
  readonly spentDir = `${this.dir}/spent`;

  constructor() {
    Deno.mkdirSync(this.spentDir);
  }

  segment(
    name: string,
    { isReady = false, octets = random() }: {
      isReady?: boolean;
      octets?: Uint8Array;
    } = {},
  ): void {
    const path = `${this.dir}/${name}.seg`;
    Deno.writeFileSync(path, octets);
    if (isReady) Deno.utimeSync(path, 0, 0);
  }

  look(isDeep = true) {
    return spoolErasure.parse(inspectErasure({ ...this, isDeep }));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

function random(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(BYTES));
}

function withRecord(at: number): Uint8Array {
  const octets = random();
  octets.set(encodeHeader(new Uint8Array(16)), at);
  return octets;
}

const ONE = "pool-00000000000000a1";
const TWO = "pool-00000000000000a2";
const BIG = "big-00000000000000b1";

Deno.test("inspectErasure() tells used, ready and spent segments apart", () => {
  using place = new Place();
  place.segment(ONE, { octets: withRecord(0) });
  place.segment(BIG, { octets: withRecord(0) });
  place.segment(TWO, { isReady: true });
  place.segment("spent/pool-00000000000000a3");
  place.segment("spent/big-00000000000000b2");
  Deno.writeTextFileSync(`${place.dir}/pool-00000000000000a4.new`, "x");
  Deno.writeTextFileSync(`${place.dir}/not ours`, "x");
  const found = place.look();
  assert.deepEqual(found.used, [BIG, ONE]);
  assert.equal(found.usedBytes, 2 * BYTES);
  assert.equal(found.readyInAll, 1);
  assert.equal(found.readyRead, 1);
  assert.deepEqual(found.spent, [
    "big-00000000000000b2",
    "pool-00000000000000a3",
  ]);
  assert.equal(found.spentBytes, 2 * BYTES);
  assert.ok(found.spentForMs < 60_000);
  assert.deepEqual(found.notErased, []);
  assert.deepEqual(found.sparse, []);
});

for (const at of [0, 512, BYTES - 512]) {
  Deno.test(`inspectErasure() finds a record at octet ${at} of a ready segment`, () => {
    using place = new Place();
    place.segment(ONE, { isReady: true, octets: withRecord(at) });
    place.segment(TWO, { isReady: true });
    assert.deepEqual(place.look().notErased, [ONE]);
    // Not asked for, it is not read.
    assert.deepEqual(place.look(false).notErased, []);
    assert.equal(place.look(false).readyRead, 0);
  });
}

Deno.test("inspectErasure() finds a ready segment of holes", () => {
  using place = new Place();
  place.segment(ONE, { isReady: true });
  Deno.truncateSync(`${place.dir}/${ONE}.seg`, 0);
  Deno.truncateSync(`${place.dir}/${ONE}.seg`, BYTES);
  Deno.utimeSync(`${place.dir}/${ONE}.seg`, 0, 0);
  assert.deepEqual(place.look().sparse, [ONE]);
});

Deno.test("inspectErasure() follows no link", () => {
  using place = new Place();
  Deno.symlinkSync("/etc/passwd", `${place.dir}/${ONE}.seg`);
  Deno.symlinkSync("/etc/passwd", `${place.spentDir}/${TWO}.seg`);
  const found = place.look();
  assert.equal(found.usedInAll + found.readyInAll + found.spentInAll, 0);
});

Deno.test("inspectErasure() does without a directory that is not there", () => {
  using place = new Place();
  Deno.removeSync(place.spentDir);
  assert.equal(place.look().spentInAll, 0);
});
