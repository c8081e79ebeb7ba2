import assert from "node:assert/strict";
import { type NameCalls, removeFile } from "./remove_file.ts";

/** A directory with one file, which notes every call and fails where told. */
class Names implements NameCalls {
  readonly calls: string[] = [];
  readonly files = new Map([["/d/secret", "1:7"], ["/d/other", "1:8"]]);
  /** Number of the call that fails, from 1. */
  failsAt = 0;
  /** Told of each call, before it is made. */
  onCall: (call: string) => void = () => {};

  identity(path: string): string {
    this.#note("look");
    const found = this.files.get(path);
    if (found === undefined) throw new Error("ENOENT");
    return found;
  }

  rename(from: string, to: string): void {
    this.#note("rename");
    this.files.set(to, this.files.get(from)!);
    this.files.delete(from);
  }

  unlink(path: string): void {
    this.#note("unlink");
    assert.ok(this.files.delete(path));
  }

  syncDir(dir: string): void {
    this.#note("sync");
    assert.equal(dir, "/d");
  }

  #note(call: string): void {
    this.onCall(call);
    this.calls.push(call);
    if (this.calls.length === this.failsAt) throw new Error("EIO");
  }
}

Deno.test("removeFile() syncs the new name before it unlinks, and the end after it", () => {
  const names = new Names();
  assert.deepEqual(removeFile("/d/secret", "1:7", names), { ok: true });
  assert.deepEqual(names.calls, [
    "look",
    "rename",
    "look",
    "sync",
    "unlink",
    "sync",
  ]);
  assert.deepEqual([...names.files.keys()], ["/d/other"]);
});

for (let failsAt = 1; failsAt <= 6; failsAt++) {
  Deno.test(`removeFile() tells where the file is when call ${failsAt} fails`, () => {
    const names = new Names();
    names.failsAt = failsAt;
    const removal = removeFile("/d/secret", "1:7", names);
    assert.ok(!removal.ok);
    assert.equal(removal.why, "EIO");
    // After the failed call nothing more is tried.
    assert.equal(names.calls.length, failsAt);
    assert.equal(names.files.get("/d/other"), "1:8");
    if (failsAt < 6) assert.equal(names.files.get(removal.at), "1:7");
    else assert.equal(removal.at, "");
  });
}

Deno.test("removeFile() removes no other file that took the name", () => {
  const names = new Names();
  names.files.set("/d/secret", "1:9");
  const removal = removeFile("/d/secret", "1:7", names);
  assert.ok(!removal.ok);
  assert.equal(names.files.get("/d/secret"), "1:9");
});

Deno.test("removeFile() puts back a file that took the name at the last moment", () => {
  const names = new Names();
  names.onCall = (call) => {
    if (call === "rename" && names.calls.length === 1) {
      names.files.set("/d/secret", "1:9");
    }
  };
  const removal = removeFile("/d/secret", "1:7", names);
  assert.ok(!removal.ok);
  assert.equal(removal.at, "/d/secret");
  assert.equal(names.files.get("/d/secret"), "1:9");
});
