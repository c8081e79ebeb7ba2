/**
 * The one file, with the real runtime: its starts, what its processes run
 * from, what becomes of old parts, ordinary users, and that it is the same
 * wherever it is built. `scripts/compile/launcher_test.ts` has what can go
 * wrong while it unpacks.
 */
import assert from "node:assert/strict";
import { compile } from "../../scripts/compile.ts";
import {
  delay,
  freePorts,
  installation,
  IS_ROOT,
  type Ran,
  ROOT,
  run,
  until,
} from "./server_fixture.ts";

/** Far more than it takes: three seconds, and one, are the aim. */
const FIRST_READY_MS = 20_000;
const LATER_READY_MS = 10_000;
const NOBODY = 65_534;

const dir = await Deno.makeTempDir({ dir: "/tmp", prefix: "bulkhead-one-" });
await Deno.chmod(dir, 0o755);
const file = `${dir}/bulkhead`;
const place = `${dir}/place`;

/** Runs the file, as another user if `uid` says so. */
async function start(
  args: readonly string[],
  options: { env?: Record<string, string>; uid?: number } = {},
): Promise<Ran> {
  const { uid } = options;
  const { code, stdout, stderr } = await new Deno.Command(file, {
    args: [...args],
    clearEnv: true,
    env: { BULKHEAD_RUNTIME: place, ...options.env },
    cwd: "/",
    ...(uid !== undefined && { uid, gid: uid }),
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

function parts(of = place): string[] {
  return [...Deno.readDirSync(of)].map(({ name }) => name).sort();
}

function wordsOf(pid: number): string[] {
  return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
}

Deno.test("the one file", async (t) => {
  try {
    await compile({ output: file, level: 1 });
    await t.step(
      "killed while it unpacks, it unpacks at the next start",
      killed,
    );
    await t.step("serves from where it unpacked, and soon", serves);
    await t.step(
      "removes old parts, but none that a server runs from",
      removes,
    );
    await t.step(
      "is used by users who cannot write where root unpacked",
      users,
    );
    await t.step("gives roles a second name where they cannot go", hidden);
    await t.step("serves where busybox and the C library are all", inRoot);
    await t.step("is small, and the same octets wherever it is built", builds);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

async function killed(): Promise<void> {
  const child = new Deno.Command(file, {
    args: ["--version"],
    env: { BULKHEAD_RUNTIME: place },
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  await until("a part of the runtime", () => {
    try {
      const [stage] = parts();
      const half = `${place}/${stage}`;
      const [part] = parts(half);
      return Deno.statSync(`${half}/${part}/deno`).size > 1_000_000;
    } catch {
      return false;
    }
  });
  Deno.kill(-child.pid, "SIGKILL");
  await child.status;
  assert.deepEqual(parts().map((name) => name.slice(0, 5)), [".new-"]);

  const { code, out, errors } = await start(["--version"]);
  assert.equal(code, 0, errors);
  assert.match(
    out,
    /^\d+\.\d+\.\d+ \((commit [0-9a-f]{12}.*, )?Deno [\d.]+\)\n$/,
  );
  assert.equal(await atTerminal("--version"), out.replace("\n", "\r\n"));
  Deno.removeSync(`${place}/cache`, { recursive: true });
  assert.equal(parts().filter((name) => name[0] !== ".").length, 2);
}

/** What a terminal shows of a command, all of it. */
async function atTerminal(args: string): Promise<string> {
  const { stdout } = await new Deno.Command("/usr/bin/script", {
    args: ["-qec", `${file} ${args}`, "/dev/null"],
    env: { BULKHEAD_RUNTIME: place },
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

/** Starts `serve` and says how long it took to be ready. */
async function served(
  made: { config: string; logFile: string },
): Promise<{ child: Deno.ChildProcess; tookMs: number }> {
  Deno.writeTextFileSync(made.logFile, "");
  const began = performance.now();
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$1" serve --config "$2" >"$3" 2>&1', "sh"]
      .concat(file, made.config, made.logFile),
    env: { BULKHEAD_RUNTIME: place },
  }).spawn();
  await until(
    "ready",
    () => Deno.readTextFileSync(made.logFile).includes('"event":"ready"'),
    30_000,
  );
  return { child, tookMs: performance.now() - began };
}

async function stopped(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 0);
}

async function serves(): Promise<void> {
  await using made = await installation();
  // What a checkout left: 95 MB that nobody needs any more.
  await Deno.writeTextFile(`${made.home}/runtime/deno-0.0.0-1`, "");
  await Deno.remove(place, { recursive: true });
  for (const [which, withinMs] of [FIRST_READY_MS, LATER_READY_MS].entries()) {
    const { child, tookMs } = await served(made);
    try {
      console.log(`one file: start ${which + 1}: ${Math.round(tookMs)} ms`);
      assert.ok(tookMs < withinMs, `ready in ${tookMs} ms`);
      const [programs, runtime] = parts();
      assert.match(`${programs} ${runtime}`, /^programs-\S+ runtime-\S+$/);
      assert.deepEqual(parts(`${made.home}/runtime`), [], "no copies");
      const { roles } = JSON.parse(
        (await start(["status", "--json", "-c", made.config])).out,
      ) as { roles: { instance: string; pid: number }[] };
      assert.ok(roles.length > 10);
      for (const { instance, pid } of roles) {
        const words = wordsOf(pid);
        const role = instance.slice(0, instance.indexOf("."));
        assert.equal(words[0], `${place}/${runtime}/deno`, instance);
        assert.ok(words.includes(`${place}/${programs}/${role}.mjs`), instance);
        assert.ok(!words.includes("-A"), `${instance} has no -A`);
        const wide = words.filter((one) => /^--allow-[a-z]+$/.test(one));
        assert.deepEqual(wide, [], `${instance}: all flags are narrow`);
      }
      const reader = roles.find(({ instance }) => instance === "maildir.0")!;
      const mail = `--allow-write=${made.home}/mail,`;
      const words = wordsOf(reader.pid);
      assert.ok(words.some((one) => one.startsWith(mail)), words.join(" "));
    } finally {
      await stopped(child);
    }
  }
}

async function removes(): Promise<void> {
  await using made = await installation();
  await using other = await installation();
  const yesterday = new Date(Date.now() - 86_400_000);
  const make = async (name: string) => {
    await Deno.mkdir(`${place}/${name}`);
    await Deno.writeTextFile(`${place}/${name}/deno`, "");
    await Deno.utime(`${place}/${name}`, yesterday, yesterday);
    return name;
  };
  const old = await make("runtime-0123456789abcdef");
  const held = await make("programs-0123456789abcdef");
  const stage = await make(".new-abcdef");
  const others = await make("not-ours");
  const mine = parts().filter((name) =>
    /^(runtime|programs)-(?!0123)/.test(name)
  );
  for (const name of mine) {
    await Deno.utime(`${place}/${name}`, yesterday, yesterday);
  }

  // Another server, of an older release, would hold its parts like this.
  using holder = await Deno.open(`${place}/${held}`);
  await holder.lock(false);
  const one = await served(made);
  try {
    const left = parts();
    assert.ok(!left.includes(old), "the old one went");
    assert.ok(!left.includes(stage), "and what was interrupted");
    assert.ok(left.includes(held), "one in use stays");
    assert.ok(left.includes(others), "and what is none");
    for (const name of mine) assert.ok(left.includes(name), name);

    // A second server beside it leaves the first one's parts alone.
    await holder.unlock();
    const two = await served(other);
    await delay(100);
    assert.ok(!parts().includes(held), "in use no longer");
    await stopped(two.child);
    const { code } = await start(["queue", "list", "-c", made.config]);
    assert.equal(code, 0, "a program from the same parts");
  } finally {
    await stopped(one.child);
  }
}

async function users(): Promise<void> {
  if (!IS_ROOT) return;
  const before = parts();
  const ran = await start(["--version"], { uid: NOBODY });
  assert.equal(ran.code, 0, ran.errors);
  assert.deepEqual(parts(), before);

  // Where root has unpacked nothing, in a directory of the user's own.
  const home = `${dir}/nobody`;
  await Deno.mkdir(home);
  await Deno.chown(home, NOBODY, NOBODY);
  const env = { BULKHEAD_RUNTIME: `${home}/.cache/bulkhead` };
  const own = await start(["--version"], { env, uid: NOBODY });
  assert.equal(own.code, 0, own.errors);
  const cache = await Deno.stat(`${home}/.cache/bulkhead`);
  assert.equal(cache.mode! & 0o777, 0o700);
  assert.equal(parts(env.BULKHEAD_RUNTIME).length, 2);
  // root does not run what a user may change.
  const root = await start(["--version"], { env });
  assert.equal(root.code, 78);
  assert.match(root.errors, /somebody else may write there/);
}

async function hidden(): Promise<void> {
  if (!IS_ROOT) return;
  const closed = `${dir}/closed`;
  await Deno.mkdir(closed, { mode: 0o700 });
  const copied = await run("cp", ["-al", place, `${closed}/place`]);
  assert.equal(copied.code, 0, copied.errors);
  const home = `${dir}/home`;
  const env = { BULKHEAD_RUNTIME: `${closed}/place` };
  const made = await start(
    ["init", home, "--hostname", "mx.home.test", "--domain", "home.test"],
    { env },
  );
  assert.equal(made.code, 0, made.errors);
  const [name] = parts(`${home}/runtime`);
  const [own, theirs] = [`${home}/runtime/${name}`, `${place}/${runtimeOf()}`]
    .map((path) => Deno.statSync(path).ino);
  assert.equal(own, theirs, "and no second 95 MB");
  const ran = await start(["check", "-c", `${home}/bulkhead.toml`], { env });
  assert.match(ran.out, /the program is as it was unpacked/, ran.errors);

  // Of the right size, owner and mode: only reading all of it tells.
  const program = `${closed}/place/${
    parts().find((name) => /^programs-(?!0123)/.test(name))
  }/queue.mjs`;
  const octets = await Deno.readFile(program);
  octets[100]! ^= 1;
  await Deno.remove(program);
  await Deno.writeFile(program, octets, { mode: 0o444 });
  const damaged = await start(["check", "-c", `${home}/bulkhead.toml`], {
    env,
  });
  assert.equal(damaged.code, 78);
  assert.match(damaged.out, /programs-\S+ is damaged/);
}

function runtimeOf(): string {
  const name = parts().find((one) => /^runtime-(?!0123)/.test(one));
  return `${name}/deno`;
}

/** Tools that scripts/compile/README.md names, and `sh` and `id`. */
const TOOLS =
  "sh id cat chmod gzip head ls mkdir mktemp mv rm sha256sum sync " +
  "tail uname";

const IN_ROOT = `
mount -t proc proc $1/proc
mount --bind /dev $1/dev
in_root="env -i $(command -v timeout) 30 $(command -v chroot) $1 /bulkhead"
$in_root init /home/mail --hostname mx.home.test --domain home.test --ports $2
$in_root serve --config /home/mail/bulkhead.toml
`;

async function inRoot(): Promise<void> {
  if (!IS_ROOT || (await run("test", ["-x", "/bin/busybox"])).code !== 0) {
    return;
  }
  const root = `${dir}/root`;
  const made = await run("sh", [
    "-ec",
    `for one in bin dev etc home lib64 proc tmp usr/local/lib var/lib run; do
       mkdir -p "$1/$one"
     done
     chmod 755 "$1"
     echo root:x:0:0::/:/bin/sh >"$1/etc/passwd"
     echo root:x:0: >"$1/etc/group"
     cp /bin/busybox "$1/bin/"
     for one in ${TOOLS}; do ln -s busybox "$1/bin/$one"; done
     for one in $({ ldd /bin/busybox; ldd "$3"; } | grep -o '/[^ ]*'); do
       mkdir -p "$1\${one%/*}"
       cp -n "$one" "$1$one"
     done
     cp "$2" "$1/bulkhead"`,
    "sh",
    root,
    file,
    Deno.execPath(),
  ]);
  assert.equal(made.code, 0, made.errors);
  const log = `${dir}/root.log`;
  await Deno.writeTextFile(log, "");
  const child = new Deno.Command("unshare", {
    args: ["-m", "--pid", "--fork", "--kill-child", "sh", "-ec"]
      .concat(`exec >${log} 2>&1; ${IN_ROOT}`, "sh", root, `${freePorts()}`),
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  }).spawn();
  const said = () => Deno.readTextFileSync(log);
  try {
    await until("ready", () => said().includes('"event":"ready"'), 25_000)
      .catch((error) => {
        throw new Error(`${error.message}: ${said()}`);
      });
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended by itself, and the log says why.
    }
    await child.status;
  }
  assert.deepEqual(
    parts(`${root}/usr/local/lib/bulkhead`).map((name) => name.split("-")[0]),
    ["programs", "runtime"],
  );
}

/** What a build reads. */
const SOURCES = ["deno.json", "deno.lock", "main.ts", "mod", "scripts", "web"];

async function builds(): Promise<void> {
  await compile({ output: `${dir}/small`, level: 9 });
  const { size } = await Deno.stat(`${dir}/small`);
  assert.ok(size < 45_000_000, `${size} octets, as it is released`);
  const digests = await Promise.all(
    ["here", "another/much/deeper/directory"].map(async (name) => {
      const to = `${dir}/${name}`;
      await Deno.mkdir(to, { recursive: true });
      const copied = await run("cp", [
        "-r",
        ...SOURCES.map((one) => ROOT + one),
        to,
      ]);
      assert.equal(copied.code, 0, copied.errors);
      const built = await run(Deno.execPath(), [
        ...["run", "-A", "--no-check", `${to}/scripts/compile.ts`],
        ...["--level", "1", "--output", `${to}/bulkhead`],
      ]);
      assert.equal(built.code, 0, built.errors);
      return new Uint8Array(
        await crypto.subtle.digest(
          "SHA-256",
          await Deno.readFile(`${to}/bulkhead`),
        ),
      ).toHex();
    }),
  );
  assert.equal(digests[0], digests[1]);
}
