/**
 * syncfs(2) through the C library: the one piece of native code in the mail
 * path, and the reason why this role exists.
 */
import { log } from "../core/log.ts";

// O_RDONLY | O_CLOEXEC, the same number on every Linux that Deno runs on.
const READ_ONLY_CLOSE_ON_EXEC = 0o2000000;

/**
 * Opens `file` and returns what syncs the file system that it lies on.
 *
 * The descriptor stays open for the life of the process, on purpose: Linux
 * reports a failed write-back to each descriptor that was open when it
 * happened (since 5.8 by syncfs too), so one opened after would hear nothing.
 * If it cannot be opened now, every sync fails, and the next one tries again.
 *
 * @param libc Path of the C library; needs `--allow-ffi` for exactly it
 * @returns Resolves to false if the file system could not be synced
 */
export function openSyncfs(options: {
  file: string;
  libc: string;
}): () => Promise<boolean> {
  const libc = Deno.dlopen(options.libc, {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    // On a thread of its own, or the event loop would stand still meanwhile.
    syncfs: { parameters: ["i32"], result: "i32", nonblocking: true },
  });
  const path = new TextEncoder().encode(options.file + "\0");
  const open = () => {
    const opened = libc.symbols.open(path, READ_ONLY_CLOSE_ON_EXEC);
    if (opened < 0) log("sync-unavailable", { why: "cannot open its file" });
    return opened;
  };
  let descriptor = open();
  return async () => {
    if (descriptor < 0) descriptor = open();
    if (descriptor < 0) return false;
    return await libc.symbols.syncfs(descriptor) === 0;
  };
}
