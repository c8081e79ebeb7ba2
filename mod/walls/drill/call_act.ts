/** Acts that are system calls, written as names and arguments. */
import type { Machine } from "../seccomp.ts";
import { type DrillAct, tried } from "./act.ts";
import { type CallName, callNumber } from "./call_numbers.ts";
import type { Argument } from "./deed.ts";

/** One call: its name, then its arguments. */
export type Called = readonly [CallName, ...Argument[]];

/** Makes acts of calls for one machine. */
export function callActs(
  machine: Machine,
  rows: readonly (readonly [act: string, ...calls: Called[]])[],
): DrillAct[] {
  return rows.flatMap(([act, ...calls]) => {
    const steps = calls.flatMap(([name, ...args]) => {
      const number = callNumber(name, machine);
      return number === null ? [] : [{ number, args }];
    });
    // A call that this machine lacks cannot be tried on it.
    return steps.length < calls.length
      ? []
      : [tried(act, { do: "calls", steps })];
  });
}

/** `count` zero bytes. */
export function zeros(count: number): { readonly bytes: number[] } {
  return { bytes: new Array<number>(count).fill(0) };
}

/** A struct: each field a little-endian number of `size` bytes. */
export function struct(
  ...fields: readonly (readonly [size: 1 | 2 | 4 | 8, value: number])[]
): { readonly bytes: number[] } {
  const bytes: number[] = [];
  for (const [size, value] of fields) {
    let rest = BigInt(value);
    for (let n = 0; n < size; n++, rest >>= 8n) bytes.push(Number(rest & 255n));
  }
  return { bytes };
}

/** A sockaddr_in of 127.0.0.1, or of all addresses; see ip(7). */
export function ipv4Address(
  port: number,
  host: "127.0.0.1" | "0.0.0.0" = "127.0.0.1",
): { readonly bytes: number[] } {
  const address = host === "0.0.0.0" ? [0, 0, 0, 0] : [127, 0, 0, 1];
  return {
    bytes: [2, 0, port >> 8, port & 255, ...address, 0, 0, 0, 0, 0, 0, 0, 0],
  };
}
