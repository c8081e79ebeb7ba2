/** `bulkhead shred FILE...` from outside: what it refuses, does and says. */
import assert from "node:assert/strict";
import { isThere } from "../../mod/supervisor/replace_file.ts";
import { bulkhead, IS_CI, IS_ROOT, ROOT, run } from "./server_fixture.ts";

/** On a real disk: /tmp may be memory. */
const ROOM = "/var/tmp";
const MIB = 1_048_576;

async function inDir(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ dir: ROOM, prefix: "bulkhead-shred-" });
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function fileOf(dir: string, text = "secret\n"): Promise<string> {
  const path = `${dir}/file`;
  await Deno.writeTextFile(path, text);
  return path;
}

Deno.test("bulkhead shred overwrites, removes, and says what that is worth", () =>
  inDir(async (dir) => {
    const path = await fileOf(dir);
    const ran = await bulkhead("shred", path);
    assert.equal(ran.code, 0, ran.errors);
    assert.match(ran.out, /7 octets overwritten, .*read back.*, removed\n {4}/);
    assert.equal([...Deno.readDirSync(dir)].length, 0);
  }));

Deno.test("bulkhead shred --keep leaves the same file, of the same size", () =>
  inDir(async (dir) => {
    const path = await fileOf(dir, "secret\n".repeat(1_000));
    const before = Deno.statSync(path);
    const ran = await bulkhead("shred", "--keep", "--json", path);
    assert.equal(ran.code, 0, ran.errors);
    const after = Deno.statSync(path);
    assert.equal(after.ino, before.ino);
    assert.equal(after.size, before.size);
    const text = new TextDecoder().decode(Deno.readFileSync(path));
    assert.ok(!text.includes("secret"));
    const result = JSON.parse(ran.out);
    assert.equal(result.ok, true);
    assert.equal(result.bytes, 7_000);
    assert.equal(result.isRemoved, false);
  }));

Deno.test("bulkhead shred removes an empty file", () =>
  inDir(async (dir) => {
    const path = await fileOf(dir, "");
    assert.equal((await bulkhead("shred", path)).code, 0);
    assert.ok(!isThere(path));
  }));

const REFUSED: {
  name: string;
  make: (path: string) => void;
  says: RegExp;
  code: number;
}[] = [
  {
    name: "a symbolic link",
    make(path) {
      Deno.writeTextFileSync(`${path}.real`, "secret\n");
      Deno.symlinkSync(`${path}.real`, path);
    },
    says: /symbolic link/,
    code: 64,
  },
  {
    name: "a directory",
    make: (path) => Deno.mkdirSync(path),
    says: /directory/,
    code: 64,
  },
  {
    name: "a pipe",
    make(path) {
      new Deno.Command("mkfifo", { args: [path] }).outputSync();
    },
    says: /no regular file/,
    code: 64,
  },
  {
    name: "a file with several names",
    make(path) {
      Deno.writeTextFileSync(path, "secret\n");
      Deno.linkSync(path, `${path}.other`);
    },
    says: /1 more name .*they would lose the content, too; --links/,
    code: 64,
  },
  { name: "what is not there", make: () => {}, says: /not there/, code: 66 },
];

for (const { name, make, says, code } of REFUSED) {
  Deno.test(`bulkhead shred refuses ${name}`, () =>
    inDir(async (dir) => {
      const path = `${dir}/file`;
      make(path);
      const before = [...Deno.readDirSync(dir)].map((one) => one.name).sort();
      const ran = await bulkhead("shred", path);
      assert.equal(ran.code, code);
      assert.match(ran.errors, /NOT erased, untouched/);
      assert.match(ran.errors, says);
      const after = [...Deno.readDirSync(dir)].map((one) => one.name).sort();
      assert.deepEqual(after, before);
      for (const one of before) {
        const file = `${dir}/${one}`;
        if (Deno.lstatSync(file).isFile) {
          assert.equal(Deno.readTextFileSync(file), "secret\n");
        }
      }
    }));
}

Deno.test("bulkhead shred --links erases a file under all of its names", () =>
  inDir(async (dir) => {
    const path = await fileOf(dir);
    Deno.linkSync(path, `${dir}/other`);
    const ran = await bulkhead("shred", "--links", path);
    assert.equal(ran.code, 0, ran.errors);
    assert.match(ran.out, /It had 2 names/);
    assert.ok(!isThere(path));
    assert.notEqual(
      new TextDecoder().decode(Deno.readFileSync(`${dir}/other`)),
      "secret\n",
    );
  }));

Deno.test("bulkhead shred goes on after a file that it cannot erase", () =>
  inDir(async (dir) => {
    const path = await fileOf(dir);
    const ran = await bulkhead("shred", `${dir}/none`, path, dir);
    // Two different faults: only that not all are erased.
    assert.equal(ran.code, 1);
    assert.ok(!isThere(path));
  }));

Deno.test("bulkhead shred leaves the holes of a sparse file", () =>
  inDir(async (dir) => {
    const path = `${dir}/sparse`;
    {
      using file = Deno.openSync(path, { write: true, createNew: true });
      file.truncateSync(64 * MIB + 77);
      file.seekSync(20 * MIB + 5, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode("secret in the middle"));
      file.seekSync(64 * MIB + 70, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode("at end!"));
    }
    const ran = await bulkhead("shred", "--keep", "--json", path);
    assert.equal(ran.code, 0, ran.errors);
    const result = JSON.parse(ran.out);
    assert.equal(result.bytes, MIB + 77);
    assert.equal(result.skippedBytes, 63 * MIB);
    const info = Deno.statSync(path);
    assert.equal(info.size, 64 * MIB + 77);
    assert.ok(info.blocks! * 512 <= 2 * MIB, `${info.blocks} blocks`);
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
    assert.ok(!text.includes("secret in the middle"));
    assert.ok(!text.includes("at end!"));
  }));

Deno.test("bulkhead shred makes sense of its arguments, or says that it cannot", () =>
  inDir(async (dir) => {
    const path = await fileOf(dir);
    for (
      const args of [
        [],
        ["--passes", "0", path],
        ["--passes", "x", path],
        ["--passes", "101", path],
        ["--recursive", path],
      ]
    ) {
      assert.equal((await bulkhead("shred", ...args)).code, 64, args.join(" "));
    }
    assert.equal(Deno.readTextFileSync(path), "secret\n");
    const help = await bulkhead("shred", "--help");
    assert.match(help.out, /Examples:/);
  }));

Deno.test("bulkhead shred notices a file that grows meanwhile, and keeps it", () =>
  inDir(async (dir) => {
    const path = `${dir}/big`;
    Deno.writeFileSync(path, new Uint8Array(64 * MIB).fill(97));
    await using shred = await Begun.on(path, "--passes", "8");
    Deno.writeTextFileSync(path, "more", { append: true });
    const { code, errors } = await shred.end();
    assert.equal(code, 1, errors);
    assert.match(errors, /NOT erased, partly overwritten:.*its size became/s);
    assert.ok(isThere(path));
  }));

Deno.test("bulkhead shred says on SIGINT what state the file is in", () =>
  inDir(async (dir) => {
    const path = `${dir}/big`;
    Deno.writeFileSync(path, new Uint8Array(64 * MIB).fill(97));
    await using shred = await Begun.on(path, "--passes", "50");
    shred.kill("SIGINT");
    const { code, errors } = await shred.end();
    assert.equal(code, 1, errors);
    assert.match(errors, /NOT erased, partly overwritten: .*stopped/s);
    assert.ok(isThere(path));
  }));

Deno.test("bulkhead shred tells of a file that another process has open", {
  ignore: !IS_ROOT,
}, () =>
  inDir(async (dir) => {
    const path = await fileOf(dir);
    using _open = Deno.openSync(path, { read: true });
    const ran = await bulkhead("shred", "--json", path);
    assert.equal(JSON.parse(ran.out).wasOpenElsewhere, true);
  }));

/** A `bulkhead shred --progress` that has begun to overwrite. */
class Begun implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  #errors = "";
  readonly #heard: Promise<void>;

  private constructor(child: Deno.ChildProcess, onProgress: () => void) {
    this.#child = child;
    this.#heard = this.#listen(onProgress);
  }

  static async on(path: string, ...args: string[]): Promise<Begun> {
    const begun = Promise.withResolvers<void>();
    const shred = new Begun(
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", `${ROOT}main.ts`, "shred", "--progress"]
          .concat(args, path),
        env: { NO_COLOR: "1" },
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn(),
      begun.resolve,
    );
    await Promise.race([begun.promise, shred.#heard]);
    return shred;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async end(): Promise<{ code: number; errors: string }> {
    await this.#heard;
    return { code: (await this.#child.status).code, errors: this.#errors };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await this.#heard;
    await this.#child.status;
  }

  async #listen(onProgress: () => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const octets of this.#child.stderr) {
      this.#errors += decoder.decode(octets, { stream: true });
      if (/writing/.test(this.#errors)) onProgress();
    }
  }
}

const HAS_STRACE = IS_CI || await hasStrace();

async function hasStrace(): Promise<boolean> {
  return (await run("sh", ["-c", "command -v strace"])).code === 0;
}

/** Runs `bulkhead shred ARGS` under strace; calls on files in `dir`, in order. */
async function traced(
  dir: string,
  options: readonly string[],
  ...args: readonly string[]
): Promise<{ code: number; errors: string; calls: readonly string[] }> {
  const trace = `${await Deno.makeTempDir()}/trace`;
  const { code, errors } = await run("strace", [
    ...["-f", "-y", "-s", "0", "-o", trace, "-e"],
    "trace=openat,pwrite64,write,ftruncate,fsync,fdatasync,rename,renameat," +
    "renameat2,unlink,unlinkat,sync_file_range",
    ...options,
    ...[Deno.execPath(), "run", "-A", `${ROOT}main.ts`, "shred", ...args],
  ]);
  const calls = joinedCalls(Deno.readTextFileSync(trace))
    .filter((line) => line.includes(dir));
  await Deno.remove(trace.slice(0, -6), { recursive: true });
  return { code, errors, calls };
}

/** Calls as they ended: those that another thread interrupted are put together. */
function joinedCalls(trace: string): string[] {
  const begun = new Map<string, string>();
  return trace.split("\n").flatMap((line) => {
    const pid = line.slice(0, line.indexOf(" "));
    const call = line.slice(pid.length).trim();
    if (call.endsWith("<unfinished ...>")) {
      begun.set(pid, call.slice(0, -16));
      return [];
    }
    const resumed = call.indexOf(" resumed>");
    if (resumed < 0) return [call];
    const whole = (begun.get(pid) ?? "") + call.slice(resumed + 9);
    begun.delete(pid);
    return [whole];
  });
}

Deno.test({
  name: "bulkhead shred syncs after each pass, and unlinks only after that",
  ignore: !HAS_STRACE,
  fn: () =>
    inDir(async (dir) => {
      const path = `${dir}/file`;
      Deno.writeFileSync(path, new Uint8Array(3 * MIB).fill(97));
      const { code, errors, calls } = await traced(
        dir,
        [],
        ...["--passes", "3", path],
      );
      assert.equal(code, 0, errors);
      const opened = calls.filter((call) =>
        call.startsWith("openat") && call.includes("O_RDWR")
      );
      assert.ok(opened.length > 0);
      for (const call of calls) {
        assert.ok(!/O_TRUNC|O_CREAT|ftruncate/.test(call), call);
      }
      const steps = calls.flatMap(stepOf);
      // The directory's fsync tells from the file's by what -y shows.
      const inOrder = steps.join(" ").replace(/write( write)*/g, "writes");
      assert.equal(
        inOrder,
        "writes sync writes sync writes sync rename syncdir unlink syncdir",
      );
    }),
});

function stepOf(call: string): string[] {
  if (/^pwrite64\(/.test(call)) return ["write"];
  if (/^fdatasync\(.* = 0$/.test(call)) return ["sync"];
  if (/^fsync\(.* = 0$/.test(call)) return ["syncdir"];
  if (/^rename(at|at2)?\(.* = 0$/.test(call)) return ["rename"];
  if (/^unlink(at)?\(.* = 0$/.test(call)) return ["unlink"];
  if (/^openat\(/.test(call)) return [];
  return [`unexpected ${call}`];
}

const PARTLY = "partly overwritten";
const FAILURES: {
  call: string;
  error: string;
  content: string;
  says: RegExp;
}[] = [
  { call: "pwrite64", error: "EIO", content: PARTLY, says: /output error/ },
  { call: "pwrite64", error: "ENOSPC", content: PARTLY, says: /No space/ },
  { call: "fdatasync", error: "EIO", content: PARTLY, says: /output error/ },
  { call: "fsync", error: "EIO", content: "overwritten", says: /output error/ },
];

for (const { call, error, content, says } of FAILURES) {
  Deno.test({
    name: `bulkhead shred keeps the file when ${call} fails with ${error}`,
    ignore: !HAS_STRACE,
    fn: () =>
      inDir(async (dir) => {
        const path = await fileOf(dir);
        const { code, errors, calls } = await traced(
          dir,
          // Only on this directory and file: Deno syncs files of its own.
          ["-P", path, "-P", dir, "-e", `inject=${call}:error=${error}`],
          path,
        );
        assert.ok(calls.some((one) => one.includes("INJECTED")), "it failed");
        assert.equal(code, 1, errors);
        assert.match(errors, new RegExp(`NOT erased, ${content}:`));
        assert.match(errors, says);
        // Kept, under the name that the message tells if it is another.
        const names = [...Deno.readDirSync(dir)].map(({ name }) => name);
        assert.equal(names.length, 1);
        assert.ok(errors.includes(`${dir}/${names[0]}`), errors);
        // A sync that failed is not asked for again: it would seem to succeed.
        const syncs = calls.filter((one) => one.startsWith("fdatasync"));
        assert.equal(syncs.length, call === "pwrite64" ? 0 : 1);
      }),
  });
}
