import { strictEqual } from "node:assert/strict";
import { durationMs, durationText, sizeBytes, sizeText } from "./quantities.ts";

const DURATIONS: [text: string, ms: number | undefined][] = [
  ["100ms", 100],
  ["30s", 30_000],
  ["5m", 300_000],
  ["4h", 14_400_000],
  ["5d", 432_000_000],
  ["2w", 1_209_600_000],
  ["0s", 0],
  ["", undefined],
  ["5", undefined],
  ["m", undefined],
  ["5 m", undefined],
  ["5M", undefined],
  ["-5m", undefined],
  ["1.5h", undefined],
  ["1h30m", undefined],
  ["5m ", undefined],
  ["٥m", undefined],
  ["9999999999999999s", undefined],
  ["999999999999999w", undefined],
];

for (const [text, ms] of DURATIONS) {
  Deno.test(`durationMs() reads ${JSON.stringify(text)} as ${ms}`, () => {
    strictEqual(durationMs(text), ms);
  });
}

const SIZES: [text: string, octets: number | undefined][] = [
  ["50MB", 50_000_000],
  ["1GiB", 1_073_741_824],
  ["64KiB", 65_536],
  ["1kB", 1_000],
  ["1KB", 1_000],
  ["4096", 4_096],
  ["7B", 7],
  ["0", 0],
  ["50M", undefined],
  ["50mb", undefined],
  ["1e6", undefined],
  ["0x10", undefined],
  ["-1", undefined],
  ["9000000TiB", undefined],
];

for (const [text, octets] of SIZES) {
  Deno.test(`sizeBytes() reads ${JSON.stringify(text)} as ${octets}`, () => {
    strictEqual(sizeBytes(text), octets);
  });
}

Deno.test("durationText() and sizeText() write what is read back the same", () => {
  for (const value of [0, 1, 999, 1_000, 1_024, 60_000, 90_000, 2 ** 45]) {
    strictEqual(durationMs(durationText(value)), value);
    strictEqual(sizeBytes(sizeText(value)), value);
  }
  strictEqual(durationText(90_000), "90s");
  strictEqual(sizeText(16_777_216), "16MiB");
});
