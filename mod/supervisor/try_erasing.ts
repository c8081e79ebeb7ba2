/**
 * Erasing, tried out where it matters: a fresh file with known octets in the
 * spool's directory is overwritten by the engine that overwrites segments, and
 * read again.
 *
 * Not in a jail: no role may both make files and overwrite them, and none may
 * ask where they lie. Nothing that a role wrote is read here.
 */
import fs from "node:fs";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { ReadBack } from "../shred/files.ts";
import { overwrite } from "../shred/overwrite.ts";
import type { Libc } from "../walls/libc.ts";
import { extentsOf, isSamePlace } from "./file_attributes.ts";

const BYTES = 262_144;

/** What came of it. */
export type ErasingRun =
  | {
    readonly ok: true;
    readonly readBack: ReadBack;
    /** Null: the file system does not say where a file lies. */
    readonly isSamePlace: boolean | null;
  }
  | { readonly ok: false; readonly why: string };

/**
 * Tries it in `dir`. The name is that of the spool's own probes, which it
 * sweeps at its start, should we die in between.
 */
export async function tryErasing(libc: Libc, dir: string): Promise<ErasingRun> {
  const path = `${dir}/probe-${randomBytes(8).toString("hex")}`;
  try {
    return await erase(libc, path);
  } catch (error) {
    return {
      ok: false,
      why: error instanceof Error ? error.message : String(error),
    };
  } finally {
    fs.rmSync(path, { force: true });
  }
}

async function erase(libc: Libc, path: string): Promise<ErasingRun> {
  const { O_CREAT, O_EXCL, O_RDWR, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0o600);
  try {
    const token = randomBytes(32);
    const octets = new Uint8Array(BYTES);
    for (let at = 0; at < BYTES; at += token.length) octets.set(token, at);
    if (fs.writeSync(fd, octets, 0, BYTES, 0) !== BYTES) {
      return { ok: false, why: "no room for a file of 256 KiB" };
    }
    fs.fsyncSync(fd);
    const before = extentsOf(libc, fd);
    const { readBack } = await overwrite(path);
    const after = extentsOf(libc, fd);
    fs.readSync(fd, octets, 0, BYTES, 0);
    if (Buffer.from(octets.buffer).includes(token)) {
      return { ok: false, why: "the old octets can still be read" };
    }
    return {
      ok: true,
      readBack,
      isSamePlace: before === null || after === null
        ? null
        : isSamePlace(before, after),
    };
  } finally {
    fs.closeSync(fd);
  }
}
