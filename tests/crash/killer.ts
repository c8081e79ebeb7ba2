/**
 * Kills random processes of a running server, the supervisor included: every
 * role as often as every other, as fast as their back-off allows.
 */
import { delay, type Installation } from "../system/server_fixture.ts";
import { childrenOf, isAlive } from "./crash_fixture.ts";

/** Between two kills. */
const PAUSE_MS = { min: 50, max: 500 };
/** A third early death costs a role 1 s, and every further one twice that. */
const MAX_EARLY = 3;
/** A role that lived for 10 s may die early again; ready within another. */
const RESTED_MS = 11_500;
/** Looks for a victim; then none of the roles ever comes back. */
const MAX_LOOKS = 600;

/** One kill. */
export interface Kill {
  /** Name of the role, or `supervisor`. */
  readonly role: string;
  /** Since the epoch. */
  readonly atMs: number;
}

/** See the head of this file. */
export class Killer {
  readonly kills: Kill[] = [];
  /** What the supervisors that were killed had logged. */
  readonly logs: string[] = [];
  readonly #made: Installation;
  readonly #roles: readonly string[];
  #early = new Map<string, { deaths: number; lastMs: number }>();

  constructor(made: Installation) {
    this.#made = made;
    this.#roles = ["supervisor", ...new Set(this.#living().keys())];
  }

  /** Names of those that may be killed. */
  get roles(): readonly string[] {
    return this.#roles;
  }

  /** Waits a moment and kills somebody. */
  async kill(): Promise<void> {
    const { min, max } = PAUSE_MS;
    await delay(min + Math.random() * (max - min));
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const role = this.#roles[Math.floor(Math.random() * this.#roles.length)]!;
      if (role === "supervisor") return await this.#killSupervisor();
      const pids = this.#isRested(role) ? this.#living().get(role) ?? [] : [];
      const pid = pids[Math.floor(Math.random() * pids.length)];
      if (pid === undefined) {
        await delay(20);
        continue;
      }
      Deno.kill(pid, "SIGKILL");
      this.#note(role);
      const { deaths = 0 } = this.#early.get(role) ?? {};
      this.#early.set(role, { deaths: deaths + 1, lastMs: performance.now() });
      return;
    }
    throw new Error(`No role lives long enough: ${this.#made.log()}`);
  }

  /** All that was logged since the first of them started. */
  log(): string {
    return [...this.logs, this.#made.log()].join("");
  }

  async #killSupervisor(): Promise<void> {
    const roles = childrenOf(this.#made.pid);
    Deno.kill(this.#made.pid, "SIGKILL");
    this.#note("supervisor");
    this.logs.push(this.#made.log());
    await this.#made.stop();
    await this.#made.start();
    this.#early = new Map();
    // Roles of the dead one end by themselves; nobody else would.
    for (let looks = 0; roles.some(isAlive); looks++) {
      if (looks > MAX_LOOKS) throw new Error("Roles outlive their supervisor");
      await delay(20);
    }
  }

  #note(role: string): void {
    this.kills.push({ role, atMs: Date.now() });
  }

  #isRested(role: string): boolean {
    const early = this.#early.get(role);
    if (early === undefined) return true;
    if (performance.now() - early.lastMs > RESTED_MS) this.#early.delete(role);
    return early.deaths < MAX_EARLY;
  }

  /** Process ids by the name of the role, which their arguments end with. */
  #living(): Map<string, number[]> {
    const found = new Map<string, number[]>();
    for (const pid of childrenOf(this.#made.pid)) {
      const role = roleOf(pid);
      if (role === undefined) continue;
      const pids = found.get(role);
      if (pids === undefined) found.set(role, [pid]);
      else pids.push(pid);
    }
    return found;
  }
}

/** The role of a process; undefined in its jail stage, or if it is gone. */
export function roleOf(pid: number): string | undefined {
  try {
    const args = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    return args.at(-3) === "role" ? args.at(-2) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
