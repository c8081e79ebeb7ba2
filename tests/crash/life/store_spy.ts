/**
 * Tells a test what each transaction of a queue wrote, and keeps the log as it
 * was before, so that a crash within COMMIT can be made: SQLite gives no seam
 * there.
 */
import fs from "node:fs";
import { Store } from "../../../mod/queue/store_io.ts";
import { WriteAheadLog } from "../../../mod/queue/write_ahead_log_io.ts";

/** Told of one queue's transactions. */
export interface StoreWatcher {
  readonly dir: string;
  /** After COMMIT; `torn` puts the log back to the middle of that COMMIT. */
  committed(steps: readonly string[], torn: (dir: string) => void): void;
  /** The log was written back, synced and emptied. */
  emptied(): void;
}

const watchers = new WeakMap<Store, StoreWatcher>();
const logWatchers = new WeakMap<WriteAheadLog, StoreWatcher>();
let opening: StoreWatcher | undefined;
let steps: Set<string> | undefined;

/** Whatever queue `open` opens and starts is watched. */
export function watchStore<T>(watcher: StoreWatcher, open: () => T): T {
  opening = watcher;
  try {
    return open();
  } finally {
    opening = undefined;
  }
}

const { transaction, insert, mark, park, remove, corrupt } = Store.prototype;
const { deleteMessage, insertRecipient, deleteRecipient, moveContent } =
  Store.prototype;

Object.assign(Store.prototype, {
  transaction(this: Store, work: () => void): void {
    if (opening !== undefined) watchers.set(this, opening);
    const watcher = watchers.get(this);
    if (watcher === undefined) return transaction.call(this, work);
    const before = readLog(watcher.dir);
    const mine = steps = new Set<string>();
    try {
      transaction.call(this, work);
    } finally {
      steps = undefined;
    }
    watcher.committed([...mine], (dir) => tear(dir, before));
  },

  insert(this: Store, ...given: Parameters<typeof insert>): boolean {
    steps?.add(given[1] === "queued" ? "notice" : "accept");
    return insert.apply(this, given);
  },

  insertRecipient(this: Store, n: number, recipient: never): void {
    if (!steps?.has("accept") && !steps?.has("notice")) steps?.add("expanded");
    insertRecipient.call(this, n, recipient);
  },

  mark(this: Store, n: number): void {
    steps?.add("marked");
    mark.call(this, n);
  },

  park(this: Store, n: number, dueMs: number): void {
    steps?.add("deferred");
    park.call(this, n, dueMs);
  },

  remove(this: Store, n: number): void {
    steps?.add("removed");
    remove.call(this, n);
  },

  moveContent(
    this: Store,
    ...given: Parameters<typeof moveContent>
  ): boolean {
    const isMoved = moveContent.apply(this, given);
    if (isMoved) steps?.add("moved");
    return isMoved;
  },

  corrupt(this: Store, n: number): void {
    steps?.add("corrupt");
    corrupt.call(this, n);
  },

  deleteMessage(this: Store, n: number): void {
    steps?.add("done");
    deleteMessage.call(this, n);
  },

  deleteRecipient(this: Store, n: number, ordinal: number): void {
    steps?.add("settled");
    deleteRecipient.call(this, n, ordinal);
  },
});

const { updateRecipient } = Store.prototype;
Store.prototype.updateRecipient = function (n, recipient) {
  if (recipient.state === "bounce") steps?.add("bounce");
  updateRecipient.call(this, n, recipient);
};

const { empty } = WriteAheadLog.prototype;
WriteAheadLog.prototype.empty = function () {
  if (opening !== undefined) logWatchers.set(this, opening);
  const emptied = empty.call(this);
  logWatchers.get(this)?.emptied();
  return emptied;
};

function readLog(dir: string): Uint8Array {
  const path = `${dir}/queue.db-wal`;
  return fs.existsSync(path)
    ? new Uint8Array(fs.readFileSync(path))
    : new Uint8Array(0);
}

/** Of what COMMIT changed in the log, the first half was written. */
function tear(dir: string, before: Uint8Array): void {
  const after = readLog(dir);
  const octetBefore = (at: number) => at < before.length ? before[at] : -1;
  let first = 0;
  while (first < after.length && after[first] === octetBefore(first)) first++;
  let last = after.length - 1;
  while (last > first && after[last] === octetBefore(last)) last--;
  const middle = first + Math.floor((last + 1 - first) / 2);
  const torn = new Uint8Array(Math.max(middle, before.length));
  torn.set(before);
  torn.set(after.subarray(0, middle));
  fs.writeFileSync(`${dir}/queue.db-wal`, torn);
}
