/**
 * `deno task test`: every test there is. Ends with `N passed, N failed`, and
 * exit code 1 if one failed.
 *
 * Unit tests run side by side, and so do, two at once, those that start
 * servers and then mostly wait. Whatever measures, or keeps a machine busy by
 * itself, runs file after file: its time limits mean something only if nobody
 * else has the machine.
 *
 * Those of `tests/system` run against the one file, which is built first; all
 * others that start servers run the checkout.
 *
 * Tests of `tests/interop` skip themselves where their peer is not installed;
 * with CI=true that is a failure.
 */
import { compile } from "./compile.ts";
import {
  type Counts,
  findTests,
  lastLine,
  NO_TESTS,
  runSideBySide,
  runTests,
  sum,
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
  ["php", "php-cli"],
  ["mutt", "mutt"],
  ["cron", "cron"],
  ["nsd", "nsd"],
  ["unbound", "unbound"],
  ["strace", "strace"],
  ["mkfs.xfs", "xfsprogs"],
  ["mkfs.btrfs", "btrfs-progs"],
  ["nbdfuse", "libnbd-bin"],
  ["fusermount3", "fuse3"],
  ["chromium-headless-shell", "chromium-headless-shell"],
  ["openssl", "openssl"],
  ["python3", "python3"],
  ["mandoc", "mandoc"],
  ["busybox", "busybox"],
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

/** Folders whose files run two at once; the longest come first. */
const SERVERS = ["tests/crash", "tests/system"];
/** The same, of tests that need other programs. */
const PEERS_TOO = ["tests/interop"];

/**
 * Files of `tests/system` that make mount namespaces, and so run later. A new
 * namespace keeps every disk that is mounted when it is made, and a disk that
 * somebody keeps is not let go when a test of crashes unmounts it.
 */
const NAMESPACES = [
  "tests/system/one_file_test.ts",
  "tests/system/up_test.ts",
];

/** Files of these that want the machine alone. */
const ALONE = [
  "tests/crash/kill_loop_test.ts",
  "tests/crash/nth_failure_test.ts",
  "tests/crash/power_cut_test.ts",
];

/** Longest time for one file. */
const FILE_WITHIN_MS = 8 * MINUTE_MS;

// Types were checked, of all files, before the first run.
const ARGS = ["--no-check"];

Deno.chdir(new URL("..", import.meta.url));
const isCi = Deno.env.get("CI") === "true";

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

/** In CI no peer may be missing. */
function unskipped(counts: Counts): Counts {
  if (!isCi || counts.skipped === 0) return counts;
  console.log(`${counts.skipped} skipped, which fails in CI`);
  return { ...counts, failed: counts.failed + counts.skipped, skipped: 0 };
}

await section("types", checkTypes);
await section("unit tests", () =>
  runSideBySide(
    ["mod", "web", "scripts", "tests/dialogs", "tests/upgrade"].flatMap(
      findTests,
    ),
    // One more than there are processors: many wait most of their time.
    {
      args: ARGS,
      withinMs: 5 * MINUTE_MS,
      shown: true,
      atOnce: navigator.hardwareConcurrency + 1,
    },
  ));
const oneFile = await Deno.makeTempDir({ prefix: "bulkhead-one-file-" });
// Every role's user runs from it.
await Deno.chmod(oneFile, 0o755);

async function buildOneFile(): Promise<Counts> {
  try {
    await compile({ output: `${oneFile}/bulkhead`, level: 1 });
    return NO_TESTS;
  } catch (error) {
    console.log(error);
    return { ...NO_TESTS, failed: 1 };
  }
}

const envOf = (path: string): Record<string, string> =>
  path.startsWith("tests/system/")
    ? {
      BULKHEAD: `${oneFile}/bulkhead`,
      BULKHEAD_RUNTIME: `${oneFile}/runtime`,
    }
    : {};
const inPairs = (paths: readonly string[]) =>
  runSideBySide(
    paths,
    { args: ARGS, withinMs: FILE_WITHIN_MS, shown: true, atOnce: 2, envOf },
  );
await section("one file", buildOneFile);
await section(
  "servers",
  () =>
    inPairs(
      SERVERS.flatMap(findTests).filter((path) =>
        !ALONE.includes(path) && !NAMESPACES.includes(path)
      ),
    ),
);
await section("namespaces", () => inPairs(NAMESPACES));
await Deno.remove(oneFile, { recursive: true });
await section(
  "peers",
  async () => unskipped(await inPairs(PEERS_TOO.flatMap(findTests))),
);
for (
  const path of [
    ...ALONE,
    ...["tests/attack", "tests/erasure", "tests/outage"].flatMap(findTests),
  ]
) {
  const run = { name: path, paths: [path], args: ARGS, shown: true };
  await section(path, () => runTests({ ...run, withinMs: FILE_WITHIN_MS }));
}
console.log(`\n${lastLine(total)}`);
Deno.exit(total.failed > 0 ? 1 : 0);
