import assert from "node:assert/strict";

// A process of its own, for gc() is there by a flag alone.
const PROGRAM = `
import { countRead } from "${new URL("./read_buffers.ts", import.meta.url)}";
const counts = Deno.args[0] === "counts";
const before = Deno.memoryUsage().rss;
let most = 0;
for (let n = 0; n < 1_000; n++) {
  const bytes = new Uint8Array(65_536).fill(n);
  if (counts) countRead(bytes.length);
  if (n % 50 === 0) await new Promise((next) => setTimeout(next));
  most = Math.max(most, Deno.memoryUsage().rss);
}
console.log(most - before);
`;

async function growth(how: string): Promise<number> {
  const program = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(program, PROGRAM);
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-lock", "--no-check", "--allow-sys=systemMemoryInfo"],
      "--v8-flags=--expose-gc,--single-threaded-gc,--no-incremental-marking",
      ...[program, how],
    ],
  }).output();
  await Deno.remove(program);
  assert.ok(success);
  return Number(new TextDecoder().decode(stdout));
}

Deno.test("countRead() keeps 64 MB of buffers from piling up", async () => {
  const counted = await growth("counts");
  assert.ok(counted < 20_000_000, `${counted} octets more`);
  // The same without: this test can see a failure.
  const uncounted = await growth("does not count");
  assert.ok(uncounted > 2 * counted, `${uncounted} octets more`);
});
