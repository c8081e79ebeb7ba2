/**
 * What a role is not expected to be kept from. Written by hand and not derived
 * from the manifests, which is what would hide a right too many.
 */
import type { RoleName } from "../../ipc/call.ts";
import type { Mode } from "./act.ts";

/** One reason not to try some acts in some roles. */
export interface Exemption {
  readonly acts: readonly string[];
  readonly roles: readonly RoleName[];
  readonly modes: readonly Mode[];
  /**
   * `job`: the role is there to do this. `limit`: it should be denied, and no
   * wall that the kernel has can tell it from the role's job.
   */
  readonly kind: "job" | "limit";
  readonly why: string;
}

const BOTH: readonly Mode[] = ["flags", "kernel"];

/** The table. */
export const EXEMPTIONS: readonly Exemption[] = [
  {
    acts: [
      "read the queue's database",
      "read the message keys",
      "list the queue's directory",
      "list the history's directory",
      "write the queue's database",
      "write the message keys",
      "create a file in the queue's directory",
      "create a file in the history's directory",
    ],
    roles: ["queue"],
    modes: BOTH,
    kind: "job",
    why: "keeps envelopes and keys",
  },
  {
    acts: [
      "read what the gate remembers",
      "list the gate's directory",
      "write what the gate remembers",
      "create a file in the gate's directory",
    ],
    roles: ["gate"],
    modes: BOTH,
    kind: "job",
    why: "remembers clients",
  },
  {
    acts: [
      "read an MTA-STS policy",
      "list the MTA-STS policies",
      "write an MTA-STS policy",
      "create an MTA-STS policy",
    ],
    roles: ["sts"],
    modes: BOTH,
    kind: "job",
    why: "keeps the policies of other domains",
  },
  {
    acts: [
      "read what a local user handed in",
      "list the drop directory",
    ],
    roles: ["pickup"],
    modes: BOTH,
    kind: "job",
    why: "reads what local users hand in",
  },
  {
    acts: ["read a spool segment", "list the spool"],
    roles: ["spool", "maildir", "smtpc"],
    modes: BOTH,
    kind: "job",
    why: "reads message contents, which are sealed",
  },
  {
    acts: [
      "write a spool segment",
      "create a file in the spool",
      "cut off a spool segment",
      "move a spool segment",
      "move a spool segment to where shred writes",
      "write a spent segment",
      "create a file among the spent segments",
      "cut off a spent segment",
      "move a spent segment",
    ],
    roles: ["spool"],
    modes: BOTH,
    kind: "job",
    why: "writes message contents, and takes spent ones to shred and back",
  },
  {
    acts: ["read a spent segment", "list the spent segments"],
    roles: ["spool", "shred"],
    modes: BOTH,
    kind: "job",
    why: "sees what is to be overwritten",
  },
  {
    acts: ["write a spent segment"],
    roles: ["shred"],
    modes: BOTH,
    kind: "job",
    why: "overwrites spent segments",
  },
  {
    acts: [
      "read somebody's mail",
      "list the mail directory",
      "write somebody's mail",
      "create a file in the mail directory",
    ],
    roles: ["maildir"],
    modes: BOTH,
    kind: "job",
    why: "delivers into all mailboxes",
  },
  {
    acts: ["read the password file", "list the password file's directory"],
    roles: ["auth"],
    modes: BOTH,
    kind: "job",
    why: "checks passwords",
  },
  {
    acts: ["send a UDP datagram", "wait for UDP datagrams"],
    roles: ["dns"],
    modes: ["kernel"],
    kind: "limit",
    why: "asks name servers by UDP, and Landlock has no rules for UDP: only " +
      "Deno's flags say to which hosts",
  },
  {
    acts: ["connect to a Unix socket that is open to all"],
    roles: [
      "resolve",
      "spool",
      "queue",
      "maildir",
      "sync",
      "smtpc",
      "dns",
      "sts",
      "dial",
      "shred",
      "gate",
      "auth",
    ],
    modes: ["kernel"],
    kind: "limit",
    why: "connects to its askers' sockets, and Landlock has no rules for the " +
      "paths of Unix sockets: only their modes and Deno's flags do",
  },
];

/** True if `role` is not expected to be denied `act` in `mode`. */
export function isExempt(act: string, role: RoleName, mode: Mode): boolean {
  return EXEMPTIONS.some((one) =>
    one.acts.includes(act) && one.roles.includes(role) &&
    one.modes.includes(mode)
  );
}
