/**
 * The one file, put together: the launcher's text, then the programs and the
 * runtime, each compressed by gzip. Pure: the same parts make the same octets.
 */
import { gzipSync } from "node:zlib";
import { createHash } from "node:crypto";

/** A machine that Bulkhead is built for, as Deno's packages name it. */
export type Arch = "x64" | "arm64";

/** Octets, as files and streams take them. */
export type Octets = Uint8Array<ArrayBuffer>;

/** Deno's executable for one machine. */
export interface Runtime {
  readonly arch: Arch;
  readonly version: string;
  readonly octets: Octets;
}

/** What becomes one file. */
export interface Parts {
  /** The text before the payload, with `@NAME@` for what is filled in. */
  readonly launcher: string;
  readonly version: string;
  readonly runtime: Runtime;
  /** The runtime, compressed: it takes seconds, and rarely changes. */
  readonly packedRuntime: Octets;
  /** Name in the directory, and content. */
  readonly programs: ReadonlyMap<string, Octets>;
  /** From 1, quick, to 9, small. */
  readonly level: number;
}

/** The file of the glibc that a runtime cannot start without. */
const LOADERS: Readonly<Record<Arch, string>> = {
  x64: "/lib64/ld-linux-x86-64.so.2",
  arm64: "/lib/ld-linux-aarch64.so.1",
};

/** What a launcher must know of what it unpacks. */
export interface Facts {
  readonly arch: Arch;
  readonly loader: string;
  readonly needsMb: number;
  readonly runtime: {
    /** The directory's name, which has the digest. */
    readonly part: string;
    readonly version: string;
    readonly sha256: string;
    readonly size: number;
  };
  readonly programs: {
    readonly part: string;
    /** In the pack's order. */
    readonly files: readonly {
      readonly sha256: string;
      readonly size: number;
      readonly name: string;
    }[];
  };
}

/** What comes out of {@link Parts}: the programs in one piece, and facts. */
export function payloadOf(
  { runtime, programs, level }: Parts,
): { facts: Facts; pack: Octets } {
  const names = [...programs.keys()].sort();
  const contents = names.map((name) => programs.get(name)!);
  const files = names.map((name, i) => ({
    sha256: sha256(contents[i]!),
    size: contents[i]!.length,
    name,
  }));
  const octets = contents.reduce((sum, one) => sum + one.length, 0);
  const digest = sha256(runtime.octets);
  const facts = {
    arch: runtime.arch,
    loader: LOADERS[runtime.arch],
    // The programs are there twice for a moment.
    needsMb: Math.ceil((runtime.octets.length + 2 * octets) / 1_000_000) + 5,
    runtime: {
      part: `runtime-${digest.slice(0, 16)}`,
      version: runtime.version,
      sha256: digest,
      size: runtime.octets.length,
    },
    programs: {
      part: `programs-${sha256(listOf(files)).slice(0, 16)}`,
      files,
    },
  };
  return { facts, pack: compress(concatenated(contents), level) };
}

function listOf(files: Facts["programs"]["files"]): string {
  return files.map((one) => `${one.sha256} ${one.size} ${one.name}`).join("\n");
}

/** The one file's octets, with a shell's text as its launcher. */
export function oneFile(parts: Parts): Octets {
  const { facts, pack } = payloadOf(parts);
  const main = facts.programs.files.find(({ name }) => name === "bulkhead.mjs");
  const values = new Map<string, string | number>([
    ["VERSION", parts.version],
    ["ARCH", facts.arch],
    ["LOADER", facts.loader],
    ["NEEDS_MB", facts.needsMb],
    ["RUNTIME", facts.runtime.part],
    ["RUNTIME_SHA256", facts.runtime.sha256],
    ["RUNTIME_VERSION", facts.runtime.version],
    ["RUNTIME_SIZE", facts.runtime.size],
    ["RUNTIME_LENGTH", parts.packedRuntime.length],
    ["PROGRAMS", facts.programs.part],
    ["MAIN_SIZE", main!.size],
    ["PACK_LENGTH", pack.length],
    ["FILES", listOf(facts.programs.files)],
  ]);
  const head = filledIn(parts.launcher, values, pack.length);
  return concatenated([
    new TextEncoder().encode(head),
    pack,
    parts.packedRuntime,
  ]);
}

/** Compressed by gzip, without a time or a name. */
export function compress(octets: Octets, level: number): Octets {
  return new Uint8Array(gzipSync(octets, { level }));
}

/** SHA-256 as hexadecimal digits. */
export function sha256(content: Octets | string): string {
  return createHash("sha256").update(content).digest("hex");
}

// How long the text is depends on the numbers in it, which count from its end.
function filledIn(
  template: string,
  values: ReadonlyMap<string, string | number>,
  packLength: number,
): string {
  for (let length = 0;;) {
    const all = new Map([
      ...values,
      ["PACK_AT", length + 1],
      ["RUNTIME_AT", length + packLength + 1],
    ]);
    const text = template.replace(/@([A-Z0-9_]+)@/g, (_, name) => {
      const value = all.get(name);
      if (value === undefined) throw new Error(`Nothing is known for ${name}`);
      return String(value);
    });
    const got = new TextEncoder().encode(text).length;
    if (got === length) return text;
    length = got;
  }
}

function concatenated(all: readonly Octets[]): Octets {
  const whole = new Uint8Array(all.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of all) {
    whole.set(one, at);
    at += one.length;
  }
  return whole;
}
