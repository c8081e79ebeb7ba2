/**
 * One process of a role: started through the jail stage, fed its first
 * message, pinged, and started again when it dies.
 *
 *     starting -> ready -> (dead -> starting)*  -> stopping -> gone
 *                  ready -> resting -> starting
 *
 * A resting one said that it has nothing to do, and its process has ended, or
 * is about to; it is started again when somebody wants it.
 *
 * Restart delays are 1, 2, 4 ... 60 s, but nothing for a role that had been
 * well for {@link WELL_MS}: the usual death is a single one.
 */
import { encodeFrame, FrameReader, MAX_ORDER_BODY } from "../ipc/frames.ts";
import type { RoleName } from "../ipc/call.ts";
import { sumOf } from "../ipc/counters.ts";
import {
  EXIT_CANNOT_START,
  type Order,
  type Report,
  reports,
} from "../ipc/role_runtime.ts";
import type { Severity } from "./log/severity.ts";
import { LogSink } from "./log_sink.ts";

/** A role that lived this long is started again at once. */
export const WELL_MS = 10_000;
/** Pings are this far apart. */
const PING_EVERY_MS = 5_000;
/** A role that answers no ping for this long is hung, and killed. */
export const HUNG_AFTER_MS = 20_000;

/**
 * How long to wait before starting a role again.
 *
 * @param failures Deaths in a row without {@link WELL_MS} of life between
 */
export function restartDelayMs(failures: number): number {
  if (failures <= 0) return 0;
  return Math.min(60, 2 ** (failures - 1)) * 1_000;
}

/** Where a process is in its life. */
export type ChildState =
  | "starting"
  | "ready"
  | "resting"
  | "dead"
  | "stopping"
  | "gone";

/** A process that goes to rest and does not end is killed after this. */
const REST_WITHIN_MS = 15_000;
/** One that was told to rest and stayed is not told so again before this. */
const REST_AGAIN_MS = 1_000;

/** What a child tells its owner. */
export interface ChildEvents {
  /** One finished log line. */
  line(line: string, severity: Severity): void;
  /** An event of the supervisor about this process. */
  event(name: string, fields: Record<string, unknown>): void;
  /** It is ready, for the first time or again. */
  ready(): void;
  /** It said that it cannot start until somebody mends something. */
  cannotStart(): void;
  /** It has nothing to do. */
  idle(): void;
  /** It was to rest, and has something to do again. */
  stays(): void;
  /** It wants to ask this role, and nobody answers there. */
  wants(role: RoleName): void;
}

/** One process, over all its restarts. */
export class Child {
  readonly instance: string;
  readonly #command: () => { command: string; args: string[] };
  readonly #start: () => Order;
  readonly #events: ChildEvents;
  #state: ChildState = "dead";
  #process: Deno.ChildProcess | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #readyMs = 0;
  #pongMs = 0;
  #failures = 0;
  #restarts = 0;
  /** Ends by an error of its own: neither killed, nor told to mend something. */
  #errors = 0;
  /** Grave lines of its log. */
  #logged = { error: 0, warning: 0 };
  #pings = 0;
  #counters: Readonly<Record<string, number>> = {};
  /** Of the lives that ended in rest. */
  #countedBefore: Readonly<Record<string, number>> = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pinger: ReturnType<typeof setInterval> | undefined;
  #gone = Promise.withResolvers<void>();
  #isWanted = false;
  #stayedMs = -Infinity;

  constructor(options: {
    instance: string;
    command: () => { command: string; args: string[] };
    /** The first message; made anew for each start, as the config may change. */
    start: () => Order;
    events: ChildEvents;
  }) {
    this.instance = options.instance;
    this.#command = options.command;
    this.#start = options.start;
    this.#events = options.events;
  }

  /** Facts for `status` and the console. */
  get facts(): {
    state: ChildState;
    pid: number | null;
    restarts: number;
    errors: number;
    logged: { readonly error: number; readonly warning: number };
    upMs: number;
    counters: Readonly<Record<string, number>>;
  } {
    return {
      state: this.#state,
      pid: this.#process?.pid ?? null,
      restarts: this.#restarts,
      errors: this.#errors,
      logged: this.#logged,
      upMs: this.#state === "ready"
        ? Math.round(performance.now() - this.#readyMs)
        : 0,
      counters: this.#counters,
    };
  }

  /** Starts the process; if the machine is too full for it, later again. */
  start(): void {
    const { command, args } = this.#command();
    this.#state = "starting";
    this.#pongMs = performance.now();
    let child: Deno.ChildProcess;
    try {
      child = spawn(command, args);
    } catch (error) {
      this.#again({ why: String(error).slice(0, 200) }, 0);
      return;
    }
    this.#process = child;
    this.#writer = child.stdin.getWriter();
    this.tell(this.#start());
    const out = this.#readReports(child);
    const err = this.#readLog(child);
    this.#pinger = setInterval(() => this.#ping(), PING_EVERY_MS);
    child.status.then(async (status) => {
      await Promise.all([out, err]);
      this.#died(status);
    });
  }

  /** True if it rests, and nobody has wanted it since. */
  get isAsleep(): boolean {
    return this.#state === "resting" && !this.#isWanted;
  }

  /** Lets it end, until {@link wake}; false if it must stay. */
  rest(): boolean {
    if (this.#state !== "ready") return false;
    if (performance.now() - this.#stayedMs < REST_AGAIN_MS) return false;
    this.#state = "resting";
    this.#isWanted = false;
    this.tell({ do: "rest" });
    this.#timer = setTimeout(
      () => this.kill("going to rest took too long"),
      REST_WITHIN_MS,
    );
    return true;
  }

  /** Starts it if it rests, or as soon as it does; false if it is no sleeper. */
  wake(): boolean {
    if (!this.isAsleep) return false;
    if (this.#process === undefined) this.start();
    else this.#isWanted = true;
    return true;
  }

  /** Sends an order; lost if the process is dead, which it then finds out. */
  tell(order: Order): void {
    const frame = encodeFrame(
      "control",
      0,
      JSON.stringify(order),
      MAX_ORDER_BODY,
    );
    // A broken pipe means a dead process; `status` tells of it.
    this.#writer?.write(frame).catch(() => {});
  }

  /** Asks it to stop, for good; resolves when it is gone. */
  async stop(withinMs: number): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#process === undefined) {
      this.#state = "gone";
      return;
    }
    this.#state = "stopping";
    this.tell({ do: "stop" });
    const late = setTimeout(() => this.kill("stop took too long"), withinMs);
    await this.#gone.promise;
    clearTimeout(late);
  }

  /** Kills it; it will be started again unless it is stopping. */
  kill(why: string): void {
    this.#events.event("role-killed", { instance: this.instance, why });
    try {
      this.#process?.kill("SIGKILL");
    } catch {
      // Already dead: what we wanted.
    }
  }

  #ping(): void {
    const silentMs = performance.now() - this.#pongMs;
    if (silentMs > HUNG_AFTER_MS) {
      this.kill(`no answer to a ping for ${Math.round(silentMs / 1000)} s`);
      return;
    }
    this.tell({ do: "ping", n: ++this.#pings });
  }

  #heard(report: Report): void {
    switch (report.is) {
      case "ready":
        if (this.#state !== "starting") return;
        this.#state = "ready";
        this.#readyMs = performance.now();
        this.#pongMs = this.#readyMs;
        this.#events.ready();
        return;
      case "pong":
        if (report.n === this.#pings) this.#pongMs = performance.now();
        this.#counters = sumOf(this.#countedBefore, report.counters);
        return;
      case "idle":
        this.#events.idle();
        return;
      case "busy":
        if (this.#state !== "resting") return;
        clearTimeout(this.#timer);
        this.#state = "ready";
        this.#isWanted = false;
        this.#stayedMs = performance.now();
        this.#events.stays();
        return;
      case "wants":
        this.#events.wants(report.role);
        return;
    }
  }

  async #readReports(child: Deno.ChildProcess): Promise<void> {
    const reader = new FrameReader();
    const decoder = new TextDecoder();
    try {
      for await (const bytes of child.stdout) {
        for (const frame of reader.push(bytes)) {
          this.#heard(reports.parse(JSON.parse(decoder.decode(frame.body))));
        }
      }
    } catch (error) {
      // It broke the control channel: it is not what we started.
      this.kill(`bad report: ${String(error).slice(0, 200)}`);
      await child.stdout.cancel().catch(() => {});
    }
  }

  async #readLog(child: Deno.ChildProcess): Promise<void> {
    const sink = new LogSink(this.instance, (line, severity) => {
      if (severity === "error" || severity === "warning") {
        const { [severity]: before } = this.#logged;
        this.#logged = { ...this.#logged, [severity]: before + 1 };
      }
      this.#events.line(line, severity);
    });
    for await (const bytes of child.stderr) sink.push(bytes);
    sink.close();
  }

  #died(status: Deno.CommandStatus): void {
    clearInterval(this.#pinger);
    this.#writer?.abort().catch(() => {});
    this.#process = undefined;
    this.#writer = undefined;
    if (this.#state === "stopping") {
      this.#state = "gone";
      this.#gone.resolve();
      return;
    }
    if (this.#state === "resting") clearTimeout(this.#timer);
    // One that was killed told nobody that it rests: it is not left like that.
    if (this.#state === "resting" && status.success) {
      this.#countedBefore = this.#counters;
      if (this.#isWanted) this.start();
      return;
    }
    const livedMs = this.#state === "ready" || this.#state === "resting"
      ? performance.now() - this.#readyMs
      : 0;
    if (status.code === EXIT_CANNOT_START) this.#events.cannotStart();
    else if (status.signal === null && status.code !== 0) this.#errors++;
    this.#again({ code: status.code, signal: status.signal }, livedMs);
  }

  #again(how: Record<string, unknown>, livedMs: number): void {
    this.#state = "dead";
    this.#countedBefore = {};
    this.#failures = livedMs >= WELL_MS ? 0 : this.#failures + 1;
    // The first death is forgiven even if it came early: within 1 s.
    const delayMs = restartDelayMs(this.#failures - 1);
    this.#events.event("role-died", {
      instance: this.instance,
      ...how,
      livedMs: Math.round(livedMs),
      againInMs: delayMs,
    });
    this.#restarts++;
    this.#timer = setTimeout(() => this.start(), delayMs);
  }
}

function spawn(command: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(command, {
    args,
    cwd: "/",
    clearEnv: true,
    env: {
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
      // The jail stage is root: it must not leave a cache anywhere.
      DENO_DIR: "/dev/null",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}
