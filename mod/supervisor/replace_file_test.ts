import assert from "node:assert/strict";
import { replaceFile } from "./replace_file.ts";

Deno.test("replaceFile leaves the new content under the asked mode, and nothing beside it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/file`;
    await Deno.writeTextFile(`${path}.new`, "what a crash left");
    replaceFile(path, "one", 0o600);
    replaceFile(path, new TextEncoder().encode("two"), 0o600);
    assert.equal(await Deno.readTextFile(path), "two");
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), [
      "file",
    ]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("replaceFile follows no link", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const elsewhere = `${dir}/elsewhere`;
    await Deno.writeTextFile(elsewhere, "kept");
    await Deno.symlink(elsewhere, `${dir}/file.new`);
    await Deno.symlink(elsewhere, `${dir}/file`);
    replaceFile(`${dir}/file`, "new", 0o600);
    assert.equal(await Deno.readTextFile(elsewhere), "kept");
    assert.ok((await Deno.lstat(`${dir}/file`)).isFile);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
