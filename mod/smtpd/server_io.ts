/**
 * Accepts connections and keeps them within limits. Holds no listening socket
 * of its own making: it is handed one, open.
 */
import net from "node:net";
import type { LogValue } from "../core/log.ts";
import { LogBrake } from "../core/log_brake.ts";
import { keepAccepting } from "../ipc/accepting.ts";
import { formatReply } from "../core/reply.ts";
import { Arrival } from "./arrival_io.ts";
import type { Backend } from "./backend.ts";
import { clientKey, ClientLimits, plainAddress } from "./client_limits.ts";
import { Backlog } from "./backlog.ts";
import type { ConnectionOptions, Known, Settings } from "./connection.ts";
import { Connection } from "./connection_io.ts";
import { refusedAsk } from "./door_refusals.ts";
import { GateAsker, type GateEdge } from "./gate_asker.ts";
import { Guard, type GuardPost } from "./guard.ts";
import { type Held, NOTHING_HELD } from "./held_socket_io.ts";
import { Networks } from "./networks.ts";
import { MAX_HEADER_MS, ProxyArrival } from "./proxy_io.ts";
import { REPLIES } from "./replies.ts";
import { type SmtpdPart, smtpdRole, type SubmissionPart } from "./role.ts";
import { sessionsPerClient, stressAt } from "./stress.ts";
import { tlsContext } from "./tls_context.ts";
import { tlsServerEndPoint } from "./tls_end_point.ts";

/**
 * Sessions that the open file limit has room for: the rest is for edges, for
 * clients that are being refused, and for what is accepted in one turn.
 */
const MAX_SESSIONS = smtpdRole.openFiles - 1_024;
/** Connections that the kernel keeps for us; it cuts this to its own limit. */
const BACKLOG = 4_096;
/** Refusals that are logged in one second; a flood of bots makes more. */
const MAX_REFUSALS_LOGGED = 100;
/** Refusals that the gate is told of in one second, beside its own. */
const MAX_REFUSALS_TOLD = 20;
/** How often it is told how many were not. */
const BRAKE_TELLS_MS = 10_000;
/** Events that a stranger makes for nothing. */
const REFUSALS: ReadonlySet<string> = new Set([
  "client-failed-test",
  "login-failed",
  "recipient-refused",
  "sender-refused",
]);
/** Deadlines are kept to this. */
const TICK_MS = 100;
/** Time for messages under way after stop; the role has 5 s in all. */
const STOP_MS = 4_000;
/** Refused clients that may still be taking their 421. */
const MAX_REFUSED = 256;
const REFUSED_MS = 1_000;
/** What connections are counted under until a proxy has said whose they are. */
const PROXIES: Slot = { key: "proxies", hasArrived: false };

/** What a server is given. */
export interface ServerOptions {
  readonly part: SmtpdPart | SubmissionPart;
  readonly backend: Backend;
  /** Without it everybody is let in, and nobody counted. */
  readonly gate?: GateEdge;
  readonly log: (event: string, fields: Record<string, LogValue>) => void;
  readonly count: (name: string) => void;
}

/** A connection that was accepted. */
interface Caller {
  /** Whose it is, in plain form. */
  readonly address: string;
  /** TLS from the first octet. */
  readonly isTls: boolean;
  /** What was read of it. */
  readonly held: Held;
  /** What another client said for it. */
  readonly known?: Known;
}

/** What a session has taken, and gives back. */
interface Slot {
  /** What it is counted under, see {@link ClientLimits}. */
  readonly key: string;
  /** The gate counts it, too. */
  readonly hasArrived: boolean;
  readonly guard?: Guard;
}

/** One client, at whatever stage. */
interface Stage {
  tick(nowMs: number, commandWithinMs: number): void;
  stop(): void;
  destroy(): void;
}

/** "close" follows. */
function ignored(): void {}

/** What follows from a configuration; another one replaces all of it. */
interface Terms {
  readonly part: SmtpdPart | SubmissionPart;
  readonly settings: Settings;
  /** The same, for those who may use XCLIENT. */
  readonly xclientSettings: Settings;
  readonly proxies: Networks;
  readonly trusted: Networks;
  readonly xclients: Networks;
  readonly post: GuardPost | undefined;
}

/** The SMTP server of one process. */
export class SmtpServer {
  readonly #options: ServerOptions;
  readonly #servers: net.Server[] = [];
  readonly #stages = new Set<Stage>();
  readonly #limits = new ClientLimits();
  #terms: Terms;
  readonly #brake = new LogBrake(MAX_REFUSALS_LOGGED);
  readonly #tellBrake = new LogBrake(MAX_REFUSALS_TOLD);
  /** When it was told last what the brake left out. */
  #brakeToldMs = 0;
  readonly #gate: GateAsker | undefined;
  /** What every connection is given. */
  readonly #shared: Pick<
    ConnectionOptions,
    "backend" | "log" | "count" | "backlog" | "onRefused"
  >;
  #refused = 0;
  #stopped: (() => void) | undefined;
  readonly #ticker: ReturnType<typeof setInterval>;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#gate = options.gate && new GateAsker(options.gate, options.log);
    const { backend, count } = options;
    const log: ServerOptions["log"] = (event, fields) => {
      if (!REFUSALS.has(event) || this.#brake.mayWrite(performance.now())) {
        options.log(event, fields);
      }
    };
    const onRefused: ConnectionOptions["onRefused"] = (what, about) => {
      if (!this.#tellBrake.mayWrite(performance.now())) return;
      this.#gate?.refused(refusedAsk(what, about));
    };
    const backlog = new Backlog();
    this.#shared = { backend, log, count, backlog, onRefused };
    this.#terms = this.#termsOf(options.part);
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#stages.size;
  }

  /** Takes new settings; sessions that are open keep theirs. */
  renew(part: SmtpdPart | SubmissionPart): void {
    this.#terms = this.#termsOf(part);
  }

  /**
   * Accepts on a listening socket; resolves when it does.
   *
   * @param isTls TLS from the first octet on
   */
  listen(
    on: { fd: number } | { host: string; port: number },
    isTls = false,
  ): Promise<net.Server> {
    const { promise, resolve, reject } = Promise.withResolvers<net.Server>();
    // Half open: who sends all and then FIN still gets its replies.
    const server = net.createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => this.#accept(socket, isTls),
    );
    server.once("error", reject);
    server.listen({ ...on, backlog: BACKLOG }, () => {
      server.off("error", reject);
      server.on("error", (error) => {
        this.#options.count("accept-errors");
        this.#options.log("accept-failed", { why: error.message });
      });
      this.#servers.push(server);
      keepAccepting(server);
      resolve(server);
    });
    return promise;
  }

  /**
   * Stops accepting and ends every session: idle ones at once, those with a
   * message under way when it is completed, but within 4 s.
   */
  async stop(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const stage of [...this.#stages]) stage.stop();
    if (this.#stages.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#stopped = resolve;
      const late = setTimeout(resolve, STOP_MS);
      await promise;
      clearTimeout(late);
    }
    for (const stage of [...this.#stages]) stage.destroy();
    clearInterval(this.#ticker);
  }

  #accept(socket: net.Socket, isTls: boolean): void {
    socket.on("error", ignored);
    // Gone before we looked; or we have no certificate that could be used.
    const remote = socket.remoteAddress;
    if (remote === undefined || (isTls && !this.#terms.settings.offersTls)) {
      socket.destroy();
      return;
    }
    this.#options.count("connections");
    const address = plainAddress(remote);
    const caller = { address, isTls, held: NOTHING_HELD };
    if (this.#terms.proxies.has(address)) this.#readHeader(socket, caller);
    else this.#open(socket, caller);
  }

  /** Whose connection it is, the proxy says. */
  #readHeader(socket: net.Socket, { address: proxy, isTls }: Caller): void {
    const maxSessions = this.#maxSessions;
    const bounds = { maxSessions, maxSessionsPerClient: Infinity };
    const overload = this.#limits.enter(PROXIES.key, bounds);
    if (overload !== undefined) return this.#refuse(socket, overload, isTls);
    const header: Stage = new ProxyArrival(socket, {
      withinMs: Math.min(MAX_HEADER_MS, this.#terms.part.commandWithinMs),
      onHeader: (client, held) => {
        this.#left(header, proxy, PROXIES);
        const address = plainAddress(client?.address ?? proxy);
        this.#open(socket, { address, isTls, held });
      },
      onGone: (why) => {
        this.#left(header, proxy, PROXIES);
        if (why === undefined) return;
        this.#options.count("proxy-faults");
        this.#options.log("proxy-header-refused", { client: proxy, why });
      },
    });
    this.#stages.add(header);
  }

  #open(socket: net.Socket, caller: Caller): void {
    const { address, isTls } = caller;
    const isTrusted = this.#terms.trusted.has(address);
    const key = clientKey(address);
    const overload = this.#limits.enter(key, {
      maxSessions: this.#maxSessions,
      maxSessionsPerClient: this.#sessionsPerClient(isTrusted),
    });
    if (overload !== undefined) return this.#refuse(socket, overload, isTls);
    const post = this.#terms.post;
    const slot = { key, hasArrived: false };
    if (post === undefined || (isTrusted && !post.rules.hasTables)) {
      return this.#connect(socket, caller, slot);
    }
    const guard = new Guard(post, { address, isTrusted });
    if (isTrusted) return this.#connect(socket, caller, { ...slot, guard });
    const arrival: Stage = new Arrival(socket, {
      ...caller,
      gate: post.gate,
      guard,
      takesLogins: this.#terms.settings.takesLogins,
      hostname: this.#terms.part.hostname,
      greetWaitMs: this.#terms.part.screening.greetWaitMs *
        this.#stress.greetWaitShare,
      count: this.#options.count,
      onSession: (held) => {
        this.#stages.delete(arrival);
        const arrived = { key, guard, hasArrived: true };
        this.#connect(socket, { ...caller, held }, arrived);
      },
      onGone: () => this.#left(arrival, address, { key, hasArrived: true }),
    });
    this.#stages.add(arrival);
  }

  // Called with values: a closure made where an arrival is in reach would keep
  // all of it for as long as the session lasts.
  #connect(socket: net.Socket, caller: Caller, slot: Slot): void {
    const { address, isTls, held, known } = caller;
    const connection = new Connection({
      ...this.#shared,
      address,
      isTls,
      ...(isTls ? { held } : {}),
      ...(known === undefined ? {} : { known }),
      ...(slot.guard === undefined ? {} : { guard: slot.guard }),
      socket,
      // Whom it names has no such right; the socket keeps it.
      settings: known !== undefined || this.#terms.xclients.has(address)
        ? this.#terms.xclientSettings
        : this.#terms.settings,
      onClosed: () => this.#left(connection, address, slot),
      onBecome: (successor) => {
        this.#left(connection, address, slot);
        this.#open(successor.socket, {
          address: plainAddress(successor.address ?? address),
          isTls: false,
          held: successor.held,
          known: successor.known,
        });
      },
    });
    this.#stages.add(connection);
    connection.begin(held);
  }

  #left(stage: Stage, address: string, { key, hasArrived }: Slot): void {
    this.#limits.leave(key);
    this.#stages.delete(stage);
    if (hasArrived) this.#gate?.leave(address);
    if (this.#stages.size === 0) this.#stopped?.();
  }

  #sessionsPerClient(isTrusted: boolean): number {
    const { maxSessionsPerClient } = this.#terms.part;
    // Who may have all of them, may: all clients have one address here.
    return isTrusted || maxSessionsPerClient >= this.#maxSessions
      ? maxSessionsPerClient
      : sessionsPerClient(maxSessionsPerClient, this.#stress);
  }

  get #maxSessions(): number {
    return Math.min(this.#terms.part.maxSessions, MAX_SESSIONS);
  }

  get #stress() {
    return stressAt(this.#stages.size, this.#maxSessions);
  }

  #refuse(
    socket: net.Socket,
    why: "too-many" | "too-many-from-client",
    isTls: boolean,
  ): void {
    this.#options.count(`sessions-${why}`);
    // What is said in clear on a TLS port says nothing to anybody.
    if (isTls || this.#refused >= MAX_REFUSED) {
      socket.destroy();
      return;
    }
    this.#refused++;
    const late = setTimeout(() => socket.destroy(), REFUSED_MS);
    socket.once("close", () => {
      this.#refused--;
      clearTimeout(late);
    });
    const reply = why === "too-many"
      ? REPLIES.tooManySessions
      : REPLIES.tooManyFromClient;
    socket.resume();
    socket.end(formatReply(reply));
  }

  #tick(): void {
    const nowMs = performance.now();
    const { commandWithinMs } = this.#stress;
    for (const stage of this.#stages) stage.tick(nowMs, commandWithinMs);
    this.#gate?.flush();
    if (nowMs >= this.#brakeToldMs + BRAKE_TELLS_MS) {
      this.#brakeToldMs = nowMs;
      const count = this.#brake.takeLeftOut();
      if (count > 0) this.#options.log("refusals-not-logged", { count });
    }
  }

  #termsOf(part: SmtpdPart | SubmissionPart): Terms {
    const settings = this.#settingsOf(part);
    return {
      part,
      settings,
      xclientSettings: { ...settings, takesXclient: true },
      proxies: new Networks(part.proxyFrom),
      trusted: new Networks(part.screening.trusted),
      xclients: new Networks(part.xclientFrom),
      post: this.#postOf(part),
    };
  }

  #postOf({ screening }: SmtpdPart): GuardPost | undefined {
    const { log, count } = this.#shared;
    if (this.#gate === undefined) return undefined;
    return { gate: this.#gate, rules: screening, log, count };
  }

  #settingsOf(part: SmtpdPart | SubmissionPart): Settings {
    const context = part.tls === null ? undefined : tlsContext(part.tls);
    if (context?.ok === false) {
      this.#options.log("tls-not-offered", { why: context.why });
    }
    const secureContext = context?.ok ? context.secureContext : undefined;
    const takesLogins = this.#options.backend.forLogins !== undefined;
    const defaults = { hideClient: false, channelBinding: false };
    const whole = { ...defaults, ...part };
    const binds = takesLogins && whole.channelBinding;
    return {
      ...whole,
      secureContext,
      offersTls: secureContext !== undefined,
      takesLogins,
      endPoint: binds && secureContext !== undefined && part.tls !== null
        ? tlsServerEndPoint(part.tls.cert)
        : null,
    };
  }
}
