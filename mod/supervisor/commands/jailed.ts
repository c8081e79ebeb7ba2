/**
 * Runs a one-shot program in a role's jail and returns what it printed. The
 * command line reads the queue's files this way: what a taken-over queue
 * wrote there is never parsed by root.
 */
import { visible } from "../../core/visible.ts";
import type { RoleName } from "../../ipc/call.ts";
import { jailCommand, renderWalls } from "../../walls/render.ts";
import { install } from "../installation.ts";
import type { Opened } from "../site_io.ts";

/** Longest time that a one-shot program may take. */
const WITHIN_MS = 300_000;

/** What came of a run. */
export interface JailedRun {
  readonly code: number;
  readonly out: string;
  /** The last log lines, for people. */
  readonly errors: string;
}

/** Runs `bulkhead ARGS` in the jail of `role`. */
export async function runJailed(
  opened: Opened,
  role: RoleName,
  args: readonly string[],
  programs: ReadonlyMap<string, string>,
): Promise<JailedRun> {
  const installation = await install(
    opened.paths.home,
    programs,
    opened.accounts,
  );
  const manifest = opened.plan.manifests.find((one) => one.name === role)!;
  const { spec } = renderWalls(
    { manifest, instance: `${role}.once`, plugs: [], fds: [] },
    opened.plan.site,
    installation,
    args,
  );
  const { command, args: jailArgs } = jailCommand(installation, spec);
  const run = await new Deno.Command(command, {
    args: jailArgs,
    cwd: "/",
    clearEnv: true,
    env: { NO_COLOR: "1", DENO_DIR: "/dev/null" },
    stdin: "null",
    signal: AbortSignal.timeout(WITHIN_MS),
  }).output();
  const decoder = new TextDecoder();
  return {
    code: run.code,
    out: decoder.decode(run.stdout),
    // It goes to root's terminal.
    errors: decoder.decode(run.stderr).trim().split("\n")
      .map((line) => visible(line, "?")).join("\n"),
  };
}
