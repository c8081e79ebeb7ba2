/**
 * Where the runtime comes from: this process's own executable, or the package
 * that Deno publishes, by npm. Whichever it is, its SHA-256 is the one here.
 */
import { type Arch, type Octets, type Runtime, sha256 } from "./one_file.ts";

/** The release that bundles the programs, whatever runs them. */
export const BUILDER_VERSION = "2.9.6";

/** A release of Deno, as it was published for one machine. */
export interface Pin {
  readonly version: string;
  /** As the registry has it, of the package. */
  readonly integrity: string;
  /** Of the executable in it. */
  readonly sha256: string;
}

/** The release that the one file holds, for each machine. */
export const PINS: Readonly<Record<Arch, Pin>> = {
  x64: {
    version: "2.9.6",
    integrity:
      "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
    sha256: "bceb5b6a6239b0b010418406d8c77a508f67cf4337d94288f1c19fe71304aab0",
  },
  // One behind: npm had no 2.9.6 for arm64 when this was written. README.md
  // ("Another runtime") says how to move on.
  arm64: {
    version: "2.9.5",
    integrity:
      "sha512-IuYjsz9PGl7CJcNXMuN27KNDB8Q40brK3SG3l+TXMDVW61ZKwcn0fQHBHnXFiiygEwI8by/fKnASEluhZB1atw==",
    sha256: "e1a70c5eb03b0ebaf761077029ef86b9ba22d50e2b54ca45ce5437457f701b63",
  },
};

/** This machine, as Deno's packages name it. */
export function thisArch(): Arch {
  return Deno.build.arch === "aarch64" ? "arm64" : "x64";
}

/**
 * The runtime for a machine.
 *
 * @param cache A directory for packages that were fetched
 * @throws {Error} If it cannot be had, or is not the one that is pinned
 */
export async function pinnedRuntime(
  arch: Arch,
  cache: string,
): Promise<Runtime> {
  const pin = PINS[arch];
  const { version } = pin;
  if (arch === thisArch()) {
    const octets = Deno.readFileSync(Deno.execPath());
    if (sha256(octets) === pin.sha256) return { arch, version, octets };
  }
  const file = `${cache}/deno-${arch}-${pin.sha256}`;
  if (!isFile(file)) await fetchPackage(arch, pin, file);
  const octets = Deno.readFileSync(file);
  const got = sha256(octets);
  if (got !== pin.sha256) {
    throw new Error(`${file} has the SHA-256 ${got}, not ${pin.sha256}`);
  }
  return { arch, version, octets };
}

/**
 * A runtime that somebody vouches for: Deno's executable for a machine, of
 * any release.
 *
 * @throws {Error} If it is for another machine, or not Deno
 */
export function givenRuntime(arch: Arch, path: string): Runtime {
  const octets = Deno.readFileSync(path);
  if (machineOf(octets) !== { x64: 62, arm64: 183 }[arch]) { // EM_X86_64, EM_AARCH64
    throw new Error(`${path} is not for ${arch}`);
  }
  const version = versionIn(octets);
  if (version === undefined) throw new Error(`${path} is not Deno`);
  console.log(`${path}: Deno ${version}, SHA-256 ${sha256(octets)}`);
  return { arch, version, octets };
}

/** The machine of an executable (ELF's `e_machine`); undefined if it is none. */
function machineOf(octets: Octets): number | undefined {
  if (octets.length < 64) return undefined;
  const view = new DataView(octets.buffer);
  return view.getUint32(0) === 0x7f454c46
    ? view.getUint16(18, true)
    : undefined;
}

/**
 * The release, as Deno names itself to the servers that it asks: the highest
 * one, for its help mentions old ones.
 */
function versionIn(octets: Octets): string | undefined {
  const text = new TextDecoder("latin1").decode(octets);
  const found = [...text.matchAll(/Deno\/(\d+\.\d+\.\d+)/g)].map(([, x]) => x!);
  const inOrder = new Intl.Collator("en", { numeric: true }).compare;
  return found.sort(inOrder).at(-1);
}

// npm compares the integrity itself if it installs; for a package that it only
// packs it prints what it got.
async function fetchPackage(
  arch: Arch,
  pin: Pin,
  file: string,
): Promise<void> {
  const dir = Deno.makeTempDirSync({ prefix: "bulkhead-npm-" });
  try {
    const name = `@deno/linux-${arch}-glibc@${pin.version}`;
    const said = await output(dir, "npm", ["pack", "--json", name]);
    const [{ integrity, filename }] = JSON.parse(said);
    if (integrity !== pin.integrity) {
      throw new Error(`${name} is ${integrity}, and not what is pinned`);
    }
    await output(dir, "tar", ["xzf", filename, "package/deno"]);
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    Deno.copyFileSync(`${dir}/package/deno`, `${file}.part`);
    Deno.renameSync(`${file}.part`, file);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

async function output(
  cwd: string,
  command: string,
  args: readonly string[],
): Promise<string> {
  const ran = await new Deno.Command(command, {
    args: [...args],
    cwd,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (!ran.success) {
    throw new Error(`${command} failed: ${decoder.decode(ran.stderr).trim()}`);
  }
  return decoder.decode(ran.stdout);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
