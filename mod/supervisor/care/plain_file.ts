/**
 * Files of the roles and of strangers, opened by root to be copied: plain
 * files with one name, or all of whose names are their owner's to make, of the
 * owner that they should have, and no link followed. So nobody who may write in a directory can have root copy
 * another's file from there.
 */
import fs from "node:fs";

/** An open file. */
export interface PlainFile extends Disposable {
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Changes with every write. */
  readonly mtimeMs: number;
  /** Its octets, at most `size`, in pieces that are used again. */
  chunks(): Generator<Uint8Array<ArrayBuffer>>;
}

const CHUNK_BYTES = 1_048_576;

/** A file that is not what it should be; or one that is gone: `isGone`. */
export class NotPlain extends Error {
  override name = "NotPlain";
  constructor(message: string, readonly isGone: boolean) {
    super(message);
  }
}

/**
 * Opens one for reading.
 *
 * @param owner Whose it must be; anybody's if left out
 * @throws {NotPlain} If it is gone, or something else
 */
export function openPlain(path: string, owner?: number): PlainFile {
  return open(
    path,
    (facts) =>
      facts.nlink === 1 && (owner === undefined || facts.uid === owner)
        ? undefined
        : "is no plain file with one name" +
          (owner === undefined ? "" : ` of user ${owner}`),
  );
}

/**
 * The same, but a file of one of these users may have several names: an IMAP
 * server makes a second one for a message that is copied to another folder.
 *
 * @param owners Anybody's, if left out
 * @throws {NotPlain} If it is gone, or something else
 */
export function openLinked(
  path: string,
  owners?: readonly number[],
): PlainFile {
  return open(
    path,
    ({ nlink, uid }) =>
      nlink < 2 || owners === undefined || owners.includes(uid)
        ? undefined
        : "has another name, and belongs to somebody else",
  );
}

/** @param faultOf What is wrong with a plain file, if anything is */
function open(
  path: string,
  faultOf: (facts: fs.Stats) => string | undefined,
): PlainFile {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new NotPlain(`${path} is gone`, true);
    }
    if (code === "ELOOP" || code === "ENXIO") {
      throw new NotPlain(`${path} is no plain file`, false);
    }
    throw error;
  }
  const facts = fs.fstatSync(fd);
  const fault = facts.isFile() ? faultOf(facts) : "is no plain file";
  if (fault !== undefined || facts.nlink === 0) {
    fs.closeSync(fd);
    throw new NotPlain(`${path} ${fault ?? "is gone"}`, facts.nlink === 0);
  }
  return {
    size: facts.size,
    mode: facts.mode & 0o7777,
    uid: facts.uid,
    gid: facts.gid,
    mtimeMs: facts.mtimeMs,
    *chunks() {
      const buffer = new Uint8Array(Math.min(CHUNK_BYTES, facts.size));
      for (let at = 0; at < facts.size;) {
        const want = Math.min(buffer.length, facts.size - at);
        const got = fs.readSync(fd, buffer, 0, want, at);
        if (got === 0) break;
        at += got;
        yield buffer.subarray(0, got);
      }
    },
    [Symbol.dispose]: () => fs.closeSync(fd),
  };
}
