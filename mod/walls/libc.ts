/**
 * The C library, for the two places that need it: the supervisor (sockets, a
 * lock, attributes of files) and the jail stage. No role loads this file.
 */

const symbols = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  close: { parameters: ["i32"], result: "i32" },
  poll: {
    parameters: ["buffer", "u64", "i32"],
    result: "i32",
    nonblocking: true,
  },
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  setsid: { parameters: [], result: "i32" },
  malloc_trim: { parameters: ["usize"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  chdir: { parameters: ["buffer"], result: "i32" },
  umask: { parameters: ["u32"], result: "u32" },
  mkdir: { parameters: ["buffer", "u32"], result: "i32" },
  unshare: { parameters: ["i32"], result: "i32" },
  mount: {
    parameters: ["buffer", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
  },
  syscall: {
    parameters: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"],
    result: "i64",
  },
  execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** The loaded library. */
export type Libc = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** A libc call that failed, with what it was for. */
export class SystemCallError extends Error {
  override name = "SystemCallError";
  constructor(readonly what: string, readonly errno: number) {
    super(`${what}: ${errnoName(errno)}`);
  }
}

/** Opens the C library at `path`. */
export function openLibc(path: string): Libc {
  return Deno.dlopen(path, symbols).symbols;
}

/** The errno of the last failed call. Ask at once: any other call changes it. */
export function errno(libc: Libc): number {
  const at = libc.__errno_location();
  return at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
}

/** Returns `result`, or throws if it is negative. */
export function must<N extends number | bigint>(
  libc: Libc,
  what: string,
  result: N,
): N {
  if (result < 0) throw new SystemCallError(what, errno(libc));
  return result;
}

/** A NUL-terminated string for C. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new RangeError("Cannot pass string to C: it has a NUL");
  }
  return new TextEncoder().encode(text + "\0");
}

/** The address of a buffer, as the system call interface takes it. */
export function addressOf(buffer: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}

const ERRNO = new Map<number, string>([
  [1, "EPERM, operation not permitted"],
  [2, "ENOENT, no such file or directory"],
  [11, "EAGAIN, held by another process"],
  [12, "ENOMEM, out of memory"],
  [13, "EACCES, permission denied"],
  [17, "EEXIST, it exists"],
  [20, "ENOTDIR, not a directory"],
  [22, "EINVAL, invalid argument"],
  [23, "ENFILE, too many open files in the system"],
  [24, "EMFILE, too many open files"],
  [25, "ENOTTY, the file system does not have it"],
  [28, "ENOSPC, no space left on device"],
  [38, "ENOSYS, the kernel does not have it"],
  [95, "EOPNOTSUPP, not supported"],
  [97, "EAFNOSUPPORT, address family not supported"],
  [98, "EADDRINUSE, address already in use"],
  [99, "EADDRNOTAVAIL, no such address on this machine"],
]);

/** Name and meaning of an errno. */
export function errnoName(errno: number): string {
  return ERRNO.get(errno) ?? `errno ${errno}`;
}

/** Shared libraries that the running process has loaded, from its map. */
export function loadedLibraries(maps: string): string[] {
  const found = new Set<string>();
  for (const line of maps.split("\n")) {
    const at = line.indexOf("/");
    if (at < 0) continue;
    const path = line.slice(at);
    if (/\.so(\.[0-9.]+)?$/.test(path)) found.add(path);
  }
  return [...found].sort();
}

/** Path of the C library that this process has loaded. */
export function ownLibcPath(): string {
  return libcPath(loadedLibraries(Deno.readTextFileSync("/proc/self/maps")));
}

/** Path of the C library among {@link loadedLibraries}. */
export function libcPath(libraries: readonly string[]): string {
  const path = libraries.find((one) =>
    /\/libc(\.so\.6|-[0-9.]+\.so)$/.test(one)
  );
  if (path === undefined) {
    throw new Error("Cannot find the C library: is this a glibc system?");
  }
  return path;
}
