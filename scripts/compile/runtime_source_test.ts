import assert from "node:assert/strict";
import { BUILDER_VERSION, givenRuntime, PINS } from "./runtime_source.ts";

const MACHINE = { x64: 62, arm64: 183 } as const;

/** Runs `fn` with a file of these octets. */
function withFile(octets: Uint8Array, fn: (path: string) => void): void {
  const path = Deno.makeTempFileSync({ prefix: "bulkhead-runtime-" });
  try {
    Deno.writeFileSync(path, octets);
    fn(path);
  } finally {
    Deno.removeSync(path);
  }
}

/** The beginning of an executable, and what is written in it. */
function executable(machine: number, text: string): Uint8Array {
  const head = new Uint8Array(64);
  head.set([0x7f, 0x45, 0x4c, 0x46]);
  new DataView(head.buffer).setUint16(18, machine, true);
  return new Uint8Array([...head, ...new TextEncoder().encode(text)]);
}

for (const arch of ["x64", "arm64"] as const) {
  Deno.test(`PINS.${arch} names one published release in full`, () => {
    const { version, integrity, sha256 } = PINS[arch];
    assert.match(version, /^2\.\d+\.\d+$/);
    assert.match(sha256, /^[0-9a-f]{64}$/);
    const [, digest] = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity)!;
    assert.equal(atob(digest!).length, 64);
  });

  Deno.test(`givenRuntime() takes any release for ${arch}`, () => {
    const text = "since Deno/0.9.0 Deno/2.10.3\0Deno/2.9.9 deno";
    withFile(executable(MACHINE[arch], text), (path) => {
      const { version, octets } = givenRuntime(arch, path);
      assert.equal(version, "2.10.3");
      assert.deepEqual(octets, Deno.readFileSync(path));
    });
  });
}

Deno.test("PINS has no two machines with the same octets", () => {
  const { x64, arm64 } = PINS;
  assert.notEqual(x64.sha256, arm64.sha256);
  assert.notEqual(x64.integrity, arm64.integrity);
});

Deno.test("BUILDER_VERSION is the release that continuous integration uses", () => {
  const run = Deno.readTextFileSync(
    new URL("../../.ci/run", import.meta.url),
  );
  assert.match(
    run,
    new RegExp(`^deno=deno@${RegExp.escape(BUILDER_VERSION)}$`, "m"),
  );
});

Deno.test("givenRuntime() refuses what is not Deno for the machine", () => {
  const cases = [
    {
      name: "a text",
      octets: new TextEncoder().encode("#!/bin/sh\n"),
      why: /not for x64/,
    },
    { name: "an empty file", octets: new Uint8Array(), why: /not for x64/ },
    {
      name: "another machine",
      octets: executable(MACHINE.arm64, "Deno/2.9.6"),
      why: /not for x64/,
    },
    {
      name: "another program",
      octets: executable(MACHINE.x64, "node/24.0.0"),
      why: /not Deno/,
    },
  ];
  for (const { name, octets, why } of cases) {
    withFile(octets, (path) => {
      assert.throws(() => givenRuntime("x64", path), why, name);
    });
  }
});
