/**
 * Puts the runtime and the program where every role's user can execute them
 * and none can write or read them, and finds what the runtime needs.
 */
import { dirname } from "node:path";
import type { Installation } from "../walls/render.ts";
import { libcPath, loadedLibraries } from "../walls/libc.ts";
import type { Machine } from "../walls/seccomp.ts";
import type { Accounts } from "./accounts.ts";
import { holdPart, isForRoles, isInPlace } from "./in_place.ts";
import { isThere, syncPath, writeNew } from "./replace_file.ts";
import { veilFor } from "./veil.ts";

/** True if this process is root, so that users can be changed. */
export function isRoot(): boolean {
  return Deno.uid() === 0;
}

/**
 * Finds a place of the runtime that every role can execute: its own, if it
 * lies as the one file puts it; else a second name for it, or a copy, in
 * `home/runtime`.
 *
 * Mode 0111: it can be executed by all and read by none. A process whose
 * executable its user cannot read is not dumpable after execve(2), so no
 * other process of that user can attach to it, look into its memory or its
 * /proc entries; see would_dump() in the kernel's fs/exec.c. This is the one
 * way to be not dumpable without calling prctl(2) in the role.
 *
 * @returns Its path
 */
export function placeRuntime(home: string): string {
  const from = Deno.execPath();
  if (isInPlace(home)) return from;
  const dir = `${home}/runtime`;
  Deno.mkdirSync(dir, { recursive: true });
  Deno.chmodSync(dir, 0o755);
  if (from.startsWith(`${dir}/`)) return from;
  const size = Deno.statSync(from).size;
  const to = `${dir}/deno-${Deno.version.deno}-${size}`;
  if (!existsWithSize(to, size)) {
    const part = `${to}.part${Deno.pid}`;
    if (!isForRoles(from) || !isLinked(from, part)) {
      Deno.copyFileSync(from, part);
      syncPath(part);
      Deno.chmodSync(part, 0o111);
    }
    Deno.renameSync(part, to);
    syncPath(dir);
  }
  return to;
}

function isLinked(from: string, to: string): boolean {
  try {
    Deno.linkSync(from, to);
    return true;
  } catch {
    return false; // another file system, or one that knows no second names
  }
}

function existsWithSize(path: string, size: number): boolean {
  try {
    return Deno.statSync(path).size === size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Writes every program as one file to a directory below `home/runtime`, made
 * with the runtime's own bundler, or copied if they are bundles already.
 *
 * @param programs URLs of the modules whose `main()` is to be called, by name
 * @returns The directory: programs are `NAME.mjs` in it
 */
export async function placePrograms(
  home: string,
  programs: ReadonlyMap<string, string>,
): Promise<string> {
  const [first] = programs.values();
  if (first?.endsWith(".mjs") && isInPlace(home)) {
    return dirname(new URL(first).pathname);
  }
  const made = Deno.makeTempDirSync({ prefix: "bulkhead-programs-" });
  try {
    const files = await bundle(programs, made);
    const dir = `${home}/runtime/programs-${await digestOf(files)}`;
    if (!isThere(dir)) {
      const part = `${dir}.part${Deno.pid}`;
      Deno.mkdirSync(part, { mode: 0o755 });
      Deno.chmodSync(part, 0o755);
      for (const [name, bytes] of files) {
        writeNew(`${part}/${name}.mjs`, bytes, 0o644);
        Deno.chmodSync(`${part}/${name}.mjs`, 0o644);
      }
      syncPath(part);
      putInPlace(part, dir);
    }
    removeOldPrograms(`${home}/runtime`, dir);
    return dir;
  } finally {
    Deno.removeSync(made, { recursive: true });
  }
}

type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** Bundles, all at once; throws with the bundler's words. */
async function bundle(
  programs: ReadonlyMap<string, string>,
  dir: string,
): Promise<Files> {
  const [first] = programs.values();
  if (first?.endsWith(".mjs")) {
    return readAll(programs, (_, url) => new URL(url).pathname);
  }
  const entries = [...programs].map(([name, url]) => {
    const entry = `${dir}/${name}.ts`;
    Deno.writeTextFileSync(
      entry,
      `import { main } from ${JSON.stringify(url)};\n` +
        "await main(Deno.args.slice(1));\n",
    );
    return entry;
  });
  const run = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--minify", "--config", configOf(first!)],
      ...["--outdir", `${dir}/out`, ...entries],
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!run.success) {
    throw new Error(
      `Cannot bundle: ${new TextDecoder().decode(run.stderr).trim()}`,
    );
  }
  return readAll(programs, (name) => `${dir}/out/${name}.js`);
}

/** The `deno.json` above a module: it says what the bare imports are. */
function configOf(url: string): string {
  for (let dir = new URL(".", url);; dir = new URL("..", dir)) {
    const config = new URL("deno.json", dir).pathname;
    if (isThere(config)) return config;
    if (dir.pathname === "/") {
      throw new Error(`Cannot bundle ${url}: no deno.json above it`);
    }
  }
}

function readAll(
  programs: ReadonlyMap<string, string>,
  pathOf: (name: string, url: string) => string,
): Files {
  return new Map(
    [...programs].map(([name, url]) => [
      name,
      Deno.readFileSync(pathOf(name, url)),
    ]),
  );
}

/** Half of a SHA-256 over names and contents. */
async function digestOf(files: Files): Promise<string> {
  const names = new TextEncoder().encode([...files.keys()].join("\n"));
  const digests = [names];
  for (const bytes of files.values()) {
    digests.push(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  }
  const all = new Uint8Array(await new Blob(digests).arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  return digest.subarray(0, 8).toHex();
}

/** Renames a directory, unless somebody was faster with the same one. */
function putInPlace(part: string, dir: string): void {
  try {
    Deno.renameSync(part, dir);
    syncPath(dirname(dir));
  } catch (error) {
    if (!isThere(dir)) throw error;
    Deno.removeSync(part, { recursive: true });
  }
}

function removeOldPrograms(dir: string, keep: string): void {
  const dayAgo = Date.now() - 86_400_000;
  for (const entry of Deno.readDirSync(dir)) {
    const path = `${dir}/${entry.name}`;
    if (!entry.name.startsWith("programs-") || path === keep) continue;
    // A running server of an older program still restarts roles from its own.
    if ((Deno.statSync(path).mtime?.getTime() ?? 0) < dayAgo) {
      Deno.removeSync(path, { recursive: true });
    }
  }
}

/** What the loader reads before anything else; small systems lack it. */
const LOADER_INDEX = ["/etc/ld.so.cache"];

/**
 * Describes the installation for `mod/walls`.
 *
 * @param accounts null if not root
 * @throws {Error} If the machine is one that the walls do not know
 */
export function describeInstallation(options: {
  home: string;
  runtime: string;
  /** Path of a program by its name. */
  program: Installation["program"];
  accounts: Accounts | null;
}): Installation {
  const libraries = loadedLibraries(Deno.readTextFileSync("/proc/self/maps"));
  const machine = Deno.build.arch;
  if (machine !== "x86_64" && machine !== "aarch64") {
    throw new Error(
      `Cannot build walls on ${machine}: only x86_64 and aarch64`,
    );
  }
  return {
    runtime: options.runtime,
    program: options.program,
    machine: machine as Machine,
    libc: libcPath(libraries),
    libraries: [...libraries, ...LOADER_INDEX.filter(isThere)],
    accounts: options.accounts?.roles ?? null,
    groups: options.accounts?.groups ?? new Map(),
    veil: options.accounts === null ? null : veilFor(options.home),
  };
}

/** Places runtime and programs, and describes the result. */
export async function install(
  home: string,
  programs: ReadonlyMap<string, string>,
  accounts: Accounts | null,
): Promise<Installation> {
  const runtime = placeRuntime(home);
  const dir = await placePrograms(home, programs);
  if (isInPlace(home)) {
    holdPart(dirname(runtime));
    holdPart(dir);
  }
  const program = (name: string) => `${dir}/${name}.mjs`;
  return describeInstallation({ home, runtime, program, accounts });
}
