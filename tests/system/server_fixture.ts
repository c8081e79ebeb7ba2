/**
 * A whole installation and a running server for tests from outside: made by
 * `bulkhead init` in a directory of its own, started by `bulkhead serve` as a
 * child process, stopped by SIGTERM and its process id.
 *
 * Works as root, when every role has a user of its own, and as an ordinary
 * user. Nothing of the server's code is called but through the command line.
 */
import assert from "node:assert/strict";
import { mergeSettings } from "./settings_text.ts";

/** The checkout under test. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * The command under test: the one file that `BULKHEAD` names (`deno task test`
 * builds it), or the checkout.
 */
export const BULKHEAD: readonly string[] = Deno.env.get("BULKHEAD")
  ? [Deno.env.get("BULKHEAD")!]
  : [Deno.execPath(), "run", "-A", `${ROOT}main.ts`];

/** True if roles get users of their own. */
export const IS_ROOT = Deno.uid() === 0;

/** True where a missing peer is a failure and not a reason to skip. */
export const IS_CI = Deno.env.get("CI") === "true";

const READY_WITHIN_MS = 30_000;
/** What `serve` promises for SIGTERM. */
export const STOP_WITHIN_MS = 10_000;

/** What a command printed and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** Runs `bulkhead ARGS` and waits for its end. */
export async function bulkhead(...args: readonly string[]): Promise<Ran> {
  const [command, ...first] = BULKHEAD;
  return await run(command!, [...first, ...args]);
}

/** Runs a program and waits for its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: { input?: Uint8Array; withinMs?: number } = {},
): Promise<Ran> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(options.withinMs ?? 120_000),
  }).spawn();
  if (options.input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(options.input);
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

/** One line of the server's log. */
export interface LogEvent {
  readonly at: string;
  readonly role: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** One role as `status --json` has it. */
export interface RoleStatus {
  readonly instance: string;
  readonly state: string;
  readonly pid: number;
  readonly restarts: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** Choices for {@link installation}. */
export interface Choices {
  /** Mailboxes to make; `me` and `you` if not said. */
  readonly users?: readonly string[];
  /** `domain=host:port` each. */
  readonly routes?: readonly string[];
  /** Further settings as TOML; see {@link mergeSettings}. */
  readonly settings?: string;
  /** Where the home shall be; its parent must exist. */
  readonly home?: string;
  /** In a directory that only its owner may search (`mktemp -d`). */
  readonly isHidden?: boolean;
}

/** An installation on disk, running or not. */
export class Installation {
  /** Directory to be removed at the end. */
  readonly #dir: string;
  readonly home: string;
  readonly config: string;
  readonly logFile: string;
  readonly smtpPort: number;
  readonly consolePort: number;
  #child: Deno.ChildProcess | undefined;

  constructor(dir: string, home: string, port: number) {
    this.#dir = dir;
    this.home = home;
    this.config = `${home}/bulkhead.toml`;
    this.logFile = `${dir}/serve.log`;
    this.smtpPort = port;
    this.consolePort = port + 3;
  }

  /** A file name beside the home, removed with it. */
  beside(name: string): string {
    return `${this.#dir}/${name}`;
  }

  /** The Maildir of `user@domain`. */
  maildir(user: string, domain = "home.test"): string {
    return `${this.home}/mail/${domain}/${user}`;
  }

  /** True if it was started and not stopped since. */
  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** The supervisor's process id. */
  get pid(): number {
    return this.#child!.pid;
  }

  /** Runs a command that takes `--config`. */
  command(...args: readonly string[]): Promise<Ran> {
    return bulkhead(...args, "--config", this.config);
  }

  /** Runs a command with `--json`, whatever its exit code, and parses it. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { out, errors } = await this.command(...args, "--json");
    try {
      return JSON.parse(out) as T;
    } catch {
      throw new Error(`${args.join(" ")}: no JSON: ${out} ${errors}`);
    }
  }

  /** The roles of the running server. */
  async roles(): Promise<readonly RoleStatus[]> {
    return (await this.json<{ roles: RoleStatus[] }>("status")).roles;
  }

  /** The log so far; lines that are no JSON become `event: "text"`. */
  events(): LogEvent[] {
    const lines = this.log().split("\n").filter((line) => line !== "");
    return lines.map((line) => {
      try {
        return JSON.parse(line) as LogEvent;
      } catch {
        return { at: "", role: "", event: "text", text: line };
      }
    });
  }

  /** The log's text so far. */
  log(): string {
    return Deno.readTextFileSync(this.logFile);
  }

  /** Starts `serve` and waits until it says that it is ready. */
  async start(): Promise<void> {
    this.#child = spawnServe(this.config, this.logFile);
    let ended: number | undefined;
    this.#child.status.then(({ code }) => ended = code);
    const until = Date.now() + READY_WITHIN_MS;
    while (!this.events().some(({ event }) => event === "ready")) {
      if (ended !== undefined || Date.now() > until) {
        await this.stop();
        const how = ended === undefined ? "is not ready" : `ended (${ended})`;
        throw new Error(`The server ${how}: ${this.log()}`);
      }
      await delay(50);
    }
  }

  /** Stops it by SIGTERM; says how, and how long it took. */
  async stop(): Promise<{ code: number; inMs: number } | undefined> {
    const child = this.#child;
    if (child === undefined) return undefined;
    this.#child = undefined;
    const began = performance.now();
    try {
      child.kill("SIGTERM");
    } catch {
      // It ended by itself: its exit code tells.
    }
    const late = setTimeout(() => child.kill("SIGKILL"), 3 * STOP_WITHIN_MS);
    const { code } = await child.status;
    clearTimeout(late);
    return { code, inMs: performance.now() - began };
  }

  /** Stops it as a test wants it: in time, with exit code 0. */
  async stopCleanly(): Promise<void> {
    const stopped = await this.stop();
    assert.ok(stopped !== undefined, "it runs");
    assert.equal(stopped.code, 0, `exit code; log: ${this.log()}`);
    assert.ok(
      stopped.inMs < STOP_WITHIN_MS,
      `stopped in ${Math.round(stopped.inMs)} ms`,
    );
  }

  /** Stops what runs and removes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** Starts `serve` with its log appended to a file; the process is Deno's own. */
export function spawnServe(
  config: string,
  logFile: string,
): Deno.ChildProcess {
  Deno.writeTextFileSync(logFile, "");
  return new Deno.Command("/bin/sh", {
    args: ["-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", logFile]
      .concat(BULKHEAD, ["serve", "--config", config]),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).spawn();
}

/** Makes an installation; nothing is started. */
export async function installation(
  choices: Choices = {},
): Promise<Installation> {
  const dir = await Deno.makeTempDir({ dir: "/tmp", prefix: "bulkhead-sys-" });
  if (!choices.isHidden) await Deno.chmod(dir, 0o755);
  const made = new Installation(
    dir,
    choices.home ?? `${dir}/home`,
    freePorts(),
  );
  try {
    await init(made, choices);
  } catch (error) {
    await made[Symbol.asyncDispose]();
    throw error;
  }
  return made;
}

async function init(made: Installation, choices: Choices): Promise<void> {
  const users = choices.users ?? ["me", "you"];
  await Deno.writeTextFile(made.beside("pw"), "a password\n");
  const ran = await bulkhead(
    ...["init", made.home, "--hostname", "mx.home.test"],
    ...["--domain", "home.test", "--ports", String(made.smtpPort)],
    ...["--password-file", made.beside("pw")],
    ...users.slice(0, 2).flatMap((one) => ["--user", one]),
    ...(choices.routes ?? []).flatMap((one) => ["--route", one]),
  );
  assert.equal(ran.code, 0, ran.errors);
  if (choices.settings !== undefined) change(made, choices.settings);
  addUsers(made, users.slice(2));
}

// A password costs a quarter of a second to hash; 200 of them are the same.
function addUsers(made: Installation, names: readonly string[]): void {
  const append = (path: string, lines: readonly string[]) =>
    Deno.writeTextFileSync(path, lines.map((one) => `${one}\n`).join(""), {
      append: true,
    });
  const passwords = `${made.home}/auth/passwords`;
  const first = Deno.readTextFileSync(passwords).split("\n")
    .find((line) => line.includes("@"))!;
  const hashes = first.slice(first.indexOf(":"));
  append(`${made.home}/users`, names.map((name) => `${name}@home.test`));
  append(passwords, names.map((name) => `${name}@home.test${hashes}`));
}

/** Makes an installation and starts its server. */
export async function server(choices: Choices = {}): Promise<Installation> {
  const made = await installation(choices);
  try {
    await made.start();
  } catch (error) {
    await made[Symbol.asyncDispose]();
    throw error;
  }
  return made;
}

/** Puts settings into the installation's configuration file. */
export function change(made: Installation, settings: string): void {
  const before = Deno.readTextFileSync(made.config);
  Deno.writeTextFileSync(made.config, mergeSettings(before, settings));
}

const PORT_SLOTS = 5_000;
// Tests run side by side, and a port is used long after it was found free:
// each process looks in a place of its own.
let portSlot = Deno.pid * 61 % PORT_SLOTS;

/** First of four free loopback ports in a row, below the ephemeral ones. */
export function freePorts(): number {
  for (let tries = 0; tries < 200; tries++) {
    portSlot = (portSlot + 1) % PORT_SLOTS;
    const first = 10_000 + 4 * portSlot;
    if ([0, 1, 2, 3].every((more) => isFree(first + more))) return first;
  }
  throw new Error("Cannot find four free ports");
}

/** One free loopback port. */
export function freePort(): number {
  return freePorts();
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** Waits. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again and again until there is an answer; fails after `withinMs`. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 15_000,
): Promise<T> {
  const late = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > late) throw new Error(`Never came: ${what}`);
    await delay(25);
  }
}
