import assert from "node:assert/strict";
import { type Made, Manifest } from "./manifest.ts";

const LINK: Made = { kind: "link", path: "/usr/bin/mailq", to: "/bin/b" };
const FILE: Made = { kind: "file", path: "/etc/x", sha256: "a".repeat(64) };

function withDir(test: (dir: string) => void): void {
  const dir = Deno.makeTempDirSync();
  try {
    test(dir);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

Deno.test("Manifest keeps what it is told, each thing once, and goes when empty", () =>
  withDir((dir) => {
    const path = `${dir}/made.json`;
    let written = 0;
    const manifest = Manifest.read(path, () => written++);
    manifest.add(LINK, FILE);
    manifest.add(LINK);
    assert.equal(written, 1, "what is known already is not written");
    const newer: Made = { ...FILE, sha256: "b".repeat(64) };
    manifest.add(newer);
    assert.deepEqual(Manifest.read(path).all, [LINK, newer]);
    assert.equal(Manifest.read(path).digestOf("/etc/x"), "b".repeat(64));
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    manifest.remove(LINK);
    manifest.remove(newer);
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
  }));

Deno.test("Manifest writes down the directory that it makes for itself", () =>
  withDir((dir) => {
    const own = `${dir}/bulkhead`;
    const manifest = Manifest.read(`${own}/made.json`);
    assert.throws(() => Deno.statSync(own), "reading makes nothing");
    manifest.add(LINK);
    assert.deepEqual(Manifest.read(`${own}/made.json`).all, [
      { kind: "directory", path: own },
      LINK,
    ]);
  }));

const REFUSED: { name: string; make: (path: string) => void; want: RegExp }[] =
  [
    {
      name: "is no JSON",
      make: (path) => Deno.writeTextFileSync(path, "{", { mode: 0o600 }),
      want: /damaged/,
    },
    {
      name: "has a kind of thing that is not known",
      make: (path) =>
        Deno.writeTextFileSync(
          path,
          '{"version":1,"made":[{"kind":"tree","path":"/"}]}',
          { mode: 0o600 },
        ),
      want: /damaged/,
    },
    {
      name: "others may write",
      make: (path) => {
        Deno.writeTextFileSync(path, '{"version":1,"made":[]}');
        Deno.chmodSync(path, 0o666);
      },
      want: /somebody else/,
    },
    {
      name: "is a link",
      make: (path) => {
        Deno.writeTextFileSync(`${path}.real`, '{"version":1,"made":[]}');
        Deno.symlinkSync(`${path}.real`, path);
      },
      want: /somebody else/,
    },
    {
      name: "is another user's",
      make: (path) => {
        Deno.writeTextFileSync(path, '{"version":1,"made":[]}', {
          mode: 0o600,
        });
        if (Deno.uid() === 0) Deno.chownSync(path, 65_534, 65_534);
        else Deno.chmodSync(path, 0o620);
      },
      want: /somebody else/,
    },
  ];

for (const { name, make, want } of REFUSED) {
  Deno.test(`Manifest.read() refuses a file that ${name}`, () =>
    withDir((dir) => {
      const path = `${dir}/made.json`;
      make(path);
      assert.throws(() => Manifest.read(path), want);
    }));
}
