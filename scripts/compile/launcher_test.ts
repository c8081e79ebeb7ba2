/**
 * The launcher, with a small program in the runtime's place that tells how it
 * was called. A script that nobody may read runs for root only, so most of
 * this needs root; `tests/system/one_file_test.ts` has the real runtime.
 */
import assert from "node:assert/strict";
import { putTogether } from "./compiled_file.ts";
import { compress, type Octets, oneFile, type Parts } from "./one_file.ts";

const LAUNCHER = Deno.readTextFileSync(new URL("launcher.sh", import.meta.url));
const IS_ROOT = Deno.uid() === 0;
const encoder = new TextEncoder();

/** Every shell here that may be a machine's /bin/sh. */
const SHELLS = [["/bin/dash"], ["/bin/busybox", "sh"], ["/bin/bash", "--posix"]]
  .filter(([path]) => isThere(path!));
const [SHELL] = SHELLS;

const TOY = `#!/bin/sh
[ "$1" = --version ] && { echo 'deno 1.2.3 (toy)'; exit 0; }
echo "runtime $0"
for one in "$@"; do printf '<%s>\\n' "$one"; done
/usr/bin/env
exit 7
`;

/** As large as three blocks of gzip, and not compressible. */
const NOISE = noise(200_000);

interface Toy {
  readonly launcher?: string;
  readonly arch?: "x64" | "arm64";
  readonly main?: string;
}

function toy(choices: Toy = {}): Octets {
  return oneFile(toyParts(choices));
}

function toyParts({ launcher = LAUNCHER, arch, main = "main" }: Toy): Parts {
  const octets = new Uint8Array([...encoder.encode(TOY), ...NOISE]);
  const here = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  return {
    launcher,
    version: "0.0.1",
    runtime: { arch: arch ?? here, version: "1.2.3", octets },
    packedRuntime: compress(octets, 1),
    programs: new Map([
      ["bulkhead.mjs", encoder.encode(main)],
      ["jail.mjs", encoder.encode("jail")],
      ["empty.mjs", new Uint8Array()],
    ]),
    level: 1,
  };
}

/** A directory with the file in it, and where it unpacks. */
class Scene {
  readonly dir = Deno.makeTempDirSync({ dir: "/tmp", prefix: "bulkhead-toy-" });
  readonly file = `${this.dir}/bulkhead`;
  readonly place = `${this.dir}/place`;

  constructor(octets: Octets = toy()) {
    Deno.chmodSync(this.dir, 0o755);
    this.put(octets);
  }

  put(octets: Octets): void {
    Deno.writeFileSync(this.file, octets, { mode: 0o755 });
  }

  parts(): string[] {
    return [...Deno.readDirSync(this.place)].map(({ name }) => name).sort();
  }

  part(kind: "runtime" | "programs"): string {
    const name = this.parts().find((one) => one.startsWith(kind));
    assert.ok(name, `${kind} in ${this.parts()}`);
    return `${this.place}/${name}`;
  }

  start(
    args: readonly string[] = [],
    options: {
      shell?: readonly string[];
      file?: string;
      env?: Record<string, string>;
    } = {},
  ): Promise<Said> {
    return run(
      [...options.shell ?? SHELL!, options.file ?? this.file, ...args],
      { BULKHEAD_RUNTIME: this.place, ...options.env },
    );
  }

  /** Starts it in a mount namespace, after `commands` of a shell. */
  startAfter(commands: string): Promise<Said> {
    return run(
      ["unshare", "-m", "sh", "-ec", `${commands}\nexec "$@"`, "sh"]
        .concat(SHELL!, this.file),
      { BULKHEAD_RUNTIME: this.place, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    );
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

interface Said {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

async function run(
  words: readonly string[],
  env: Record<string, string>,
): Promise<Said> {
  const { code, stdout, stderr } = await new Deno.Command(words[0]!, {
    args: words.slice(1),
    clearEnv: true,
    env,
    stdin: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function noise(length: number): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(length);
  let x = 1;
  for (let i = 0; i < length; i++) {
    x = (x * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    octets[i] = x >> 16;
  }
  return octets;
}

/** A test that needs root. */
function asRoot(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `the launcher ${name}`, ignore: !IS_ROOT, fn });
}

function works(said: Said): void {
  assert.equal(said.code, 7, said.errors);
  assert.equal(said.errors, "");
}

function refuses(said: Said, why: RegExp, code = 78): void {
  assert.equal(said.code, code, said.errors);
  assert.equal(said.out, "");
  assert.match(said.errors, why);
}

for (const shell of SHELLS) {
  asRoot(`passes everything on as it is, in ${shell[0]}`, async () => {
    using scene = new Scene();
    const args = ["a  b", "", "*", "$HOME `x`", "-n", "two\nlines", "'\"\\"];
    for (const which of ["first", "second"]) {
      const said = await scene.start(args, { shell });
      assert.equal(said.code, 7, `${which}: ${said.errors}`);
      const shown = args.map((one) => `<${one}>\n`).join("");
      assert.ok(
        said.out.includes(`<${scene.part("programs")}/bulkhead.mjs>\n${shown}`),
        said.out,
      );
      assert.ok(said.out.startsWith(`runtime ${scene.part("runtime")}/deno\n`));
      assert.equal(said.errors, "", which);
    }
    assert.equal(scene.parts().length, 2, "nothing else is left");
    const mode = Deno.statSync(`${scene.part("runtime")}/deno`).mode!;
    assert.equal(mode & 0o7777, 0o111);
  });

  asRoot(`minds a hostile environment, in ${shell[0]}`, async () => {
    using scene = new Scene();
    Deno.mkdirSync(`${scene.dir}/bin`);
    for (const tool of ["ls", "id", "gzip", "tail", "sha256sum", "mktemp"]) {
      const script = `#!/bin/sh\ntouch ${scene.dir}/fooled\n`;
      Deno.writeTextFileSync(`${scene.dir}/bin/${tool}`, script, {
        mode: 0o755,
      });
    }
    const env = {
      PATH: `.:${scene.dir}/bin`,
      IFS: "/",
      CDPATH: scene.dir,
      GZIP: "--help",
      DENO_V8_FLAGS: "--jitless",
      DENO_DIR: `${scene.dir}/deno`,
      NODE_OPTIONS: "--inspect",
      SSLKEYLOGFILE: `${scene.dir}/keys`,
      KEPT: "x\nexport DENO_;touch=1\nexport LD_LIBRARY_PATH=1",
      TMPDIR: `${scene.dir}/nowhere`,
      LC_ALL: "nonsense",
    };
    const said = await scene.start([], { shell, env });
    assert.equal(said.code, 7, said.errors);
    assert.ok(!isThere(`${scene.dir}/fooled`), "no tool of the caller's ran");
    const seen = said.out.split("\n");
    for (const gone of ["GZIP", "DENO_V8", "NODE_OPT", "SSLKEY", "CDPATH"]) {
      const found = seen.find((line) => line.startsWith(gone));
      assert.equal(found, undefined, `${gone} is taken away`);
    }
    assert.ok(seen.includes("DENO_DIR=/dev/null"), said.out);
    assert.ok(seen.includes(`BULKHEAD_FILE=${scene.file}`), said.out);
    assert.ok(seen.includes(`PATH=${env.PATH}`), "the caller's, unchanged");
    assert.ok(seen.includes("KEPT=x"), said.out);
  });

  Deno.test(`goes on as sendmail where the directory is gone, in ${shell[0]}`, async () => {
    using scene = new Scene();
    works(await scene.start([], { shell }));
    const said = await run(
      ["sh", "-c", `mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"`]
        .concat(`${scene.dir}/gone`, shell, scene.file, "sendmail"),
      { PATH: "/usr/bin:/bin", HOME: scene.dir, BULKHEAD_RUNTIME: scene.place },
    );
    assert.ok(said.out.split("\n").includes("PWD=/"), said.out + said.errors);
  });

  asRoot(
    `says what to do if nothing may run there later, in ${shell[0]}`,
    async () => {
      using scene = new Scene();
      works(await scene.start([], { shell }));
      const said = await run(
        ["unshare", "-m", "sh", "-ec"].concat(
          `mount --bind ${scene.place} ${scene.place}\n` +
            `mount -o remount,bind,noexec ${scene.place}\nexec "$@"`,
          "sh",
          shell,
          scene.file,
        ),
        {
          BULKHEAD_RUNTIME: scene.place,
          PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        },
      );
      refuses(said, /noexec.*BULKHEAD_RUNTIME=DIR/);
    },
  );
}

asRoot("runs what the link's name says", async () => {
  using scene = new Scene();
  for (const name of ["sendmail", "mailq", "newaliases"]) {
    Deno.symlinkSync("bulkhead", `${scene.dir}/${name}`);
    const said = await scene.start(["-bp"], { file: `${scene.dir}/${name}` });
    assert.match(said.out, new RegExp(`\\n<${name}>\\n<-bp>\\n`));
    assert.equal(said.code, 7);
  }
  const said = await scene.start([], {
    file: `${scene.dir}/sendmail`,
    env: { BULKHEAD_RUNTIME: "/proc/nowhere" },
  });
  refuses(said, /cannot write to \/proc\/nowhere/, 75);
});

asRoot(
  "gives Deno a cache of its own at a terminal, and only there",
  async () => {
    for (const shell of SHELLS) {
      using scene = new Scene();
      works(await scene.start([], { shell }));
      assert.equal(scene.parts().length, 2, "none without a terminal");
      const words = [...shell, scene.file].join(" ");
      const atTerminal = () =>
        run(["/usr/bin/script", "-qec", words, "/dev/null"], {
          BULKHEAD_RUNTIME: scene.place,
        });
      for (const which of ["first", "second"]) {
        const { out } = await atTerminal();
        const name = `${which} time in ${shell[0]}`;
        assert.ok(
          out.includes(`DENO_DIR=${scene.place}/cache\r\n`),
          name + out,
        );
      }
      const { mode } = Deno.statSync(`${scene.place}/cache`);
      assert.equal(mode! & 0o777, 0o700);
      Deno.chownSync(`${scene.place}/cache`, 65_534, 65_534);
      const { out } = await atTerminal();
      assert.ok(out.includes("DENO_DIR=/dev/null\r\n"), "not somebody else's");
    }
  },
);

asRoot("lets several first starts at once be", async () => {
  using scene = new Scene();
  const all = await Promise.all(
    Array.from({ length: 6 }, () => scene.start()),
  );
  for (const said of all) works(said);
  assert.equal(scene.parts().length, 2, scene.parts().join());
});

asRoot("notices a damaged file, and leaves nothing behind", async () => {
  const whole = toy();
  const spoilt = [
    { name: "an octet of the runtime", at: whole.length - 1_000 },
    { name: "the runtime's checksum", at: whole.length - 6 },
    { name: "an octet of the programs", at: packAt(whole) + 30 },
    { name: "the end is missing", cut: whole.length - 5_000 },
    { name: "all but the text is missing", cut: packAt(whole) },
  ];
  for (const { name, at, cut } of spoilt) {
    const octets = whole.slice(0, cut);
    if (at !== undefined) octets[at]! ^= 1;
    using scene = new Scene(octets);
    const said = await scene.start();
    assert.equal(said.code, 78, name);
    assert.match(said.errors, /has not the SHA-256|get it again/, name);
    const parts = scene.parts().filter((one) => !one.startsWith("runtime"));
    assert.deepEqual(parts, [], name);
  }
});

function packAt(octets: Octets): number {
  const text = new TextDecoder("latin1").decode(octets.subarray(0, 3_000));
  return Number(/^PACK_AT=(\d+)$/m.exec(text)![1]) - 1;
}

asRoot("unpacks anew what was damaged on the disk", async () => {
  using scene = new Scene();
  works(await scene.start());
  Deno.truncateSync(`${scene.part("runtime")}/deno`, 1_000);
  works(await scene.start());
  Deno.removeSync(`${scene.part("programs")}/bulkhead.mjs`);
  works(await scene.start());
  assert.equal(scene.parts().length, 2);
});

asRoot("keeps the runtime if only the programs are new", async () => {
  using scene = new Scene();
  works(await scene.start());
  const before = Deno.statSync(`${scene.part("runtime")}/deno`).ino;
  scene.put(toy({ main: "another" }));
  works(await scene.start());
  assert.equal(scene.parts().length, 3);
  assert.equal(Deno.statSync(`${scene.part("runtime")}/deno`).ino, before);
});

asRoot("uses no directory that somebody else may change", async () => {
  const NOBODY = 65_534;
  const tricks: readonly { name: string; make: (scene: Scene) => void }[] = [
    {
      name: "it is of another user",
      make: ({ place }) => {
        Deno.mkdirSync(place);
        Deno.chownSync(place, NOBODY, NOBODY);
      },
    },
    {
      name: "its group may write there",
      make: ({ place }) => {
        Deno.mkdirSync(place);
        Deno.chownSync(place, 0, NOBODY);
        Deno.chmodSync(place, 0o775);
      },
    },
    {
      name: "everybody may write above",
      make: ({ dir, place }) => {
        Deno.mkdirSync(place);
        Deno.chmodSync(dir, 0o777);
      },
    },
    {
      name: "it is a link to one of another user",
      make: ({ dir, place }) => {
        Deno.mkdirSync(`${dir}/theirs`);
        Deno.chownSync(`${dir}/theirs`, NOBODY, NOBODY);
        Deno.symlinkSync(`${dir}/theirs`, place);
      },
    },
  ];
  for (const { name, make } of tricks) {
    using scene = new Scene();
    make(scene);
    const said = await scene.start();
    if (name.startsWith("its group")) works(said); // root takes that away
    else refuses(said, /somebody else may write there/);
  }
  using scene = new Scene();
  works(await scene.start());
  // Somebody else's part under the right name: put aside and made anew.
  Deno.chownSync(`${scene.part("programs")}/bulkhead.mjs`, NOBODY, NOBODY);
  works(await scene.start());
  const { uid } = Deno.statSync(`${scene.part("programs")}/bulkhead.mjs`);
  assert.equal(uid, 0);
});

asRoot("says what to do where it cannot unpack", async () => {
  using scene = new Scene();
  Deno.mkdirSync(scene.place);
  const cases = [
    { name: "read-only", mount: "-o ro", why: /Read-only file system/ },
    { name: "noexec", mount: "-o noexec", why: /mounted with noexec/ },
    { name: "full", mount: "-o size=100k", why: /disk of .* is full/ },
  ];
  for (const { name, mount, why } of cases) {
    const said = await scene.startAfter(
      `mount -t tmpfs ${mount} none ${scene.place}`,
    );
    refuses(said, why);
    assert.match(said.errors, /BULKHEAD_RUNTIME=DIR/, name);
  }
  assert.deepEqual(scene.parts(), []);
});

asRoot("says which machine it is for", async () => {
  const other = Deno.build.arch === "aarch64" ? "x64" : "arm64";
  using wrong = new Scene(toy({ arch: other }));
  refuses(await wrong.start(), new RegExp(`for ${other}, and this machine is`));
  const launcher = LAUNCHER.replace("@LOADER@", "/lib/ld-nowhere.so");
  using musl = new Scene(toy({ launcher }));
  refuses(await musl.start(), /no GNU C library/);
});

asRoot("names the programs that it lacks", async () => {
  const launcher = LAUNCHER.replace("gzip head", "gzip-of-old head");
  using scene = new Scene(toy({ launcher }));
  refuses(await scene.start(), /without these programs: gzip-of-old\n/);
});

// `deno compile` puts the same program and payload into an executable.
asRoot("does the same as a program", async () => {
  using scene = new Scene();
  await putTogether(toyParts({}), scene.dir);
  const again = (args: readonly string[] = [], env = {}) =>
    run(
      [Deno.execPath(), "run", "-A", "--no-config"]
        .concat(`${scene.dir}/launcher.mjs`, args),
      { BULKHEAD_RUNTIME: scene.place, DENO_DIR: "/dev/null", ...env },
    );
  for (const which of ["first", "second"]) {
    const said = await again(["a  b", "", "*"], { LD_DEBUG_OUTPUT: "/x" });
    assert.equal(said.code, 7, `${which}: ${said.errors}`);
    assert.ok(said.out.includes(`bulkhead.mjs>\n<a  b>\n<>\n<*>\n`), said.out);
    assert.ok(!said.out.includes("LD_DEBUG"), said.out);
  }
  const before = scene.parts();
  works(await scene.start());
  assert.deepEqual(scene.parts(), before, "the shell's launcher uses the same");

  Deno.truncateSync(`${scene.part("programs")}/jail.mjs`);
  works(await again());
  assert.equal(Deno.statSync(`${scene.part("programs")}/jail.mjs`).size, 4);

  Deno.chmodSync(scene.dir, 0o777);
  refuses(await again(), /somebody else may write there/);
  Deno.chmodSync(scene.dir, 0o755);
  Deno.removeSync(scene.place, { recursive: true });
  const payload = `${scene.dir}/payload/runtime.gz`;
  Deno.writeFileSync(payload, compress(encoder.encode("another"), 1));
  refuses(await again(), /has not the SHA-256.*damaged/);
  assert.deepEqual(scene.parts(), []);
});

Deno.test("oneFile() fills in every name, once and for all", () => {
  const octets = toy();
  const text = new TextDecoder("latin1").decode(
    octets.subarray(0, packAt(octets)),
  );
  assert.doesNotMatch(text, /@[A-Z_]+@/);
  assert.deepEqual(toy(), octets);
  assert.throws(() => toy({ launcher: "@NONSENSE@" }), /NONSENSE/);
});
