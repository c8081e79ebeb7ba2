import assert from "node:assert/strict";
import { ManifestError, narrowPath, permissionFlags } from "./flags.ts";
import type { Needs } from "./manifest.ts";

const NOTHING: Needs = { read: [], write: [], connect: [] };

Deno.test("permissionFlags renders nothing for empty lists", () => {
  assert.deepEqual(permissionFlags(NOTHING, { plugs: [] }), []);
  assert.deepEqual(permissionFlags({ ...NOTHING, env: [] }, { plugs: [] }), []);
});

Deno.test("permissionFlags never renders a bare or empty flag", () => {
  const flags = permissionFlags(
    {
      read: ["/a"],
      write: ["/b"],
      connect: [{ host: "any-ipv4", port: 25 }],
      env: ["TZ"],
    },
    { plugs: ["/run/x.sock"] },
    { library: "/lib/libc.so.6", why: "test" },
  );
  assert.deepEqual(flags, [
    "--allow-read=/a,/run/x.sock",
    "--allow-write=/b,/run/x.sock",
    "--allow-net=unix:/run/x.sock,0.0.0.0/0:25",
    "--allow-env=TZ",
    "--allow-ffi=/lib/libc.so.6",
  ]);
  for (const flag of flags) assert.match(flag, /^--allow-[a-z]+=./);
});

Deno.test("permissionFlags names each right once", () => {
  const flags = permissionFlags(
    { ...NOTHING, read: ["/a", "/a"] },
    { plugs: [] },
  );
  assert.deepEqual(flags, ["--allow-read=/a"]);
});

Deno.test("permissionFlags lets datagrams come from where they must, and no TCP", () => {
  const net = (...hosts: string[]) =>
    permissionFlags({
      ...NOTHING,
      connect: hosts.map((host) => ({ host, port: 53 })),
      udp: true,
    }, { plugs: [] });
  assert.deepEqual(net(), []);
  assert.deepEqual(net("192.0.2.1"), ["--allow-net=192.0.2.1:53,0.0.0.0:0"]);
  assert.deepEqual(net("2001:db8::1"), ["--allow-net=[2001:db8::1]:53,[::]:0"]);
  assert.deepEqual(net("any-ipv4", "::1"), [
    "--allow-net=0.0.0.0/0:53,[::1]:53,0.0.0.0:0,[::]:0",
  ]);
});

const WIDE_PATHS: { name: string; path: string }[] = [
  { name: "the root", path: "/" },
  { name: "the root, written twice", path: "//" },
  { name: "nothing", path: "" },
  { name: "a relative path", path: "spool" },
  { name: "a path with ..", path: "/spool/../etc" },
  { name: "a path that ends in ..", path: "/spool/.." },
  { name: "a path with .", path: "/./" },
  { name: "a path that starts with an empty part", path: "//etc" },
  { name: "a comma, which would be two paths", path: "/a,/" },
  { name: "a NUL, where C would stop reading", path: "/a\0b" },
];

for (const { name, path } of WIDE_PATHS) {
  Deno.test(`permissionFlags refuses ${name}`, () => {
    assert.throws(() => narrowPath(path), ManifestError);
    for (
      const needs of [{ ...NOTHING, read: [path] }, {
        ...NOTHING,
        write: [path],
      }]
    ) {
      assert.throws(
        () => permissionFlags(needs, { plugs: [] }),
        ManifestError,
      );
    }
    assert.throws(
      () => permissionFlags(NOTHING, { plugs: [path] }),
      ManifestError,
    );
    assert.throws(
      () =>
        permissionFlags(NOTHING, { plugs: [] }, { library: path, why: "test" }),
      ManifestError,
    );
  });
}

const WIDE_ENDS: { name: string; host: string; port: number }[] = [
  { name: "no host", host: "", port: 25 },
  { name: "a list of hosts", host: "a,b", port: 25 },
  { name: "an asterisk", host: "*", port: 25 },
  { name: "a range", host: "0.0.0.0/0", port: 25 },
  { name: "port 0", host: "a", port: 0 },
  { name: "port 65536", host: "a", port: 65_536 },
  { name: "half a port", host: "a", port: 25.5 },
  { name: "no port", host: "a", port: NaN },
];

for (const { name, host, port } of WIDE_ENDS) {
  Deno.test(`permissionFlags refuses to connect to ${name}`, () => {
    assert.throws(
      () =>
        permissionFlags({ ...NOTHING, connect: [{ host, port }] }, {
          plugs: [],
        }),
      ManifestError,
    );
  });
}

Deno.test("permissionFlags refuses an environment variable's pattern", () => {
  for (const name of ["", "*", "PATH*", "a,B", "path"]) {
    assert.throws(
      () => permissionFlags({ ...NOTHING, env: [name] }, { plugs: [] }),
      ManifestError,
    );
  }
});
