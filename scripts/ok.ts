/**
 * `deno task ok`: what to run before every commit. Formatting, lint, types,
 * the RFC table, unit tests; prints what is wrong and nothing else.
 */
import { findTests, lastLine, runSideBySide } from "./test_runs.ts";

Deno.chdir(new URL("..", import.meta.url));

const STEPS: readonly { name: string; args: readonly string[] }[] = [
  { name: "fmt", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint", "--quiet"] },
  { name: "check", args: ["check", "--frozen", "--quiet", "."] },
  { name: "rfc", args: ["run", "-A", "scripts/rfc_index.ts", "--check"] },
];

let good = true;

function tell(name: string, ok: boolean, fromMs: number, more = ""): void {
  good &&= ok;
  const seconds = ((performance.now() - fromMs) / 1_000).toFixed(1);
  console.log(`${ok ? "ok  " : "FAIL"} ${name.padEnd(6)} ${seconds} s${more}`);
}

async function step(name: string, args: readonly string[]): Promise<void> {
  const fromMs = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(
    Deno.execPath(),
    { args: [...args], stdout: "piped", stderr: "piped" },
  ).output();
  if (!success) {
    await Deno.stdout.write(stdout);
    await Deno.stdout.write(stderr);
  }
  tell(name, success, fromMs);
}

await Promise.all(STEPS.map(({ name, args }) => step(name, args)));

const fromMs = performance.now();
const counts = await runSideBySide(
  ["mod", "web", "scripts", "tests/dialogs", "tests/upgrade"].flatMap(
    findTests,
  ),
  // Types were checked a moment ago.
  { args: ["--no-check"], withinMs: 2 * 60_000, shown: false },
);
tell("unit", counts.failed === 0, fromMs, `, ${lastLine(counts)}`);
Deno.exit(good ? 0 : 1);
