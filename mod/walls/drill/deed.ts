/**
 * What the hostile script can be told to try: data, so that the script knows
 * nothing and the list of acts can be read in one place.
 *
 * Every deed is harmless if it succeeds: what is opened for writing is not
 * written, what is created is removed, what would change the machine is asked
 * for with an argument that the kernel refuses only after it said yes.
 */

/** An argument of a system call. */
export type Argument =
  | number
  /** Address of a NUL-terminated string. */
  | { readonly text: string }
  /** Address of bytes; at each of `pointers` an address is put into them. */
  | {
    readonly bytes: readonly number[];
    readonly pointers?: readonly {
      readonly at: number;
      readonly to: Argument;
    }[];
  }
  /** What an earlier step of the same deed returned. */
  | { readonly step: number };

/** One system call, by its number on this machine. */
export interface Step {
  readonly number: number;
  readonly args: readonly Argument[];
}

/** Facts that Deno guards by itself; no kernel wall knows them. */
export const RUNTIME_FACTS = [
  "environment",
  "hostname",
  "memory",
  "interfaces",
  "release",
  "inspector",
  "umask",
  "more-rights",
] as const;

/** See {@link RUNTIME_FACTS}. */
export type RuntimeFact = (typeof RUNTIME_FACTS)[number];

/** One thing to try. */
export type Deed =
  | { readonly do: "open"; readonly path: string; readonly write: boolean }
  | { readonly do: "list"; readonly path: string }
  | { readonly do: "create"; readonly path: string }
  | { readonly do: "symlink"; readonly path: string; readonly to: string }
  | { readonly do: "hardlink"; readonly path: string; readonly to: string }
  /** There and back again: a rename to itself would ask nobody. */
  | { readonly do: "move"; readonly path: string; readonly to: string }
  | { readonly do: "chmod"; readonly path: string; readonly mode: number }
  | {
    readonly do: "chown";
    readonly path: string;
    readonly uid: number;
    readonly gid: number;
  }
  | { readonly do: "truncate"; readonly path: string; readonly length: number }
  /** Only for a directory that is not empty. */
  | { readonly do: "remove-directory"; readonly path: string }
  | { readonly do: "watch"; readonly path: string }
  | { readonly do: "attach"; readonly path: string }
  | { readonly do: "connect"; readonly host: string; readonly port: number }
  | { readonly do: "connect-unix"; readonly path: string }
  | { readonly do: "listen"; readonly host: string; readonly port: number }
  | { readonly do: "look-up"; readonly port: number }
  | { readonly do: "fetch"; readonly url: string }
  | { readonly do: "import"; readonly url: string }
  | {
    readonly do: "run";
    readonly path: string;
    readonly args: readonly string[];
  }
  /** Signal 0: asks for the right alone. */
  | { readonly do: "signal"; readonly pid: number }
  | { readonly do: "load-library"; readonly path: string }
  | { readonly do: "learn"; readonly what: RuntimeFact }
  /** All steps must be let through for the deed to succeed. */
  | { readonly do: "calls"; readonly steps: readonly Step[] };

/** A deed with its name, as the script is told. */
export interface HostileAct {
  readonly act: string;
  readonly deed: Deed;
  /**
   * Error codes or texts that mean a refusal for this deed alone, beside
   * those of {@link DENIALS}.
   */
  readonly alsoDenied?: readonly string[];
}

/** Errors that mean "you may not". Every other one means that we blundered. */
export const DENIALS = ["NotCapable", "EPERM", "EACCES"] as const;

/** A file that an owner's script makes, for others to be kept away from. */
export interface Bait {
  readonly path: string;
  readonly mode: number;
}

/** The script's orders: one line of JSON on standard input. */
export interface Orders {
  /** Path of the C library, for deeds that are system calls. */
  readonly libc: string;
  readonly acts: readonly HostileAct[];
  /** Files to make first and to remove when standard input ends. */
  readonly bait: readonly Bait[];
  /** True to live until standard input ends. */
  readonly stay: boolean;
}

/** What came of one act: one line of JSON on standard output. */
export interface Attempt {
  readonly act: string;
  readonly denied: boolean;
  /** The error's code, or its first words; empty if the act succeeded. */
  readonly error: string;
}
