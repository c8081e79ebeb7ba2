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

/** The one file's octets. */
export function oneFile(parts: Parts): Octets {
  const { runtime, programs, packedRuntime } = parts;
  const names = [...programs.keys()].sort();
  const files = names.map((name) => {
    const octets = programs.get(name)!;
    return `${sha256(octets)} ${octets.length} ${name}`;
  }).join("\n");
  const pack = compress(
    concatenated(names.map((name) => programs.get(name)!)),
    parts.level,
  );
  const octets = runtime.octets.length + files.length +
    [...programs.values()].reduce((sum, one) => sum + one.length, 0);
  const digest = sha256(runtime.octets);
  const values = new Map<string, string | number>([
    ["VERSION", parts.version],
    ["ARCH", runtime.arch],
    ["LOADER", LOADERS[runtime.arch]],
    // Twice the programs, for the pack, and some blocks.
    ["NEEDS_MB", Math.ceil(octets / 1_000_000) + 10],
    ["RUNTIME_DIGEST", digest.slice(0, 16)],
    ["RUNTIME_SHA256", digest],
    ["RUNTIME_VERSION", runtime.version],
    ["RUNTIME_SIZE", runtime.octets.length],
    ["RUNTIME_LENGTH", packedRuntime.length],
    ["PROGRAMS_DIGEST", sha256(files).slice(0, 16)],
    ["MAIN_SIZE", programs.get("bulkhead.mjs")!.length],
    ["PACK_LENGTH", pack.length],
    ["FILES", files],
  ]);
  const head = filledIn(parts.launcher, values, pack.length);
  return concatenated([new TextEncoder().encode(head), pack, packedRuntime]);
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
