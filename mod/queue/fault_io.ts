/** Tells failures of the environment from our own bugs. */

/** What an accept is refused with. */
export type Refusal = "full" | "unhealthy";

// SQLite's primary result codes, https://www.sqlite.org/rescode.html
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

/**
 * The refusal that a failed write means.
 *
 * @throws The error itself, if it is none that the environment causes: our
 * bug, or a database that is damaged; the role dies, and its start says more
 */
export function faultOf(error: unknown): Refusal {
  if (!(error instanceof Error)) throw error;
  const code = (error as { code?: unknown }).code;
  const errcode = (error as { errcode?: unknown }).errcode;
  if (typeof errcode === "number") {
    switch (errcode & 0xff) {
      case SQLITE_FULL:
        return "full";
      case SQLITE_BUSY:
      case SQLITE_READONLY:
      case SQLITE_IOERR:
      case SQLITE_CANTOPEN:
        return "unhealthy";
    }
    throw error;
  }
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") return "full";
  if (code === "EIO" || code === "EROFS" || code === "EACCES") {
    return "unhealthy";
  }
  throw error;
}
