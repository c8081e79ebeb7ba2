/**
 * The break-in drill: starts every role's jail with a hostile script in the
 * role's place, and tells what got through.
 *
 * The scripts run as the roles' users, never as root, whatever walls are
 * taken away to see which one it was.
 */
import type { RoleName } from "../ipc/call.ts";
import type { Act, Mode } from "../walls/drill/act.ts";
import { actsFor } from "../walls/drill/acts.ts";
import {
  type Attempts,
  EXPERIMENTS,
  judge,
} from "../walls/drill/attribution.ts";
import type { RoleManifest, Site } from "../walls/manifest.ts";
import type { Installation, Weakened } from "../walls/render.ts";
import type { Wall } from "../walls/drill/act.ts";
import { HostileProcess } from "./drill_jail.ts";
import { type Aims, prepareAims } from "./drill_targets.ts";

export { drillReport, type DrillResult } from "../walls/drill/report.ts";

/** What is drilled. */
export interface DrillOptions {
  readonly site: Site;
  /** Every role's manifest: they also say which edges there are. */
  readonly manifests: readonly RoleManifest[];
  /** The installation; its bundle must know `hostile` and `jail`. */
  readonly installation: Installation;
  /** Drills these only; all if absent. */
  readonly roles?: readonly RoleName[];
  /** TCP port that no role may connect to; the kernel's choice if absent. */
  readonly tcpPort?: number;
  /** Told what is being done, a line at a time. */
  readonly onProgress?: (text: string) => void;
}

// More would only make each slower.
const JAILS_AT_ONCE = 4;

/**
 * Runs the drill.
 *
 * @returns Every act of every role and mode
 * @throws {Error} If a target cannot be prepared: nothing is proved then
 */
export async function runDrill(
  options: DrillOptions,
): Promise<{ acts: Act[] }> {
  const tell = options.onProgress ?? (() => {});
  tell("drill: preparing targets");
  const aims = await prepareAims(options);
  try {
    const slots = new Slots(JAILS_AT_ONCE);
    const drilled = options.manifests.filter((one) =>
      options.roles?.includes(one.name) ?? true
    );
    const results = await Promise.all(drilled.map(async (manifest) => {
      const acts = await drillRole(manifest, { options, aims, slots });
      const through = acts.filter((one) => !one.denied).length;
      tell(
        `drill: ${manifest.name}: ${acts.length} acts, ${through} not denied`,
      );
      return acts;
    }));
    return { acts: results.flat() };
  } finally {
    await aims.clear();
  }
}

async function drillRole(
  manifest: RoleManifest,
  { options, aims, slots }: {
    options: DrillOptions;
    aims: Aims;
    slots: Slots;
  },
): Promise<Act[]> {
  const attempt = (mode: Mode, weakened: Weakened): Promise<Attempts> =>
    slots.run(async () => {
      const hostile = new HostileProcess({ ...options, manifest, weakened }, {
        libc: options.installation.libc,
        acts: actsFor(manifest.name, mode, aims.targetsOf(manifest.name)),
        bait: [],
        stay: false,
      });
      const attempts = await hostile.end();
      return new Map(attempts.map((one) => [one.act, one]));
    });
  const [flags, kernel, ...experiments] = await Promise.all([
    attempt("flags", {}),
    attempt("kernel", { denoOff: true }),
    ...EXPERIMENTS.map(async ({ wall, weakened }) =>
      [wall, await attempt("kernel", weakened)] as const
    ),
  ]);
  const targets = aims.targetsOf(manifest.name);
  const acts = {
    flags: actsFor(manifest.name, "flags", targets),
    kernel: actsFor(manifest.name, "kernel", targets),
  };
  return judge(manifest.name, acts, {
    flags: flags!,
    kernel: kernel!,
    experiments: new Map<Wall, Attempts>(experiments),
  });
}

/** Lets so many run at once. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#free--;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
