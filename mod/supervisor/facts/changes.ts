/**
 * What changed over time and a moment's look does not show: restarts and
 * errors of late, jumps of the clock. Pure; the clocks are parameters.
 */
import { OFTEN_WITHIN_MS, SPOKEN_OF_MS } from "./warnings.ts";

/** The two clocks: one that people read, and one that only goes forward. */
export interface Clocks {
  readonly wallMs: number;
  readonly steadyMs: number;
}

/** Clocks that differ by more than this between two looks have jumped. */
const JUMP_MS = 60_000;
/** Moments kept of one kind. */
const KEPT = 1_000;

/** What a look sees of a process. */
export interface SeenRole {
  readonly instance: string;
  readonly restarts: number;
  readonly errors: number;
  readonly logged: { readonly error: number };
}

/** Remembers what changed. */
export class Changes {
  #clocks: Clocks | undefined;
  readonly #before = new Map<string, SeenRole>();
  #restarts: { readonly instance: string; readonly atMs: number }[] = [];
  #errors: { readonly instance: string; readonly atMs: number }[] = [];
  #logged: { readonly instance: string; readonly atMs: number }[] = [];
  #jumps: { readonly atMs: number; readonly byMs: number }[] = [];

  /** Looks, every second or so. */
  look(roles: readonly SeenRole[], clocks: Clocks): void {
    const atMs = clocks.steadyMs;
    if (this.#clocks !== undefined) {
      const byMs = (clocks.wallMs - this.#clocks.wallMs) -
        (clocks.steadyMs - this.#clocks.steadyMs);
      if (Math.abs(byMs) > JUMP_MS) {
        this.#jumps = [...this.#jumps, { atMs: clocks.wallMs, byMs }].slice(-9);
      }
    }
    this.#clocks = clocks;
    for (const role of roles) {
      const { instance } = role;
      const before = this.#before.get(instance);
      if (role.restarts > (before?.restarts ?? 0)) {
        this.#restarts.push({ instance, atMs });
      }
      if (role.errors > (before?.errors ?? 0)) {
        this.#errors.push({ instance, atMs });
      }
      if (role.logged.error > (before?.logged.error ?? 0)) {
        this.#logged.push({ instance, atMs });
      }
      this.#before.set(instance, role);
    }
    this.#restarts = since(this.#restarts, atMs - OFTEN_WITHIN_MS);
    this.#errors = since(this.#errors, atMs - SPOKEN_OF_MS);
    this.#logged = since(this.#logged, atMs - SPOKEN_OF_MS);
    this.#jumps = since(this.#jumps, clocks.wallMs - SPOKEN_OF_MS);
  }

  /** Restarts of the last ten minutes, by process. */
  get restarts(): ReadonlyMap<string, number> {
    return counted(this.#restarts);
  }

  /** Ends by an error within a day, by process. */
  get errors(): ReadonlyMap<string, number> {
    return counted(this.#errors);
  }

  /** Moments of a day in which a process logged errors. */
  get logged(): ReadonlyMap<string, number> {
    return counted(this.#logged);
  }

  /** Jumps of the clock within a day. */
  get jumps(): readonly { readonly atMs: number; readonly byMs: number }[] {
    return this.#jumps;
  }
}

function since<T extends { readonly atMs: number }>(
  moments: readonly T[],
  fromMs: number,
): T[] {
  return moments.filter(({ atMs }) => atMs >= fromMs).slice(-KEPT);
}

function counted(
  moments: readonly { readonly instance: string }[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { instance } of moments) {
    counts.set(instance, (counts.get(instance) ?? 0) + 1);
  }
  return counts;
}
