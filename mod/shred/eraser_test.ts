import assert from "node:assert/strict";
import { flushLog } from "../core/log.ts";
import { Eraser } from "./eraser.ts";
import type { Files } from "./files.ts";
import { realFiles } from "./files_io.ts";

/** A directory of spent files of so many octets each. */
function spent(sizes: Record<string, number>) {
  const dir = Deno.makeTempDirSync({ dir: "/var/tmp" });
  for (const [name, size] of Object.entries(sizes)) {
    Deno.writeFileSync(`${dir}/${name}`, new Uint8Array(size).fill(97));
  }
  return {
    path: (name: string) => `${dir}/${name}`,
    [Symbol.dispose]: () => Deno.removeSync(dir, { recursive: true }),
  };
}

/** Real files that tell what is done. */
function watched(): { files: Files; did: string[] } {
  const did: string[] = [];
  const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const files: Files = {
    ...realFiles,
    open(path) {
      const file = realFiles.open(path);
      did.push(`open ${nameOf(path)}`);
      return {
        ...file,
        close() {
          file.close();
          did.push(`close ${nameOf(path)}`);
        },
      };
    },
  };
  return { files, did };
}

function eraser(
  files: Files,
  options: { journalBytes?: number; washEveryMs?: number } = {},
) {
  const counts = new Map<string, number>();
  const made = new Eraser({
    journalBytes: 0,
    files,
    count: (name, by) => void counts.set(name, (counts.get(name) ?? 0) + by),
    ...options,
  });
  return { made, counts };
}

/** Keeps an expected alarm off the terminal and returns what was logged. */
async function logged(act: () => Promise<void>): Promise<string> {
  const { writeSync } = Deno.stderr;
  let text = "";
  Deno.stderr.writeSync = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    await act();
  } finally {
    flushLog();
    Deno.stderr.writeSync = writeSync;
  }
  return text;
}

Deno.test("Eraser serves asks one by one, and answers when the file is closed", async () => {
  using room = spent({ a: 5_000, b: 5_000 });
  const { files, did } = watched();
  const { made, counts } = eraser(files);
  const ask = (name: string) =>
    made.erase({ path: room.path(name), bytes: 5_000, restMs: 0 }).then(() =>
      did.push(`answer ${name}`)
    );
  // The second ask for `a` is that of a spool that came back.
  await Promise.all([ask("a"), ask("b"), ask("a")]);
  assert.deepEqual(did.filter((one) => !one.startsWith("answer")), [
    "open a",
    "close a",
    "open b",
    "close b",
    "open a",
    "close a",
  ]);
  assert.equal(did.at(-1), "answer a");
  assert.equal(counts.get("overwritten"), 3);
  assert.equal(counts.get("overwritten-octets"), 15_000);
});

Deno.test("Eraser refuses what fails, says so, and goes on with the next", async () => {
  using room = spent({ a: 5_000, b: 5_000 });
  const files: Files = {
    ...realFiles,
    open(path) {
      const file = realFiles.open(path);
      return path.endsWith("a")
        ? { ...file, syncData: () => Promise.reject(new Error("EIO")) }
        : file;
    },
  };
  const { made } = eraser(files);
  const ask = (name: string, bytes = 5_000) =>
    made.erase({ path: room.path(name), bytes, restMs: 0 });
  const text = await logged(async () => {
    assert.deepEqual(await ask("a"), { refusal: "failed" });
    assert.deepEqual(await ask("absent"), { refusal: "unfit" });
    assert.deepEqual(await ask("b", 4_999), { refusal: "failed" });
    assert.equal("bytes" in await ask("b"), true);
  });
  assert.equal(text.split('"overwrite-failed"').length - 1, 3);
});

Deno.test("Eraser overwrites the last file until the journal has gone around", async () => {
  using room = spent({ a: 10_000, b: 10_000 });
  const { files, did } = watched();
  const { made, counts } = eraser(files, { journalBytes: 45_000 });
  const ask = (name: string) =>
    made.erase({ path: room.path(name), bytes: 10_000, restMs: 0 });
  // `a` is answered at once: `b` takes over what is owed.
  await Promise.all([ask("a"), ask("b")]);
  assert.deepEqual(did.filter((one) => one.startsWith("open")), [
    "open a",
    "open b",
    ...Array(3).fill("open b"),
  ]);
  assert.equal(counts.get("washed-octets"), 30_000);
});

Deno.test("Eraser washes again only after a while, and gives way to the next ask", async () => {
  using room = spent({ a: 10_000, b: 10_000 });
  const { files, did } = watched();
  const { made } = eraser(files, { journalBytes: 15_000, washEveryMs: 400 });
  const ask = (name: string) =>
    made.erase({ path: room.path(name), bytes: 10_000, restMs: 0 });
  await ask("a");
  assert.equal(did.length, 2 * 2);
  const began = performance.now();
  const held = ask("a");
  await new Promise((resolve) => setTimeout(resolve, 60));
  const after = ask("b");
  await held;
  assert(performance.now() - began < 300, "the next ask relieved it");
  await after;
  assert(performance.now() - began > 300, "it waited for its time");
  const opens = did.filter((one) => one.startsWith("open")).slice(2);
  assert.deepEqual(opens, ["open a", "open b", "open b"]);
});

Deno.test("Eraser ends a wash that waits when it is stopped", async () => {
  using room = spent({ a: 10_000 });
  const { files } = watched();
  const { made } = eraser(files, { journalBytes: 15_000, washEveryMs: 1e6 });
  const erase = () =>
    made.erase({ path: room.path("a"), bytes: 10_000, restMs: 0 });
  await erase();
  const held = erase();
  await new Promise((resolve) => setTimeout(resolve, 50));
  made.stop();
  assert.equal("bytes" in await held, true);
});
