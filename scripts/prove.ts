/**
 * `deno task prove [NAME...]`: the proofs of tests/attack, tests/crash,
 * tests/erasure and tests/outage in full size, all of them or those named. In `deno task test` the same files
 * run small.
 *
 * Prints what each showed, with numbers. Exit code 1 if one failed, or could
 * not be run here: a proof that was skipped has shown nothing.
 */
import { type Counts, runTests } from "./test_runs.ts";

const MINUTE_MS = 60_000;
const USAGE_EXIT = 64;

/** One proof. */
export interface Proof {
  readonly name: string;
  /** What it shows, in one line. */
  readonly shows: string;
  readonly path: string;
  readonly withinMs: number;
}

/** All there are. */
export const PROOFS: readonly Proof[] = [
  {
    name: "crash-states",
    shows: "600 power cuts on paper, half of them with reordered writes",
    path: "tests/crash/crash_states_test.ts",
    withinMs: 15 * MINUTE_MS,
  },
  {
    name: "power-cut",
    shows: "20 power cuts under load on each of ext4 and xfs",
    path: "tests/crash/power_cut_test.ts",
    withinMs: 15 * MINUTE_MS,
  },
  {
    name: "disk-full",
    shows: "disks that are full, without inodes, or read-only",
    path: "tests/crash/disk_full_test.ts",
    withinMs: 5 * MINUTE_MS,
  },
  {
    name: "kill-loop",
    shows: "10,000 messages while anybody is killed, the supervisor too",
    path: "tests/crash/kill_loop_test.ts",
    withinMs: 10 * MINUTE_MS,
  },
  {
    name: "odd-kills",
    shows: "deaths together, in mid-stream, in recovery; roles that hang",
    path: "tests/crash/odd_kills_test.ts",
    withinMs: 5 * MINUTE_MS,
  },
  {
    name: "nth-failure",
    shows: "every call that touches the disk fails once, in each role",
    path: "tests/crash/nth_failure_test.ts",
    withinMs: 15 * MINUTE_MS,
  },
  {
    name: "start-failure",
    shows: "the same while the server starts",
    path: "tests/crash/start_failure_test.ts",
    withinMs: 10 * MINUTE_MS,
  },
  {
    name: "erasure",
    shows: "1,000 delivered messages leave no trace on four file systems",
    path: "tests/erasure/erasure_test.ts",
    withinMs: 30 * MINUTE_MS,
  },
  {
    name: "smuggling",
    shows: "no sequence of octets makes two messages out of one",
    path: "tests/attack/smuggling_test.ts",
    withinMs: 15 * MINUTE_MS,
  },
  {
    name: "strangers",
    shows: "no form of address is relayed; VRFY and EXPN tell nothing",
    path: "tests/attack/strangers_test.ts",
    withinMs: 5 * MINUTE_MS,
  },
  {
    name: "login-timing",
    shows: "logins that exist and logins that do not cost the same time",
    path: "tests/attack/login_timing_test.ts",
    withinMs: 10 * MINUTE_MS,
  },
  {
    name: "programs",
    shows: "no role runs a program, whatever an address says",
    path: "tests/attack/programs_test.ts",
    withinMs: 5 * MINUTE_MS,
  },
  {
    name: "hostile-floods",
    shows: "lines, headers, recipients and clients without an end",
    path: "tests/attack/hostile_floods_test.ts",
    withinMs: 10 * MINUTE_MS,
  },
  {
    name: "hostile-clients",
    shows:
      "1,000 clients drip, 10,000 come from one address; others are served",
    path: "tests/attack/hostile_clients_test.ts",
    withinMs: 10 * MINUTE_MS,
  },
  {
    name: "outage",
    shows:
      "a dead host with 50,000 messages, 100,000 due at once, a DNS that is down",
    path: "tests/outage/outage_test.ts",
    withinMs: 15 * MINUTE_MS,
  },
];

/**
 * The proofs that are meant: all if none is named.
 *
 * @returns The first name that there is not, if there is one
 */
export function proofsNamed(
  names: readonly string[],
): readonly Proof[] | { unknown: string } {
  const unknown = names.find((name) =>
    !PROOFS.some((proof) => proof.name === name)
  );
  if (unknown !== undefined) return { unknown };
  if (names.length === 0) return PROOFS;
  return PROOFS.filter(({ name }) => names.includes(name));
}

/** The text of `--help`. */
export function help(): string {
  const width = Math.max(...PROOFS.map(({ name }) => name.length));
  const lines = PROOFS.map(({ name, shows }) =>
    `  ${name.padEnd(width)}  ${shows}`
  );
  return "deno task prove [NAME...]\n\nRuns proofs in full size, as root:\n\n" +
    lines.join("\n");
}

/** Runs one; true if it held. */
async function prove({ name, path, withinMs }: Proof): Promise<boolean> {
  const from = performance.now();
  const reportFile = Deno.makeTempFileSync({ prefix: "bulkhead-proof-" });
  let counts: Counts;
  let told: string;
  try {
    Deno.env.set("BULKHEAD_PROOF", "full");
    Deno.env.set("BULKHEAD_PROOF_REPORT", reportFile);
    const args = ["--no-check"];
    counts = await runTests({
      name,
      paths: [path],
      args,
      withinMs,
      shown: false,
    });
    told = Deno.readTextFileSync(reportFile);
  } finally {
    Deno.removeSync(reportFile);
  }
  const { passed, failed, skipped } = counts;
  const held = failed === 0 && skipped === 0 && passed > 0;
  const word = held ? "ok  " : failed > 0 ? "FAIL" : "NOT RUN HERE";
  const seconds = Math.round((performance.now() - from) / 1_000);
  console.log(`${word} ${name}, ${seconds} s`);
  for (const line of told.split("\n")) {
    if (line !== "") console.log(`     ${line}`);
  }
  return held;
}

if (import.meta.main) {
  Deno.chdir(new URL("..", import.meta.url));
  if (Deno.args.includes("--help")) {
    console.log(help());
    Deno.exit(0);
  }
  const proofs = proofsNamed(Deno.args);
  if ("unknown" in proofs) {
    console.error(`There is no proof named ${proofs.unknown}.\n\n${help()}`);
    Deno.exit(USAGE_EXIT);
  }
  let all = true;
  for (const proof of proofs) all = await prove(proof) && all;
  Deno.exit(all ? 0 : 1);
}
