import assert from "node:assert/strict";
import type { Files, OverwriteFile } from "./files.ts";
import { STEP_OCTETS } from "./files.ts";
import { realFiles } from "./files_io.ts";
import { overwrite, type OverwriteProgress, ShredError } from "./overwrite.ts";

/** On a real disk: /tmp may be one that has no reading past the cache. */
const ROOM = "/var/tmp";

function fileOf(octets: Uint8Array): { dir: string; path: string } {
  const dir = Deno.makeTempDirSync({ dir: ROOM });
  const path = `${dir}/file`;
  Deno.writeFileSync(path, octets);
  return { dir, path };
}

/** A file of so many octets, all `a`; removed afterwards. */
async function withFile(
  bytes: number,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const { dir, path } = fileOf(new Uint8Array(bytes).fill(97));
  try {
    await body(path);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** The real files, with some operations of the open one replaced. */
function filesWith(
  change: (file: OverwriteFile) => Partial<OverwriteFile>,
): Files {
  return {
    ...realFiles,
    open(path) {
      const file = realFiles.open(path);
      return { ...file, ...change(file) };
    },
  };
}

async function fault(work: Promise<unknown>): Promise<ShredError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ShredError) return error;
    throw error;
  }
  throw new Error("it was called overwritten");
}

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: the disk says no`), { code });
}

for (const bytes of [1, 511, 4_096, STEP_OCTETS, 5 * STEP_OCTETS + 12_345]) {
  Deno.test(`overwrite() replaces every octet of ${bytes}, in place`, async () => {
    await withFile(bytes, async (path) => {
      const before = Deno.statSync(path);
      // Several passes, so that a single octet is not the old one by chance.
      let done = await overwrite(path);
      for (let again = 0; bytes === 1 && again < 8; again++) {
        if (Deno.readFileSync(path)[0] !== 97) break;
        done = await overwrite(path);
      }
      assert.equal(done.bytes, bytes);
      assert.equal(done.passes, 1);
      const after = Deno.statSync(path);
      assert.equal(after.ino, before.ino);
      assert.equal(after.size, bytes);
      const octets = Deno.readFileSync(path);
      const kept = octets.reduce((n, one) => n + (one === 97 ? 1 : 0), 0);
      // Random octets are the old one once in 256.
      assert(kept <= bytes / 256 + 5 * Math.sqrt(bytes / 256), `kept ${kept}`);
    });
  });
}

Deno.test("overwrite() leaves an empty file as it is", async () => {
  await withFile(0, async (path) => {
    assert.equal((await overwrite(path)).bytes, 0);
    assert.equal(Deno.statSync(path).size, 0);
  });
});

Deno.test("overwrite() reads past the page cache of this disk, or says that it could not", async () => {
  await withFile(STEP_OCTETS + 77, async (path) => {
    const { readBack } = await overwrite(path);
    const type = fileSystemOf(ROOM);
    if (type === "ext4" || type === "xfs") assert.equal(readBack, "disk");
    if (type === "tmpfs") assert.equal(readBack, "page-cache");
  });
});

Deno.test({
  name: "overwrite() calls a reading back on tmpfs one of the page cache",
  ignore: fileSystemOf("/dev/shm") !== "tmpfs",
  async fn() {
    const path = Deno.makeTempFileSync({ dir: "/dev/shm" });
    try {
      Deno.writeFileSync(path, new Uint8Array(10_000));
      assert.equal((await overwrite(path)).readBack, "page-cache");
    } finally {
      Deno.removeSync(path);
    }
  },
});

Deno.test("overwrite() makes as many passes as asked, syncs each, and says how far it is", async () => {
  await withFile(2 * STEP_OCTETS, async (path) => {
    const calls: string[] = [];
    const files = filesWith((file) => ({
      writeAt(octets, offset) {
        calls.push(`write ${offset / STEP_OCTETS}`);
        return file.writeAt(octets, offset);
      },
      async syncData() {
        await file.syncData();
        calls.push("synced");
      },
      close() {
        file.close();
        calls.push("closed");
      },
    }));
    const seen: OverwriteProgress[] = [];
    await overwrite(path, {
      passes: 2,
      files,
      onProgress: (progress) => seen.push(progress),
    });
    const pass = ["write 0", "write 1", "synced"];
    assert.deepEqual(calls, [...pass, ...pass, "closed"]);
    assert.deepEqual(
      seen.map(({ doing, pass, at }) => `${doing} ${pass} ${at / STEP_OCTETS}`),
      [
        "writing 1 1",
        "writing 1 2",
        "writing 2 1",
        "writing 2 2",
        "reading back 2 1",
        "reading back 2 2",
      ],
    );
  });
});

Deno.test("overwrite() writes other octets in each pass", async () => {
  await withFile(4_096, async (path) => {
    const written: string[] = [];
    const files = filesWith((file) => ({
      writeAt(octets, offset) {
        written.push(octets.slice(0, 32).join());
        return file.writeAt(octets, offset);
      },
    }));
    await overwrite(path, { passes: 3, files });
    assert.equal(new Set(written).size, 3);
  });
});

Deno.test("overwrite() goes on after short writes", async () => {
  await withFile(STEP_OCTETS + 5, async (path) => {
    const files = filesWith((file) => ({
      writeAt: (octets, offset) =>
        file.writeAt(octets.subarray(0, Math.ceil(octets.length / 2)), offset),
    }));
    assert.equal((await overwrite(path, { files })).bytes, STEP_OCTETS + 5);
    assert(Deno.readFileSync(path).includes(98));
  });
});

/** Each of these must be noticed, and every descriptor be closed. */
const FAULTS: {
  name: string;
  kind: ShredError["kind"];
  files: (path: string) => Files;
}[] = [
  {
    name: "a write fails",
    kind: "failed",
    files: () =>
      filesWith(() => ({
        writeAt() {
          throw errno("EIO");
        },
      })),
  },
  {
    name: "a write writes nothing, for ever",
    kind: "failed",
    files: () => filesWith(() => ({ writeAt: () => 0 })),
  },
  {
    name: "a sync fails",
    kind: "failed",
    files: () =>
      filesWith(() => ({ syncData: () => Promise.reject(errno("EIO")) })),
  },
  {
    name: "the disk dropped what it was given",
    kind: "differs",
    files: () => filesWith(() => ({ writeAt: (octets) => octets.length })),
  },
  {
    name: "the disk altered one octet",
    kind: "differs",
    files: () =>
      filesWith((file) => ({
        writeAt(octets, offset) {
          const altered = octets.slice();
          if (offset > 0) altered[7]! ^= 1;
          return file.writeAt(altered, offset);
        },
      })),
  },
  {
    name: "the disk reads back too little",
    kind: "failed",
    files: () => ({
      ...realFiles,
      openBack(path) {
        const back = realFiles.openBack(path);
        return { ...back, readAt: (at) => back.readAt(at).subarray(0, 1_000) };
      },
    }),
  },
  {
    name: "reading back fails",
    kind: "failed",
    files: () => ({
      ...realFiles,
      openBack: (path) => ({
        ...realFiles.openBack(path),
        readAt() {
          throw errno("EIO");
        },
      }),
    }),
  },
  {
    name: "the file was opened with truncation",
    kind: "changed",
    files: () => ({
      ...realFiles,
      open(path) {
        const file = realFiles.open(path);
        const facts = file.facts();
        Deno.truncateSync(path, 0);
        let isFirst = true;
        return {
          ...file,
          // It lies at first, as if it had looked before it opened.
          facts: () => isFirst ? (isFirst = false, facts) : file.facts(),
          writeAt: (octets) => octets.length,
        };
      },
    }),
  },
  {
    name: "the name meant another file when it was opened",
    kind: "unfit",
    files: (path) => ({
      ...realFiles,
      open() {
        Deno.copyFileSync(path, `${path}.other`);
        return realFiles.open(`${path}.other`);
      },
    }),
  },
  {
    name: "the name was removed and made anew meanwhile",
    kind: "changed",
    files: (path) =>
      filesWith((file) => ({
        async syncData() {
          await file.syncData();
          Deno.copyFileSync(path, `${path}.other`);
          Deno.renameSync(`${path}.other`, path);
        },
      })),
  },
  {
    name: "the file grew meanwhile",
    kind: "changed",
    files: (path) =>
      filesWith((file) => ({
        async syncData() {
          await file.syncData();
          Deno.writeTextFileSync(path, "more", { append: true });
        },
      })),
  },
];

for (const { name, kind, files } of FAULTS) {
  Deno.test(`overwrite() says \`${kind}\` when ${name}`, async () => {
    await withFile(STEP_OCTETS + 4_097, async (path) => {
      const error = await fault(overwrite(path, { files: files(path) }));
      assert.equal(error.kind, kind, error.message);
      assert(error.message.startsWith(`Cannot overwrite ${path}: `));
      assert(error.message.includes("; "), "says what to do");
      assert.deepEqual(openOn(path), []);
    });
  });
}

Deno.test("overwrite() refuses what is no regular file, and writes nothing", async () => {
  await withFile(10, async (path) => {
    const dir = path.replace(/\/file$/, "");
    Deno.symlinkSync(path, `${path}.link`);
    const names = [dir, `${path}.link`, `${path}.absent`, "/dev/null"];
    for (const name of names) {
      assert.equal((await fault(overwrite(name))).kind, "unfit", name);
    }
    assert.equal(Deno.readTextFileSync(path), "aaaaaaaaaa");
  });
});

Deno.test("overwrite() stops at the next step when told to", async () => {
  await withFile(3 * STEP_OCTETS, async (path) => {
    let steps = 0;
    const work = overwrite(path, { isStopped: () => ++steps === 2 });
    assert.equal((await fault(work)).kind, "stopped");
    assert.deepEqual(openOn(path), []);
    const last = Deno.readFileSync(path).subarray(2 * STEP_OCTETS);
    assert(last.every((octet) => octet === 97));
  });
});

Deno.test("overwrite() waits where its pace says so", async () => {
  await withFile(2 * STEP_OCTETS, async (path) => {
    let waits = 0;
    await overwrite(path, {
      pace: async () => {
        waits++;
        await Promise.resolve();
      },
    });
    // Two steps written, two read back.
    assert.equal(waits, 4);
  });
});

/** This process's descriptors on a file of that name. */
function openOn(path: string): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
      return target.startsWith(path) ? [target] : [];
    } catch (error) {
      // The listing's own descriptor.
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}

/** Type of the file system that `dir` lies on. */
function fileSystemOf(dir: string): string {
  let best = { at: "", type: "" };
  for (const line of Deno.readTextFileSync("/proc/mounts").split("\n")) {
    const [, at, type] = line.split(" ");
    if (at === undefined || type === undefined) continue;
    const isIn = dir === at || dir.startsWith(at === "/" ? "/" : `${at}/`);
    if (isIn && at.length >= best.at.length) best = { at, type };
  }
  return best.type;
}
