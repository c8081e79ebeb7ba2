/** Exit codes of the command line, and how it says what went wrong. */
import { tamed, visible } from "../../core/visible.ts";

/** Exit codes, by meaning; sysexits(3) where it has one. */
export const EXIT = {
  ok: 0,
  /** The command ran, and what it looked for is not so (a drill that failed). */
  no: 1,
  /** The command line makes no sense. */
  usage: 64,
  /** What was asked for is not there. */
  notFound: 66,
  /** Something else runs or holds it. */
  busy: 75,
  /** Only root may. */
  permission: 77,
  /** The configuration, a file or a directory needs mending. */
  config: 78,
} as const;

/** What they mean, for the manual. */
export const EXIT_SAYS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "Done.",
  no: "It ran, and the answer is no: a role is down, an act of the drill " +
    "succeeded.",
  usage: "The command line makes no sense.",
  notFound: "A message, file or domain named on the command line is not there.",
  busy: "Something else runs or holds it.",
  permission: "Only root may.",
  config: "Something must be mended first: the configuration, a file, a " +
    "directory.",
};

/**
 * Prints faults to standard error, one a line, and returns the code. What a
 * jailed program said is among them: a terminal obeys none of it.
 */
export function fail(code: number, faults: readonly string[]): number {
  for (const fault of faults) {
    const lines = fault.split("\n").map((line) => visible(line, "?"));
    console.error(`bulkhead: ${lines.join("\n")}`);
  }
  return code;
}

/** The same for a configuration that cannot be used, or not by this user. */
export function failToOpen(
  { faults, isDenied }: {
    readonly faults: readonly string[];
    readonly isDenied?: boolean;
  },
): number {
  return fail(isDenied === true ? EXIT.permission : EXIT.config, faults);
}

/** Prints data: as JSON, or as `text` makes it for people. */
export function print(json: boolean, data: unknown, text: () => string): void {
  console.log(json ? tamed(JSON.stringify(data, null, 2)) : text());
}

/**
 * Runs a command that changes a machine: what the machine refuses (a disk that
 * is full, a place that cannot be written) is told in one line. A bug is not
 * caught.
 */
export async function faultsTold(
  command: () => Promise<number>,
): Promise<number> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return fail(EXIT.config, [error.message]);
  }
}
