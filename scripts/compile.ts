/**
 * `deno task compile`: the server as one executable file, `dist/bulkhead`.
 *
 *     deno task compile [--arch x64|arm64] [--output FILE] [--level 1..9]
 *                       [--runtime FILE] [--launcher shell|compiled]
 *
 * With `--arch` the file is `dist/bulkhead-linux-ARCH`. `--level 1` is quick,
 * for tests. `--runtime` takes the runtime from a file. The same commit makes
 * the same octets, wherever and whenever it is built.
 *
 * The launcher is a shell's text; a program made by `deno compile` if
 * `DENORT_BIN` names Deno's base runtime, or `--launcher compiled` says so.
 */
import { parseArgs } from "node:util";
import { VERSION } from "../mod/core/version.ts";
import { bundlePrograms } from "./compile/bundle_programs.ts";
import {
  type Arch,
  compress,
  type Octets,
  oneFile,
  type Parts,
  type Runtime,
  sha256,
} from "./compile/one_file.ts";
import { compiledFile } from "./compile/compiled_file.ts";
import {
  BUILDER_VERSION,
  givenRuntime,
  pinnedRuntime,
  thisArch,
} from "./compile/runtime_source.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const CACHE = `${ROOT}.cache/compile`;

/** Choices for {@link compile}. */
export interface CompileOptions {
  readonly arch?: Arch;
  readonly output: string;
  readonly level?: number;
  /** An executable to take the runtime from. */
  readonly runtime?: string;
  readonly launcher?: "shell" | "compiled";
}

/**
 * Makes the file.
 *
 * @throws {Error} If it cannot
 */
export async function compile(options: CompileOptions): Promise<void> {
  if (Deno.version.deno !== BUILDER_VERSION) {
    throw new Error(
      `Build with Deno ${BUILDER_VERSION}, not ${Deno.version.deno}: another ` +
        "bundler makes other programs",
    );
  }
  const arch = options.arch ?? thisArch();
  const level = options.level ?? 9;
  const runtime = options.runtime === undefined
    ? await pinnedRuntime(arch, CACHE)
    : givenRuntime(arch, options.runtime);
  const programs = await bundlePrograms();
  programs.set("build.json", await buildFacts(runtime));
  const parts: Parts = {
    launcher: Deno.readTextFileSync(`${ROOT}scripts/compile/launcher.sh`),
    version: VERSION,
    runtime,
    packedRuntime: packed(runtime, level),
    programs,
    level,
  };
  if (options.launcher === "compiled") {
    return await compiledFile(parts, options.output);
  }
  const part = `${options.output}.part${Deno.pid}`;
  Deno.writeFileSync(part, oneFile(parts), { mode: 0o755 });
  Deno.chmodSync(part, 0o755);
  Deno.renameSync(part, options.output);
}

/** What `bulkhead --version` tells; no time, and no place. */
async function buildFacts(runtime: Runtime): Promise<Octets> {
  const commit = await git("rev-parse", "--short=12", "HEAD");
  const changes = await git("status", "--porcelain", "--untracked-files=no");
  const facts = {
    version: VERSION,
    commit: commit && (changes === "" ? commit : `${commit}, changed`),
    runtime: runtime.version,
  };
  return new TextEncoder().encode(`${JSON.stringify(facts)}\n`);
}

async function git(...args: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", ROOT, ...args],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function packed(runtime: Runtime, level: number): Octets {
  const file = `${CACHE}/${sha256(runtime.octets)}.${level}.gz`;
  try {
    return Deno.readFileSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const octets = compress(runtime.octets, level);
  Deno.mkdirSync(CACHE, { recursive: true });
  const part = `${file}.part${Deno.pid}`;
  Deno.writeFileSync(part, octets);
  Deno.renameSync(part, file);
  return octets;
}

function wordsOf(args: readonly string[]): CompileOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      arch: { type: "string" },
      output: { type: "string" },
      level: { type: "string", default: "9" },
      runtime: { type: "string" },
      launcher: {
        type: "string",
        default: Deno.env.has("DENORT_BIN") ? "compiled" : "shell",
      },
    },
  });
  const { arch, level, launcher } = values;
  if (arch !== undefined && arch !== "x64" && arch !== "arm64") {
    throw new Error(`There is no --arch ${arch}: x64 and arm64`);
  }
  if (!/^[1-9]$/.test(level)) throw new Error("--level is 1 to 9");
  if (launcher !== "shell" && launcher !== "compiled") {
    throw new Error("--launcher is shell or compiled");
  }
  const name = arch === undefined ? "bulkhead" : `bulkhead-linux-${arch}`;
  return {
    ...(arch && { arch }),
    output: values.output ?? `${ROOT}dist/${name}`,
    level: Number(level),
    launcher,
    ...(values.runtime && { runtime: values.runtime }),
  };
}

if (import.meta.main) {
  try {
    const options = wordsOf(Deno.args);
    Deno.mkdirSync(`${ROOT}dist`, { recursive: true });
    await compile(options);
    const mb = Deno.statSync(options.output).size / 1_000_000;
    console.log(`${options.output}: ${mb.toFixed(1)} MB`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
