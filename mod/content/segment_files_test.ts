import assert from "node:assert/strict";
import { KEEP_MS, MAX_OPEN, SegmentFiles } from "./segment_files.ts";

function withFiles(
  body: (dir: string, files: SegmentFiles) => void | Promise<void>,
): () => Promise<void> {
  return async () => {
    const dir = Deno.makeTempDirSync();
    const files = new SegmentFiles();
    try {
      for (let i = 0; i <= MAX_OPEN; i++) {
        Deno.writeTextFileSync(`${dir}/${i}`, `octets of ${i}`);
      }
      await body(dir, files);
    } finally {
      files.close();
      Deno.removeSync(dir, { recursive: true });
    }
  };
}

function read(files: SegmentFiles, path: string, offset: number): string {
  const into = new Uint8Array(6);
  const got = files.readAt(path, into, offset);
  return new TextDecoder().decode(into.subarray(0, got));
}

Deno.test(
  "SegmentFiles reads anywhere in files that are opened once",
  withFiles((dir, files) => {
    assert.equal(read(files, `${dir}/0`, 0), "octets");
    assert.equal(read(files, `${dir}/1`, 7), "of 1");
    assert.equal(read(files, `${dir}/0`, 100), "");
    Deno.removeSync(`${dir}/0`);
    assert.equal(read(files, `${dir}/0`, 7), "of 0", "still open");
    assert.equal(files.size, 2);
  }),
);

Deno.test(
  "SegmentFiles keeps a few files open, the oldest goes",
  withFiles((dir, files) => {
    for (let i = 0; i <= MAX_OPEN; i++) read(files, `${dir}/${i}`, 0);
    assert.equal(files.size, MAX_OPEN);
    Deno.removeSync(`${dir}/0`);
    assert.throws(() => read(files, `${dir}/0`, 0), Deno.errors.NotFound);
  }),
);

Deno.test(
  "SegmentFiles closes a file that is forgotten, and all when nobody reads",
  withFiles(async (dir, files) => {
    read(files, `${dir}/0`, 0);
    read(files, `${dir}/1`, 0);
    files.forget(`${dir}/0`);
    assert.equal(files.size, 1);
    await new Promise((resolve) => setTimeout(resolve, KEEP_MS + 200));
    assert.equal(files.size, 0);
  }),
);
