/**
 * The supervisor: opens all sockets, starts all roles, keeps them alive, and
 * ends them. Parses nothing that came from the network (sendmail X: MCP,
 * Postfix: master).
 *
 * Invariants:
 *  1. Every listening socket is opened before the first role starts and is
 *     closed when the supervisor ends, never between.
 *  2. A role is handed its own sockets, its own part of the configuration,
 *     and nothing else.
 *  3. What a role says is believed only about itself.
 */
import type { RoleName } from "../ipc/call.ts";
import { VERSION } from "../core/version.ts";
import type { Order } from "../ipc/role_runtime.ts";
import type { Libc } from "../walls/libc.ts";
import type { RoleManifest, Site } from "../walls/manifest.ts";
import {
  type Installation,
  jailCommand,
  type ProcessPlan,
  renderWalls,
} from "../walls/render.ts";
import { Child } from "./child.ts";
import { event, type WriteLine } from "./log_sink.ts";
import { Doorbells, type Sleeper, watchDirectory } from "./doorbells.ts";
import { type EdgePlan, edgesOf, instancesOf } from "./roles.ts";
import { ListenError, listenTcp, listenUnix } from "./sockets.ts";
import { writeStatus } from "./status_file.ts";

/** Everything that a server is made of. */
export interface ServerPlan {
  readonly site: Site;
  readonly manifests: readonly RoleManifest[];
  /** Each role's part of the configuration. */
  readonly parts: ReadonlyMap<RoleName, unknown>;
  /** Addresses of the TCP sockets by name, such as `smtp`. */
  readonly listen: ReadonlyMap<
    string,
    readonly { readonly host: string; readonly port: number }[]
  >;
  /** Edges whose asking end this very process holds; see `small_server.ts`. */
  readonly own?: readonly EdgePlan[];
  /** Idle for this long, roles that can go to rest; 0 for never. */
  readonly restAfterMs: number;
}

/** A process as an {@link Observer} sees it. */
export type ObservedRole = { readonly instance: string } & Child["facts"];

/** What an {@link Observer} saw. */
export interface Observed {
  /** Octets that a process takes; 0 if that is not known. */
  readonly memoryOf: (pid: number) => number;
  /** What somebody should look at, in plain words. */
  readonly warnings: readonly string[];
  /** For the console; the same object as long as nothing changed. */
  readonly facts: unknown;
  /** For the console: what flowed each minute of the last hour. */
  readonly flow: () => readonly unknown[];
}

/** Who collects what `status` and the console say beside the roles' states. */
export interface Observer {
  /** Called each second. */
  look(roles: readonly ObservedRole[], isReady: boolean): Observed;
}

const SEES_NOTHING: Observer = {
  look: () => ({
    memoryOf: () => 0,
    warnings: [],
    facts: undefined,
    flow: () => [],
  }),
};

/** Roles that the world hands mail to: they stop first. */
const DOORS: readonly string[] = ["smtpd", "submission", "pickup"];
/** Whole time that a stop may take. */
const STOP_WITHIN_MS = 9_000;
/** A role that dies this often before the server is ready will not come up. */
const HOPELESS_DEATHS = 3;
/** Our predecessor's roles need a moment to notice that it died. */
const SOCKETS_WITHIN_MS = 6_000;
const STATUS_EVERY_MS = 1_000;
/** The last hour is told with every fifth of these. */
const FLOW_EACH = 5;
/** Free memory is given back to the system with every 300th, from the 10th on. */
const TRIM_EACH = 300;
const TRIM_AT = 10;

/** A running server. */
export class Supervisor {
  #plan: ServerPlan;
  readonly #installation: Installation;
  readonly #libc: Libc;
  readonly #write: WriteLine;
  readonly #observer: Observer;
  readonly #children: Child[] = [];
  readonly #edgeFds = new Map<string, number>();
  readonly #tcpFds = new Map<string, number[]>();
  readonly #startedMs = Date.now();
  /** Descriptors that tell of something new in a directory, by who wants it. */
  readonly #watches = new Map<RoleName, number>();
  readonly #doorbells: Doorbells<RoleName>;
  #edges: readonly EdgePlan[] = [];
  #ready = false;
  /** The facts that the console was told last. */
  #toldFacts: unknown;
  #ticks = 0;
  #stopped: Promise<void> | undefined;
  #statusTimer: ReturnType<typeof setInterval> | undefined;
  readonly #up = Promise.withResolvers<void>();

  constructor(options: {
    plan: ServerPlan;
    installation: Installation;
    libc: Libc;
    /** Where log lines go. */
    write: WriteLine;
    /** See {@link Observer}; nothing is collected without one. */
    observer?: Observer;
  }) {
    this.#plan = options.plan;
    this.#installation = options.installation;
    this.#libc = options.libc;
    this.#write = options.write;
    this.#observer = options.observer ?? SEES_NOTHING;
    this.#doorbells = new Doorbells({
      libc: options.libc,
      sleepers: () => this.#sleepers(),
      rung: (role) => this.#wake(role, "the door"),
    });
  }

  /**
   * Opens the sockets and starts the roles.
   *
   * @returns When every role is ready, or when {@link stop} was called first
   * @throws {ListenError} If a socket cannot be opened; nothing was started
   * @throws {Error} If a role cannot start; everything was stopped again
   */
  async start(): Promise<void> {
    await this.#openSockets();
    if (this.#stopped !== undefined) return;
    for (const manifest of this.#plan.manifests) {
      for (const instance of instancesOf(manifest, this.#plan.site)) {
        const child = this.#child(manifest, instance);
        this.#children.push(child);
        child.start();
      }
    }
    this.#statusTimer = setInterval(() => this.#tick(), STATUS_EVERY_MS);
    await this.#up.promise;
    if (this.#stopped === undefined) this.#tick();
  }

  /**
   * Hands every role its part of a new configuration. A role whose rights
   * change with it (smtpc, by a new route) is stopped in good order and comes
   * back with the new ones. Sockets stay as they are: another address to
   * listen on, or another number of processes, needs a restart, and is told.
   */
  renew(plan: ServerPlan): void {
    const before = this.#plan;
    const rights = new Map(
      this.#children.map((one) => [one, this.#rightsOf(one.instance)]),
    );
    this.#plan = plan;
    for (const child of this.#children) {
      // One that rests is told everything when it is started again. As long as
      // its process has not ended it may stay.
      const { state, pid } = child.facts;
      if (state === "resting" && pid === null) continue;
      if (rights.get(child) === this.#rightsOf(child.instance)) {
        child.tell({ do: "renew", part: this.#partOf(child.instance) });
      } else {
        event(this.#write, "rights-changed", { instance: child.instance });
        child.tell({ do: "stop" });
      }
    }
    event(this.#write, "renewed");
    if (shapeOf(before) !== shapeOf(plan)) {
      event(this.#write, "warning", {
        warning: "other listening addresses, or another number of processes, " +
          "come into force when the server is started again",
      });
    }
  }

  #rightsOf(instance: string): string {
    const manifest = this.#plan.manifests.find((one) =>
      one.name === instance.split(".")[0]
    );
    if (manifest === undefined) return "";
    const { flags, spec } = renderWalls(
      this.#processPlan(manifest, instance),
      this.#plan.site,
      this.#installation,
      ["role", manifest.name],
    );
    return JSON.stringify([flags, spec.landlock, spec.seccomp]);
  }

  /** Stops all roles, the world's door first, and closes the sockets. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    // Whoever waits for the start waits no longer.
    this.#up.resolve();
    clearInterval(this.#statusTimer);
    const until = performance.now() + STOP_WITHIN_MS;
    const isDoor = (one: Child) => DOORS.includes(roleOf(one));
    const doors = this.#children.filter(isDoor);
    const others = this.#children.filter((one) => !isDoor(one));
    await Promise.all(doors.map((one) => one.stop(STOP_WITHIN_MS - 3_500)));
    const leftMs = Math.max(500, until - performance.now());
    await Promise.all(others.map((one) => one.stop(leftMs)));
    for (const fd of this.#edgeFds.values()) this.#libc.close(fd);
    for (const fd of [...this.#tcpFds.values()].flat()) this.#libc.close(fd);
    event(this.#write, "stopped");
  }

  async #openSockets(): Promise<void> {
    const until = performance.now() + SOCKETS_WITHIN_MS;
    for (const [name, addresses] of this.#plan.listen) {
      const fds: number[] = [];
      for (const { host, port } of addresses) {
        fds.push(await this.#openTcp(host, port, until));
      }
      this.#tcpFds.set(name, fds);
    }
    const { manifests, site, own = [] } = this.#plan;
    this.#edges = [...edgesOf(manifests, site), ...own];
    for (const edge of this.#edges) {
      const gid = this.#installation.accounts?.get(edge.answerer)?.gid ?? null;
      const mode = gid === null ? 0o600 : 0o660;
      this.#edgeFds.set(
        edge.path,
        listenUnix(this.#libc, edge.path, { gid, mode }),
      );
    }
  }

  async #openTcp(host: string, port: number, until: number): Promise<number> {
    while (true) {
      if (this.#stopped !== undefined) return -1; // nobody will use it
      try {
        return listenTcp(this.#libc, host, port);
      } catch (error) {
        const again = error instanceof ListenError && error.inUse &&
          performance.now() < until;
        if (!again) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** The listening descriptor of one of the plan's `own` edges. */
  fdOf(edge: EdgePlan): number {
    const fd = this.#edgeFds.get(edge.path);
    if (fd === undefined) throw new RangeError(`Cannot find ${edge.path}`);
    return fd;
  }

  #partOf(instance: string): unknown {
    return this.#plan.parts.get(instance.split(".")[0] as RoleName);
  }

  #processPlan(manifest: RoleManifest, instance: string): ProcessPlan {
    const fds = [
      ...manifest.listens.flatMap((name) => this.#tcpFds.get(name) ?? []),
      ...this.#edges.filter((edge) => edge.askerInstance === instance)
        .map((edge) => this.#edgeFds.get(edge.path)!),
    ];
    const plugs = this.#edges.filter((edge) => edge.answerer === manifest.name)
      .map((edge) => edge.path);
    return { manifest, instance, plugs, fds };
  }

  #startOrder(manifest: RoleManifest, instance: string): Order {
    return {
      do: "start",
      instance,
      part: this.#partOf(instance),
      listeners: manifest.listens.flatMap((name) =>
        (this.#tcpFds.get(name) ?? []).map((fd) => ({ name, fd }))
      ),
      asks: this.#edges.filter((edge) => edge.askerInstance === instance)
        .map((edge) => ({
          role: edge.answerer,
          fd: this.#edgeFds.get(edge.path)!,
          rests: this.#processesOf(edge.answerer).some((one) =>
            one.facts.state === "resting"
          ),
        })),
      answers: this.#edges.filter((edge) => edge.answerer === manifest.name)
        .map((edge) => ({
          role: edge.asker,
          instance: edge.askerInstance,
          path: edge.path,
        })),
      restAfterMs: this.#plan.restAfterMs,
    };
  }

  #processesOf(role: RoleName): readonly Child[] {
    return this.#children.filter((one) => roleOf(one) === role);
  }

  /** Those whose only asker it is, and that speak no frames, rest with it. */
  #companionsOf(role: RoleName): readonly Child[] {
    return this.#plan.manifests.filter((one) => one.restsWith === role)
      .flatMap((one) => this.#processesOf(one.name));
  }

  #rest(child: Child, manifest: RoleManifest): void {
    const { name, listens, wokenBy } = manifest;
    if (child.facts.state !== "ready") return;
    if (wokenBy !== undefined && !this.#isWatched(manifest)) return;
    const companions = this.#companionsOf(name);
    if (!child.rest()) return;
    event(this.#write, "role-rests", { instance: child.instance });
    for (const one of companions) {
      if (!one.rest()) continue;
      event(this.#write, "role-rests", { instance: one.instance });
    }
    if (listens.length > 0 || wokenBy !== undefined) this.#doorbells.watch();
  }

  /** Before it is let go: what comes from now on rings. False: it must stay. */
  #isWatched({ name, wokenBy }: RoleManifest): boolean {
    if (this.#watches.has(name)) return true;
    const fd = watchDirectory(this.#libc, wokenBy!(this.#plan.site));
    if (fd !== undefined) this.#watches.set(name, fd);
    return fd !== undefined;
  }

  /** Roles that listen, and none of whose processes is awake. */
  #sleepers(): readonly Sleeper<RoleName>[] {
    return this.#plan.manifests.filter(({ name }) =>
      this.#processesOf(name).every((one) => one.isAsleep)
    ).map(({ name, listens }) => ({
      name,
      fds: [
        ...listens.flatMap((one) => this.#tcpFds.get(one) ?? []),
        ...(this.#watches.has(name) ? [this.#watches.get(name)!] : []),
      ],
    })).filter(({ fds }) => fds.length > 0);
  }

  #wake(role: RoleName, by: string): void {
    const watch = this.#watches.get(role);
    this.#watches.delete(role);
    if (watch !== undefined) this.#libc.close(watch);
    for (
      const one of [...this.#companionsOf(role), ...this.#processesOf(role)]
    ) {
      if (!one.wake()) continue;
      event(this.#write, "role-woken", {
        instance: one.instance,
        by,
      });
    }
  }

  #child(manifest: RoleManifest, instance: string): Child {
    let deaths = 0;
    const child: Child = new Child({
      instance,
      command: () => {
        const { spec } = renderWalls(
          this.#processPlan(manifest, instance),
          this.#plan.site,
          this.#installation,
          ["role", manifest.name],
        );
        return jailCommand(this.#installation, spec);
      },
      start: () => this.#startOrder(manifest, instance),
      events: {
        line: this.#write,
        event: (name, fields) => {
          event(this.#write, name, fields);
          if (name === "role-died" && !this.#ready) {
            deaths++;
            if (deaths >= HOPELESS_DEATHS) this.#hopeless(instance);
          }
          // Its like do its work until it is back; who rests with it is needed.
          if (name === "role-died") this.#wake(manifest.name, instance);
        },
        ready: () => this.#childReady(instance),
        cannotStart: () => {
          if (!this.#ready) this.#hopeless(instance);
        },
        idle: () => {
          // Before all are there, nobody knows who will be asked.
          if (this.#ready) this.#rest(child, manifest);
        },
        stays: () => this.#wake(manifest.name, instance),
        wants: (role) => {
          if (role === manifest.name || manifest.asks.includes(role)) {
            this.#wake(role, instance);
          }
        },
      },
    });
    return child;
  }

  #hopeless(instance: string): void {
    this.#up.reject(
      new Error(
        `Cannot start ${instance}: the log lines above say why; ` +
          "`bulkhead check` looks for what is wrong",
      ),
    );
  }

  #childReady(instance: string): void {
    event(this.#write, "role-ready", { instance });
    // One that was started again has heard nothing yet.
    if (instance.startsWith("console.")) {
      this.#toldFacts = undefined;
      this.#ticks = 0;
      if (this.#ready) this.#tick();
    }
    if (
      !this.#ready && this.#children.every((one) => one.facts.state === "ready")
    ) {
      this.#ready = true;
      this.#up.resolve();
    }
  }

  #tick(): void {
    // What starting took is given back, and what a busy hour took.
    if (this.#ready && this.#ticks % TRIM_EACH === TRIM_AT) {
      this.#libc.malloc_trim(0n);
    }
    const roles = this.#children.map((one) => ({
      instance: one.instance,
      ...one.facts,
    }));
    const seen = this.#observer.look(roles, this.#ready);
    const status = {
      pid: Deno.pid,
      startedMs: this.#startedMs,
      ready: this.#ready,
      hostname: hostnameOf(this.#plan),
      version: VERSION,
      memoryBytes: seen.memoryOf(Deno.pid),
      roles: roles.map((one) => ({
        ...one,
        counters: shownOf(one.counters),
        memoryBytes: one.pid === null ? 0 : seen.memoryOf(one.pid),
      })),
    };
    writeStatus(this.#plan.site.runDir, { ...status, warnings: seen.warnings });
    for (const child of this.#children) {
      if (roleOf(child) !== "console" || child.facts.state !== "ready") {
        continue;
      }
      child.tell({ do: "news", news: { news: status } });
      if (this.#ticks % FLOW_EACH === 0) {
        child.tell({ do: "news", news: { flow: seen.flow() } });
      }
      if (seen.facts !== this.#toldFacts) {
        this.#toldFacts = seen.facts;
        child.tell({ do: "news", news: { facts: seen.facts } });
      }
    }
    this.#ticks++;
  }
}

/** A name that begins with a dot is for the supervisor alone. */
function shownOf(
  counters: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(counters).filter(([name]) => !name.startsWith(".")),
  );
}

/** What of a plan is fixed for a server's life. */
function shapeOf(plan: ServerPlan): string {
  return JSON.stringify([
    [...plan.listen],
    plan.manifests.map((one) => instancesOf(one, plan.site)),
  ]);
}

function roleOf(child: Child): string {
  return child.instance.split(".")[0]!;
}

function hostnameOf(plan: ServerPlan): string {
  const part = plan.parts.get("smtpd") as { hostname?: string } | undefined;
  return part?.hostname ?? "";
}
