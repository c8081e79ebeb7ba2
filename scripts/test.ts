/**
 * `deno task test`: every test there is. Ends with `N passed, N failed`, and
 * exit code 1 if one failed.
 *
 * Unit tests run side by side. Everything that starts servers, kills them or
 * talks to foreign ones runs file after file: their time limits mean something
 * only if nobody else has the machine.
 *
 * Tests of `tests/interop` skip themselves where their peer is not installed;
 * with CI=true that is a failure.
 */
import {
  type Counts,
  findTests,
  lastLine,
  NO_TESTS,
  runSideBySide,
  runTests,
  sum,
  type TestRun,
} from "./test_runs.ts";

const MINUTE_MS = 60_000;

/** Programs that `tests/interop` talks to, and Debian's packages of them. */
const PEERS = new Map([
  ["dovecot", "dovecot-imapd"],
  ["doveadm", "dovecot-core"],
  ["postfix", "postfix"],
  ["smtp-sink", "postfix"],
  ["smtp-source", "postfix"],
  ["swaks", "swaks"],
  ["msmtp", "msmtp"],
  ["s-nail", "s-nail"],
  ["nsd", "nsd"],
  ["unbound", "unbound"],
  ["strace", "strace"],
  ["mkfs.xfs", "xfsprogs"],
  ["mkfs.btrfs", "btrfs-progs"],
  ["nbdfuse", "libnbd-bin"],
  ["fusermount3", "fuse3"],
  ["openssl", "openssl"],
  ["python3", "python3"],
]);

function missingPeers(): string[] {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  const dirs = [...path, "/usr/sbin", "/sbin"];
  return [...PEERS].filter(([command]) =>
    !dirs.some((dir) => exists(`${dir}/${command}`))
  ).map(([command, name]) => `${command} (package ${name})`);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function oneByOne(folder: string, withinMs: number): TestRun[] {
  return findTests(folder).map((path) => ({
    name: path,
    paths: [path],
    // Types were checked, of all files, before the first run.
    args: ["--no-check"],
    withinMs,
    shown: true,
  }));
}

Deno.chdir(new URL("..", import.meta.url));
const isCi = Deno.env.get("CI") === "true";
const servers: TestRun[] = [
  ...oneByOne("tests/system", 5 * MINUTE_MS),
  ...oneByOne("tests/attack", 3 * MINUTE_MS),
  ...oneByOne("tests/crash", 8 * MINUTE_MS),
  ...oneByOne("tests/erasure", 5 * MINUTE_MS),
  ...oneByOne("tests/outage", 3 * MINUTE_MS),
  ...oneByOne("tests/interop", 5 * MINUTE_MS),
];

const missing = missingPeers();
if (missing.length > 0) {
  console.log(`Not installed: ${missing.join(", ")}.`);
  console.log("Tests that need them are skipped; scripts/peers installs them.");
}

let total: Counts = NO_TESTS;

async function section(
  name: string,
  run: () => Promise<Counts>,
): Promise<void> {
  console.log(`\n== ${name}`);
  const from = performance.now();
  const counts = await run();
  total = sum(total, counts);
  const seconds = ((performance.now() - from) / 1_000).toFixed(1);
  console.log(`== ${name}: ${lastLine(counts)} in ${seconds} s`);
}

async function checkTypes(): Promise<Counts> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--frozen", "--quiet", "."],
  }).spawn().status;
  return { ...NO_TESTS, failed: success ? 0 : 1 };
}

async function runPeers(run: TestRun): Promise<Counts> {
  const counts = await runTests(run);
  if (!isCi || counts.skipped === 0) return counts;
  console.log(`${run.name}: ${counts.skipped} skipped, which fails in CI`);
  return { ...counts, failed: counts.failed + counts.skipped, skipped: 0 };
}

await section("types", checkTypes);
await section("unit tests", () =>
  runSideBySide(
    ["mod", "web", "scripts", "tests/dialogs"].flatMap(findTests),
    { args: ["--no-check"], withinMs: 5 * MINUTE_MS, shown: true },
  ));
for (const run of servers) {
  const isInterop = run.name.startsWith("tests/interop/");
  await section(run.name, () => isInterop ? runPeers(run) : runTests(run));
}
console.log(`\n${lastLine(total)}`);
Deno.exit(total.failed > 0 ? 1 : 0);
