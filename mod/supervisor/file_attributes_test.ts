import assert from "node:assert/strict";
import {
  type Extent,
  hasSharedBlocks,
  isSamePlace,
} from "./file_attributes.ts";

type Piece = [logical: number, physical: number, length: number];

function extents(...pieces: Piece[]): Extent[] {
  return pieces.map(([logical, physical, length]) => ({
    logical: BigInt(logical),
    physical: BigInt(physical),
    length: BigInt(length),
    flags: 0,
  }));
}

const PLACES: {
  name: string;
  before: Piece[];
  after: Piece[];
  same: boolean;
}[] = [
  { name: "an empty file", before: [], after: [], same: true },
  {
    name: "the same extents",
    before: [[0, 100, 8], [8, 300, 8]],
    after: [[0, 100, 8], [8, 300, 8]],
    same: true,
  },
  {
    name: "an extent that is told in two",
    before: [[0, 100, 16]],
    after: [[0, 100, 8], [8, 108, 8]],
    same: true,
  },
  {
    name: "two that are told as one",
    before: [[0, 100, 8], [8, 108, 8]],
    after: [[0, 100, 16]],
    same: true,
  },
  {
    name: "a hole that was filled",
    before: [[0, 100, 8], [24, 300, 8]],
    after: [[0, 100, 8], [8, 900, 16], [24, 300, 8]],
    same: true,
  },
  {
    name: "a file that was copied elsewhere",
    before: [[0, 100, 8]],
    after: [[0, 500, 8]],
    same: false,
  },
  {
    name: "a file of which the middle was copied",
    before: [[0, 100, 24]],
    after: [[0, 100, 8], [8, 500, 8], [16, 116, 8]],
    same: false,
  },
  {
    name: "a file that lost its end",
    before: [[0, 100, 24]],
    after: [[0, 100, 16]],
    same: false,
  },
  {
    name: "a file that was truncated",
    before: [[0, 100, 8]],
    after: [],
    same: false,
  },
];

for (const { name, before, after, same } of PLACES) {
  Deno.test(`isSamePlace() ${same ? "accepts" : "notices"} ${name}`, () => {
    assert.equal(isSamePlace(extents(...before), extents(...after)), same);
  });
}

Deno.test("hasSharedBlocks() sees one shared extent among others", () => {
  const [first, second] = extents([0, 100, 8], [8, 300, 8]);
  assert.ok(!hasSharedBlocks([first!, second!]));
  assert.ok(hasSharedBlocks([first!, { ...second!, flags: 0x2001 }]));
});
