/**
 * `run/status.json`: what the supervisor knows of its roles, rewritten every
 * second. A file and not a socket: so nobody can send the supervisor
 * anything.
 */
import type { ChildState } from "./child.ts";

/** What the file holds. */
export interface Status {
  readonly pid: number;
  readonly startedMs: number;
  readonly ready: boolean;
  readonly hostname: string;
  readonly version: string;
  /** The supervisor's own, as a role's. */
  readonly memoryBytes: number;
  /** What somebody should look at, in plain words. */
  readonly warnings: readonly string[];
  readonly roles: readonly {
    readonly instance: string;
    readonly state: ChildState;
    readonly pid: number | null;
    readonly restarts: number;
    /** Ends by an error of its own. */
    readonly errors: number;
    /** Lines of its log that are more than notices. */
    readonly logged: { readonly error: number; readonly warning: number };
    readonly upMs: number;
    /** Proportional set size, of some seconds ago; 0 if it is not known. */
    readonly memoryBytes: number;
    readonly counters: Readonly<Record<string, number>>;
  }[];
}

const NAME = "status.json";

/** Writes the file, atomically; a full disk is no reason to end a server. */
export function writeStatus(runDir: string, status: Status): void {
  const part = `${runDir}/.${NAME}.part`;
  try {
    Deno.writeTextFileSync(part, JSON.stringify(status), { mode: 0o644 });
    Deno.renameSync(part, `${runDir}/${NAME}`);
  } catch (error) {
    if (error instanceof TypeError) throw error;
  }
}

/**
 * Reads the status of a running server.
 *
 * @returns undefined if no server runs on this home
 */
export function readStatus(runDir: string): Status | undefined {
  const status = readLastStatus(runDir);
  return status !== undefined && isAlive(status.pid) ? status : undefined;
}

/** Reads what the last server wrote, whether or not it still runs. */
export function readLastStatus(runDir: string): Status | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${runDir}/${NAME}`));
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || error instanceof SyntaxError
    ) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    // Zombies count as dead; a process of another user answers here too.
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) Z /.test(stat);
  } catch {
    return false;
  }
}
