/**
 * Manifest -> Landlock rules, and how they are put in force. Whatever the
 * kernel's ABI offers is used, down to nothing, and the caller learns which.
 *
 * See landlock(7); structures from linux/landlock.h.
 */
import {
  addressOf,
  cString,
  errno,
  type Libc,
  must,
  SystemCallError,
} from "./libc.ts";

const FS = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readDir: 1n << 3n,
  removeDir: 1n << 4n,
  removeFile: 1n << 5n,
  makeChar: 1n << 6n,
  makeDir: 1n << 7n,
  makeReg: 1n << 8n,
  makeSock: 1n << 9n,
  makeFifo: 1n << 10n,
  makeBlock: 1n << 11n,
  makeSym: 1n << 12n,
  refer: 1n << 13n, // ABI 2
  truncate: 1n << 14n, // ABI 3
  ioctlDev: 1n << 15n, // ABI 5
} as const;

const FILE_ONLY = FS.execute | FS.writeFile | FS.readFile | FS.truncate |
  FS.ioctlDev;
const READ = FS.readFile | FS.readDir;
// No links, sockets, FIFOs or devices: no role makes any.
const WRITE = FS.writeFile | FS.readDir | FS.removeDir | FS.removeFile |
  FS.makeDir | FS.makeReg | FS.refer | FS.truncate;
const NET = { bindTcp: 1n, connectTcp: 2n } as const; // ABI 4
const SCOPE = { abstractSocket: 1n, signal: 2n } as const; // ABI 6

const SYS_CREATE = 444n;
const SYS_ADD_RULE = 445n;
const SYS_RESTRICT = 446n;
const RULE_PATH = 1n;
const RULE_PORT = 2n;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

/** What may be done, where. Everything else that Landlock knows is refused. */
export interface LandlockRules {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Files below are opened for writing, and nothing else is done to them. */
  readonly overwrite: readonly string[];
  /** Entries below are removed, and nothing else is done to them. */
  readonly remove: readonly string[];
  readonly execute: readonly string[];
  readonly connectPorts: readonly number[];
  /** True if a TCP socket may be bound to a port of the kernel's choice. */
  readonly bindsAny: boolean;
}

/** The kernel's Landlock ABI; 0 if it has none. */
export function landlockAbi(libc: Libc): number {
  const abi = libc.syscall(SYS_CREATE, 0n, 0n, 1n, 0n, 0n, 0n);
  return abi < 0n ? 0 : Number(abi);
}

/** What an ABI gives, in one line for people. */
export function describeAbi(abi: number): string {
  if (abi <= 0) return "none: this kernel has no Landlock";
  const has = ["paths"];
  if (abi >= 4) has.push("TCP ports");
  if (abi >= 6) has.push("signals and abstract sockets");
  return `ABI ${abi}: ${has.join(", ")}`;
}

function fsRights(abi: number): bigint {
  let rights = (1n << 13n) - 1n;
  if (abi >= 2) rights |= FS.refer;
  if (abi >= 3) rights |= FS.truncate;
  if (abi >= 5) rights |= FS.ioctlDev;
  return rights;
}

/**
 * Puts the rules in force for the calling thread and what it executes, for
 * ever. `no_new_privs` must be set already.
 *
 * @returns The ABI used, 0 if the kernel has none
 * @throws {SystemCallError} If a path does not exist or the kernel refuses
 */
export function restrict(libc: Libc, rules: LandlockRules): number {
  const abi = landlockAbi(libc);
  if (abi === 0) return 0;
  const handled = fsRights(abi);
  const attr = new Uint8Array(abi >= 6 ? 24 : abi >= 4 ? 16 : 8);
  const view = new DataView(attr.buffer);
  view.setBigUint64(0, handled, true);
  if (abi >= 4) view.setBigUint64(8, NET.bindTcp | NET.connectTcp, true);
  if (abi >= 6) {
    view.setBigUint64(16, SCOPE.abstractSocket | SCOPE.signal, true);
  }
  const ruleset = must(
    libc,
    "landlock_create_ruleset",
    libc.syscall(
      SYS_CREATE,
      addressOf(attr),
      BigInt(attr.length),
      0n,
      0n,
      0n,
      0n,
    ),
  );
  for (const path of rules.read) allowPath(libc, ruleset, path, READ & handled);
  for (const path of rules.write) {
    allowPath(libc, ruleset, path, WRITE & handled);
  }
  for (const path of rules.overwrite) {
    allowPath(libc, ruleset, path, FS.writeFile);
  }
  for (const path of rules.remove) {
    allowPath(libc, ruleset, path, FS.removeFile | FS.removeDir);
  }
  for (const path of rules.execute) {
    // The kernel opens for reading what it executes; that nobody reads the
    // runtime is its mode's work.
    allowPath(libc, ruleset, path, FS.execute | FS.readFile);
  }
  if (abi >= 4) {
    for (const port of rules.connectPorts) {
      allowPort(libc, ruleset, { port, right: NET.connectTcp });
    }
    if (rules.bindsAny) {
      allowPort(libc, ruleset, { port: 0, right: NET.bindTcp });
    }
  }
  must(
    libc,
    "landlock_restrict_self",
    libc.syscall(SYS_RESTRICT, ruleset, 0n, 0n, 0n, 0n, 0n),
  );
  libc.close(Number(ruleset));
  return abi;
}

function allowPath(
  libc: Libc,
  ruleset: bigint,
  path: string,
  rights: bigint,
): void {
  const fd = libc.open(cString(path), O_PATH | O_CLOEXEC, 0);
  if (fd < 0) throw new SystemCallError(`open ${path}`, errno(libc));
  const rule = new Uint8Array(12);
  const view = new DataView(rule.buffer);
  view.setInt32(8, fd, true);
  const add = (allowed: bigint) => {
    view.setBigUint64(0, allowed, true);
    return libc.syscall(
      SYS_ADD_RULE,
      ruleset,
      RULE_PATH,
      addressOf(rule),
      0n,
      0n,
      0n,
    );
  };
  // A file takes only the rights that files have; the kernel says EINVAL.
  if (add(rights) < 0n && add(rights & FILE_ONLY) < 0n) {
    throw new SystemCallError(`landlock_add_rule ${path}`, errno(libc));
  }
  libc.close(fd);
}

function allowPort(
  libc: Libc,
  ruleset: bigint,
  { port, right }: { port: number; right: bigint },
): void {
  const rule = new Uint8Array(16);
  const view = new DataView(rule.buffer);
  view.setBigUint64(0, right, true);
  view.setBigUint64(8, BigInt(port), true);
  must(
    libc,
    `landlock_add_rule port ${port}`,
    libc.syscall(
      SYS_ADD_RULE,
      ruleset,
      RULE_PORT,
      addressOf(rule),
      0n,
      0n,
      0n,
    ),
  );
}
