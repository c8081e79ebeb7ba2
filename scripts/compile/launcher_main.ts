/**
 * The launcher as a program, for `deno compile`: what `launcher.sh` does, with
 * nothing but the kernel and the C library. The payload lies in `payload/`
 * beside it, inside of the executable.
 */
import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  addressOf,
  cString,
  errno,
  errnoName,
  openLibc,
  ownLibcPath,
} from "../../mod/walls/libc.ts";
import type { Facts } from "./one_file.ts";

const PAYLOAD = `${import.meta.dirname}/payload`;
const facts: Facts = JSON.parse(Deno.readTextFileSync(`${PAYLOAD}/facts.json`));
const { runtime, programs } = facts;
const LINKS = ["sendmail", "mailq", "newaliases"];
const UID = Deno.uid() ?? 0;

/** Something to tell the caller, who can mend it. */
class CannotStart extends Error {}

/** Sizes of what a place must have, by path in it. */
const SIZES: ReadonlyMap<string, number> = new Map([
  [`${runtime.part}/deno`, runtime.size],
  ...programs.files.map(({ name, size }) =>
    [`${programs.part}/${name}`, size] as const
  ),
]);

/**
 * True if `part`s of a place are whole, and nobody but root or the caller may
 * write them or a directory above; `launcher.sh` says why that is enough.
 */
function holds(place: string, parts: readonly string[]): boolean {
  try {
    const real = Deno.realPathSync(place);
    for (let above = real;; above = dirname(above)) {
      if (!isSafe(above)) return false;
      if (above === "/") break;
    }
    return parts.every((part) =>
      isSafe(`${real}/${part}`) &&
      [...SIZES].every(([path, size]) =>
        !path.startsWith(`${part}/`) ||
        isSafe(`${real}/${path}`) &&
          Deno.lstatSync(`${real}/${path}`).size === size
      )
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isSafe(path: string): boolean {
  const { uid, gid, mode, isSymlink, isDirectory } = Deno.lstatSync(path);
  if (isSymlink || (uid !== 0 && uid !== UID)) return false;
  const bits = mode ?? 0;
  if (isDirectory && (bits & 0o1000) !== 0) return true;
  if ((bits & 0o002) !== 0) return false;
  return (bits & 0o020) === 0 || gid === 0 || (UID !== 0 && gid === Deno.gid());
}

/** @throws {CannotStart} */
function unpack(place: string): void {
  try {
    Deno.mkdirSync(place, { recursive: true, mode: UID === 0 ? 0o755 : 0o700 });
    const stage = Deno.makeTempDirSync({ dir: place, prefix: ".new-" });
    try {
      if (!holds(place, [])) {
        throw new CannotStart("somebody else may write there, or above it");
      }
      if (!holds(place, [runtime.part])) {
        settle(place, stage, putRuntime(stage));
      }
      if (!holds(place, [programs.part])) {
        settle(place, stage, putPrograms(stage));
      }
    } finally {
      Deno.removeSync(stage, { recursive: true });
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CannotStart(`cannot unpack to ${place}: ${error.message}`);
  }
}

function putRuntime(stage: string): string {
  const octets = gunzipSync(Deno.readFileSync(`${PAYLOAD}/runtime.gz`));
  compare("the runtime", octets, runtime.sha256);
  const dir = `${stage}/${runtime.part}`;
  Deno.mkdirSync(dir);
  write(`${dir}/deno`, octets, 0o111);
  const { success } = new Deno.Command(`${dir}/deno`, {
    args: ["--version"],
    env: keptEnvironment(),
    clearEnv: true,
    stdout: "null",
  }).outputSync();
  if (!success) throw new CannotStart("the runtime does not run there");
  Deno.chmodSync(dir, 0o755);
  return dir;
}

function putPrograms(stage: string): string {
  const pack = gunzipSync(Deno.readFileSync(`${PAYLOAD}/programs.gz`));
  const dir = `${stage}/${programs.part}`;
  Deno.mkdirSync(dir);
  let at = 0;
  for (const { name, size, sha256 } of programs.files) {
    const octets = pack.subarray(at, at += size);
    compare(name, octets, sha256);
    write(`${dir}/${name}`, octets, 0o444);
  }
  Deno.chmodSync(dir, 0o755);
  return dir;
}

function compare(name: string, octets: Uint8Array, sha256: string): void {
  if (createHash("sha256").update(octets).digest("hex") === sha256) return;
  throw new CannotStart(
    `${name} has not the SHA-256 that it should have: this file is damaged`,
  );
}

function write(path: string, octets: Uint8Array, mode: number): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  for (let at = 0; at < octets.length;) {
    at += file.writeSync(octets.subarray(at));
  }
  file.syncSync();
  Deno.chmodSync(path, mode);
}

/** Gives a part its name, unless another start was faster. */
function settle(place: string, stage: string, dir: string): void {
  const part = basename(dir);
  sync(dir);
  if (holds(place, [part])) return;
  try {
    Deno.renameSync(`${place}/${part}`, `${stage}/damaged-${part}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    Deno.renameSync(dir, `${place}/${part}`);
  } catch (error) {
    if (!holds(place, [part])) throw error;
  }
  sync(place);
}

function sync(dir: string): void {
  using file = Deno.openSync(dir);
  file.syncSync();
}

/** Where it may lie, and where it may be unpacked. */
function places(): { look: string[]; unpack: string[] } {
  const chosen = Deno.env.get("BULKHEAD_RUNTIME");
  if (chosen) return { look: [chosen], unpack: [chosen] };
  const ofRoot = ["/usr/local/lib/bulkhead", "/var/lib/bulkhead-runtime"];
  if (UID === 0) return { look: ofRoot, unpack: ofRoot };
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? "";
  const home = Deno.env.get("HOME") ?? "";
  const own = cache.startsWith("/")
    ? [`${cache}/bulkhead`]
    : home.startsWith("/")
    ? [`${home}/.cache/bulkhead`]
    : [];
  return { look: [...ofRoot, ...own], unpack: own };
}

function find(): string {
  const both = [runtime.part, programs.part];
  const { look, unpack: mayUnpack } = places();
  const there = look.find((place) => holds(place, both));
  if (there !== undefined) return Deno.realPathSync(there);
  const reasons: string[] = [];
  for (const place of mayUnpack) {
    try {
      unpack(place);
      if (holds(place, both)) return Deno.realPathSync(place);
    } catch (error) {
      if (!(error instanceof CannotStart)) throw error;
      reasons.push(error.message);
    }
  }
  throw new CannotStart(
    [
      ...reasons,
      "BULKHEAD_RUNTIME=DIR in the environment chooses another directory. It " +
      `needs ${facts.needsMb} MB, a disk where programs may run, and nobody ` +
      "else who may write there",
    ].join("\nbulkhead: "),
  );
}

/** Without what would change the runtime unasked. */
function keptEnvironment(): Record<string, string> {
  const others =
    /^(DENO_|NODE_|LD_|MALLOC_|GLIBC_|RUST_|UV_)|^(GCONV_PATH|SSLKEYLOGFILE)$/;
  return {
    ...Object.fromEntries(
      Object.entries(Deno.env.toObject()).filter(([name]) =>
        !others.test(name)
      ),
    ),
    BULKHEAD_FILE: Deno.execPath(),
    DENO_DIR: "/dev/null",
    DENO_NO_UPDATE_CHECK: "1",
  };
}

function become(place: string, args: readonly string[]): never {
  const libc = openLibc(ownLibcPath());
  const file = `${place}/${runtime.part}/deno`;
  const argv = pointers([
    ...[file, "run", "--quiet", "--no-prompt", "--no-config", "--no-lock"],
    ...["--no-remote", "--no-npm", "--no-code-cache", "-A"],
    ...[`${place}/${programs.part}/bulkhead.mjs`, ...args],
  ]);
  const env = pointers(
    Object.entries(keptEnvironment()).map(([name, value]) =>
      `${name}=${value}`
    ),
  );
  libc.execve(cString(file), argv.list, env.list);
  throw new CannotStart(`cannot run ${file}: ${errnoName(errno(libc))}`);
}

function pointers(
  texts: readonly string[],
): { list: Uint8Array<ArrayBuffer>; kept: readonly Uint8Array[] } {
  const kept = texts.map(cString);
  const list = new BigUint64Array(kept.length + 1);
  kept.forEach((text, i) => list[i] = addressOf(text));
  return { list: new Uint8Array(list.buffer), kept };
}

if (import.meta.main) {
  // The name that it was called by, which the executable's path does not tell.
  const [called] = Deno.readTextFileSync("/proc/self/cmdline").split("\0");
  const name = basename(called ?? "");
  const first = LINKS.includes(name) ? [name] : [];
  try {
    become(find(), [...first, ...Deno.args]);
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    console.error(`bulkhead: ${error.message}`);
    Deno.exit(first.length > 0 ? 75 : 78);
  }
}
