import assert from "node:assert/strict";
import {
  countsOf,
  findTests,
  lastLine,
  parseSummary,
  runSideBySide,
  runTests,
  sum,
} from "./test_runs.ts";

for (
  const [line, want] of [
    ["ok | 36 passed | 0 failed (193ms)", [36, 0, 0]],
    ["FAILED | 0 passed | 2 failed (7s)", [0, 2, 0]],
    ["ok | 3 passed (4 steps) | 0 failed | 2 ignored (1s)", [3, 0, 2]],
    ["FAILED | 1 passed | 1 failed (2 steps) | 5 filtered out (1m2s)", [
      1,
      1,
      0,
    ]],
    ["ok | 1 passed | 0 failed | 1 ignored (2 steps) (0ms)", [1, 0, 1]],
  ] as const
) {
  Deno.test(`parseSummary reads ${line}`, () => {
    const [passed, failed, skipped] = want;
    assert.deepEqual(parseSummary(`a ... ok (1ms)\n\n${line}\n\n`), {
      passed,
      failed,
      skipped,
    });
  });
}

Deno.test("parseSummary reads the last one, and none where none is", () => {
  const inner = "ok | 9 passed | 0 failed (1ms)";
  assert.equal(parseSummary(`${inner}\n${inner.replace("9", "8")}`)?.passed, 8);
  assert.equal(parseSummary(""), undefined);
  assert.equal(parseSummary("error: Type checking failed."), undefined);
});

Deno.test("countsOf takes a run that says nothing for a failure", () => {
  assert.deepEqual(countsOf("", true), { passed: 0, failed: 1, skipped: 0 });
  assert.equal(countsOf("ok | 1 passed | 0 failed (1ms)", false).failed, 1);
  assert.equal(countsOf("FAILED | 1 passed | 2 failed (1ms)", false).failed, 2);
});

Deno.test("lastLine names skipped tests only if there are any", () => {
  assert.equal(
    lastLine({ passed: 2, failed: 0, skipped: 0 }),
    "2 passed, 0 failed",
  );
  assert.equal(
    lastLine(sum({ passed: 1, failed: 2, skipped: 3 }, {
      passed: 1,
      failed: 1,
      skipped: 1,
    })),
    "2 passed, 3 failed, 4 skipped",
  );
});

/** Runs a test file with this text. */
async function run(text: string, withinMs = 20_000) {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/a_test.ts`;
  await Deno.writeTextFile(path, text);
  try {
    assert.deepEqual(findTests(dir), [path]);
    const args = ["--no-check"];
    return await runTests({
      name: "a",
      paths: [path],
      args,
      withinMs,
      shown: true,
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("runTests counts what passed, failed and was ignored", async () => {
  assert.deepEqual(
    await run(`
      Deno.test("good", () => {});
      Deno.test("bad", () => { throw new Error("on purpose"); });
      Deno.test("not here", { ignore: true }, () => {});`),
    { passed: 1, failed: 1, skipped: 1 },
  );
});

Deno.test("runTests counts a run that dies as one failure", async () => {
  assert.deepEqual(
    await run('Deno.test("dies", () => process.kill(Deno.pid, "SIGKILL"));'),
    { passed: 0, failed: 1, skipped: 0 },
  );
});

Deno.test("runTests kills a run that takes too long, and what it started", async () => {
  const pidFile = await Deno.makeTempFile();
  const counts = await run(
    `Deno.test("hangs", () => {
       const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
       Deno.writeTextFileSync(${JSON.stringify(pidFile)}, String(child.pid));
       while (true);
     });`,
    3_000,
  );
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
  const pid = Number(await Deno.readTextFile(pidFile));
  await Deno.remove(pidFile);
  assert.ok(pid > 0);
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => ") Z ");
  assert.match(stat, /\) [ZX] /);
});

Deno.test("runSideBySide adds up what processes of their own said", async () => {
  const dir = await Deno.makeTempDir();
  for (const name of ["a", "b", "c"]) {
    await Deno.writeTextFile(
      `${dir}/${name}_test.ts`,
      `Deno.test("alone", () => {
         if (globalThis.process.umask(0o777) === 0o777) throw new Error("shared");
         if ("${name}" === "c") throw new Error("on purpose");
       });`,
    );
  }
  const options = { args: ["--no-check"], withinMs: 20_000, shown: true };
  assert.deepEqual(await runSideBySide(findTests(dir), options), {
    passed: 2,
    failed: 1,
    skipped: 0,
  });
  await Deno.remove(dir, { recursive: true });
});
