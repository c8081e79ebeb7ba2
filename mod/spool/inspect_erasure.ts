/**
 * What `bulkhead shred status` and `verify` ask of the spool's directory.
 * Reads only, in a one-shot process in the spool role's jail, while the spool
 * may be at work: a file that goes away meanwhile is not counted.
 */
import { HEADER_OCTETS, isHeader } from "../content/format.ts";
import type { SpoolErasure } from "./erasure_ipc.ts";
import { nameKind } from "./names.ts";

/** Records begin at multiples of this. */
const ALIGNMENT = 512;
const STEP_OCTETS = 1_048_576;
const MOST_NAMES = 10_000;

interface Found {
  readonly segment: string;
  readonly path: string;
  readonly info: Deno.FileInfo;
}

/** Looks at the spool's directories. */
export function inspectErasure(
  { dir, spentDir, isDeep, nowMs = Date.now() }: {
    readonly dir: string;
    /** Where segments wait to be overwritten. */
    readonly spentDir: string;
    /** Reads every ready segment through. */
    readonly isDeep: boolean;
    readonly nowMs?: number;
  },
): SpoolErasure {
  const here = [...segmentsIn(dir)];
  const spent = [...segmentsIn(spentDir)];
  const ready = here.filter(isReady);
  const used = here.filter((one) => !isReady(one));
  const read = isDeep ? ready.filter(isThere) : [];
  return {
    used: named(used),
    usedInAll: used.length,
    usedBytes: bytesOf(used),
    readyInAll: ready.length,
    readyBytes: bytesOf(ready),
    spent: named(spent),
    spentInAll: spent.length,
    spentBytes: bytesOf(spent),
    spentForMs: longestWait(spent, nowMs),
    readyRead: read.length,
    // One that is taken into use while it is read has records by right.
    notErased: named(read.filter((one) => hasRecord(one) && isStillReady(one))),
    sparse: named(read.filter(({ info }) => isSparse(info))),
  };
}

function* segmentsIn(dir: string): Generator<Found> {
  let names: string[];
  try {
    names = [...Deno.readDirSync(dir)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  for (const name of names) {
    const kind = nameKind(name);
    if (kind.is !== "segment" && kind.is !== "big") continue;
    const path = `${dir}/${name}`;
    const info = lookAt(path);
    if (info?.isFile) yield { segment: kind.segment, path, info };
  }
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** See `Disk.markUnwritten`: the mark of a segment without a record. */
function isReady({ segment, info }: Found): boolean {
  return segment.startsWith("pool-") && info.mtime?.getTime() === 0;
}

function isThere({ path }: Found): boolean {
  return lookAt(path) !== undefined;
}

function isStillReady(one: Found): boolean {
  const info = lookAt(one.path);
  return info !== undefined && isReady({ ...one, info });
}

function isSparse({ blocks, size }: Deno.FileInfo): boolean {
  return blocks !== null && blocks * 512 < size;
}

function hasRecord({ path }: Found): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  const step = new Uint8Array(STEP_OCTETS);
  try {
    for (;;) {
      const got = readFully(file, step);
      for (let at = 0; at + HEADER_OCTETS <= got; at += ALIGNMENT) {
        if (isHeader(step.subarray(at, at + HEADER_OCTETS))) return true;
      }
      if (got < step.length) return false;
    }
  } finally {
    file.close();
  }
}

function readFully(file: Deno.FsFile, into: Uint8Array): number {
  let got = 0;
  while (got < into.length) {
    const more = file.readSync(into.subarray(got));
    if (more === null || more === 0) break;
    got += more;
  }
  return got;
}

function named(found: readonly Found[]): string[] {
  return found.slice(0, MOST_NAMES).map(({ segment }) => segment).sort();
}

function bytesOf(found: readonly Found[]): number {
  return found.reduce((sum, { info }) => sum + info.size, 0);
}

/** Since they were moved there, which changes their ctime and not their mtime. */
function longestWait(found: readonly Found[], nowMs: number): number {
  const since = found.map(({ info }) =>
    (info.ctime ?? info.mtime)?.getTime() ?? nowMs
  );
  return Math.max(0, ...since.map((ms) => Math.round(nowMs - ms)));
}
