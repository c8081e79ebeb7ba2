/**
 * A backup of a home, taken while its server runs. What makes it whole:
 *
 * 1. `drop/`: mail that was submitted and not taken yet. Before the queue, so
 *    that what is taken in between is in both, and in none never.
 * 2. The queue's database and the keys of its messages, as they are at one
 *    moment (`mod/queue/backup_io.ts`). That is the moment of the backup.
 * 3. The segments that those messages lie in, copied. A record of a message
 *    that is there is never written over; one whose message ended meanwhile, or
 *    that was moved, may be.
 * 4. Every message of the copy is read from the copied segments to its
 *    authentic end. If one cannot be, 1 to 4 are done again: it ended, or lies
 *    elsewhere by then. One that cannot be read twice, at the same place, is
 *    damaged in the server, too: it is kept, and told of.
 * 5. The mailboxes, last: what was delivered before 2, and what ended between
 *    2 and 4, is in them.
 *
 * So what was acknowledged before 2 is in the queue of the backup, and can be
 * read, or was over by 2, and is in the mailboxes. What is delivered between 2
 * and 5 is in both: after a restore the mailbox finds its own file, and a next
 * hop gets it twice. In doubt twice, never not.
 */
import { type Copied, copied } from "../../queue/care_ipc.ts";
import { dirname, resolve } from "node:path";
import { VERSION } from "../../core/version.ts";
import { isRoot } from "../installation.ts";
import { isThere, writeAll } from "../replace_file.ts";
import { readFormat } from "./format_file.ts";
import { askJailed, type CareSite } from "./jail.ts";
import type { Paths } from "../plan.ts";
import { walkMail } from "./maildir_walk.ts";
import { BACKUP_VERSION, type BackupHeader } from "./manifest.ts";
import { overwriteAndRemove } from "./old_layout.ts";
import { NotPlain, openPlain, type PlainFile } from "./plain_file.ts";
import { askQueue, readContents, type Unreadable } from "./read_contents.ts";
import { ASIDE } from "./restore.ts";
import { BackupWriter, removeTree } from "./sink_io.ts";
import { turnOf } from "./turn.ts";
import { SEGMENT } from "./verify.ts";
import { CareError, counted, sizeText } from "./words.ts";

/** How to go about it. */
export interface BackupOptions {
  readonly site: CareSite;
  readonly configPath: string;
  /** A directory, a name that ends in `.tar`, or `-`. */
  readonly target: string;
  readonly withMail: boolean;
  /** Told of long work, for people. */
  readonly say: (text: string) => void;
  /** True when somebody wants it to end; nothing of it is left then. */
  readonly isStopped?: () => boolean;
  /** Before each step; a test ends there. */
  readonly step?: (name: string) => Promise<void>;
}

/** What came of it. */
export interface BackedUp {
  readonly target: string;
  readonly atMs: number;
  readonly files: number;
  readonly bytes: number;
  readonly messages: number;
  readonly mailFiles: number;
  readonly mailBytes: number;
  /** Ids that are damaged in the server, too. */
  readonly damaged: readonly string[];
  /** What is in the mailboxes and no file, nor a directory: not copied. */
  readonly passedOver: readonly string[];
}

/** Below `home`, for what is gathered; root's. */
const STAGE = "backup-in-the-making";
const COPY = "backup";
const MOST_ROUNDS = 8;

/** Of a home's top: made anew by a restore, or of no use to it. */
const LEFT_OUT: readonly string[] = [
  ...["run", "runtime", "before", "upgrade.json", STAGE],
  ...["restoring", "restore-in-the-making"],
  ...["spool", "queue", "events", "gate", "sts", "mail", "drop"],
];

/**
 * Makes a backup.
 *
 * @throws {CareError} If it cannot be made; nothing of it is left
 */
export async function backUp(options: BackupOptions): Promise<BackedUp> {
  const { site, target } = options;
  const { home } = site.paths;
  const turn = turnOf(options.isStopped ?? (() => false));
  const step = async (name: string) => {
    await turn();
    await options.step?.(name);
  };
  refuseInside(target, home);
  const stage = `${home}/${STAGE}`;
  await step("stage");
  await forgetStage(site);
  // Others may pass, for the spool's jail reads the segments in it.
  Deno.mkdirSync(stage, { mode: 0o711 });
  Deno.chmodSync(stage, 0o711);
  let writer: BackupWriter | undefined;
  try {
    const header = headerOf(options);
    // Early, so that a wrong target is told of at once.
    writer = new BackupWriter({
      target,
      scratch: stage,
      accounts: site.accounts,
      header,
      turn,
    });
    const gathered = await gather(options, { step, turn });
    await step("write-queue");
    await pourHome(options, writer);
    await pourQueue(site, writer);
    await step("write-gate");
    await pourGate(site, writer);
    const before = { files: writer.entries, bytes: writer.bytes };
    let passedOver: readonly string[] = [];
    if (options.withMail) {
      await step("write-mail");
      passedOver = await pourMail(options, writer);
    }
    await step("finish");
    await writer.finish(gathered.copy.messages);
    return {
      target,
      atMs: header.atMs,
      files: writer.entries,
      bytes: writer.bytes,
      messages: gathered.copy.messages,
      mailFiles: writer.entries - before.files,
      mailBytes: writer.bytes - before.bytes,
      damaged: gathered.damaged.map(({ id }) => id),
      passedOver,
    };
  } catch (error) {
    writer?.abandon();
    throw error;
  } finally {
    await forgetStage(site);
  }
}

/** A backup in the home would be a part of itself, and of every later one. */
function refuseInside(target: string, home: string): void {
  const dir = dirname(resolve(target));
  if (target === "-" || !isThere(dir)) return;
  const real = Deno.realPathSync(home);
  if (`${Deno.realPathSync(dir)}/`.startsWith(`${real}/`)) {
    throw new CareError(
      `${target} lies in ${home}, which is what is copied: give a place elsewhere`,
    );
  }
}

function headerOf(
  { site, configPath, withMail }: BackupOptions,
): BackupHeader {
  const found = readFormat(site.paths.home);
  if (found.kind !== "found") {
    throw new CareError(
      `${site.paths.home} is of an older program: \`bulkhead serve\` upgrades ` +
        "it when it starts; then it can be backed up",
    );
  }
  return {
    backup: BACKUP_VERSION,
    program: VERSION,
    atMs: Date.now(),
    hostname: site.config.server.hostname,
    home: site.paths.home,
    config: Deno.realPathSync(configPath),
    format: found.format,
    hasMail: withMail,
  };
}

interface Gathered {
  readonly copy: Copied;
  readonly damaged: readonly Unreadable[];
}

/** Steps 1 to 4 of the head. */
async function gather(
  { site, say }: BackupOptions,
  { step, turn }: {
    readonly step: (name: string) => Promise<void>;
    readonly turn: () => Promise<void>;
  },
): Promise<Gathered> {
  const segments = new SegmentCopies(site);
  const staged = stagedSite(site);
  let before = new Set<string>();
  for (let round = 1;; round++) {
    await step(`drop-${round}`);
    copyDrop(site);
    await step(`queue-${round}`);
    const copy = copied.parse(await askQueue(site, "copy", COPY));
    say(`the queue: ${counted(copy.messages, "message")}`);
    await step(`segments-${round}`);
    segments.keepOnly(copy.segments);
    for (const name of copy.segments) {
      await turn();
      segments.copy(name);
    }
    await step(`read-${round}`);
    const { bad } = await readContents({
      queue: copySite(site),
      spool: staged,
      progress: (messages) =>
        say(`contents read: ${counted(messages, "message")}`),
    });
    const places = new Set(bad.map(placeOf));
    const isSettled = bad.every((one) => before.has(placeOf(one)));
    if (isSettled || round === MOST_ROUNDS) return { copy, damaged: bad };
    before = places;
    segments.again(bad.map(({ segment }) => segment));
  }
}

function placeOf({ id, segment, offset }: Unreadable): string {
  return `${id} ${segment} ${offset}`;
}

/** The queue's copy, as if it were the queue. */
function copySite(site: CareSite): CareSite {
  const { queueDir, eventsDir } = site.plan.site;
  return {
    ...site,
    plan: {
      ...site.plan,
      site: {
        ...site.plan.site,
        queueDir: `${queueDir}/${COPY}`,
        eventsDir: `${eventsDir}/${COPY}`,
      },
    },
  };
}

/** The segments' copies, as if they were the spool. */
function stagedSite(site: CareSite): CareSite {
  const dir = `${site.paths.home}/${STAGE}/segments`;
  return {
    ...site,
    plan: {
      ...site.plan,
      site: { ...site.plan.site, spoolDir: dir, spentDir: dir },
    },
  };
}

/** Copies of segments, each made again only when it was written to. */
class SegmentCopies {
  readonly #site: CareSite;
  readonly #dir: string;
  readonly #written = new Map<string, number>();

  constructor(site: CareSite) {
    this.#site = site;
    this.#dir = `${site.paths.home}/${STAGE}/segments`;
    Deno.mkdirSync(this.#dir, { mode: 0o700 });
    const spool = site.accounts?.roles.get("spool");
    if (spool !== undefined) Deno.chownSync(this.#dir, spool.uid, spool.gid);
  }

  /** They are not to be taken for the same. */
  again(names: readonly string[]): void {
    for (const name of names) this.#written.delete(name);
  }

  /** Others of an earlier round go. */
  keepOnly(names: readonly string[]): void {
    for (const name of this.#written.keys()) {
      if (names.includes(name)) continue;
      Deno.removeSync(`${this.#dir}/${name}.seg`);
      this.#written.delete(name);
    }
  }

  copy(name: string): void {
    if (!SEGMENT.test(name)) return;
    const { spoolDir } = this.#site.paths;
    const spool = this.#site.accounts?.roles.get("spool");
    try {
      using file = openPlain(`${spoolDir}/${name}.seg`, spool?.uid);
      if (this.#written.get(name) === file.mtimeMs) return;
      const to = `${this.#dir}/${name}.seg`;
      removeTree(to);
      // Whoever delivers reads it by its group, and shred writes by its mode.
      copyPlain(file, to);
      this.#written.set(name, file.mtimeMs);
    } catch (error) {
      // Its last message ended: that is found when it is read.
      if (!(error instanceof NotPlain && error.isGone)) throw error;
    }
  }
}

/** A new file with the same octets, owner and mode. */
function copyPlain(file: PlainFile, to: string): void {
  using copy = Deno.openSync(to, {
    createNew: true,
    write: true,
    mode: 0o600,
  });
  for (const chunk of file.chunks()) writeAll(copy, chunk);
  if (isRoot()) Deno.chownSync(to, file.uid, file.gid);
  Deno.chmodSync(to, file.mode);
}

function copyDrop(site: CareSite): void {
  const { dropDir, home } = site.paths;
  const to = `${home}/${STAGE}/drop`;
  removeTree(to);
  Deno.mkdirSync(to, { mode: 0o700 });
  if (!isThere(dropDir)) return;
  for (const { name, isFile } of Deno.readDirSync(dropDir)) {
    if (!isFile || name.endsWith(".part")) continue;
    try {
      using file = openPlain(`${dropDir}/${name}`);
      copyPlain(file, `${to}/${name}`);
    } catch (error) {
      if (!(error instanceof NotPlain)) throw error; // taken meanwhile, or odd
    }
  }
}

/** Root's own: users, passwords, certificate, tables, the configuration. */
async function pourHome(
  { site, configPath }: BackupOptions,
  writer: BackupWriter,
): Promise<void> {
  const { home } = site.paths;
  for (const { name, isFile, isDirectory } of Deno.readDirSync(home)) {
    const isLock = name.endsWith(".lock") || name.endsWith(".new");
    if (LEFT_OUT.includes(name) || isLock || name.startsWith(ASIDE)) continue;
    if (isFile) await pourFile(writer, `${home}/${name}`, name);
    else if (isDirectory) await walkMail(`${home}/${name}`, name, writer);
  }
  const config = Deno.realPathSync(configPath);
  if (!config.startsWith(`${home}/`)) {
    await pourFile(writer, config, "configuration.toml");
  }
}

async function pourQueue(site: CareSite, writer: BackupWriter): Promise<void> {
  const { queueDir, eventsDir, stsDir, home } = site.paths;
  const owner = site.accounts?.roles.get("queue")?.uid;
  for (const name of ["queue.db", "keys"]) {
    await pourFile(
      writer,
      `${queueDir}/${COPY}/${name}`,
      `queue/${name}`,
      owner,
    );
  }
  for (const name of ["events.db", "words.key"]) {
    const path = `${eventsDir}/${COPY}/${name}`;
    await pourFile(writer, path, `events/${name}`, owner);
  }
  const stage = `${home}/${STAGE}`;
  for (const { name } of Deno.readDirSync(`${stage}/segments`)) {
    const path = `${stage}/segments/${name}`;
    await pourFile(writer, path, `spool/segments/${name}`);
  }
  for (const { name } of Deno.readDirSync(`${stage}/drop`)) {
    await pourFile(writer, `${stage}/drop/${name}`, `drop/${name}`);
  }
  const sts = site.accounts?.roles.get("sts")?.uid;
  for (const { name, isFile } of Deno.readDirSync(stsDir)) {
    if (isFile) await pourFile(writer, `${stsDir}/${name}`, `sts/${name}`, sts);
  }
}

async function pourGate(site: CareSite, writer: BackupWriter): Promise<void> {
  const { gateDir } = site.paths;
  const owner = site.accounts?.roles.get("gate")?.uid;
  const ask = (verb: string) =>
    askJailed(site, "gate", ["inspect-gate", gateDir, verb]);
  await ask("copy");
  await pourFile(writer, `${gateDir}/copy.db`, "gate/gate.db", owner);
  await ask("forget-copy");
}

/** One that went away, or never was, is not there in the backup either. */
async function pourFile(
  writer: BackupWriter,
  path: string,
  short: string,
  owner?: number,
): Promise<void> {
  try {
    using file = openPlain(path, owner);
    await writer.file(short, file);
  } catch (error) {
    if (!(error instanceof NotPlain && error.isGone)) throw error;
  }
}

async function pourMail(
  { site, say }: BackupOptions,
  writer: BackupWriter,
): Promise<readonly string[]> {
  const passedOver: string[] = [];
  let told = Date.now();
  const start = writer.bytes;
  await walkMail(site.paths.mailDir, "mail", {
    directory: (path, info) => writer.directory(path, info),
    file: async (path, file) => {
      if (path === "mail/.sync") return; // made anew
      await writer.file(path, file);
      if (Date.now() < told + 2_000) return;
      told = Date.now();
      say(`mailboxes: ${sizeText(writer.bytes - start)}`);
    },
    passedOver: (path) => passedOver.push(path),
    owner: site.accounts?.roles.get("maildir")?.uid,
  });
  return passedOver;
}

/** True if a backup that was killed left what it had gathered. */
export function hasLeftovers({ home, queueDir }: Paths): boolean {
  return isThere(`${home}/${STAGE}`) || isThere(`${queueDir}/${COPY}`);
}

/** Takes away what was gathered; keys and addresses overwritten first. */
export async function forgetStage(site: CareSite): Promise<void> {
  const { home, queueDir, eventsDir, gateDir } = site.paths;
  const copies = [queueDir, eventsDir].map((dir) => `${dir}/${COPY}`);
  if (copies.some(isThere)) await askQueue(site, "forget-copy", COPY);
  if (isThere(`${gateDir}/copy.db`)) {
    await askJailed(site, "gate", ["inspect-gate", gateDir, "forget-copy"]);
  }
  const stage = `${home}/${STAGE}`;
  if (isThere(`${stage}/drop`)) {
    for (const { name } of Deno.readDirSync(`${stage}/drop`)) {
      overwriteAndRemove(`${stage}/drop/${name}`);
    }
  }
  removeTree(stage);
}
