/**
 * A role's rights, written once, as data. `flags.ts`, `landlock.ts`,
 * `seccomp.ts` and `jail.ts` render it into walls; `bulkhead roles` prints
 * both.
 */
import type { RoleName } from "../ipc/call.ts";
import type { z } from "../ipc/schema.ts";

/** Facts about this installation that manifests turn into rights. */
export interface Site {
  /** Directory that holds everything, absolute. */
  readonly home: string;
  readonly spoolDir: string;
  /** Where the spool puts what shred may overwrite. */
  readonly spentDir: string;
  readonly queueDir: string;
  /** Where local users' `sendmail` puts their messages. */
  readonly dropDir: string;
  /** The history of deliveries. */
  readonly eventsDir: string;
  /** What the gate remembers of clients. */
  readonly gateDir: string;
  /** MTA-STS policies of other domains. */
  readonly stsDir: string;
  readonly mailDir: string;
  /** Where the password file lies, alone. */
  readonly authDir: string;
  /** Where the edges' sockets lie. */
  readonly runDir: string;
  /** Next hops named in the configuration. */
  readonly nextHops: readonly {
    readonly host: string;
    readonly port: number;
  }[];
  /** Unix sockets that the configuration names as next hops. */
  readonly nextHopSockets: readonly string[];
  /** IPv4 addresses of ours that the configuration connects from. */
  readonly sources: readonly string[];
  /** Port of MX hosts; 25 outside of laboratories. */
  readonly outboundPort: number;
  /** True if MTA-STS policies are asked for. */
  readonly mtaSts: boolean;
  /** Port of the servers of MTA-STS policies; 443 outside of laboratories. */
  readonly stsPort: number;
  /** The system's name servers, from /etc/resolv.conf. */
  readonly nameservers: readonly string[];
  /** Port of name servers; 53 outside of laboratories. */
  readonly dnsPort: number;
  /** True if dns may ask name servers other than those. */
  readonly dnsRecurses: boolean;
  /** True if the machine has an IPv6 address to connect from. */
  readonly ipv6: boolean;
  /** Processes that share the SMTP listening sockets. */
  readonly smtpdProcesses: number;
  /** The C library's path, for roles with FFI. */
  readonly libc: string;
}

/** What a role needs on one installation. Absolute paths, nothing else. */
export interface Needs {
  /** Files and directories it reads, whole trees. */
  readonly read: readonly string[];
  /** Directories it writes, whole trees; reading is not implied. */
  readonly write: readonly string[];
  /**
   * Directories whose files it overwrites in place. The kernel's walls let it
   * make, remove, rename or truncate nothing there; Deno's cannot tell.
   */
  readonly overwrite?: readonly string[];
  /**
   * Directories whose entries it removes. The kernel's walls let it make,
   * write or rename nothing there; Deno's cannot tell.
   */
  readonly remove?: readonly string[];
  /**
   * TCP ends it may connect to. `any-ipv4` is every IPv4 address at that
   * port: Deno's flags know no IPv6 range (see `ARCHITECTURE.md`).
   */
  readonly connect: readonly {
    readonly host: string | "any-ipv4";
    readonly port: number;
  }[];
  /**
   * TCP ports that the kernel's walls allow beside those of `connect`, for a
   * role that connects by native code; Deno's wall knows nothing of them.
   */
  readonly kernelConnect?: readonly number[];
  /** Unix sockets of others that it may connect to: absolute paths. */
  readonly connectUnix?: readonly string[];
  /** Addresses of ours that it may connect from, at ports of the kernel's choice. */
  readonly bind?: readonly string[];
  /** True if native code may bind to a port of the kernel's choice, too. */
  readonly kernelBind?: boolean;
  /**
   * True if it may send UDP, to the hosts in `connect` only by Deno's wall. It
   * binds sockets to ports of the kernel's choice for that, which Deno grants
   * as `0.0.0.0:0` (and `[::]:0`): listening there by TCP is included, and
   * refused by the kernel's wall alone.
   */
  readonly udp?: boolean;
  /** Environment variables it reads. */
  readonly env?: readonly string[];
  /** Kinds of system facts it asks for: `statfs` is a disk's free space. */
  readonly sys?: readonly "statfs"[];
}

/** The right to call native code; every use says why. */
export interface Ffi {
  readonly library: string;
  readonly why: string;
}

/** A role's manifest. One screen, in `mod/<role>/role.ts`. */
export interface RoleManifest {
  readonly name: RoleName;
  /** Its job in one sentence, for `bulkhead roles` and the console. */
  readonly job: string;
  /**
   * How much of the world reaches it, 0 (the network's raw bytes) upwards.
   * The ranking in `ARCHITECTURE.md`.
   */
  readonly trust: number;
  /** Roles it asks. It holds the listening socket of each such edge. */
  readonly asks: readonly RoleName[];
  /** Names of the TCP listening sockets that it is handed. */
  readonly listens: readonly string[];
  /** Processes of this role. */
  instances(site: Site): number;
  needs(site: Site): Needs;
  ffi?(site: Site): Ffi;
  /**
   * File mode creation mask; 0o077 if not given. Roles cannot chmod(2): what
   * they make has the mode that it is made with.
   */
  readonly umask?: number;
  /**
   * The one role that asks it: it rests and wakes with that one, as it does
   * not speak the frames by which others learn of it.
   */
  readonly restsWith?: RoleName;
  /** Directory in which something new wakes it, as a connection does. */
  wokenBy?(site: Site): string;
  /** V8 heap limit in MiB. */
  readonly heapMb: number;
  /**
   * V8's young half space in MiB, 8 if not given: what is read and thrown away
   * makes a role no larger than about three of it.
   */
  readonly youngMb?: number;
  /** Open file limit. */
  readonly openFiles: number;
  /** Shape of its part of the configuration. */
  readonly part: z.ZodType;
  /**
   * Names of manifests' groups it joins beside its own: `content` reads the
   * spool's segments. Nothing else exists.
   */
  readonly groups: readonly SharedGroup[];
}

/** Groups that more than one role is in. */
export type SharedGroup = "content";
