/**
 * A tiny interpreter of classic BPF as seccomp(2) uses it, for tests: what a
 * filter says is found out without loading it.
 *
 * Knows only the instructions that `seccomp.ts` writes; any other one, and
 * running off the end, throws.
 */

/** What the kernel shows a filter; struct seccomp_data. */
export interface SystemCall {
  readonly number: number;
  readonly arch: number;
  readonly args: readonly bigint[];
}

/**
 * Runs a filter.
 *
 * @returns The action, such as SECCOMP_RET_ALLOW
 */
export function runFilter(
  program: readonly (readonly [number, number, number, number])[],
  { number, arch, args }: SystemCall,
): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, arch, true);
  args.forEach((arg, n) =>
    data.setBigUint64(16 + 8 * n, BigInt.asUintN(64, arg), true)
  );
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const [code, jt, jf, k] = program[at]!;
    const jump = (yes: boolean) => at += yes ? jt : jf;
    switch (code) {
      case 0x20: // BPF_LD | BPF_W | BPF_ABS
        accumulator = data.getUint32(k, true);
        break;
      case 0x54: // BPF_ALU | BPF_AND | BPF_K
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
        jump(accumulator === k >>> 0);
        break;
      case 0x35: // BPF_JMP | BPF_JGE | BPF_K
        jump(accumulator >= k >>> 0);
        break;
      case 0x45: // BPF_JMP | BPF_JSET | BPF_K
        jump((accumulator & k) !== 0);
        break;
      case 0x06: // BPF_RET | BPF_K
        return k;
      default:
        throw new RangeError(`Cannot run BPF instruction ${code}`);
    }
  }
  throw new RangeError("Cannot run BPF program: it has no end");
}
