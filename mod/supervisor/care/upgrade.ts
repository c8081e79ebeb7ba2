/**
 * An older home and this program: what is checked, changed, tried, and undone.
 *
 *     step       what is done                              a crash after it
 *     make       users and places that are missing         harmless: an older
 *                                                          program passes over them
 *     prepare    copies of the databases, brought up to    copies that the next
 *                date, compared, read row by row           try makes anew
 *     journal    `upgrade.json`, stage `trial`             undone by the next start
 *     spool      segments and passwords to their places    the same
 *     switch     the copies take the databases' names      the same
 *     open       the configuration and every role's part   the same
 *     trial      the server starts; the queue accepts      the same
 *                and delivers nothing
 *     well       stage `well`, then `format.json`          no way back: mail flows
 *     forget     what was kept goes, overwritten           forgotten by the next start
 *
 * Up to `trial` whatever fails is undone at once. From `well` on nothing is
 * undone, whatever happens: mail may have been accepted, and only the new
 * state knows of it. The order of that moment: `well` is on disk before the
 * queue is told that it may begin.
 *
 * The keys and the sealed contents stay where they are: a second copy of a
 * key would outlive its message.
 */
import type { Rehearsal } from "../../queue/care_ipc.ts";
import type { Accounts } from "../accounts.ts";
import { makePlaces } from "../home.ts";
import type { Paths } from "../plan.ts";
import { lookAt } from "../replace_file.ts";
import { type HomeFormat, writeFormat } from "./format_file.ts";
import {
  forgetKept,
  missingPlaces,
  movePasswords,
  movePasswordsBack,
  moveSpool,
  moveSpoolBack,
  spoolFacts,
} from "./old_layout.ts";
import {
  readJournal,
  removeJournal,
  type UpgradeJournal,
  writeJournal,
} from "./upgrade_journal.ts";
import { wordsOf } from "./words.ts";

/** What an upgrade works on; a test's has no jail. */
export interface UpgradeWorld {
  readonly paths: Paths;
  readonly accounts: Accounts | null;
  /** Runs one of `mod/queue/upgrade_io.ts` in the queue's jail. */
  readonly queue: QueueUpgrade;
  /** What the new program finds wrong with the home as it is now. */
  check(): readonly string[];
  /** Free octets where the databases lie. */
  freeBytes(): number;
  /** Before each step; a test ends there. */
  step(name: string): Promise<void>;
}

/** See {@link UpgradeWorld}. */
export interface QueueUpgrade {
  prepare(): Promise<Rehearsal>;
  switch(): Promise<void>;
  undo(): Promise<"undone" | "kept">;
  forget(): Promise<void>;
}

/** Why an upgrade did not take place. The home is as it was. */
export class UpgradeRefused extends Error {
  override name = "UpgradeRefused";
  constructor(readonly faults: readonly string[]) {
    super(faults.join("; "));
  }
}

/** Room beside the copies: logs, and the mail that comes meanwhile. */
const ROOM_BESIDE = 32 * 1_048_576;

/**
 * Brings the home up to the trial. Call {@link commit} when the new server is
 * ready, or {@link undo}.
 *
 * @returns What the rehearsal said; undefined if no database had to change
 * @throws {UpgradeRefused} The home is as it was
 */
export async function upgrade(
  world: UpgradeWorld,
  found: HomeFormat,
): Promise<Rehearsal | undefined> {
  const { paths, accounts } = world;
  checkRoom(world);
  await world.step("make");
  makePlaces(missingPlacesOf(world, found), accounts);
  await world.step("prepare");
  const rehearsal = await refusing(() => world.queue.prepare());
  checkSegments(paths, rehearsal);
  const isFirstLayout = found.versions.home < 2;
  await world.step("journal");
  writeJournal(paths.home, {
    stage: "trial",
    spool: isFirstLayout ? spoolFacts(paths) : null,
  });
  try {
    if (isFirstLayout) {
      await world.step("spool");
      moveSpool(paths, accounts);
    }
    await world.step("passwords");
    movePasswords(paths, accounts);
    await world.step("switch");
    await world.queue.switch();
    await world.step("open");
    const faults = world.check();
    if (faults.length > 0) throw new UpgradeRefused(faults);
  } catch (error) {
    await undo(world);
    throw error instanceof UpgradeRefused
      ? error
      : new UpgradeRefused([wordsOf(error)]);
  }
  await world.step("trial");
  return rehearsal;
}

/**
 * Only what the older program did not know: what it made and is gone, somebody
 * took away, and perhaps a disk is not mounted.
 */
function missingPlacesOf({ paths }: UpgradeWorld, found: HomeFormat) {
  const missing = missingPlaces(paths);
  const gone = missing.filter(({ path }) => {
    const name = path === paths.home ? "." : path.slice(paths.home.length + 1);
    // Empty at each boot, where it lies elsewhere.
    return path !== paths.runDir && found.places.includes(name);
  });
  if (gone.length > 0) {
    throw new UpgradeRefused(
      gone.map(({ path }) =>
        `${path} is missing, and the program before this one had made it: is a ` +
        "disk not mounted? Nothing was changed"
      ),
    );
  }
  return missing;
}

function checkRoom(world: UpgradeWorld): void {
  const { queueDir, eventsDir } = world.paths;
  const files = [`${queueDir}/queue.db`, `${eventsDir}/events.db`]
    .flatMap((path) => [path, `${path}-wal`]);
  const bytes = files.reduce((sum, path) => sum + sizeOf(path), 0);
  // The copy, and its log while it is brought up to date.
  const needed = 2 * bytes + ROOM_BESIDE;
  const free = world.freeBytes();
  if (free >= needed) return;
  throw new UpgradeRefused([
    `${queueDir} has ${mib(free)} free, and to upgrade it needs ` +
    `${mib(needed)} for copies: make room. Nothing was changed`,
  ]);
}

// All of them gone is a disk that is not mounted; one is damage of old.
function checkSegments(paths: Paths, { segments }: Rehearsal): void {
  const isThere = (name: string) =>
    /^[a-z]+-[0-9a-f]{16}$/.test(name) &&
    [paths.spoolDir, paths.spentDir, `${paths.home}/spool`]
      .some((dir) => sizeOf(`${dir}/${name}.seg`) > 0);
  if (segments.length === 0 || segments.some(isThere)) return;
  throw new UpgradeRefused([
    `no content of the messages in the queue is in ${paths.home}/spool: is a ` +
    "disk not mounted? Nothing was changed",
  ]);
}

function sizeOf(path: string): number {
  return lookAt(path)?.size ?? 0;
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new UpgradeRefused([wordsOf(error)]);
  }
}

/**
 * The new server is ready: from here on there is no way back. Nothing may be
 * accepted or delivered before this returns.
 */
export async function commit(world: UpgradeWorld): Promise<void> {
  const { paths } = world;
  const journal = readJournal(paths.home);
  await world.step("well");
  if (journal !== undefined) {
    writeJournal(paths.home, { ...journal, stage: "well" });
  }
  await world.step("format");
  writeFormat(paths);
}

/**
 * Puts back what {@link upgrade} changed.
 *
 * @returns False if mail was accepted or delivered, so that the new state
 * stays; the journal says so from then on
 */
export async function undo(world: UpgradeWorld): Promise<boolean> {
  const { paths } = world;
  const journal = readJournal(paths.home);
  if (journal === undefined) return true;
  await world.step("undo-switch");
  if (await world.queue.undo() === "kept") {
    await commit(world);
    return false;
  }
  await world.step("undo-passwords");
  movePasswordsBack(paths);
  if (journal.spool !== null) {
    await world.step("undo-spool");
    moveSpoolBack(paths, journal.spool);
  }
  await world.step("undo-kept");
  forgetKept(paths);
  await world.step("undo-journal");
  removeJournal(paths.home);
  return true;
}

/** What is to be done about an upgrade that a former process began. */
export function leftBy(
  journal: UpgradeJournal | undefined,
): "nothing" | "undo" | "forget" {
  if (journal === undefined) return "nothing";
  return journal.stage === "trial" ? "undo" : "forget";
}

/** The new server was well for a while: what was kept goes. */
export async function forget(world: UpgradeWorld): Promise<void> {
  const { paths } = world;
  await world.step("forget-databases");
  await world.queue.forget();
  await world.step("forget-kept");
  forgetKept(paths);
  await world.step("forget-journal");
  removeJournal(paths.home);
}

function mib(octets: number): string {
  return `${Math.ceil(octets / 1_048_576)} MiB`;
}
