/**
 * Who starts the server: systemd, OpenRC, or nobody but `up` itself. One
 * object each, so that nothing else has to ask which.
 */
import { wordsOf } from "../care/words.ts";
import { isThere } from "../replace_file.ts";
import { readStatus } from "../status_file.ts";
import { waitFor } from "../wait_for.ts";
import {
  OPENRC_PATH,
  openrcText,
  type ServiceFacts,
  UNIT_PATH,
  unitText,
} from "./unit.ts";

/** The three of them. */
export type ServiceKind = "systemd" | "openrc" | "none";

/** Longest time for systemctl(1) and its like. */
const COMMAND_WITHIN_MS = 60_000;
/** What `serve` promises for SIGTERM, and some. */
const STOP_WITHIN_MS = 20_000;

/** A service manager, as `up` and `down` need it. */
export interface Service {
  readonly kind: ServiceKind;
  /** What it is called in a sentence. */
  readonly says: string;
  /** The file that describes the server; null where there is none. */
  readonly file: { path: string; text: string; mode: number } | null;
  /** What an administrator types to see what happened. */
  readonly logCommand: string;
  /** The command that starts the server now. */
  readonly startCommand: string;
  /** True if the server is started at boot, or nobody could do that. */
  isEnabled(): boolean;
  /** Starts the server, now and at boot. */
  start(): void;
  /** Only that it is started at boot. */
  enable(): void;
  /** Stops it, now and for ever. Harmless where it does not run. */
  stop(): Promise<void>;
  /** After its file is gone. */
  forget(): void;
}

/** What this machine has. Looks at what runs, not at what is installed. */
export function serviceKindHere(isRoot: boolean): ServiceKind {
  if (!isRoot) return "none";
  if (isThere("/run/systemd/system")) return "systemd"; // sd_booted(3)
  if (isThere("/run/openrc/softlevel")) return "openrc";
  return "none";
}

/** The service manager of that kind. */
export function serviceOf(
  kind: ServiceKind,
  facts: Facts,
): Service {
  switch (kind) {
    case "systemd":
      return systemd(facts);
    case "openrc":
      return openrc(facts);
    case "none":
      return nobody(facts);
  }
}

/** What a service manager has to know. */
type Facts = ServiceFacts & {
  readonly runDir: string;
  readonly log: string;
  /** The command that made it, to be typed again. */
  readonly upAgain: string;
};

function systemd(facts: Facts): Service {
  const enable = () => {
    run("systemctl", "daemon-reload");
    run("systemctl", "enable", "bulkhead.service");
  };
  return {
    kind: "systemd",
    says: "systemd starts it, now and at boot",
    file: { path: UNIT_PATH, text: unitText(facts), mode: 0o644 },
    logCommand: "journalctl -u bulkhead",
    startCommand: "systemctl start bulkhead",
    isEnabled: () => succeeds("systemctl", "is-enabled", "bulkhead.service"),
    start: () => {
      enable();
      // One that failed too often waits for this.
      succeeds("systemctl", "reset-failed", "bulkhead.service");
      run("systemctl", "start", "bulkhead.service");
    },
    enable,
    stop: async () => {
      succeeds("systemctl", "disable", "--now", "bulkhead.service");
      await stopProcess(facts.runDir);
    },
    forget: () => void succeeds("systemctl", "daemon-reload"),
  };
}

function openrc(facts: Facts): Service {
  const enable = () => run("rc-update", "add", "bulkhead", "default");
  return {
    kind: "openrc",
    says: "OpenRC starts it, now and at boot",
    file: { path: OPENRC_PATH, text: openrcText(facts), mode: 0o755 },
    logCommand: `tail ${facts.log}`,
    startCommand: "rc-service bulkhead start",
    isEnabled: () => isThere("/etc/runlevels/default/bulkhead"),
    start: () => {
      enable();
      run("rc-service", "bulkhead", "start");
    },
    enable,
    stop: async () => {
      succeeds("rc-service", "bulkhead", "stop");
      succeeds("rc-update", "del", "bulkhead", "default");
      await stopProcess(facts.runDir);
    },
    forget: () => {},
  };
}

function nobody(facts: Facts): Service {
  const words = [...facts.command, "serve", "--config", facts.configPath];
  const { upAgain } = facts;
  return {
    kind: "none",
    says: "nothing here starts servers at boot: up started it, and after a " +
      `boot \`${upAgain}\` has to be run again`,
    file: null,
    logCommand: `tail ${facts.log}`,
    startCommand: upAgain,
    isEnabled: () => true,
    start: () => {
      // A session of its own: it outlives the terminal. The log is its
      // owner's, for it names who writes to whom.
      const script = "umask 077; log=$1; shift; " +
        'setsid "$@" </dev/null >>"$log" 2>&1 &';
      run("/bin/sh", "-c", script, "sh", facts.log, ...words);
    },
    enable: () => {},
    stop: () => stopProcess(facts.runDir),
    forget: () => {},
  };
}

/** Ends whoever runs on this home, however it was started. */
export async function stopProcess(runDir: string): Promise<void> {
  const status = readStatus(runDir);
  if (status === undefined) return;
  try {
    Deno.kill(status.pid, "SIGTERM");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const isGone = await waitFor(
    () => readStatus(runDir)?.pid === status.pid ? undefined : true,
    STOP_WITHIN_MS,
  );
  if (isGone === undefined) {
    throw new Error(`process ${status.pid} does not end: see its log`);
  }
}

/** Runs a command; throws with its last words if it fails. */
export function run(command: string, ...args: readonly string[]): void {
  const ended = output(command, args);
  if (!ended.ok) {
    throw new Error(`${[command, ...args].join(" ")}: ${ended.words}`);
  }
}

/** Runs a command; false if it failed or is not there. */
export function succeeds(command: string, ...args: readonly string[]): boolean {
  return output(command, args).ok;
}

function output(
  command: string,
  args: readonly string[],
): { ok: boolean; words: string } {
  try {
    // No descriptor of ours: what is started in the background keeps them.
    const child = new Deno.Command("timeout", {
      args: [String(COMMAND_WITHIN_MS / 1_000), command, ...args],
      stdin: "null",
      stdout: "null",
      stderr: command === "/bin/sh" ? "null" : "piped",
    }).outputSync();
    const words = command === "/bin/sh"
      ? ""
      : new TextDecoder().decode(child.stderr).trim();
    return { ok: child.success, words: words || `exit code ${child.code}` };
  } catch (error) {
    return { ok: false, words: wordsOf(error) };
  }
}
