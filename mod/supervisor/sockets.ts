/**
 * Opens every listening socket of the server, once, and keeps it: a role that
 * is restarted finds its socket with the connections that came meanwhile.
 *
 * Made without CLOEXEC, so that the jail stage inherits them; it closes all
 * but the role's own.
 */
import { ipv6Octets } from "../core/ipv6.ts";
import { cString, errno, errnoName, type Libc } from "../walls/libc.ts";

const AF = { unix: 1, inet: 2, inet6: 10 } as const;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const EACCES = 13;
const EADDRINUSE = 98;
const BACKLOG = 4_096;

/** Longest path of a Unix socket on Linux, the NUL not counted; unix(7). */
export const MAX_SOCKET_PATH = 107;

/** A socket that could not be opened: an expected failure, for people. */
export class ListenError extends Error {
  override name = "ListenError";
  constructor(message: string, readonly inUse: boolean) {
    super(message);
  }
}

/**
 * Listens on a TCP address.
 *
 * @param host IPv4 or IPv6 address in text form, without brackets
 * @returns The descriptor
 * @throws {ListenError} With what to do, in plain words
 */
export function listenTcp(libc: Libc, host: string, port: number): number {
  const v6 = host.includes(":");
  const address = v6 ? addressV6(host, port) : addressV4(host, port);
  const fd = libc.socket(v6 ? AF.inet6 : AF.inet, SOCK_STREAM, 0);
  if (fd < 0) throw failure(libc, `open a socket for ${host}:${port}`);
  const one = new Uint8Array([1, 0, 0, 0]);
  libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one, 4);
  // Both families on one port are two sockets: no mapped addresses to mistake.
  if (v6) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, one, 4);
  if (
    libc.bind(fd, address, address.length) < 0 || libc.listen(fd, BACKLOG) < 0
  ) {
    const where = `${v6 ? `[${host}]` : host}:${port}`;
    const error = failure(libc, `listen on ${where}`, port);
    libc.close(fd);
    throw error;
  }
  return fd;
}

/**
 * Listens on a Unix socket, replacing a dead one of that path.
 *
 * @throws {ListenError} If the path is too long or the directory refuses
 */
export function listenUnix(
  libc: Libc,
  path: string,
  access: { gid: number | null; mode: number },
): number {
  const bytes = cString(path);
  if (bytes.length - 1 > MAX_SOCKET_PATH) {
    throw new ListenError(
      `Cannot listen on ${path}: the path is longer than ${MAX_SOCKET_PATH} octets`,
      false,
    );
  }
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const fd = libc.socket(AF.unix, SOCK_STREAM, 0);
  if (fd < 0) throw failure(libc, `open a socket for ${path}`);
  const address = new Uint8Array(2 + bytes.length);
  new DataView(address.buffer).setUint16(0, AF.unix, true);
  address.set(bytes, 2);
  if (
    libc.bind(fd, address, address.length) < 0 || libc.listen(fd, BACKLOG) < 0
  ) {
    const error = failure(libc, `listen on ${path}`);
    libc.close(fd);
    throw error;
  }
  // Mode last: until then the umask keeps everybody out.
  if (access.gid !== null) Deno.chownSync(path, 0, access.gid);
  Deno.chmodSync(path, access.mode);
  return fd;
}

function failure(libc: Libc, what: string, port = Infinity): ListenError {
  const code = errno(libc);
  const hint = code === EADDRINUSE
    ? "; another server holds it (`ss -ltnp` shows which): stop that one, or " +
      "change the address in the configuration"
    : code === EACCES && port < 1024
    ? "; ports below 1024 need root"
    : "";
  return new ListenError(
    `Cannot ${what}: ${errnoName(code)}${hint}`,
    code === EADDRINUSE,
  );
}

function addressV4(host: string, port: number): Uint8Array<ArrayBuffer> {
  const parts = host.split(".").map(Number);
  if (
    parts.length !== 4 ||
    parts.some((one) => !Number.isInteger(one) || one < 0 || one > 255)
  ) throw new RangeError(`Cannot listen on ${host}: not an IPv4 address`);
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF.inet, true);
  view.setUint16(2, port);
  address.set(parts, 4);
  return address;
}

function addressV6(host: string, port: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(28);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF.inet6, true);
  view.setUint16(2, port);
  address.set(ipv6Octets(host), 8);
  return address;
}

/**
 * Takes the lock that makes a second server on the same home impossible.
 *
 * @returns The descriptor, to be kept open; undefined if somebody has it
 */
export function takeLock(libc: Libc, path: string): number | undefined {
  const O_RDWR_CREAT_CLOEXEC = 0o2 | 0o100 | 0o2000000;
  const LOCK_EX_NB = 2 | 4;
  const fd = libc.open(cString(path), O_RDWR_CREAT_CLOEXEC, 0o600);
  if (fd < 0) throw new Error(`Cannot open ${path}: ${errnoName(errno(libc))}`);
  if (libc.flock(fd, LOCK_EX_NB) < 0) {
    libc.close(fd);
    return undefined;
  }
  return fd;
}
