/**
 * What the acts aim at: real files, sockets and processes of this machine,
 * each of which exists, so that only a wall can keep an act from it.
 */
import type { Machine } from "../seccomp.ts";

/** The targets as one script sees them. Paths are absolute. */
export interface Targets {
  readonly machine: Machine;
  /** Part of every name that the jail's script makes; no other jail has it. */
  readonly mark: string;
  readonly home: string;
  readonly runtime: string;
  readonly bundle: string;
  /** Secrets of root, mode 0600. */
  readonly configuration: string;
  readonly users: string;
  /** Of root and the group of auth. */
  readonly passwords: string;
  readonly authDir: string;
  readonly tlsKey: string;
  /** A file of the drill's own in `home`, owner root, mode 0600. */
  readonly secret: string;
  readonly secretBytes: number;
  readonly queueDir: string;
  readonly eventsDir: string;
  readonly queueDatabase: string;
  readonly messageKeys: string;
  readonly gateDir: string;
  readonly gateDatabase: string;
  readonly stsDir: string;
  readonly stsPolicy: string;
  readonly dropDir: string;
  /** What a local user handed in, open to all but for its directory. */
  readonly dropped: string;
  readonly spoolDir: string;
  readonly segment: string;
  readonly spentDir: string;
  /** An empty file, as loose as a segment that waits for shred. */
  readonly spentSegment: string;
  readonly mailDir: string;
  readonly mail: string;
  readonly runDir: string;
  /** Where the role itself may write, or else `/tmp`. */
  readonly ownDir: string;
  /** A device that only root reads; null if the machine shows none. */
  readonly device: string | null;
  /** Where jobs of cron(8) lie, or `/etc`. */
  readonly cronDir: string;
  /** A library that no role loads by itself. */
  readonly library: string;
  /** Listening on 127.0.0.1; no role may connect there. */
  readonly tcpPort: number;
  /** Listening on ::1; null without IPv6. */
  readonly tcp6Port: number | null;
  readonly udpPort: number;
  /** Listening sockets: of another role's edge, and one open to all. */
  readonly edgeSocket: string;
  readonly openSocket: string;
  /** Name of a listening abstract socket, without the NUL. */
  readonly abstractSocket: string;
  /** A process of another role. */
  readonly neighbour: number;
  readonly supervisor: number;
}
