/**
 * Waits at the listening sockets of roles that rest, and at a directory that
 * one reads: whoever connects, or puts something there, wakes them. The
 * connection stays in the socket's queue until the role takes it;
 * nothing is accepted or read here.
 */
import { cString, type Libc } from "../walls/libc.ts";

const POLLIN = 1;
/** inotify(7): written and closed, renamed into, made. */
const SOMETHING_NEW = 0x8 | 0x80 | 0x100;
const IN_CLOEXEC = 0x80000;
/** Octets of a struct pollfd: fd, events, revents; poll(2). */
const POLLFD = 8;
/** So often it is looked who rests now. */
const LOOK_EVERY_MS = 1_000;
/** The same when the call failed. */
const AGAIN_MS = 100;

/**
 * A descriptor that is ready to be read as soon as something new is in a
 * directory; nobody reads it. Undefined if the kernel has no watch left.
 */
export function watchDirectory(
  libc: Pick<Libc, "inotify_init1" | "inotify_add_watch" | "close">,
  path: string,
): number | undefined {
  const fd = libc.inotify_init1(IN_CLOEXEC);
  if (fd < 0) return undefined;
  if (libc.inotify_add_watch(fd, cString(path), SOMETHING_NEW) >= 0) return fd;
  libc.close(fd);
  return undefined;
}

/** A role that rests, and where it would listen. */
export interface Sleeper<Name extends string> {
  readonly name: Name;
  readonly fds: readonly number[];
}

/** See the file's head. */
export class Doorbells<Name extends string> {
  readonly #libc: Pick<Libc, "poll">;
  readonly #sleepers: () => readonly Sleeper<Name>[];
  readonly #rung: (name: Name) => void;
  #isWatching = false;

  constructor(options: {
    libc: Pick<Libc, "poll">;
    /** Those who rest now; none ends the watch. */
    sleepers: () => readonly Sleeper<Name>[];
    /** Somebody is at the door: the role must not be a sleeper any more. */
    rung: (name: Name) => void;
  }) {
    this.#libc = options.libc;
    this.#sleepers = options.sleepers;
    this.#rung = options.rung;
  }

  /** Watches as long as somebody rests. */
  async watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    for (
      let sleepers = this.#sleepers();
      sleepers.length > 0;
      sleepers = this.#sleepers()
    ) {
      for (const name of await this.#poll(sleepers)) this.#rung(name);
    }
    this.#isWatching = false;
  }

  async #poll(sleepers: readonly Sleeper<Name>[]): Promise<Name[]> {
    const fds = sleepers.flatMap((one) => one.fds);
    const asked = new DataView(new ArrayBuffer(fds.length * POLLFD));
    for (const [i, fd] of fds.entries()) {
      asked.setInt32(i * POLLFD, fd, true);
      asked.setInt16(i * POLLFD + 4, POLLIN, true);
    }
    const count = await this.#libc.poll(
      new Uint8Array(asked.buffer),
      BigInt(fds.length),
      LOOK_EVERY_MS,
    );
    // A signal, or a kernel that cannot: not again and again at once.
    if (count < 0) await new Promise((done) => setTimeout(done, AGAIN_MS));
    if (count <= 0) return [];
    const ready = new Set(
      fds.filter((_, i) => asked.getInt16(i * POLLFD + 6, true) !== 0),
    );
    return sleepers.filter((one) => one.fds.some((fd) => ready.has(fd)))
      .map((one) => one.name);
  }
}
