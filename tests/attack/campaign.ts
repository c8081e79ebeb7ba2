/**
 * Many attacks in a row, and what they showed. What goes wrong beside a
 * session (a rejection that nobody handles, memory that grows) is found here.
 */
import { attack } from "./attacked_session.ts";
import { dialogSeeds } from "./dialog_seeds.ts";
import { mutate } from "./mutations.ts";
import { Random } from "./random.ts";
import type { Script } from "./session_script.ts";

/** No session may take longer. */
export const MAX_SESSION_MS = 5_000;
/** Sessions between looks at what nobody handled. */
const BATCH = 50;

/** One attack that did not go well. */
export interface Finding {
  readonly index: number;
  readonly faults: readonly string[];
  readonly script: Script;
}

/** What many showed. */
export interface Tally {
  sessions: number;
  accepted: number;
  slowestMs: number;
  slowestIndex: number;
  readonly findings: Finding[];
}

/** Attacks `from` to `to` of a seed. */
export class Campaign {
  readonly tally: Tally = {
    sessions: 0,
    accepted: 0,
    slowestMs: 0,
    slowestIndex: -1,
    findings: [],
  };
  readonly #seed: number;
  readonly #seeds = dialogSeeds();
  readonly #unhandled: string[] = [];
  readonly #onUnhandled = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    const { reason } = event;
    this.#unhandled.push(reason instanceof Error ? reason.stack! : `${reason}`);
  };

  constructor(seed: number) {
    this.#seed = seed;
    globalThis.addEventListener("unhandledrejection", this.#onUnhandled);
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("unhandledrejection", this.#onUnhandled);
  }

  /** The script of one attack. */
  script(index: number): Script {
    return mutate(this.#seeds, Random.of(this.#seed, index));
  }

  /** Runs attacks [from, to). */
  async run(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += BATCH) {
      const end = Math.min(at + BATCH, to);
      for (let index = at; index < end; index++) await this.#one(index);
      if (await this.#strays() === undefined) continue;
      // One of these it was: each alone, to see which.
      for (let index = at; index < end; index++) {
        const faults = await this.faultsOf(this.script(index));
        if (faults.some(isStray)) this.#find(index, faults);
      }
    }
  }

  /** Runs one script, and waits for what it leaves behind. */
  async faultsOf(script: Script): Promise<readonly string[]> {
    const { faults } = await attack(script);
    const stray = await this.#strays();
    return stray === undefined ? faults : [...faults, stray];
  }

  async #one(index: number): Promise<void> {
    const { faults, accepted, cpuMs } = await attack(this.script(index));
    const tally = this.tally;
    tally.sessions++;
    tally.accepted += accepted.length;
    if (cpuMs > tally.slowestMs) {
      tally.slowestMs = cpuMs;
      tally.slowestIndex = index;
    }
    const late = cpuMs > MAX_SESSION_MS ? [`took ${cpuMs} ms`] : [];
    if (faults.length + late.length > 0) {
      this.#find(index, [...faults, ...late]);
    }
  }

  #find(index: number, faults: readonly string[]): void {
    this.tally.findings.push({ index, faults, script: this.script(index) });
  }

  /** What nobody handled since the last look. */
  async #strays(): Promise<string | undefined> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    const stray = this.#unhandled.splice(0).at(0);
    return stray === undefined ? undefined : `${STRAY}${stray}`;
  }
}

const STRAY = "unhandled rejection: ";

function isStray(fault: string): boolean {
  return fault.startsWith(STRAY);
}

/** Failures are the same if they begin alike: what differs is mostly data. */
export function kindOf(fault: string): string {
  return fault.replace(/[0-9]+/g, "N").slice(0, 30);
}

/** Heap in use when nothing is left to collect; needs `--expose-gc`. */
export async function settledHeap(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("Cannot measure: no --expose-gc");
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    gc();
  }
  return Deno.memoryUsage().heapUsed;
}
