/** Running other programs, always with an end. */

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** What a program left. */
export interface Ran {
  readonly ok: boolean;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a program to its end, or kills it.
 *
 * @returns Not ok if it failed, if it was killed, or if it does not exist
 */
export async function attempt(
  line: readonly [string, ...string[]],
  withinMs = 60_000,
): Promise<Ran> {
  const decoder = new TextDecoder();
  const [program, ...args] = line;
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(withinMs),
    }).output();
    return {
      ok: success,
      out: decoder.decode(stdout).trim(),
      err: decoder.decode(stderr).trim(),
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { ok: false, out: "", err: `${program} is not installed` };
  }
}

/**
 * Runs a program that must not fail, and returns what it printed.
 *
 * @throws {Error} If it fails
 */
export async function run(
  line: readonly [string, ...string[]],
  withinMs = 60_000,
): Promise<string> {
  const { ok, out, err } = await attempt(line, withinMs);
  if (!ok) throw new Error(`Cannot run ${line.join(" ")}: ${err || out}`);
  return out;
}

/**
 * Asks again and again until the answer is yes.
 *
 * @returns Whether it became yes in time
 */
export async function until(
  isDone: () => boolean | Promise<boolean>,
  { withinMs, everyMs = 20 }: { withinMs: number; everyMs?: number },
): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!await isDone()) {
    if (performance.now() > end) return false;
    await sleep(everyMs);
  }
  return true;
}
