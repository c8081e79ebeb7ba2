/**
 * One TCP connection to a server, plain or in TLS: lines out, replies in.
 *
 * Every wait has one absolute deadline, so dripping gains nothing. It counts
 * the replies that are owed: a reply that nobody asked for, or octets already
 * there when the next command is due, are somebody's injected text and end
 * the connection ({@link Trouble}). Catches all errors of sockets; never
 * throws for what the other side does.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import type { DialV6 } from "./dialer_io.ts";
import { type Reply, ReplyReader } from "./reply.ts";
import type { Shown } from "../dane/certificate.ts";

/** Why a connection is of no use any more. */
export type Trouble =
  | {
    readonly kind: "lost" | "late" | "malformed" | "unexpected";
    readonly why: string;
  }
  /** A whole reply came while content was still being sent. */
  | { readonly kind: "early"; readonly why: string; readonly reply: Reply };

/** Why there is no connection. */
export type Unreached =
  /** Our own walls forbid it: no fault of the host. */
  | { readonly kind: "not-permitted" }
  | { readonly kind: "unreached"; readonly why: string };

/** A TCP end, or the path of a Unix socket. */
export interface Place {
  /** In text form. */
  readonly address: string;
  readonly port: number;
  readonly path?: string;
}

/** Certificates that are looked at; more are none of an honest host's. */
const MAX_CHAIN = 20;
/** How long the other side may take to say goodbye. */
const GOODBYE_MS = 1_000;

/** How a connection is made. */
export interface Making {
  /** Who connects where our own permissions cannot name the address. */
  readonly dialV6?: DialV6 | undefined;
  /** Our address to connect from, of the same family. */
  readonly source?: string | undefined;
  /** Aborted when it is not wanted any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Connects, within `withinMs`. */
export async function connect(
  to: Place,
  withinMs: number,
  making: Making = {},
): Promise<Connection | Unreached> {
  const { dialV6, source, signal } = making;
  if (source !== undefined && !mayBind(source)) {
    // An address of another family than the flags', or of a configuration
    // that was read again: node:net would throw where nobody can catch it.
    if (dialV6 === undefined || !net.isIPv6(to.address)) {
      return { kind: "not-permitted" };
    }
    return await connectByDial(to, { withinMs, source, dialV6 });
  }
  const direct = await connectDirectly(to, { withinMs, source, signal });
  if (
    dialV6 === undefined || !net.isIPv6(to.address) ||
    !("kind" in direct) || direct.kind !== "not-permitted"
  ) return direct;
  return await connectByDial(to, { withinMs, source, dialV6 });
}

function mayBind(source: string): boolean {
  const host = net.isIPv6(source) ? `[${source}]:0` : `${source}:0`;
  const asked = { name: "net", host } as const;
  return Deno.permissions.querySync(asked).state === "granted";
}

async function connectByDial(
  to: Place,
  { withinMs, source, dialV6 }: {
    withinMs: number;
    source: string | undefined;
    dialV6: DialV6;
  },
): Promise<Connection | Unreached> {
  const channel = await dialV6({ ...to, source }, withinMs);
  return channel === undefined
    ? { kind: "unreached", why: "no IPv6 connection to be had" }
    : new Connection(channel);
}

function connectDirectly(
  to: Place,
  { withinMs, source, signal }: {
    withinMs: number;
    source: string | undefined;
    signal: AbortSignal | undefined;
  },
): Promise<Connection | Unreached> {
  const { promise, resolve } = Promise.withResolvers<Connection | Unreached>();
  let socket: net.Socket;
  try {
    socket = net.connect(
      to.path !== undefined
        ? { path: to.path }
        : source === undefined
        ? { host: to.address, port: to.port }
        : { host: to.address, port: to.port, localAddress: source },
    );
  } catch (error) {
    // For a Unix socket it is thrown at once: a route that is newer than the
    // process.
    if (error instanceof Deno.errors.NotCapable) {
      return Promise.resolve({ kind: "not-permitted" });
    }
    throw error;
  }
  const fail = (what: Unreached) => {
    clearTimeout(timer);
    socket.destroy();
    resolve(what);
  };
  const timer = setTimeout(
    () => fail({ kind: "unreached", why: `no connection in ${withinMs} ms` }),
    withinMs,
  );
  const give = () => fail({ kind: "unreached", why: "another was quicker" });
  signal?.addEventListener("abort", give, { once: true });
  // Stays for the socket's life: an error nobody listens to kills the role.
  socket.on("error", (error: Error & { code?: string }) => {
    fail(
      error.name === "NotCapable"
        ? { kind: "not-permitted" }
        : { kind: "unreached", why: error.code ?? error.message },
    );
  });
  socket.on("connect", () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", give);
    socket.setNoDelay(true);
    resolve(new Connection(socket));
  });
  return promise;
}

/** A connection. The greeting is owed from the start. */
export class Connection {
  #socket: net.Socket;
  #secured: tls.TLSSocket | undefined;
  /** True if a session was to be taken up again. */
  #isOffered = false;
  readonly #ourAddress: string;
  #reader = new ReplyReader();
  readonly #replies: Reply[] = [];
  #owed = 1;
  #trouble: Trouble | undefined;
  #wake: () => void = () => {};
  #onStir: (() => void) | undefined;
  #leaving = false;
  #unlisten: () => void = () => {};

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#ourAddress = socket.localAddress ?? "";
    this.#listen(socket);
  }

  /** The next reply that is owed, within `withinMs`. */
  async reply(withinMs: number): Promise<Reply | Trouble> {
    if (this.#replies.length === 0 && this.#trouble === undefined) {
      await this.#until(
        () => this.#replies.length > 0,
        withinMs,
        "no reply",
      );
    }
    // Replies that came before the trouble still count.
    return this.#replies.shift() ?? this.#trouble!;
  }

  /** Sends commands; as many replies are owed. */
  send(lines: readonly string[]): Trouble | undefined {
    const trouble = this.#injected();
    if (trouble !== undefined) return trouble;
    this.#owed += lines.length;
    this.#socket.write(Buffer.from(lines.join("\r\n") + "\r\n"));
    return undefined;
  }

  /**
   * Sends octets of the content; replies are owed after the last ones.
   *
   * @param withinMs For the other side to take them (RFC 5321 §4.5.3.2.5)
   */
  async write(
    octets: Uint8Array,
    options: { isLast: boolean; replies: number; withinMs: number },
  ): Promise<Trouble | undefined> {
    const trouble = this.#injected();
    if (trouble !== undefined) return trouble;
    if (options.isLast) this.#owed += options.replies;
    const socket = this.#socket;
    if (socket.write(octets) || options.isLast) return undefined;
    await this.#until(
      () => !socket.writableNeedDrain,
      options.withinMs,
      "content not taken",
    );
    return this.#trouble;
  }

  /**
   * Changes to TLS after the 220 to STARTTLS. Any certificate will do here:
   * {@link shown} gives them to whoever is to judge them, before another word
   * is said. TLS 1.2 or later (RFC 8996).
   *
   * @param serverName Asked for by SNI; empty for none
   * @returns Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`
   */
  async secure(
    serverName: string,
    options: {
      readonly withinMs: number;
      /** Authorities, PEM; undefined means the usual ones. */
      readonly ca?: readonly string[] | undefined;
      /** A session to take up again; see `tickets.ts`. */
      readonly ticket?: Buffer | undefined;
      /** Told of sessions that may be taken up again. */
      readonly onTicket?: ((ticket: Buffer) => void) | undefined;
    },
  ): Promise<{ readonly tls: string } | Trouble> {
    // Text behind the 220 in the clear could be anybody's (response
    // injection): never read as if it had come through TLS.
    const trouble = this.#injected();
    if (trouble !== undefined) return trouble;
    const plain = this.#socket;
    this.#unlisten();
    plain.pause();
    const secured = tls.connect({
      socket: plain,
      rejectUnauthorized: false,
      // Names are the judge's; `authorized` is about the chain alone.
      checkServerIdentity: () => undefined,
      ...(options.ca === undefined ? {} : { ca: [...options.ca] }),
      minVersion: "TLSv1.2",
      // Never an address: SNI has none (RFC 6066 §3), and node:tls throws.
      ...(serverName === "" || net.isIP(serverName) !== 0
        ? {}
        : { servername: serverName }),
      ...(options.ticket === undefined ? {} : { session: options.ticket }),
    });
    this.#isOffered = options.ticket !== undefined;
    if (options.onTicket !== undefined) {
      secured.on("session", options.onTicket);
    }
    let shaken = false;
    secured.on("secureConnect", () => {
      shaken = true;
      this.#wake();
    });
    this.#reader = new ReplyReader();
    this.#socket = secured;
    this.#secured = secured;
    this.#listen(secured);
    await this.#until(() => shaken, options.withinMs, "no TLS handshake");
    if (this.#trouble !== undefined) return this.#trouble;
    const version = secured.getProtocol() ?? "TLS";
    return { tls: `${version} ${secured.getCipher()?.name ?? ""}`.trim() };
  }

  /** Our end's address; empty if dial holds it. */
  get ourAddress(): string {
    return this.#ourAddress;
  }

  /** What the other side showed in the handshake. */
  get shown(): Shown {
    const secured = this.#secured;
    if (secured === undefined) throw new RangeError("Cannot be: no TLS");
    const chain = chainOf(secured);
    // `authorized` says nothing then: see `tickets.ts`.
    if (this.#isOffered) {
      return { chain, isTrusted: false, whyNot: "session taken up again" };
    }
    const isTrusted = secured.authorized;
    const whyNot = isTrusted
      ? ""
      : String(secured.authorizationError ?? "not authorized").slice(0, 100);
    return { chain, isTrusted, whyNot };
  }

  /** Calls back, once, when the other side says or does anything. */
  watch(onStir: () => void): void {
    this.#onStir = onStir;
    if (this.#injected() !== undefined) this.#stir();
  }

  /** No more calls back; false if there was something to call back for. */
  unwatch(): boolean {
    this.#onStir = undefined;
    return this.#injected() === undefined;
  }

  /** Says goodbye (RFC 5321 §4.1.1.10) and waits a moment, in the background. */
  quit(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#onStir = undefined;
    if (this.#trouble !== undefined) return this.destroy();
    const socket = this.#socket;
    const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
    socket.on("close", () => clearTimeout(timer));
    socket.end("QUIT\r\n");
  }

  /** Ends it at once, without another octet. */
  destroy(): void {
    this.#leaving = true;
    this.#socket.destroy();
  }

  #listen(socket: net.Socket): void {
    const take = (bytes: Uint8Array) => this.#take(bytes);
    const gone = () => this.#fail({ kind: "lost", why: "connection lost" });
    socket.on("data", take);
    socket.on("end", gone);
    socket.on("close", gone);
    socket.on("error", (error: Error & { code?: string }) => {
      this.#fail({ kind: "lost", why: error.code ?? error.message });
    });
    // The socket under a TLS session may end before the last reply that came
    // through it is decrypted: its end must not count then. Errors still do.
    this.#unlisten = () => {
      socket.off("data", take);
      socket.off("end", gone);
      socket.off("close", gone);
    };
  }

  #take(bytes: Uint8Array): void {
    if (this.#leaving) return; // whatever follows our QUIT
    if (this.#trouble !== undefined) return;
    const { replies, malformed } = this.#reader.push(bytes);
    for (const reply of replies) {
      if (this.#owed === 0) {
        const why = `unexpected reply ${reply.code}`;
        return this.#fail({ kind: "early", why, reply });
      }
      this.#owed--;
      this.#replies.push(reply);
    }
    if (malformed !== undefined) {
      return this.#fail({ kind: "malformed", why: malformed });
    }
    if (replies.length > 0) this.#wake();
    if (this.#onStir !== undefined) this.#stir();
  }

  #fail(trouble: Trouble): void {
    if (this.#trouble !== undefined) return;
    this.#trouble = trouble;
    if (!this.#leaving) this.#socket.destroy();
    this.#wake();
    this.#stir();
  }

  #stir(): void {
    const stir = this.#onStir;
    this.#onStir = undefined;
    stir?.();
  }

  /** Trouble, or input that is there although nothing is owed. */
  #injected(): Trouble | undefined {
    if (this.#trouble === undefined && this.#owed === 0) {
      if (this.#reader.midReply) {
        this.#fail({ kind: "unexpected", why: "text that nobody asked for" });
      }
    }
    return this.#trouble;
  }

  /** Waits until `isSo` or trouble; being late is trouble. */
  async #until(
    isSo: () => boolean,
    withinMs: number,
    late: string,
  ): Promise<void> {
    if (isSo() || this.#trouble !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      if (isSo() || this.#trouble !== undefined) resolve();
    };
    const socket = this.#socket;
    this.#wake = check;
    socket.on("drain", check);
    const timer = setTimeout(
      () => this.#fail({ kind: "late", why: `${late} in ${withinMs} ms` }),
      withinMs,
    );
    await promise;
    clearTimeout(timer);
    socket.off("drain", check);
    this.#wake = () => {};
  }
}

/** The certificates as they were sent; none if they cannot be read. */
function chainOf(secured: tls.TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  try {
    let next: tls.DetailedPeerCertificate | undefined = secured
      .getPeerCertificate(true);
    // A certificate that issued itself is its own next one.
    const seen = new Set<tls.DetailedPeerCertificate>();
    while (
      next?.raw !== undefined && chain.length < MAX_CHAIN && !seen.has(next)
    ) {
      seen.add(next);
      chain.push(new Uint8Array(next.raw));
      next = next.issuerCertificate;
    }
  } catch {
    // The runtime reads more of them than we ask for, and a stranger wrote
    // them: what it chokes on proves nothing, and nobody.
    return [];
  }
  return chain;
}
