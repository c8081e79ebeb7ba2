/**
 * `deno task fuzz [--seconds N | --sessions N] [--seed N]`: mutated sessions
 * against the SMTP server, in process, on all cores. One million if nothing is
 * said. `--only I` runs one of them alone and shows it.
 *
 * Exit code 1 if one failed; it is printed with its seed, cut down to what
 * makes it fail.
 */
import { TextLineStream } from "./text_lines.ts";
import { Campaign, kindOf, MAX_SESSION_MS } from "../tests/attack/campaign.ts";
import { attack } from "../tests/attack/attacked_session.ts";
import { BLOCK, type BlockReport } from "../tests/attack/fuzz_worker.ts";
import { minimise } from "../tests/attack/minimise.ts";
import { printScript } from "../tests/attack/session_script.ts";

const USAGE =
  "deno task fuzz [--seconds N | --sessions N] [--seed N] [--only I]";
const USAGE_EXIT = 64;
const MILLION = 1_000_000;
/** A worker's heap may be this much larger at its end than early on. */
const MAX_GROWTH_BYTES = 5e6;

interface Choices {
  readonly seed: number;
  readonly sessions: number;
  readonly untilMs: number;
  readonly only: number | undefined;
}

/** Reads the command line; undefined if it cannot be meant. */
export function choices(args: readonly string[]): Choices | undefined {
  const given = new Map<string, number>();
  for (let at = 0; at < args.length; at += 2) {
    const value = Number(args[at + 1]);
    const isKnown = ["--seconds", "--sessions", "--seed", "--only"]
      .includes(args[at]!);
    if (!isKnown || !Number.isInteger(value) || value < 0) return undefined;
    given.set(args[at]!, value);
  }
  const seconds = given.get("--seconds");
  if (seconds !== undefined && given.has("--sessions")) return undefined;
  return {
    seed: given.get("--seed") ?? Math.floor(Math.random() * 2 ** 31),
    sessions: given.get("--sessions") ??
      (seconds === undefined ? MILLION : Number.MAX_SAFE_INTEGER),
    untilMs: seconds === undefined
      ? Number.MAX_SAFE_INTEGER
      : Date.now() + 1_000 * seconds,
    only: given.get("--only"),
  };
}

/** What one worker said. */
interface Heard {
  readonly reports: BlockReport[];
  /** Died, in the block that begins here. */
  readonly diedAt: number | undefined;
}

async function work(
  { seed, sessions, untilMs }: Choices,
  { first, stride }: { first: number; stride: number },
): Promise<Heard> {
  const worker = new URL("../tests/attack/fuzz_worker.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", worker.pathname]
      .concat([seed, first, sessions, stride, untilMs].map(String)),
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reports: BlockReport[] = [];
  let begun = first;
  const lines = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const said = JSON.parse(line) as { begins: number } | BlockReport;
    if ("begins" in said) begun = said.begins;
    else reports.push(said);
  }
  const { success } = await child.status;
  return { reports, diedAt: success ? undefined : begun };
}

/** Prints one failure, as small as it gets. */
async function show(
  seed: number,
  { index, faults }: BlockReport["findings"][number],
): Promise<void> {
  console.log(`\nFAILED: seed ${seed}, session ${index}`);
  for (const fault of faults) console.log(`  ${fault}`);
  using campaign = new Campaign(seed);
  const kind = kindOf(faults[0]!);
  const small = await minimise(
    campaign.script(index),
    async (script) =>
      (await campaign.faultsOf(script))
        .some((fault) => kindOf(fault) === kind),
  );
  console.log(`  ${printScript(small)}`);
  const { written } = await attack(small);
  for (const line of written.slice(0, 2_000).split("\r\n")) {
    console.log(`  S: ${line}`);
  }
  console.log(`Again: deno task fuzz --seed ${seed} --only ${index}`);
}

/** True if the heap at the end is what it was early on. */
function isFlat(reports: readonly BlockReport[]): boolean {
  const heaps = reports.map(({ heapBytes }) => heapBytes);
  if (heaps.length < 3) return true;
  // The first blocks compile and fill caches.
  return heaps.at(-1)! - Math.max(heaps[0]!, heaps[1]!) < MAX_GROWTH_BYTES;
}

async function fuzz(choices: Choices): Promise<boolean> {
  const { seed } = choices;
  const stride = navigator.hardwareConcurrency;
  const began = performance.now();
  const heard = await Promise.all(
    Array.from(
      { length: stride },
      (_, nth) => work(choices, { first: nth * BLOCK, stride }),
    ),
  );
  const seconds = (performance.now() - began) / 1_000;
  const reports = heard.flatMap(({ reports }) => reports);
  const sum = (of: (report: BlockReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const sessions = sum(({ from, to }) => to - from);
  const slowest = reports.toSorted((a, b) => b.slowestMs - a.slowestMs).at(0);
  console.log(
    `seed ${seed}: ${sessions} sessions in ${seconds.toFixed(1)} s ` +
      `(${Math.round(sessions / seconds)}/s), ` +
      `${sum(({ accepted }) => accepted)} messages accepted`,
  );
  console.log(
    `slowest: ${slowest?.slowestMs.toFixed(1)} ms ` +
      `(session ${slowest?.slowestIndex}; ${MAX_SESSION_MS} ms are allowed)`,
  );
  for (const { reports } of heard) {
    const heaps = reports.map(({ heapBytes }) => (heapBytes / 1e6).toFixed(1));
    const shown = heaps.length > 12
      ? [...heaps.slice(0, 6), "...", ...heaps.slice(-6)]
      : heaps;
    console.log(`heap in MB, block after block: ${shown.join(" ")}`);
  }
  let isGood = true;
  for (const { diedAt, reports } of heard) {
    if (diedAt !== undefined) {
      console.log(`FAILED: a worker died in the block from ${diedAt}`);
      isGood = false;
    }
    if (!isFlat(reports)) {
      console.log("FAILED: memory grows");
      isGood = false;
    }
  }
  const findings = reports.flatMap(({ findings }) => findings);
  const kinds = new Map(findings.map((one) => [kindOf(one.faults[0]!), one]));
  for (const finding of kinds.values()) await show(seed, finding);
  return isGood && findings.length === 0;
}

if (import.meta.main) {
  const chosen = choices(Deno.args);
  if (chosen === undefined) {
    console.error(USAGE);
    Deno.exit(USAGE_EXIT);
  }
  const { seed, only } = chosen;
  if (only === undefined) Deno.exit(await fuzz(chosen) ? 0 : 1);
  using campaign = new Campaign(seed);
  const faults = await campaign.faultsOf(campaign.script(only));
  if (faults.length > 0) await show(seed, { index: only, faults });
  else console.log(printScript(campaign.script(only)), "\nheld");
  Deno.exit(faults.length > 0 ? 1 : 0);
}
