import assert from "node:assert/strict";
import { readTypes } from "./bitmaps.ts";
import { Budget } from "./budget.ts";
import { joinOctets } from "../core/octets.ts";
import { TYPE } from "./message.ts";
import {
  covers,
  enclosesClosest,
  lacksType,
  nextCloser,
  type Nsec,
  provesEmptyNonTerminal,
  provesNoName,
} from "./nsec.ts";
import { HashedNames, type Nsec3, readNsec3 } from "./nsec3.ts";
import { bitmap } from "./signer_fixture.ts";

const BITMAPS: {
  name: string;
  octets: number[];
  want: number[] | undefined;
}[] = [
  { name: "none", octets: [], want: [] },
  { name: "A and MX", octets: [0, 2, 0x40, 1], want: [1, 15] },
  // RFC 4034 §4.3, of host.example.com.
  {
    name: "a second window",
    octets: [
      ...[0, 6, 0x40, 1, 0, 0, 0, 3],
      ...[4, 27, ...new Array(26).fill(0), 0x20],
    ],
    want: [1, 15, 46, 47, 1234],
  },
  { name: "an empty window", octets: [0, 0], want: undefined },
  {
    name: "a window of 33",
    octets: [0, 33, ...new Array(33).fill(1)],
    want: undefined,
  },
  { name: "a window cut off", octets: [0, 2, 64], want: undefined },
  { name: "half a header", octets: [0], want: undefined },
  { name: "windows out of order", octets: [1, 1, 1, 0, 1, 1], want: undefined },
  { name: "a window twice", octets: [0, 1, 1, 0, 1, 1], want: undefined },
];

for (const { name, octets, want } of BITMAPS) {
  Deno.test(`readTypes() reads ${name}`, () => {
    const got = readTypes(Uint8Array.from(octets), 0);
    assert.deepEqual(got && [...got], want);
  });
}

const { NS, SOA, DNAME, A, MX, CNAME, DS } = TYPE;

function nsec(owner: string, next: string, ...types: number[]): Nsec {
  return { owner, next, types: new Set(types) };
}

// RFC 4034 §6.1, RFC 6840 §4.1.
const COVERED: { nsec: Nsec; name: string; want: boolean }[] = [
  { nsec: nsec("a.test", "c.test"), name: "b.test", want: true },
  { nsec: nsec("a.test", "c.test"), name: "x.b.test", want: true },
  { nsec: nsec("a.test", "c.test"), name: "z.a.test", want: true },
  { nsec: nsec("a.test", "c.test"), name: "a.test", want: false },
  { nsec: nsec("a.test", "c.test"), name: "c.test", want: false },
  { nsec: nsec("a.test", "c.test"), name: "x.c.test", want: false },
  { nsec: nsec("a.test", "c.test"), name: "test", want: false },
  { nsec: nsec("z.test", "test"), name: "zz.test", want: true },
  { nsec: nsec("z.test", "test"), name: "zz.other", want: false },
  { nsec: nsec("z.test", "test"), name: "a.test", want: false },
  { nsec: nsec("test", "test", NS, SOA), name: "a.test", want: true },
  { nsec: nsec("a.test", "c.test", NS), name: "x.a.test", want: false },
  { nsec: nsec("a.test", "c.test", NS), name: "b.test", want: true },
  { nsec: nsec("a.test", "c.test", NS, SOA), name: "x.a.test", want: true },
  { nsec: nsec("a.test", "c.test", DNAME), name: "x.a.test", want: false },
];

for (const { nsec: one, name, want } of COVERED) {
  Deno.test(`covers() is ${want} of ${name} between ${one.owner} (${[...one.types]}) and ${one.next}`, () => {
    assert.equal(covers(one, name), want);
  });
}

Deno.test("provesNoName() is not for names with names below them", () => {
  const one = nsec("a.test", "x.b.test");
  assert.ok(provesEmptyNonTerminal(one, "b.test"));
  assert.ok(!provesNoName(one, "b.test"));
  assert.ok(provesNoName(one, "aa.test"));
  assert.equal(enclosesClosest(one, "c.b.test"), "b.test");
  assert.equal(enclosesClosest(one, "aa.test"), "test");
  assert.equal(nextCloser("x.y.b.test", "test"), "b.test");
});

const LACKS: { types: number[]; type: number; name?: string; want: boolean }[] =
  [
    { types: [MX], type: A, want: true },
    { types: [A], type: A, want: false },
    { types: [CNAME], type: A, want: false },
    { types: [NS], type: A, want: false },
    { types: [NS, SOA], type: A, want: true },
    { types: [NS], type: DS, want: true },
    { types: [NS, DS], type: DS, want: false },
    { types: [NS, SOA], type: DS, want: false },
    { types: [NS, SOA], type: DS, name: "", want: true },
  ];

for (const { types, type, name = "test", want } of LACKS) {
  Deno.test(`lacksType() is ${want} of ${type} in ${types} at "${name}"`, () => {
    assert.equal(lacksType(new Set(types), { name, type }), want);
  });
}

/** RFC 5155 appendix A: salt aabbccdd, 12 rounds. */
const HASHES: readonly [string, string][] = [
  ["example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"],
  ["a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"],
  ["ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"],
  ["ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"],
  ["*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"],
  ["xx.example", "t644ebqk9bibcna874givr6joj62mlhv"],
];

function hashed(hash: string, over: Partial<Nsec3> = {}): Nsec3 {
  return {
    zone: "example",
    hash,
    next: hash,
    isOptOut: false,
    iterations: 12,
    salt: "aabbccdd",
    types: new Set(),
    ...over,
  };
}

for (const [name, hash] of HASHES) {
  Deno.test(`HashedNames hashes ${name} as RFC 5155 does`, () => {
    const names = new HashedNames([hashed(hash)], new Budget());
    assert.equal(names.matching(name)?.hash, hash);
    assert.equal(names.covering(name), undefined);
    assert.ok(names.covering("other.example"));
  });
}

Deno.test("HashedNames finds no encloser above a delegation or a DNAME", () => {
  const apex = HASHES[0]![1];
  const inside = HASHES[1]![1];
  for (const types of [new Set([NS]), new Set([DNAME])]) {
    const names = new HashedNames(
      [hashed(apex), hashed(inside, { types })],
      new Budget(),
    );
    assert.equal(names.closestEncloser("x.a.example"), undefined);
    assert.equal(names.closestEncloser("x.b.example")?.closer, "b.example");
  }
});

Deno.test("HashedNames hashes only as many names as a judgement may cost", () => {
  const names = new HashedNames([hashed(HASHES[0]![1])], new Budget());
  const deep = `${"a.".repeat(100)}example`;
  assert.equal(names.closestEncloser(deep), undefined);
  assert.equal(names.matching("example"), undefined);
});

Deno.test("readNsec3() takes only what RFC 5155 describes", () => {
  const owner = `${HASHES[0]![1]}.example`;
  const octets = (...head: number[]) =>
    joinOctets([Uint8Array.from(head), new Uint8Array(20), bitmap([A])]);
  const read = (name: string, data: Uint8Array) =>
    readNsec3({ name, type: TYPE.NSEC3, ttl: 1, data }, "example");
  assert.ok(read(owner, octets(1, 0, 0, 1, 0, 20)));
  assert.equal(read(owner, octets(1, 1, 0, 1, 0, 20))?.isOptOut, true);
  assert.equal(read(owner, octets(2, 0, 0, 1, 0, 20)), undefined);
  assert.equal(read(owner, octets(1, 2, 0, 1, 0, 20)), undefined);
  assert.equal(read(owner, octets(1, 0, 0, 1, 0, 19)), undefined);
  assert.equal(read(owner, octets(1, 0, 0, 1, 99, 20)), undefined);
  assert.equal(read(owner, Uint8Array.of(1, 0)), undefined);
  assert.equal(read("short.example", octets(1, 0, 0, 1, 0, 20)), undefined);
  assert.equal(read(`a.${owner}`, octets(1, 0, 0, 1, 0, 20)), undefined);
});
