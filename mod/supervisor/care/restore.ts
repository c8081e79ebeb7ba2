/**
 * Puts a backup in the place of a home.
 *
 *     step      what is done                             a crash after it
 *     unpack    everything into a directory in the       that directory is made
 *               home, each file summed up                anew by the next try
 *     owners    as this machine has the roles            the same
 *     verify    databases, keys, contents, in jails      the same
 *     switch    `restoring` is written: what goes        ended by the next start,
 *               aside, what comes                        or the next try
 *     aside     what was there goes to `before-restore`  the same
 *     place     what is restored comes to its place      the same
 *     tree      what no backup has is made               the same
 *     done      `restoring` goes
 *
 * Until `switch` nothing of the home is touched. Names move within the home
 * and not to a new one: it may be the mount point of a disk.
 */
import { faultText, loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/settings.ts";
import { list, object, text } from "../../ipc/schema.ts";
import type { Accounts } from "../accounts.ts";
import { makePlaces, placesOf } from "../home.ts";
import { type Paths, pathsOf } from "../plan.ts";
import { isThere, replaceFile, syncPath, writeAll } from "../replace_file.ts";
import { madeAccounts } from "../site_io.ts";
import { readLastStatus } from "../status_file.ts";
import { waitFor } from "../wait_for.ts";
import { newerFault, parseFormat, standingOf } from "./format_file.ts";
import { type AskRole, type CareSite, careSite } from "./jail.ts";
import { BadBackup, groupId, type Manifest, ownerId } from "./manifest.ts";
import { removeTree, syncTree } from "./sink_io.ts";
import { JUST_LOOKING, readBackup } from "./source_io.ts";
import { turnOf } from "./turn.ts";
import { type Verified, verifyMail } from "./verify.ts";
import { CareError } from "./words.ts";
import { dirname } from "node:path";

/** How to go about it. */
export interface RestoreOptions {
  readonly source: string;
  /** Where to; where the backup was made if left out. */
  readonly home?: string;
  /** What is there goes aside. */
  readonly replace: boolean;
  readonly programs: ReadonlyMap<string, string>;
  /** See {@link CareSite}. */
  readonly ask?: AskRole;
  /** Of the roles, if not as the backup's configuration says; for tests. */
  readonly accounts?: Accounts | null;
  readonly say: (text: string) => void;
  /** True when somebody wants it to end; from the switch on it does not. */
  readonly isStopped?: () => boolean;
  /** Refuses a home whose server runs; holds its lock. */
  readonly lock: (paths: Paths) => void;
  /** Before each step; a test ends there. */
  readonly step?: (name: string) => Promise<void>;
}

/** What came of it. */
export interface Restored {
  readonly home: string;
  /** The configuration file to start with. */
  readonly config: string;
  readonly manifest: Manifest;
  /** Where what was there is; null if nothing was. */
  readonly aside: string | null;
  readonly verified: readonly Verified[];
  readonly notes: readonly string[];
}

/** Begins the names of directories with what was there before a restore. */
export const ASIDE = "before-restore-";
const STAGE = "restore-in-the-making";
const MARK = "restoring";
/** The configuration of a backup whose own lay elsewhere. */
const OUTER_CONFIG = "configuration.toml";
/** Of a home's top: what does not hinder a restore, and stays. */
const STAYS: readonly string[] = ["run", "runtime", STAGE, MARK, "lost+found"];

const markShape = object({
  aside: text({ max: 64 }),
  old: list(text({ max: 256 }), { max: 10_000 }),
  fresh: list(text({ max: 256 }), { max: 10_000 }),
});

/**
 * Restores a backup.
 *
 * @throws {CareError} If it may not, or the backup is not whole: the home is
 * as it was
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const step = options.step ?? (() => Promise.resolve());
  const home = options.home ?? await homeOf(options.source);
  const paths = pathsOf(home);
  const isOurs = !isThere(home);
  Deno.mkdirSync(home, { recursive: true, mode: 0o755 });
  Deno.mkdirSync(paths.runDir, { recursive: true });
  options.lock(paths);
  await rolesGone(paths.runDir);
  // Of an earlier one that did not come to its end.
  await endRestore(home, step);
  const old = namesIn(home).filter((name) =>
    !STAYS.includes(name) && !name.startsWith(ASIDE)
  );
  if (old.length > 0 && !options.replace) {
    throw new CareError(
      `${home} is not empty: --replace moves what is there aside`,
    );
  }
  refuseMounts(home, old);
  const stage = `${home}/${STAGE}`;
  try {
    await step("unpack");
    removeTree(stage);
    const turn = turnOf(options.isStopped ?? (() => false));
    const manifest = await unpack(options, { stage, turn });
    await step("owners");
    const { config, accounts, configText } = accountsOf(
      manifest,
      stage,
      options.accounts,
    );
    give(manifest, { stage, accounts });
    await step("verify");
    await turn();
    const verifiedAll = await verifyMail({
      site: stagedSite(options, { config, accounts, home, stage }),
      deep: true,
      say: options.say,
    });
    const wrong = verifiedAll.filter(({ ok }) => !ok);
    if (wrong.some(({ what }) => what !== "contents")) {
      throw new CareError(
        wrong.map(({ what, says }) => `${what}: ${says}`).join("; "),
      );
    }
    removeTree(`${stage}/runtime`);
    removeTree(`${stage}/run`);
    const notes = placeConfig(manifest, { home, stage, configText });
    syncTree(stage);
    await turn();
    await step("switch");
    const aside = ASIDE + timeName(new Date());
    const mark = { aside, old, fresh: namesIn(stage) };
    replaceFile(`${home}/${MARK}`, JSON.stringify(mark), 0o600);
    await endRestore(home, step);
    return {
      home,
      config: notes.config,
      manifest,
      aside: old.length > 0 ? `${home}/${aside}` : null,
      verified: verifiedAll,
      notes: notes.texts,
    };
  } catch (error) {
    if (!isThere(`${home}/${MARK}`)) {
      removeTree(stage);
      if (isOurs && namesIn(home).every((name) => name === "run")) {
        removeTree(home);
      }
    }
    throw error;
  }
}

/** What is a mount point cannot be moved, and what one is in must not be. */
function refuseMounts(home: string, old: readonly string[]): void {
  const real = Deno.realPathSync(home);
  const mounts = mountPoints(Deno.readTextFileSync("/proc/self/mountinfo"));
  const hindering = mounts.filter((path) =>
    old.some((name) => `${path}/`.startsWith(`${real}/${name}/`))
  );
  if (hindering.length === 0) return;
  throw new CareError(
    `${hindering.join(", ")} is a disk of its own and cannot be moved aside: ` +
      "unmount it, restore, copy what was restored there to the disk, and " +
      "mount it again. Nothing was changed",
  );
}

/** Of proc(5)'s `mountinfo`, where an odd octet is written in octal. */
export function mountPoints(info: string): string[] {
  return info.split("\n").flatMap((line) => line.split(" ")[4] ?? [])
    .map((path) =>
      path.replaceAll(
        /\\([0-7]{3})/g,
        (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
      )
    );
}

/** `20261121-152217` */
function timeName(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")
    .replace("T", "-");
}

const ROLES_GONE_WITHIN_MS = 15_000;

/**
 * Waits for the roles of a server that was killed: a queue that closes its
 * database removes the log by its name, whosever that is by then.
 */
async function rolesGone(runDir: string): Promise<void> {
  const areGone = await waitFor(
    () => rolesLeft(runDir) ? undefined : true,
    ROLES_GONE_WITHIN_MS,
  );
  if (areGone === undefined) {
    throw new CareError("roles of a server that was killed are still there");
  }
}

/** By the status that the server left, whose lock is ours by now. */
function rolesLeft(runDir: string): boolean {
  return readLastStatus(runDir)?.roles.some(({ pid }) =>
    pid !== null && commandOf(pid).includes("\0role\0")
  ) ?? false;
}

function commandOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`);
  } catch {
    return ""; // it ended
  }
}

/** The manifest alone, for where the backup was made. */
async function homeOf(source: string): Promise<string> {
  if (source === "-") {
    throw new CareError("say --home: standard input can be read only once");
  }
  return (await readBackup(source, JUST_LOOKING)).header.home;
}

async function unpack(
  { source, say }: RestoreOptions,
  { stage, turn }: {
    readonly stage: string;
    readonly turn: () => Promise<void>;
  },
): Promise<Manifest> {
  Deno.mkdirSync(stage, { mode: 0o711 });
  Deno.chmodSync(stage, 0o711);
  return await readBackup(source, {
    async file(path, octets) {
      await turn();
      const to = `${stage}/${path}`;
      Deno.mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      using file = Deno.openSync(to, {
        createNew: true,
        write: true,
        mode: 0o600,
      });
      for await (const chunk of octets) writeAll(file, chunk);
      file.syncSync();
    },
  }, say);
}

/** The backup's own configuration, and the users that it asks for. */
function accountsOf(
  manifest: Manifest,
  stage: string,
  given: Accounts | null | undefined,
): { config: Config; accounts: Accounts | null; configText: string } {
  const { header } = manifest;
  const format = parseFormat(header.format);
  if (format.kind !== "found") throw new BadBackup("its format is unreadable");
  if (standingOf(format.format, pathsOf(header.home)).kind === "newer") {
    throw new CareError(newerFault("the backup", format.format));
  }
  const inner = header.config.startsWith(`${header.home}/`)
    ? header.config.slice(header.home.length + 1)
    : OUTER_CONFIG;
  const configText = Deno.readTextFileSync(`${stage}/${inner}`);
  const loaded = loadConfig(configText, header.config);
  if (!loaded.ok) {
    throw new CareError(
      `this program does not take the backup's configuration: ${
        loaded.faults.map((one) => faultText(header.config, one)).join("; ")
      }`,
    );
  }
  return {
    config: loaded.config,
    accounts: given === undefined ? usersOf(loaded.config) : given,
    configText,
  };
}

function usersOf(config: Config): Accounts | null {
  const made = madeAccounts(config);
  if (made.ok) return made.accounts;
  throw new CareError(`users of the roles cannot be made: ${made.why}`);
}

/** Owners and modes, the tree's by its table, all others by the manifest. */
function give(
  { entries }: Manifest,
  { stage, accounts }: { stage: string; accounts: Accounts | null },
): void {
  const paths = pathsOf(stage);
  const isRuns = (path: string) =>
    path === paths.runDir || path.startsWith(`${stage}/run`);
  makePlaces(
    placesOf(paths).filter(({ path }) => path !== stage && !isRuns(path)),
    accounts,
  );
  const made = new Set(placesOf(paths).map(({ path }) => path));
  for (const { path, kind, mode, owner, group } of entries.values()) {
    const at = `${stage}/${path}`;
    if (kind === "directory" && !isThere(at)) {
      Deno.mkdirSync(at, { recursive: true, mode: 0o700 });
    }
    if (made.has(at)) continue;
    const uid = ownerId(owner, accounts);
    const gid = groupId(group, accounts);
    if (uid === undefined || gid === undefined) {
      throw new CareError(
        `${path} belongs to ${owner}, a role that is not here`,
      );
    }
    if (accounts !== null) Deno.chownSync(at, uid, gid);
    Deno.chmodSync(at, kind === "file" ? mode & 0o777 : mode & 0o3777);
  }
}

/** What is restored, before it has its place; runs the installed program. */
function stagedSite(
  { programs, ask }: RestoreOptions,
  at: {
    config: Config;
    accounts: Accounts | null;
    home: string;
    stage: string;
  },
): CareSite {
  const { config, accounts, home, stage } = at;
  const site = careSite({ config, accounts, programs, ask, home: stage });
  return { ...site, paths: { ...site.paths, home } };
}

/** Where the configuration goes; told if it cannot go where it was. */
function placeConfig(
  { header }: Manifest,
  { home, stage, configText }: {
    home: string;
    stage: string;
    configText: string;
  },
): { config: string; texts: string[] } {
  if (header.config.startsWith(`${header.home}/`)) {
    const config = `${home}${header.config.slice(header.home.length)}`;
    return { config, texts: [] };
  }
  Deno.removeSync(`${stage}/${OUTER_CONFIG}`);
  if (home === header.home && !isThere(header.config)) {
    Deno.mkdirSync(dirname(header.config), { recursive: true });
    replaceFile(header.config, configText, 0o600);
    return { config: header.config, texts: [] };
  }
  if (home === header.home) {
    const kept = `${header.config}.restored`;
    const isSame = Deno.readTextFileSync(header.config) === configText;
    if (!isSame) replaceFile(kept, configText, 0o600);
    return {
      config: header.config,
      texts: isSame
        ? []
        : [`${header.config} is there and stays; the backup's is ${kept}`],
    };
  }
  Deno.writeTextFileSync(`${stage}/bulkhead.toml`, configText, { mode: 0o600 });
  return {
    config: `${home}/bulkhead.toml`,
    texts: [
      `the configuration of the backup lay in ${header.config} and is now ` +
      `${home}/bulkhead.toml: see there to server.home`,
    ],
  };
}

/**
 * Ends a restore that reached its switch; nothing if there is none. A start
 * does that, too.
 */
export async function endRestore(
  home: string,
  step: (name: string) => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  const mark = readMark(home);
  if (mark === undefined) return false;
  const aside = `${home}/${mark.aside}`;
  const stage = `${home}/${STAGE}`;
  if (mark.old.length > 0) {
    await step("aside");
    Deno.mkdirSync(aside, { recursive: true, mode: 0o700 });
    for (const name of mark.old) {
      // Once there is one aside, the other is the restored one.
      if (isThere(`${aside}/${name}`) || !isThere(`${home}/${name}`)) continue;
      await step(`aside-${name}`);
      Deno.renameSync(`${home}/${name}`, `${aside}/${name}`);
    }
    syncPath(aside);
    syncPath(home);
  }
  for (const name of mark.fresh) {
    if (!isThere(`${stage}/${name}`)) continue;
    await step(`place-${name}`);
    Deno.renameSync(`${stage}/${name}`, `${home}/${name}`);
  }
  syncPath(home);
  await step("tree");
  removeTree(stage);
  const paths = pathsOf(home);
  const isRuns = (path: string) =>
    [home, paths.runDir, `${home}/runtime`].includes(path);
  makePlaces(placesOf(paths).filter(({ path }) => isRuns(path)), null);
  await step("done");
  Deno.removeSync(`${home}/${MARK}`);
  syncPath(home);
  return true;
}

/** True if a restore reached its switch and not its end. */
export function isRestoring(home: string): boolean {
  return isThere(`${home}/${MARK}`);
}

function readMark(home: string) {
  if (!isRestoring(home)) return undefined;
  const written: unknown = JSON.parse(
    Deno.readTextFileSync(`${home}/${MARK}`),
  );
  return markShape.parse(written);
}

function namesIn(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}
