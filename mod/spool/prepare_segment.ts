/**
 * Makes a new segment: written full once, synced, and only then given the name
 * that says so. A crash in between leaves a `.new` file, which holds nothing.
 */
import { randomFillSync } from "node:crypto";
import type { Disk, DiskFile, Fault } from "./disk.ts";
import { type Attempt, attempt, attemptAsync, writeFully } from "./disk_io.ts";
import { newName, segmentFile } from "./names.ts";

const STEP_OCTETS = 1_048_576;

// Dirty pages of a segment in the making would be written back when a session
// waits for its own sync; so they are synced as they come.
const STEPS_A_SYNC = 4;

/**
 * Makes one segment file and syncs it and the directory, in small steps.
 *
 * @returns The segment's name; after a fault nothing of it is left
 */
export async function prepareSegment(
  disk: Disk,
  options: { bytes: number; isStopped: () => boolean },
): Promise<Attempt<string>> {
  const name = newName("pool");
  const unfinished = `${name}.new`;
  const fault = await fill(disk, unfinished, options);
  if (fault !== undefined) {
    attempt(() => disk.remove(unfinished));
    return { ok: false, fault };
  }
  const named = attempt(() => {
    disk.markUnwritten(unfinished);
    disk.rename(unfinished, segmentFile(name));
  });
  if (!named.ok) {
    attempt(() => disk.remove(unfinished));
    return named;
  }
  const synced = await attemptAsync(() => disk.syncDir());
  if (!synced.ok) {
    attempt(() => disk.remove(segmentFile(name)));
    return synced;
  }
  return { ok: true, value: name };
}

/**
 * Writes a whole file over with random octets and syncs it: what shred does,
 * but for reading back.
 */
export async function overwriteHere(
  disk: Disk,
  name: string,
  options: { bytes: number; isStopped: () => boolean },
): Promise<Fault | undefined> {
  return await writeOver(attempt(() => disk.openExisting(name)), options);
}

async function fill(
  disk: Disk,
  name: string,
  options: { bytes: number; isStopped: () => boolean },
): Promise<Fault | undefined> {
  return await writeOver(attempt(() => disk.openNew(name)), options);
}

async function writeOver(
  opened: Attempt<DiskFile>,
  options: { bytes: number; isStopped: () => boolean },
): Promise<Fault | undefined> {
  if (!opened.ok) return opened.fault;
  const file = opened.value;
  const fault = await writeRandom(file, options) ?? await syncFault(file);
  file.close();
  return fault;
}

async function writeRandom(
  file: DiskFile,
  options: { bytes: number; isStopped: () => boolean },
): Promise<Fault | undefined> {
  // Random, so that a segment in use looks like one that is not.
  const step = new Uint8Array(Math.min(STEP_OCTETS, options.bytes));
  for (let at = 0, steps = 1; at < options.bytes; steps++) {
    // Unfinished; `full` is the word that breaks nothing.
    if (options.isStopped()) return "full";
    randomFillSync(step);
    const part = step.subarray(0, options.bytes - at);
    const fault = writeFully(file, part, at) ??
      (steps % STEPS_A_SYNC === 0 ? await syncFault(file) : await nextTurn());
    if (fault !== undefined) return fault;
    at += part.length;
  }
  return undefined;
}

async function syncFault(file: DiskFile): Promise<Fault | undefined> {
  const synced = await attemptAsync(() => file.syncData());
  return synced.ok ? undefined : synced.fault;
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 0));
}
