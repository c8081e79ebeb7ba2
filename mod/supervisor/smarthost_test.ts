import assert from "node:assert/strict";
import type { Config } from "../config/settings.ts";
import { readSmarthostPassword, smarthostDoubts } from "./smarthost.ts";

const outbound = (
  smarthost_password_file: string | null,
  password: string | null = null,
) =>
  ({
    outbound: { smarthost: { password }, smarthost_password_file },
  }) as Config;
const cannotRead = (path: string) => `cannot read ${path}`;

const FILES: { name: string; text: string; want: string }[] = [
  { name: "its first line", text: "se cret\nmore\n", want: "se cret" },
  { name: "a line that ends in CRLF", text: "secret\r\n", want: "secret" },
  {
    name: "nothing from an empty file",
    text: "",
    want: "FILE: the password is empty",
  },
  {
    name: "nothing from a large one",
    text: "x".repeat(5_000),
    want: "FILE is too large for a password",
  },
];

for (const { name, text, want } of FILES) {
  Deno.test(`readSmarthostPassword() takes ${name}`, () => {
    const path = Deno.makeTempFileSync();
    Deno.writeTextFileSync(path, text);
    const read = readSmarthostPassword(outbound(path), cannotRead);
    assert.equal(
      read.ok ? read.password : read.faults.join().replace(path, "FILE"),
      want,
    );
    Deno.removeSync(path);
  });
}

Deno.test("readSmarthostPassword() takes the one of the configuration", () => {
  const of = (read: Config) => readSmarthostPassword(read, cannotRead);
  assert.deepEqual(of(outbound(null, "x")), { ok: true, password: "x" });
  assert.deepEqual(of(outbound(null)), { ok: true, password: null });
  assert.deepEqual(of(outbound("/none/x")), {
    ok: false,
    faults: ["cannot read /none/x"],
  });
  assert.equal(of(outbound("/dev/null")).ok, false);
});

Deno.test("smarthostDoubts() tells of a password that all may read", () => {
  const path = Deno.makeTempFileSync();
  Deno.chmodSync(path, 0o644);
  assert.equal(smarthostDoubts(outbound(null, "x"), path).length, 1);
  assert.equal(smarthostDoubts(outbound(path), "/none").length, 1);
  assert.equal(smarthostDoubts(outbound(null), path).length, 0);
  Deno.chmodSync(path, 0o640);
  assert.equal(smarthostDoubts(outbound(null, "x"), path).length, 0);
  Deno.removeSync(path);
});
