/**
 * Where the runtime comes from: this process's own executable, or the package
 * that Deno publishes, by npm. Whichever it is, its SHA-256 is the one here.
 */
import { type Arch, type Runtime, sha256 } from "./one_file.ts";

/** The release that the one file holds. */
export const RUNTIME_VERSION = "2.9.6";

/** What was published as {@link RUNTIME_VERSION}. */
interface Pin {
  /** As the registry has it, of the package. */
  readonly integrity: string;
  /** Of the executable in it. */
  readonly sha256: string;
}

const PINS: Readonly<Record<Arch, Pin | null>> = {
  x64: {
    integrity:
      "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
    sha256: "bceb5b6a6239b0b010418406d8c77a508f67cf4337d94288f1c19fe71304aab0",
  },
  // Nobody here has seen it yet: `--runtime FILE` prints what belongs here.
  arm64: null,
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
  if (pin === null) {
    throw new Error(
      `Cannot build for ${arch}: the SHA-256 of its Deno ${RUNTIME_VERSION} is ` +
        "not known; give the executable by --runtime, and write down in " +
        "scripts/compile/runtime_source.ts what is printed",
    );
  }
  if (arch === thisArch()) {
    const octets = Deno.readFileSync(Deno.execPath());
    if (sha256(octets) === pin.sha256) {
      return { arch, version: RUNTIME_VERSION, octets };
    }
  }
  const file = `${cache}/deno-${arch}-${pin.sha256}`;
  if (!isFile(file)) await fetchPackage(arch, pin, file);
  const octets = Deno.readFileSync(file);
  const got = sha256(octets);
  if (got !== pin.sha256) {
    throw new Error(`${file} has the SHA-256 ${got}, not ${pin.sha256}`);
  }
  return { arch, version: RUNTIME_VERSION, octets };
}

/** A runtime that somebody vouches for: an executable of the machine. */
export function givenRuntime(arch: Arch, path: string): Runtime {
  const octets = Deno.readFileSync(path);
  const machine = new DataView(octets.buffer).getUint16(18, true);
  const wanted = { x64: 62, arm64: 183 }[arch]; // EM_X86_64, EM_AARCH64
  if (machine !== wanted) throw new Error(`${path} is not for ${arch}`);
  if (!holds(octets, `deno/${RUNTIME_VERSION}`)) {
    throw new Error(`${path} is not Deno ${RUNTIME_VERSION}`);
  }
  console.log(`${path}: SHA-256 ${sha256(octets)}`);
  return { arch, version: RUNTIME_VERSION, octets };
}

function holds(octets: Uint8Array<ArrayBuffer>, text: string): boolean {
  return new TextDecoder("latin1").decode(octets).includes(text);
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
    const name = `@deno/linux-${arch}-glibc@${RUNTIME_VERSION}`;
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
