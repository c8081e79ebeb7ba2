/** Runs `deno test` and believes nothing but its own summary. */

/** One run of `deno test`. */
export interface TestRun {
  /** Printed before and after it. */
  readonly name: string;
  /** Files or folders. */
  readonly paths: readonly string[];
  readonly args?: readonly string[];
  /** Variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** After this it is killed, with all that it started, and has failed. */
  readonly withinMs: number;
  /** What it prints is passed on as it comes; else only if it fails. */
  readonly shown: boolean;
}

/** Tests by what became of them. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Nothing yet. */
export const NO_TESTS: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Adds two counts. */
export function sum(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/**
 * The line that a whole run ends with: `N passed, N failed`, and
 * `, N skipped` if any was.
 */
export function lastLine({ passed, failed, skipped }: Counts): string {
  const more = skipped > 0 ? `, ${skipped} skipped` : "";
  return `${passed} passed, ${failed} failed${more}`;
}

/**
 * Reads Deno's summary, the last such line of its output:
 * `ok | 1 passed (2 steps) | 0 failed | 1 ignored (3ms)`.
 *
 * @returns undefined if there is none
 */
export function parseSummary(output: string): Counts | undefined {
  const summary = output.split("\n").findLast((line) =>
    /^(ok|FAILED) \| \d+ passed/.test(line)
  );
  if (summary === undefined) return undefined;
  const count = (what: string) =>
    Number(new RegExp(`\\| (\\d+) ${what}`).exec(summary)?.[1] ?? 0);
  return {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("ignored"),
  };
}

/**
 * Counts of a finished run.
 *
 * A run without a summary (it crashed, it did not compile) is a failure; so is
 * one that ended badly without naming a test.
 */
export function countsOf(output: string, success: boolean): Counts {
  const counts = parseSummary(output);
  if (counts === undefined) return { ...NO_TESTS, failed: 1 };
  if (!success && counts.failed === 0) return { ...counts, failed: 1 };
  return counts;
}

/** All `*_test.ts` below a folder, sorted; none if there is no such folder. */
export function findTests(folder: string): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return entries.flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return findTests(path);
    return name.endsWith("_test.ts") ? [path] : [];
  }).sort();
}

/** Runs one; see {@link countsOf} for what is counted. */
export async function runTests(run: TestRun): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--frozen", ...run.args ?? [], ...run.paths],
    env: { NO_COLOR: "1", ...run.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // A group of its own, so that servers that a dying test left go too.
    detached: true,
  }).spawn();
  const killAll = () => {
    try {
      Deno.kill(-child.pid, "SIGKILL");
    } catch {
      // The group is empty: nothing was left.
    }
  };
  const stop = () => {
    killAll();
    // Others run beside this one, and are told of the signal too.
    setTimeout(() => Deno.exit(130), 0);
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, stop);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killAll();
  }, run.withinMs);
  const [out, err, status] = await Promise.all([
    collect(child.stdout, run.shown),
    collect(child.stderr, run.shown),
    child.status,
  ]);
  clearTimeout(timer);
  killAll();
  for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, stop);
  const counts = late
    ? { ...NO_TESTS, failed: 1 }
    : countsOf(out, status.success);
  if (!run.shown && counts.failed > 0) console.log(out + err);
  if (late) {
    console.log(`${run.name}: killed after ${run.withinMs / 1_000} s`);
  }
  return counts;
}

/**
 * Runs test files side by side, a process for each: `deno test --parallel`
 * would put them all into one, where they share the umask, the working
 * directory and what is measured of memory.
 *
 * @param shown Prints a line for each file; what a failing one says always is
 */
export async function runSideBySide(
  paths: readonly string[],
  options: {
    withinMs: number;
    args: readonly string[];
    shown: boolean;
    /** Variables of a file's environment. */
    envOf?: (path: string) => Readonly<Record<string, string>>;
    /** Files at once; one a processor if not given. */
    atOnce?: number;
  },
): Promise<Counts> {
  const waiting = [...paths];
  let total = NO_TESTS;
  const work = async () => {
    for (let path; (path = waiting.shift()) !== undefined;) {
      const { args, withinMs } = options;
      const env = options.envOf?.(path) ?? {};
      const paths = [path];
      const run = { name: path, paths, args, env, withinMs, shown: false };
      const from = performance.now();
      const counts = await runTests(run);
      total = sum(total, counts);
      if (options.shown || counts.failed > 0) {
        const seconds = ((performance.now() - from) / 1_000).toFixed(1);
        console.log(`${path}: ${lastLine(counts)} in ${seconds} s`);
      }
    }
  };
  await Promise.all(
    Array.from(
      { length: options.atOnce ?? navigator.hardwareConcurrency },
      work,
    ),
  );
  return total;
}

/** Reads a pipe to its end, passing it on if `shown`. */
async function collect(
  pipe: ReadableStream<Uint8Array>,
  shown: boolean,
): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of pipe) {
    if (shown) await Deno.stdout.write(bytes);
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}
