/** What SASL's mechanisms have in common: steps, and lines of base64. */
import { Buffer } from "node:buffer";
import type { AnswerOf, AskOf, Reply } from "../ipc/call.ts";
import type { authContract } from "../auth/auth_ipc.ts";
import { isBase64 } from "../login/scram_message.ts";

type AuthCalls = typeof authContract.calls;

/** What is known of the connection that somebody logs in over. */
export interface SaslChannel {
  /** The client's address, for auth. */
  readonly client: string;
  /**
   * The channel binding `tls-server-end-point`; null without one, and then
   * SCRAM-SHA-256-PLUS is not offered.
   */
  readonly endPoint: Uint8Array | null;
}

/** Who logged in. */
export type Granted = AnswerOf<AuthCalls["password"]>;

/** A question for the role auth, in the shape of its contract. */
export type SaslQuestion =
  | { readonly call: "password"; readonly ask: AskOf<AuthCalls["password"]> }
  | {
    readonly call: "scramFirst";
    readonly ask: AskOf<AuthCalls["scramFirst"]>;
  }
  | {
    readonly call: "scramFinal";
    readonly ask: AskOf<AuthCalls["scramFinal"]>;
  };

/** What auth answered, with the name of the call. */
export type SaslAnswer =
  | {
    readonly call: "password";
    readonly reply: Reply<AuthCalls["password"]>;
  }
  | {
    readonly call: "scramFirst";
    readonly reply: Reply<AuthCalls["scramFirst"]>;
  }
  | {
    readonly call: "scramFinal";
    readonly reply: Reply<AuthCalls["scramFinal"]>;
  };

/**
 * How an exchange fails; each has its reply in `replies.ts`.
 *
 * - `cancelled`: the client wrote `*`
 * - `not-base64`, `malformed`: the mechanism does not read that way
 * - `too-long`: over {@link MAX_SASL_LINE}
 * - `unknown-mechanism`: not offered on this channel
 * - `denied`: the login or the password is wrong, or the channel is not bound
 * - `later`: locked, busy, or auth is not there
 */
export type SaslFault =
  | "cancelled"
  | "not-base64"
  | "malformed"
  | "too-long"
  | "unknown-mechanism"
  | "denied"
  | "later";

/** What to do next. */
export type SaslAction =
  /** `334 ` and this, in base64 already; may be empty. */
  | { readonly do: "say"; readonly challenge: string }
  | { readonly do: "ask"; readonly question: SaslQuestion }
  /** The exchange is over. `why` is for the log, never for the client. */
  | { readonly do: "fail"; readonly fault: SaslFault; readonly why: string }
  | { readonly do: "grant"; readonly granted: Granted };

/** Between two events of an exchange. */
export type SaslState =
  /** The message of PLAIN is due. */
  | { readonly at: "plain"; readonly channel: SaslChannel }
  | { readonly at: "login-name"; readonly channel: SaslChannel }
  | {
    readonly at: "login-password";
    readonly channel: SaslChannel;
    readonly login: string;
  }
  /** auth is asked; no line is due. */
  | { readonly at: "asked-password" }
  | {
    readonly at: "scram-first";
    readonly channel: SaslChannel;
    readonly isPlus: boolean;
  }
  | { readonly at: "asked-first"; readonly binding: Uint8Array }
  | {
    readonly at: "scram-final";
    readonly exchange: string;
    /** What `c=` must hold. */
    readonly binding: Uint8Array;
  }
  | { readonly at: "asked-final" }
  /** The client has our signature, and has to take note of it. */
  | { readonly at: "confirming"; readonly granted: Granted };

/** The state afterwards, null at the end, and what to do. */
export type SaslStep = readonly [SaslState | null, SaslAction];

/** Longest line of an exchange in octets, with its CRLF: RFC 4954 §4. */
export const MAX_SASL_LINE = 12_288;

/** Ends an exchange that failed. */
export function failed(fault: SaslFault, why: string): SaslStep {
  return [null, { do: "fail", fault, why }];
}

/** Says something, in base64. */
export function say(state: SaslState, text: string): SaslStep {
  const challenge = Buffer.from(text).toString("base64");
  return [state, { do: "say", challenge }];
}

/** What auth said no with, or why it said nothing. */
export function refused(
  reply:
    | { readonly kind: "refused"; readonly refusal: string }
    | { readonly kind: "failed"; readonly why: string },
): SaslStep {
  if (reply.kind === "failed") return failed("later", reply.why);
  return failed(
    reply.refusal === "denied" ? "denied" : "later",
    reply.refusal,
  );
}

/**
 * Reads a line of base64 (RFC 4954 §4): padded, on one line, and UTF-8 within.
 *
 * @returns The text, or the step that ends the exchange
 */
export function decodeLine(line: string): string | SaslStep {
  if (line === "*") return failed("cancelled", "the client cancelled");
  if (line.length + 2 > MAX_SASL_LINE) {
    return failed("too-long", "the line is too long");
  }
  if (line === "") return "";
  if (!isBase64(line)) return failed("not-base64", "a line is no base64");
  try {
    return utf8.decode(Buffer.from(line, "base64"));
  } catch {
    return failed("malformed", "a message is no UTF-8");
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * True if the identity to act as is the one that logs in: we let nobody act
 * as somebody else (RFC 4954 §4, RFC 4616 §2, RFC 5802 §5.1).
 */
export function isOwnIdentity(authzid: string, login: string): boolean {
  const plain = (text: string) =>
    text.normalize("NFC").replace(/[A-Z]/g, (one) => one.toLowerCase());
  return authzid === "" || plain(authzid) === plain(login);
}

/** Puts a question to auth; the pair of question and answer fits by its call. */
export async function askAuth(
  question: SaslQuestion,
  auth: {
    ask<Name extends keyof AuthCalls>(
      name: Name,
      ask: AskOf<AuthCalls[Name]>,
    ): Promise<Reply<AuthCalls[Name]>>;
  },
): Promise<SaslAnswer> {
  const { call } = question;
  switch (call) {
    case "password":
      return { call, reply: await auth.ask(call, question.ask) };
    case "scramFirst":
      return { call, reply: await auth.ask(call, question.ask) };
    case "scramFinal":
      return { call, reply: await auth.ask(call, question.ask) };
  }
}
