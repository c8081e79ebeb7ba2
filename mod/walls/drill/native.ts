/**
 * System calls from the hostile script, by nothing but the C library's own
 * functions: so they work for a role that has FFI for that library alone and
 * may make no pointers.
 */
import { cString, errnoName } from "../libc.ts";
import type { Argument, Step } from "./deed.ts";

const symbols = {
  call: {
    name: "syscall",
    parameters: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"],
    result: "i64",
  },
  errnoAt: { name: "__errno_location", parameters: [], result: "usize" },
  copyIn: {
    name: "memcpy",
    parameters: ["usize", "buffer", "usize"],
    result: "usize",
  },
  copyOut: {
    name: "memcpy",
    parameters: ["buffer", "usize", "usize"],
    result: "usize",
  },
  pages: {
    name: "mmap",
    parameters: ["usize", "usize", "i32", "i32", "i32", "i64"],
    result: "usize",
  },
} as const;

const ARENA_BYTES = 65_536;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** A system call that returned an error. */
export class CallError extends Error {
  override name = "CallError";
  constructor(readonly code: string) {
    super(code);
  }
}

/** The C library as an attacker would use it. */
export class Native {
  readonly #libc: Deno.DynamicLibrary<typeof symbols>["symbols"];
  readonly #arena: bigint;
  #used = 0;

  /** @throws {Deno.errors.NotCapable} Without the right to load `path` */
  constructor(path: string) {
    this.#libc = Deno.dlopen(path, symbols).symbols;
    this.#arena = this.#libc.pages(
      0n,
      BigInt(ARENA_BYTES),
      PROT_READ_WRITE,
      MAP_PRIVATE_ANONYMOUS,
      -1,
      0n,
    );
  }

  /**
   * Makes the calls in order, each able to use what earlier ones returned.
   *
   * @throws {CallError} At the first that the kernel refuses
   */
  run(steps: readonly Step[]): void {
    this.#used = 0;
    const results: bigint[] = [];
    for (const { number, args } of steps) {
      const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = args.map((arg) =>
        this.#value(arg, results)
      );
      const result = this.#libc.call(BigInt(number), a, b, c, d, e, f);
      if (result < 0n) throw new CallError(this.#errno());
      results.push(result);
    }
  }

  #value(arg: Argument, results: readonly bigint[]): bigint {
    if (typeof arg === "number") return BigInt(arg);
    if ("step" in arg) return results[arg.step]!;
    if ("text" in arg) return this.#place(cString(arg.text));
    const bytes = new Uint8Array(arg.bytes);
    for (const { at, to } of arg.pointers ?? []) {
      const value = this.#value(to, results);
      new DataView(bytes.buffer).setBigUint64(at, value, true);
    }
    return this.#place(bytes);
  }

  #place(bytes: Uint8Array<ArrayBuffer>): bigint {
    if (this.#used + bytes.length > ARENA_BYTES) {
      throw new RangeError("Cannot pass arguments: they do not fit");
    }
    const at = this.#arena + BigInt(this.#used);
    this.#libc.copyIn(at, bytes, BigInt(bytes.length));
    this.#used += Math.ceil(bytes.length / 16) * 16;
    return at;
  }

  #errno(): string {
    const bytes = new Uint8Array(4);
    this.#libc.copyOut(bytes, this.#libc.errnoAt(), 4n);
    const errno = new DataView(bytes.buffer).getInt32(0, true);
    return errnoName(errno).split(",")[0]!;
  }
}
