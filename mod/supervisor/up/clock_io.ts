/** What the kernel knows of its clock: adjtimex(2), which only reads here. */
import type { Libc } from "../../walls/libc.ts";

/** Number of the call, by machine. */
const ADJTIMEX = { x86_64: 159n, aarch64: 171n } as const;
/** The call's answer if nobody keeps the clock. */
const TIME_ERROR = 5n;
/** Of struct timex, on machines of 64 bits. */
const TIMEX = { octets: 208, maxError: 24 } as const;

/** How the clock is. */
export type ClockState =
  /** A program keeps it right, and says how far it may be wrong, in ms. */
  | { readonly kind: "kept"; readonly withinMs: number }
  /** No program has told the kernel that it does. */
  | { readonly kind: "not kept" }
  /** The kernel would not say. */
  | { readonly kind: "unknown" };

/** Asks the kernel. */
export function clockState(libc: Libc): ClockState {
  const timex = new Uint8Array(TIMEX.octets); // modes 0: read
  const at = Deno.UnsafePointer.of(timex);
  const arch = Deno.build.arch === "aarch64" ? "aarch64" : "x86_64";
  const address = Deno.UnsafePointer.value(at);
  const state = libc.syscall(
    ...[ADJTIMEX[arch], BigInt(address), 0n, 0n, 0n, 0n, 0n] as const,
  );
  if (state < 0n) return { kind: "unknown" };
  if (state === TIME_ERROR) return { kind: "not kept" };
  const micros = new DataView(timex.buffer).getBigInt64(TIMEX.maxError, true);
  return { kind: "kept", withinMs: Math.ceil(Number(micros) / 1_000) };
}
