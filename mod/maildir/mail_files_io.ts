/**
 * {@link MailFiles} on the real file system.
 *
 * Short calls are made in place: opening and writing 2 KiB costs less than
 * handing it to another thread and back. Syncs wait on a thread, but for a
 * message that is alone: nobody waits behind it, and each way to a thread and
 * back wakes a processor twice.
 */
import type { Failure, Result } from "./failure.ts";
import type { MailFile, MailFiles } from "./mail_files.ts";

/** The file system, within the walls of this role. */
export const realMailFiles: MailFiles = {
  create: (path) =>
    attempt(() =>
      openedFile(
        Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }),
      )
    ),
  kind: (path) => {
    const found = attempt(() => Deno.lstatSync(path));
    if (found.ok) {
      return {
        ok: true,
        value: found.value.isDirectory ? "directory" : "other",
      };
    }
    return found.failure.kind === "missing"
      ? { ok: true, value: "missing" }
      : found;
  },
  makeDirectory: (path) => failureOf(() => Deno.mkdirSync(path, DIRECTORY)),
  rename: (from, to) => failureOf(() => Deno.renameSync(from, to)),
  remove: (path) => failureOf(() => Deno.removeSync(path)),
  syncDirectory: async (path) => {
    const opened = attempt(() => Deno.openSync(path, { read: true }));
    if (!opened.ok) return opened.failure;
    const failure = await failureOfAsync(() => opened.value.sync());
    opened.value.close();
    return failure;
  },
  syncDirectoryHere: (path) => {
    const opened = attempt(() => Deno.openSync(path, { read: true }));
    if (!opened.ok) return opened.failure;
    const failure = failureOf(() => opened.value.syncSync());
    opened.value.close();
    return failure;
  },
  list: (path, each) =>
    failureOfAsync(async () => {
      for await (const entry of Deno.readDir(path)) each(entry);
    }),
  modifiedMs: (path) =>
    attempt(() => Deno.lstatSync(path).mtime?.getTime() ?? Date.now()),
};

const DIRECTORY = { mode: 0o700 };

function openedFile(file: Deno.FsFile): MailFile {
  return {
    write: (octets) =>
      failureOf(() => {
        // write(2) may take less than all, as it does on a disk that is
        // nearly full; the next call then says why.
        for (let at = 0; at < octets.length;) {
          at += file.writeSync(at === 0 ? octets : octets.subarray(at));
        }
      }),
    sync: () => failureOfAsync(() => file.syncData()),
    syncHere: () => failureOf(() => file.syncDataSync()),
    close: () => file.close(),
  };
}

function attempt<T>(act: () => T): Result<T> {
  try {
    return { ok: true, value: act() };
  } catch (error) {
    return { ok: false, failure: toFailure(error) };
  }
}

function failureOf(act: () => void): Failure | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return toFailure(error);
  }
}

async function failureOfAsync(
  act: () => Promise<void>,
): Promise<Failure | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return toFailure(error);
  }
}

/**
 * What an exception of the runtime's file functions means.
 *
 * @throws Whatever is no such exception: our own bug
 */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) throw error;
  const why = error.message;
  if (error instanceof Deno.errors.NotCapable) return { kind: "denied", why };
  switch ((error as Error & { code?: string }).code) {
    case "ENOSPC":
      return { kind: "full", why };
    case "EDQUOT":
      return { kind: "quota", why };
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return { kind: "denied", why };
    case "ENOENT":
      return { kind: "missing", why };
    case "EEXIST":
      return { kind: "exists", why };
    case "ENOTDIR":
    case "ELOOP":
      return { kind: "unsafe", why };
    case undefined:
      // Not every errno has a name in Deno, but all of them are in the text.
      if (!why.includes("(os error ")) throw error;
      if (why.includes("(os error 122)")) return { kind: "quota", why };
      return { kind: "broken", why };
    default:
      return { kind: "broken", why };
  }
}
