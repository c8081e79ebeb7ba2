/**
 * Brings the queue's databases to this program's version by way of a copy.
 * Runs in the queue's jail, in a process of its own:
 *
 *     prepare   next/ gets a copy, brought up to date and compared    live: old
 *     switch    the old file moves to before/, the new one to its
 *               place                                                 live: new
 *     undo      the same back                                         live: old
 *     forget    next/ and before/ are overwritten and removed
 *
 * A crash leaves the old file or the new one in place, or, between two renames,
 * none, which no queue takes for an empty one; and never a mixture: a
 * database's log is written back and taken away before it changes its name.
 * (link(2), which would make it one rename, is refused to every role.)
 * What may be undone, and until when, is decided by who calls: the supervisor
 * (`mod/supervisor/care`). Keys and contents are not touched, nor copied.
 */
import fs from "node:fs";
import type { Rehearsal } from "./care_ipc.ts";
import {
  awaitAlone,
  below,
  censusOf,
  copyDatabase,
  databasesOf,
  type Dirs,
  forgetCopy,
  forgetFile,
  makeCopyDirs,
  parentOf,
  settle,
  syncPath,
  versionOf,
  writeNew,
} from "./copies_io.ts";
import {
  checkThoroughly,
  createEmpty,
  databasePath,
  openDatabase,
  QueueUnusable,
  unusable,
} from "./database_io.ts";
import { eventsPath, EventStore } from "./event_store_io.ts";
import type { Event } from "./event.ts";
import { faultOf } from "./fault_io.ts";
import { KeyImage } from "./keys_io.ts";
import { Store } from "./store_io.ts";
import { openTermKey, termKeyPath } from "./terms_io.ts";

const NEXT = "next";
const BEFORE = "before";
/** Stands in `before/` for a history that there was not. */
const NO_HISTORY = "no-history";

/** Told of each step before it is done, for tests that stop there. */
export type OnStep = (step: string) => void | Promise<void>;

const noStep: OnStep = () => {};

/**
 * Makes the copy, brings it up to date, and reads all of it.
 *
 * @param name Of the directory below both: a rehearsal beside a running queue
 * has one of its own
 * @throws {QueueUnusable} If what is there is damaged, or the copy does not
 * say the same
 */
export async function prepareUpgrade(
  dirs: Dirs,
  { name = NEXT, onStep = noStep }: { name?: string; onStep?: OnStep } = {},
): Promise<Rehearsal> {
  const copy = below(dirs, name);
  // A rehearsal is made beside a queue at work.
  if (name === NEXT) await awaitAll(dirs);
  forgetCopy(copy);
  await onStep("copy-dirs");
  makeCopyDirs(copy);
  const path = databasePath(dirs.queue);
  if (!fs.existsSync(path)) return nothingThere(dirs);
  await onStep("copy-queue");
  await copyDatabase(path, databasePath(copy.queue));
  if (fs.existsSync(eventsPath(dirs.events))) {
    await onStep("copy-events");
    await copyDatabase(eventsPath(dirs.events), eventsPath(copy.events));
  }
  keepTermKey(dirs.events, copy.events);
  // Of the copy and not of what it was made from, which may be at work.
  const before = censusOf(copy.queue);
  await onStep("bring-up");
  const historyKept = bringUp(copy);
  await onStep("self-test");
  const after = censusOf(copy.queue);
  if (after.digest !== before.digest) {
    throw unusable(
      path,
      `the new program would make ${after.messages} messages and ` +
        `${after.recipients} recipients of ${before.messages} and ` +
        `${before.recipients}, or change what they say`,
    );
  }
  const read = readAll(dirs.queue, copy);
  return {
    from: before.version,
    to: after.version,
    messages: after.messages,
    recipients: after.recipients,
    historyKept,
    ...read,
  };
}

async function awaitAll(dirs: Dirs): Promise<void> {
  for (const path of databasesOf(dirs)) await awaitAlone(path);
}

// A database that is missing beside keys of messages is lost, not new.
function nothingThere({ queue }: Dirs): Rehearsal {
  const path = `${queue}/keys`;
  const keys = fs.existsSync(path) ? fs.readFileSync(path) : new Uint8Array();
  const isBlank = keys.every((octet) => octet === 0);
  keys.fill(0);
  if (!isBlank) {
    throw unusable(databasePath(queue), `it is missing, and ${path} has keys`);
  }
  return {
    from: 0,
    to: 0,
    messages: 0,
    recipients: 0,
    keyless: 0,
    historyKept: true,
    segments: [],
  };
}

// The copy's words must be found by the key that the history has: it is made
// where it belongs, and an older program passes over it.
function keepTermKey(events: string, copy: string): void {
  writeNew(termKeyPath(copy), openTermKey(events));
}

/** What a start of the new program does; false if the history was lost. */
function bringUp(copy: Dirs): boolean {
  let historyKept = true;
  openDatabase(copy.queue, {
    checkWithinMs: Infinity,
    takeEvents: (batches) => historyKept = takeOver(copy.events, batches),
  }).close();
  if (fs.existsSync(eventsPath(copy.events))) {
    new EventStore(copy.events).close();
  }
  for (const path of databasesOf(copy)) settle(path);
  return historyKept;
}

/** A history that cannot be taken over is lost, the mail is not. */
function takeOver(dir: string, batches: Iterable<readonly Event[]>): boolean {
  let store: EventStore | undefined;
  try {
    store = new EventStore(dir);
    store.replace(batches);
    return true;
  } catch (error) {
    faultOf(error);
    return false;
  } finally {
    store?.close();
  }
}

/** Every row as the queue itself reads it, and each message's key. */
function readAll(
  queue: string,
  copy: Dirs,
): Pick<Rehearsal, "keyless" | "segments"> {
  const db = openDatabase(copy.queue);
  let image: KeyImage | undefined;
  try {
    checkThoroughly(db, databasePath(copy.queue));
    const store = new Store(db, { add: () => {} });
    image = imageOf(`${queue}/keys`);
    const segments = new Set<string>();
    let keyless = 0;
    for (let n = -1;;) {
      const page = store.page(n, 1_000);
      for (const row of page) {
        store.recipientsOf(row.n, Number.MAX_SAFE_INTEGER);
        segments.add(row.ref.segment);
        if (row.state === "queued" && !image.holds(row.slot, row.id)) keyless++;
      }
      if (page.length < 1_000) break;
      n = page.at(-1)!.n;
    }
    if (keyless > 0 && !fs.existsSync(`${queue}/keys`)) {
      throw unusable(
        `${queue}/keys`,
        `it is missing, and ${keyless} messages wait`,
      );
    }
    return { keyless, segments: [...segments].sort().slice(0, 10_000) };
  } finally {
    image?.forget();
    db.close();
  }
}

function imageOf(path: string): KeyImage {
  return new KeyImage(
    fs.existsSync(path) ? fs.readFileSync(path) : new Uint8Array(),
  );
}

/**
 * Puts the copies in the place of what they were made from, whose names from
 * now on are in `before/`. The queue must be away since
 * {@link prepareUpgrade}. A database whose version does not change is left
 * alone: so an older program never finds one here that it would write to.
 */
export async function switchUpgrade(
  dirs: Dirs,
  onStep: OnStep = noStep,
): Promise<void> {
  const before = below(dirs, BEFORE);
  await onStep("settle");
  await awaitAll(dirs);
  for (const path of databasesOf(dirs)) settle(path);
  refuseChanged(dirs);
  await onStep("before-dirs");
  makeCopyDirs(before);
  const [queue, events] = databasesOf(dirs) as [string, string];
  const [nextQueue, nextEvents] = databasesOf(below(dirs, NEXT)) as [
    string,
    string,
  ];
  const [oldQueue, oldEvents] = databasesOf(before) as [string, string];
  // The history first: mail does not hang on it.
  if (isChanged(events, nextEvents)) {
    await onStep("keep-events");
    if (fs.existsSync(events)) move(events, oldEvents);
    else createEmpty(noHistory(before));
    syncPath(before.events);
    await onStep("place-events");
    move(nextEvents, events);
  }
  if (isChanged(queue, nextQueue)) {
    await onStep("keep-queue");
    move(queue, oldQueue);
    await onStep("place-queue");
    move(nextQueue, queue);
  }
}

/** The copy must still say what the database says. */
function refuseChanged(dirs: Dirs): void {
  const next = below(dirs, NEXT);
  const path = databasePath(dirs.queue);
  if (!fs.existsSync(databasePath(next.queue))) return;
  if (censusOf(dirs.queue).digest === censusOf(next.queue).digest) return;
  throw unusable(path, "it was written to while it was copied");
}

/** Gives a file another name, on the disk when this returns. */
function move(from: string, to: string): void {
  fs.renameSync(from, to);
  syncPath(parentOf(to));
  syncPath(parentOf(from));
}

function isChanged(live: string, next: string): boolean {
  return fs.existsSync(next) && versionOf(live) !== versionOf(next);
}

function noHistory(before: Dirs): string {
  return `${before.events}/${NO_HISTORY}`;
}

/**
 * Puts back what {@link switchUpgrade} put away, as far as it came, and
 * forgets the copies. Not if the new database says anything else of mail than
 * the old one: then mail was taken or delivered, and `kept` is the answer.
 */
export async function undoUpgrade(
  dirs: Dirs,
  onStep: OnStep = noStep,
): Promise<"undone" | "kept"> {
  const before = below(dirs, BEFORE);
  const aside = below(dirs, NEXT);
  const [queue, events] = databasesOf(dirs) as [string, string];
  const [oldQueue, oldEvents] = databasesOf(before) as [string, string];
  const [asideQueue, asideEvents] = databasesOf(aside) as [string, string];
  await awaitAll(dirs);
  if (fs.existsSync(oldQueue)) {
    if (hasMoved(dirs.queue, before.queue)) return "kept";
    await putBack({ live: queue, old: oldQueue, aside: asideQueue }, onStep);
  }
  if (fs.existsSync(oldEvents)) {
    await putBack({ live: events, old: oldEvents, aside: asideEvents }, onStep);
  } else if (fs.existsSync(noHistory(before))) {
    await onStep("undo-new-history");
    for (const end of ["-wal", "-shm", ""]) forgetFile(events + end);
    syncPath(dirs.events);
    await onStep("undo-no-history");
    fs.unlinkSync(noHistory(before));
  }
  await onStep("undo-forget");
  forgetUpgrade(dirs);
  return "undone";
}

/** True if a database says something else of mail than the one before it. */
function hasMoved(live: string, before: string): boolean {
  if (!fs.existsSync(databasePath(live))) return false;
  try {
    return censusOf(live).digest !== censusOf(before).digest;
  } catch (error) {
    // Nothing is accepted into a database that cannot be read.
    if (error instanceof QueueUnusable) return false;
    throw error;
  }
}

async function putBack(
  { live, old, aside }: { live: string; old: string; aside: string },
  onStep: OnStep,
): Promise<void> {
  await onStep("undo-log");
  // The new one's log must never be read with the old one's pages.
  for (const end of ["-wal", "-shm"]) forgetFile(live + end);
  syncPath(parentOf(live));
  if (fs.existsSync(live)) {
    await onStep("undo-aside");
    // Not only gone: it is to be overwritten.
    fs.mkdirSync(parentOf(aside), { recursive: true, mode: 0o700 });
    move(live, aside);
  }
  await onStep("undo-place");
  move(old, live);
}

/** Takes the copies away, overwritten. There is no way back from here. */
export function forgetUpgrade(dirs: Dirs): void {
  forgetCopy(below(dirs, NEXT));
  forgetCopy(below(dirs, BEFORE));
}
