/**
 * What a start does about the version of a home, before anything else: refuses
 * one that is newer, undoes an upgrade that did not come to its end, and makes
 * one that is due. Root runs it, with the server's lock in its hand.
 */
import { statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { rehearsal, undoing } from "../../queue/care_ipc.ts";
import { openLibc, ownLibcPath } from "../../walls/libc.ts";
import type { Accounts } from "../accounts.ts";
import { type Paths, pathsOf } from "../plan.ts";
import { madeAccounts, openSite, readConfig } from "../site_io.ts";
import { takeLock } from "../sockets.ts";
import type { Config } from "../../config/settings.ts";
import type { ServerPlan } from "../supervisor.ts";
import {
  formatPath,
  newerFault,
  readFormat,
  standingOf,
} from "./format_file.ts";
import { forgetStage, hasLeftovers } from "./backup.ts";
import { type CareSite, careSite } from "./jail.ts";
import { askQueue } from "./read_contents.ts";
import {
  forget,
  leftBy,
  undo,
  upgrade,
  UpgradeRefused,
  type UpgradeWorld,
} from "./upgrade.ts";
import { readJournal } from "./upgrade_journal.ts";
import { endRestore, isRestoring } from "./restore.ts";
import { CareError, wordsOf } from "./words.ts";

/** Where events are told. */
export type Tell = (event: string, fields: Record<string, unknown>) => void;

/** How a home stands when the server is to start. */
export type BroughtUp =
  | { readonly kind: "ready" }
  /** Upgraded, and on trial: {@link UpgradeWorld} commits, undoes, forgets. */
  | {
    readonly kind: "trial";
    readonly world: UpgradeWorld;
    readonly lock: number;
    readonly what: readonly string[];
  }
  /** An upgrade went well, and what it kept is still there. */
  | { readonly kind: "well"; readonly world: UpgradeWorld }
  | { readonly kind: "busy"; readonly home: string }
  | { readonly kind: "fault"; readonly faults: readonly string[] };

/**
 * Brings the home up to this program, if it is older.
 *
 * @param tell Told of each thing that happens, for the log
 */
export async function bringUp(
  configPath: string,
  programs: ReadonlyMap<string, string>,
  tell: Tell,
): Promise<BroughtUp> {
  try {
    // The configuration may be among what has no place yet.
    await endRestoreOf(dirname(resolve(configPath)), tell);
  } catch (error) {
    return fault(wordsOf(error));
  }
  const read = readConfig(configPath);
  if (!read.ok) return { kind: "fault", faults: read.faults };
  const { config } = read;
  const paths = pathsOf(config.server.home);
  try {
    await endRestoreOf(paths.home, tell);
    const found = readFormat(paths.home);
    if (found.kind === "unreadable") {
      return fault(`${formatPath(paths.home)} cannot be used: ${found.why}`);
    }
    const standing = standingOf(found.format, paths);
    if (standing.kind === "newer") {
      return fault(newerFault(paths.home, found.format));
    }
    await forgetBackup(paths, () => {
      const accounts = accountsFor(config);
      return careSite({ config, accounts, programs });
    });
    const left = leftBy(readJournal(paths.home));
    if (standing.kind === "same" && left === "nothing") {
      return { kind: "ready" };
    }
    const lock = lockOf(paths.runDir);
    if (lock === undefined) return { kind: "busy", home: paths.home };
    const accounts = accountsFor(config);
    const world = worldOf(configPath, careSite({ config, accounts, programs }));
    if (left === "forget") {
      if (standing.kind === "same") {
        unlock(lock);
        return { kind: "well", world };
      }
      await forget(world);
    }
    if (left === "undo") {
      const isUndone = await undo(world);
      tell("upgrade-undone", { home: paths.home, isUndone });
      if (!isUndone || standing.kind === "same") {
        unlock(lock);
        return isUndone ? { kind: "ready" } : { kind: "well", world };
      }
    }
    const what = standing.kind === "older" ? standing.what : [];
    tell("upgrading", { home: paths.home, from: found.format.program, what });
    const said = await upgrade(world, found.format);
    tell("upgraded", { home: paths.home, ...said, segments: undefined });
    return { kind: "trial", world, lock, what };
  } catch (error) {
    if (error instanceof UpgradeRefused) {
      return { kind: "fault", faults: error.faults };
    }
    return fault(wordsOf(error));
  }
}

async function endRestoreOf(home: string, tell: Tell): Promise<void> {
  if (!isRestoring(home)) return;
  const lock = lockOf(pathsOf(home).runDir);
  if (lock === undefined) throw new CareError(`${home} is being restored`);
  await endRestore(home);
  unlock(lock);
  tell("restore-ended", { home });
}

/** Of one that was killed: it holds keys. One that is at work has its lock. */
async function forgetBackup(
  paths: Paths,
  site: () => CareSite,
): Promise<void> {
  if (!hasLeftovers(paths)) return;
  const lock = lockOf(paths.runDir, "backup.lock");
  if (lock === undefined) return;
  await forgetStage(site());
  unlock(lock);
}

function fault(text: string): BroughtUp {
  return { kind: "fault", faults: [text] };
}

/** The plan of a server on trial: its queue accepts and delivers nothing. */
export function onTrial(plan: ServerPlan): ServerPlan {
  const queue = plan.parts.get("queue") as Record<string, unknown>;
  return {
    ...plan,
    parts: new Map(plan.parts).set("queue", { ...queue, isTrial: true }),
  };
}

/** The accounts of all roles, with those of new ones made. */
function accountsFor(config: Config): Accounts | null {
  const made = madeAccounts(config);
  if (made.ok) return made.accounts;
  const { faults, why } = made;
  throw new UpgradeRefused([...faults, ...why === undefined ? [] : [why]]);
}

/** The server's lock; undefined if a server has it. */
export function lockOf(runDir: string, name = "lock"): number | undefined {
  return takeLock(openLibc(ownLibcPath()), `${runDir}/${name}`);
}

/** Gives it back. */
export function unlock(lock: number): void {
  openLibc(ownLibcPath()).close(lock);
}

/** The real world of an upgrade. */
export function worldOf(configPath: string, site: CareSite): UpgradeWorld {
  const { queueDir } = site.paths;
  const ask = (verb: string) => askQueue(site, verb);
  return {
    paths: site.paths,
    accounts: site.accounts,
    queue: {
      prepare: async () => rehearsal.parse(await ask("prepare")),
      switch: async () => void await ask("switch"),
      undo: async () => undoing.parse(await ask("undo")).did,
      forget: async () => void await ask("forget"),
    },
    check: () => faultsFor(configPath),
    freeBytes: () => {
      const { bavail, bsize } = statfsSync(queueDir);
      return Number(bavail) * Number(bsize);
    },
    step: () => Promise.resolve(),
  };
}

/** What this program finds wrong: the configuration, the tree, any part. */
function faultsFor(configPath: string): readonly string[] {
  const opening = openSite(configPath);
  if (!opening.ok) return opening.faults;
  const { plan } = opening.opened;
  return plan.manifests.flatMap(({ name, part }) => {
    const checked = part.safeParse(plan.parts.get(name));
    return checked.success ? [] : [
      `${name} would not take its part of the configuration: ${
        checked.error.message.slice(0, 300)
      }`,
    ];
  });
}
