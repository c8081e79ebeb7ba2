/**
 * Ways to put deliveries on disk: file by file (in place if it is a lone
 * message), or the whole file system at once.
 *
 * A sync of one file costs a commit of the file system's journal, and so does
 * a sync of everything; so from a handful of deliveries on, everything is
 * cheaper.
 */
import type { Draft } from "./draft.ts";
import type { MailFiles } from "./mail_files.ts";

/** A way to put deliveries on disk. What cannot be synced, fails. */
export interface Durability {
  /** Syncs the octets of written drafts. */
  octets(drafts: readonly Draft[]): Promise<void>;
  /** Syncs the directories that name published drafts. */
  names(drafts: readonly Draft[]): Promise<void>;
}

/**
 * What came of asking for the whole file system.
 *
 * - `failed`: something that was written somewhere is not on disk
 * - `unknown`: nobody is there to ask, or died while it synced
 */
export type WholeSync = "synced" | "failed" | "unknown";

/** Asks for the whole file system. */
export interface SyncPeer {
  sync(): Promise<WholeSync>;
}

/** Syncs each file and each directory. */
export function fileByFile(files: MailFiles): Durability {
  return {
    async octets(drafts) {
      await Promise.all(drafts.map((draft) => draft.sync()));
    },
    async names(drafts) {
      const users = byDirectory(drafts);
      await Promise.all([...users].map(async ([path, itsDrafts]) => {
        const failure = await files.syncDirectory(path);
        if (failure === undefined) return;
        for (const draft of itsDrafts) draft.fail(failure);
      }));
    },
  };
}

/**
 * Syncs each file and each directory while everything else waits: for a
 * message that is alone.
 */
export function inPlace(files: MailFiles): Durability {
  return {
    octets(drafts) {
      for (const draft of drafts) draft.syncHere();
      return Promise.resolve();
    },
    names(drafts) {
      for (const [path, itsDrafts] of byDirectory(drafts)) {
        const failure = files.syncDirectoryHere(path);
        if (failure === undefined) continue;
        for (const draft of itsDrafts) draft.fail(failure);
      }
      return Promise.resolve();
    },
  };
}

/**
 * Syncs the file system once for all, or file by file if that fails.
 *
 * That is no second try of a failed sync: the files are open since before
 * they were written, none was synced by itself, and Linux tells every open
 * descriptor of a failed write-back once. So each file's own sync says
 * whether it was this one that was lost.
 */
export function allAtOnce(files: MailFiles, peer: SyncPeer): Durability {
  const each = fileByFile(files);
  return {
    async octets(drafts) {
      const alive = drafts.filter((draft) => draft.isAlive);
      if (alive.length > 1 && await peer.sync() === "synced") return;
      await each.octets(alive);
    },
    async names(drafts) {
      const alive = drafts.filter((draft) => draft.isAlive);
      const isOne = byDirectory(alive).size <= 1;
      if (!isOne && await peer.sync() === "synced") return;
      await each.names(alive);
    },
  };
}

function byDirectory(drafts: readonly Draft[]): Map<string, Draft[]> {
  const users = new Map<string, Draft[]>();
  for (const draft of drafts) {
    if (!draft.isAlive) continue;
    for (const path of draft.directories) {
      const known = users.get(path);
      if (known === undefined) users.set(path, [draft]);
      else known.push(draft);
    }
  }
  return users;
}
