/**
 * Accepts connections and keeps them within limits. Holds no listening socket
 * of its own making: it is handed one, open.
 */
import net from "node:net";
import type { LogValue } from "../core/log.ts";
import { keepAccepting } from "../ipc/accepting.ts";
import { formatReply } from "../core/reply.ts";
import type { Backend } from "./backend.ts";
import { clientKey, ClientLimits, plainAddress } from "./client_limits.ts";
import { Connection, type Settings } from "./connection_io.ts";
import { REPLIES } from "./replies.ts";
import { type SmtpdPart, smtpdRole } from "./role.ts";
import { tlsContext } from "./tls_context.ts";

/**
 * Sessions that the open file limit has room for: the rest is for edges, for
 * clients that are being refused, and for what is accepted in one turn.
 */
const MAX_SESSIONS = smtpdRole.openFiles - 1_024;
/** Connections that the kernel keeps for us; it cuts this to its own limit. */
const BACKLOG = 4_096;
/** Deadlines are kept to this. */
const TICK_MS = 100;
/** Time for messages under way after stop; the role has 5 s in all. */
const STOP_MS = 4_000;
/** Refused clients that may still be taking their 421. */
const MAX_REFUSED = 256;
const REFUSED_MS = 1_000;

/** What a server is given. */
export interface ServerOptions {
  readonly part: SmtpdPart;
  readonly backend: Backend;
  readonly log: (event: string, fields: Record<string, LogValue>) => void;
  readonly count: (name: string) => void;
}

/** The SMTP server of one process. */
export class SmtpServer {
  readonly #options: ServerOptions;
  readonly #servers: net.Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #limits = new ClientLimits();
  #part: SmtpdPart;
  #settings: Settings;
  #refused = 0;
  #stopped: (() => void) | undefined;
  readonly #ticker: ReturnType<typeof setInterval>;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#part = options.part;
    this.#settings = this.#settingsOf(options.part);
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#connections.size;
  }

  /** Takes new settings; sessions that are open keep theirs. */
  renew(part: SmtpdPart): void {
    this.#part = part;
    this.#settings = this.#settingsOf(part);
  }

  /** Accepts on a listening socket; resolves when it does. */
  listen(
    on: { fd: number } | { host: string; port: number },
  ): Promise<net.Server> {
    const { promise, resolve, reject } = Promise.withResolvers<net.Server>();
    // Half open: who sends all and then FIN still gets its replies.
    const server = net.createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => this.#accept(socket),
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
    for (const connection of [...this.#connections]) connection.stop();
    if (this.#connections.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#stopped = resolve;
      const late = setTimeout(resolve, STOP_MS);
      await promise;
      clearTimeout(late);
    }
    for (const connection of [...this.#connections]) connection.destroy();
    clearInterval(this.#ticker);
  }

  #accept(socket: net.Socket): void {
    socket.on("error", () => {}); // "close" follows
    if (socket.remoteAddress === undefined) {
      socket.destroy(); // gone before we looked
      return;
    }
    this.#options.count("connections");
    const address = plainAddress(socket.remoteAddress);
    const key = clientKey(address);
    const { maxSessions, maxSessionsPerClient } = this.#part;
    const overload = this.#limits.enter(key, {
      maxSessions: Math.min(maxSessions, MAX_SESSIONS),
      maxSessionsPerClient,
    });
    if (overload !== undefined) return this.#refuse(socket, overload);
    const connection = new Connection({
      ...this.#options,
      socket,
      address,
      settings: this.#settings,
      onClosed: () => {
        this.#limits.leave(key);
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#stopped?.();
      },
    });
    this.#connections.add(connection);
  }

  #refuse(socket: net.Socket, why: "too-many" | "too-many-from-client"): void {
    this.#options.count(`sessions-${why}`);
    if (this.#refused >= MAX_REFUSED) {
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
    for (const connection of this.#connections) connection.tick(nowMs);
  }

  #settingsOf(part: SmtpdPart): Settings {
    const context = part.tls === null ? undefined : tlsContext(part.tls);
    if (context?.ok === false) {
      this.#options.log("tls-not-offered", { why: context.why });
    }
    const secureContext = context?.ok ? context.secureContext : undefined;
    return { ...part, secureContext, offersTls: secureContext !== undefined };
  }
}
