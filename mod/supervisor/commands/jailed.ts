/**
 * Runs a one-shot program in a role's jail and returns what it printed. The
 * command line reads the queue's files this way: what a taken-over queue
 * wrote there is never parsed by root.
 */
import { visible } from "../../core/visible.ts";
import type { RoleName } from "../../ipc/call.ts";
import { jailCommand, renderWalls } from "../../walls/render.ts";
import { install } from "../installation.ts";
import type { Accounts } from "../accounts.ts";
import type { Paths } from "../plan.ts";
import type { ServerPlan } from "../supervisor.ts";

/** Longest time that a one-shot program may take. */
const WITHIN_MS = 300_000;

/** What came of a run. */
export interface JailedRun {
  readonly code: number;
  readonly out: string;
  /** The same as it came. */
  readonly bytes: Uint8Array;
  /** The last log lines, for people. */
  readonly errors: string;
}

/** What a jail is rendered from: an opened installation, or less. */
export interface JailSite {
  readonly paths: Pick<Paths, "home">;
  readonly accounts: Accounts | null;
  readonly plan: Pick<ServerPlan, "site" | "manifests">;
}

/** What {@link runJailed} may be told beside. */
export interface Jailing {
  /** Standard input; nothing if left out. */
  readonly input?: Uint8Array<ArrayBuffer>;
  /** @default {300_000} */
  readonly withinMs?: number;
}

/** Runs `bulkhead ARGS` in the jail of `role`. */
export async function runJailed(
  opened: JailSite,
  role: RoleName,
  args: readonly string[],
  programs: ReadonlyMap<string, string>,
  { input, withinMs = WITHIN_MS }: Jailing = {},
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
  const child = new Deno.Command(command, {
    args: jailArgs,
    cwd: "/",
    clearEnv: true,
    env: { NO_COLOR: "1", DENO_DIR: "/dev/null" },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(withinMs),
  }).spawn();
  const [run] = await Promise.all([
    child.output(),
    input === undefined ? undefined : feed(child, input),
  ]);
  const decoder = new TextDecoder();
  return {
    code: run.code,
    out: decoder.decode(run.stdout),
    bytes: run.stdout,
    // It goes to root's terminal.
    errors: decoder.decode(run.stderr).trim().split("\n")
      .map((line) => visible(line, "?")).join("\n"),
  };
}

/** Runs `bulkhead inspect QUEUE EVENTS ARGS` in the jail of the queue. */
export function inspectQueue(
  opened: JailSite,
  programs: ReadonlyMap<string, string>,
  ...args: readonly string[]
): Promise<JailedRun> {
  const { queueDir, eventsDir } = opened.plan.site;
  const words = ["inspect", queueDir, eventsDir, ...args];
  return runJailed(opened, "queue", words, programs);
}

/** Who ends before it has read all says why in another way. */
async function feed(
  child: Deno.ChildProcess,
  input: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(input);
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
