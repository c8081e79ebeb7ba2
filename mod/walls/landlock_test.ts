import assert from "node:assert/strict";
import { describeAbi } from "./landlock.ts";

const ABIS: { abi: number; want: string }[] = [
  { abi: -1, want: "none: this kernel has no Landlock" },
  { abi: 0, want: "none: this kernel has no Landlock" },
  { abi: 1, want: "ABI 1: paths" },
  { abi: 3, want: "ABI 3: paths" },
  { abi: 4, want: "ABI 4: paths, TCP ports" },
  {
    abi: 6,
    want: "ABI 6: paths, TCP ports, signals and abstract sockets",
  },
  {
    abi: 99,
    want: "ABI 99: paths, TCP ports, signals and abstract sockets",
  },
];

for (const { abi, want } of ABIS) {
  Deno.test(`describeAbi says what ABI ${abi} gives`, () => {
    assert.equal(describeAbi(abi), want);
  });
}
