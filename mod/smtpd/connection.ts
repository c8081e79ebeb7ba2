/** What a connection is bound by, what it is given, and what it hands on. */
import type { Socket } from "node:net";
import type tls from "node:tls";
import type { LogValue } from "../core/log.ts";
import type { Backend } from "./backend.ts";
import type { Backlog } from "./backlog.ts";
import type { DoorRefusal } from "./door_refusals.ts";
import type { Guard } from "./guard.ts";
import type { Held } from "./held_socket_io.ts";
import type { Hello, Rules } from "./session.ts";
import type { TransferSettings } from "./transfer.ts";

/** What a connection is bound by. */
export interface Settings extends Rules, TransferSettings {
  readonly sessionWithinMs: number;
  /** Set if and only if `offersTls`. */
  readonly secureContext: tls.SecureContext | undefined;
}

/** What a connection is given. */
export interface ConnectionOptions {
  readonly socket: Socket;
  /** The client's address in plain form, see `client_limits.ts`. */
  readonly address: string;
  /** What the client sent before, with `isTls`; see `Connection.begin`. */
  readonly held?: Held;
  /** TLS from the first octet, RFC 8314 §3; else STARTTLS. */
  readonly isTls?: boolean;
  /** What is known of it already; else nothing is. */
  readonly known?: Known;
  /** Watches the client, unless it is trusted. */
  readonly guard?: Guard;
  readonly settings: Settings;
  /** One for all connections of the process. */
  readonly backlog: Backlog;
  readonly backend: Backend;
  readonly log: (event: string, fields: Record<string, LogValue>) => void;
  readonly count: (name: string) => void;
  /** Told of mail that is refused, for the history. */
  readonly onRefused: (what: DoorRefusal, about: RefusedClient) => void;
  /** Told once, when the socket is gone. */
  readonly onClosed: () => void;
  /** The socket is another client's now; told only if XCLIENT is taken. */
  readonly onBecome?: (client: Successor) => void;
}

/** Whose mail was refused. */
export interface RefusedClient {
  readonly client: string;
  readonly helo: string;
}

/** What holds for a session that does not begin with its connection. */
export interface Known {
  readonly secured: boolean;
  /** What protects it: version and cipher; or empty. */
  readonly tls?: string;
  readonly hello: Hello | undefined;
}

/** Whose a socket is after XCLIENT; it must be listened to in this turn. */
export interface Successor {
  readonly socket: Socket;
  /** As the command said it; undefined if it is the same. */
  readonly address: string | undefined;
  readonly held: Held;
  readonly known: Known;
}
