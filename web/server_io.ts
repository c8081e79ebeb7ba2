/**
 * The sockets around the app: HTTP/1.1, with or without TLS, with bounds on
 * everything that a slow or a hostile client could make long.
 */
import http from "node:http";
import https from "node:https";
import { Buffer } from "node:buffer";
import type { ConsoleApp } from "./environment.ts";
import { MAX_FORM_OCTETS } from "./form.ts";

/** Connections that some browsers need; more are somebody's flood. */
const MAX_CONNECTIONS = 128;
const MAX_HEADER_OCTETS = 8_192;
/** Of one connection, sent before the answer to the one before; none does. */
const MAX_PIPELINED = 8;

/** How long a client may take. */
export interface Patience {
  /** For a request's head, and for a TLS handshake. */
  readonly headMs: number;
  /** For all of a request. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** Without an octet either way a connection ends. */
  readonly idleMs: number;
  /** Who does not read what is sent is waited for no longer. */
  readonly drainMs: number;
}

const PATIENCE: Patience = {
  headMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 10_000,
  idleMs: 30_000,
  drainMs: 20_000,
};

/** PEM texts of a certificate's chain and its key. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** What the server is made with. */
export interface ServerOptions {
  /** Null: without TLS. */
  readonly tls: Certificate | null;
  readonly onRequest?: () => void;
  readonly patience?: Patience;
}

/**
 * A server of an app; it listens nowhere yet.
 *
 * @param appNow Asked at each request: settings may change
 */
export function serverOf(
  appNow: () => ConsoleApp,
  options: ServerOptions,
): http.Server {
  const { tls, patience = PATIENCE } = options;
  const limits = {
    maxHeaderSize: MAX_HEADER_OCTETS,
    connectionsCheckingInterval: patience.headMs / 5,
  };
  const server = tls === null ? http.createServer(limits) : https.createServer({
    ...limits,
    ...tls,
    minVersion: "TLSv1.2",
    handshakeTimeout: patience.headMs,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = patience.headMs;
  server.requestTimeout = patience.requestMs;
  server.keepAliveTimeout = patience.keepAliveMs;
  server.timeout = patience.idleMs;
  server.on("timeout", (socket) => void socket.destroy());
  server.on("tlsClientError", (_error, socket) => void socket.destroy());
  server.on("clientError", (_error, socket) => void socket.destroy());
  const turns = new WeakMap<object, Turn>();
  server.on("request", (request, response) => {
    options.onRequest?.();
    response.on("error", () => response.destroy());
    const { socket } = request;
    const turn = turns.get(socket) ?? { before: Promise.resolve(), count: 0 };
    turns.set(socket, turn);
    // All at once, their pages would wait in memory for who does not read.
    if (++turn.count > MAX_PIPELINED) return void socket.destroy();
    turn.before = turn.before
      .then(async () => {
        if (socket.destroyed) return;
        await answer(appNow(), request, { response, patience });
        if (!await isTaken(response, patience.drainMs)) socket.destroy();
      })
      .catch(() => void response.destroy())
      .finally(() => turn.count--);
  });
  return server;
}

/** Requests of one connection are answered one after the other. */
interface Turn {
  before: Promise<void>;
  /** Under way or waiting. */
  count: number;
}

/** Connections that begin from now on see this certificate. */
export function renewCertificate(
  server: http.Server,
  certificate: Certificate,
): void {
  if (server instanceof https.Server) server.setSecureContext(certificate);
}

async function answer(
  app: ConsoleApp,
  request: http.IncomingMessage,
  { response, patience }: {
    response: http.ServerResponse;
    patience: Patience;
  },
): Promise<void> {
  const asked = await requestOf(request);
  if (asked === undefined) {
    response.writeHead(400, { "Connection": "close" });
    return void response.end("Bad request");
  }
  const client = request.socket.remoteAddress ?? "";
  const answered = await app.fetch(asked, { client });
  const headers = Object.fromEntries(answered.headers);
  // What is left of a body that was too long is not read.
  const isWhole = request.complete;
  response.writeHead(
    answered.status,
    isWhole ? headers : { ...headers, "Connection": "close" },
  );
  if (answered.body === null || request.method === "HEAD") {
    await answered.body?.cancel();
    response.end();
  } else {
    response.flushHeaders();
    await send(answered.body, response, patience.drainMs);
  }
  if (!isWhole) request.destroy();
}

/** The request for the app; undefined if it is none. */
async function requestOf(
  request: http.IncomingMessage,
): Promise<Request | undefined> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === "string") headers.set(name, value);
  }
  const method = request.method ?? "GET";
  const target = request.url ?? "/";
  // Of a proxy or of CONNECT; a path is all that there is here.
  if (!target.startsWith("/")) return undefined;
  try {
    const url = new URL(`http://console${target}`);
    if (url.host !== "console") return undefined;
    const hasBody = method !== "GET" && method !== "HEAD";
    const body = hasBody ? await bodyOf(request) : null;
    return new Request(url, { method, headers, body });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** What was posted: no more than makes the app say that it is too much. */
async function bodyOf(
  request: http.IncomingMessage,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length > MAX_FORM_OCTETS) break;
  }
  return new Uint8Array(Buffer.concat(chunks)).slice(0, MAX_FORM_OCTETS + 1);
}

/** Sends a body no faster than it is read. */
async function send(
  body: ReadableStream<Uint8Array>,
  response: http.ServerResponse,
  drainMs: number,
): Promise<void> {
  const reader = body.getReader();
  // A stream that says nothing for long must hear that nobody listens.
  response.once("close", () => void reader.cancel().catch(() => {}));
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    const isFull = !response.write(value);
    if (isFull && !await happens(response, "drain", drainMs)) {
      await reader.cancel();
      return void response.destroy();
    }
  }
  response.end();
}

/** True once the last octet is on its way, or nobody waits for it. */
async function isTaken(
  response: http.ServerResponse,
  withinMs: number,
): Promise<boolean> {
  return response.writableFinished || response.destroyed ||
    await happens(response, "finish", withinMs) || response.destroyed;
}

/** False if it is closed, or takes too long. */
function happens(
  response: http.ServerResponse,
  event: "drain" | "finish",
  withinMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (is: boolean) => {
      clearTimeout(timer);
      response.off(event, onEvent).off("close", onClose);
      resolve(is);
    };
    const onEvent = () => end(true);
    const onClose = () => end(false);
    const timer = setTimeout(onClose, withinMs);
    response.on(event, onEvent).on("close", onClose);
  });
}
