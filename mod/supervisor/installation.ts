/**
 * Puts the runtime and the program where every role's user can execute them
 * and none can write or read them, and finds what the runtime needs.
 */
import type { Installation } from "../walls/render.ts";
import { libcPath, loadedLibraries } from "../walls/libc.ts";
import type { Machine } from "../walls/seccomp.ts";
import type { Accounts } from "./accounts.ts";

/** True if this process is root, so that users can be changed. */
export function isRoot(): boolean {
  return Deno.uid() === 0;
}

/**
 * Copies the runtime to `home/runtime`, unless it is there.
 *
 * Mode 0111: it can be executed by all and read by none. A process whose
 * executable its user cannot read is not dumpable after execve(2), so no
 * other process of that user can attach to it, look into its memory or its
 * /proc entries; see would_dump() in the kernel's fs/exec.c. This is the one
 * way to be not dumpable without calling prctl(2) in the role.
 *
 * @returns Path of the copy
 */
export function placeRuntime(home: string): string {
  const from = Deno.execPath();
  const dir = `${home}/runtime`;
  Deno.mkdirSync(dir, { recursive: true });
  Deno.chmodSync(dir, 0o755);
  if (from.startsWith(`${dir}/`)) return from;
  const size = Deno.statSync(from).size;
  const to = `${dir}/deno-${Deno.version.deno}-${size}`;
  if (Deno.statSync(dir).isDirectory && !existsWithSize(to, size)) {
    const part = `${to}.part${Deno.pid}`;
    Deno.copyFileSync(from, part);
    Deno.chmodSync(part, 0o111);
    Deno.renameSync(part, to);
  }
  return to;
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
 * Writes the program as one file to `home/runtime`.
 *
 * From a bundle it copies itself; from a checkout it makes the bundle, with
 * the runtime's own bundler.
 *
 * @param main URL of the running program's main module
 */
export async function placeBundle(home: string, main: string): Promise<string> {
  const source = new URL(main).pathname;
  const bytes = source.endsWith(".mjs")
    ? Deno.readFileSync(source)
    : await makeBundle(source);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const name = Array.from(
    digest.subarray(0, 8),
    (octet) => octet.toString(16).padStart(2, "0"),
  ).join("");
  const path = `${home}/runtime/bulkhead-${name}.mjs`;
  if (!existsWithSize(path, bytes.length)) {
    const part = `${path}.part${Deno.pid}`;
    Deno.writeFileSync(part, bytes);
    Deno.chmodSync(part, 0o644);
    Deno.renameSync(part, path);
  }
  removeOldBundles(`${home}/runtime`, path);
  return path;
}

/** Bundles a main module; throws with the bundler's words. */
async function makeBundle(main: string): Promise<Uint8Array<ArrayBuffer>> {
  const out = Deno.makeTempFileSync({ suffix: ".mjs" });
  try {
    const run = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--output", out, main],
      cwd: new URL(".", `file://${main}`).pathname,
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!run.success) {
      throw new Error(
        `Cannot bundle ${main}: ${new TextDecoder().decode(run.stderr).trim()}`,
      );
    }
    return Deno.readFileSync(out);
  } finally {
    Deno.removeSync(out);
  }
}

function removeOldBundles(dir: string, keep: string): void {
  const dayAgo = Date.now() - 86_400_000;
  for (const entry of Deno.readDirSync(dir)) {
    const path = `${dir}/${entry.name}`;
    if (!/^bulkhead-[0-9a-f]+\.mjs/.test(entry.name) || path === keep) continue;
    // A running server of an older program still restarts roles from its own.
    if ((Deno.statSync(path).mtime?.getTime() ?? 0) < dayAgo) {
      Deno.removeSync(path);
    }
  }
}

/**
 * Describes the installation for `mod/walls`.
 *
 * @param accounts null if not root
 * @throws {Error} If the machine is one that the walls do not know
 */
export function describeInstallation(options: {
  home: string;
  runtime: string;
  bundle: string;
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
    bundle: options.bundle,
    machine: machine as Machine,
    libc: libcPath(libraries),
    libraries,
    accounts: options.accounts?.roles ?? null,
    groups: options.accounts?.groups ?? new Map(),
    veil: options.accounts === null ? null : veilFor(options.home),
  };
}

/**
 * The topmost ancestor of `home` that other users may not search, if any:
 * then roles need a veil, see `mod/walls/jail.ts`.
 */
export function veilFor(
  home: string,
): { cover: string; keep: string } | null {
  const parts = home.split("/").slice(1, -1);
  let path = "";
  for (const part of parts) {
    path += `/${part}`;
    const mode = Deno.statSync(path).mode ?? 0;
    if ((mode & 0o001) === 0) return { cover: path, keep: home };
  }
  return null;
}
