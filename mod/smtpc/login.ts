/**
 * The login at a provider's submission server (RFC 4954) as a value: a reply
 * goes in, the next line or the end comes out. Pure, but for the slow hash of
 * SCRAM, which is a parameter.
 *
 * SCRAM-SHA-256 (RFC 7677) before PLAIN before LOGIN, of what the server
 * offers. Nothing that could tell the password is ever shown: each line has a
 * form for transcripts, and {@link tellable} judges their replies.
 */
import { Buffer } from "node:buffer";
import { prepareLogin, preparePassword } from "../login/prepare.ts";
import { scramAnswer } from "../login/scram_client.ts";
import type { Reply } from "./reply.ts";

/** Who we are at the provider. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** The mechanisms that we know, the best one first. */
export const MECHANISMS = ["SCRAM-SHA-256", "PLAIN", "LOGIN"] as const;

type Mechanism = (typeof MECHANISMS)[number];

/** Turns a password into a key: PBKDF2 with SHA-256, 32 octets. */
export type Derive = (
  password: string,
  salt: Uint8Array,
  iterations: number,
) => Promise<Uint8Array>;

/** Which reply is awaited. */
export type LoginState =
  /** The last line was sent, or the whole answer went with the first. */
  | { readonly at: "verdict"; readonly mechanism: Mechanism }
  | { readonly at: "plain"; readonly answer: string }
  | { readonly at: "login-user" }
  | { readonly at: "login-password" }
  | {
    readonly at: "scram-first";
    readonly clientFirstBare: string;
    readonly nonce: string;
  }
  | { readonly at: "scram-final"; readonly signature: string };

/** What to do next. */
export type LoginAction =
  | {
    readonly do: "send";
    readonly line: string;
    /** The line without what is secret. */
    readonly shown: string;
  }
  | { readonly do: "logged-in" }
  /** The server said no: the administrator's login is wrong. */
  | { readonly do: "refused"; readonly reply: Reply }
  /** It cannot be said whether it is wrong; later, perhaps. */
  | { readonly do: "failed"; readonly why: string };

/** Longest command line without a doubt, CRLF left out: RFC 4954 §4. */
const MAX_COMMAND = 510;
/** RFC 7677 §4 asks for the least; the most is ours to bear. */
const ITERATIONS = { least: 4_096, most: 1_000_000 };
const MAX_SALT = 1_024;

/**
 * Begins.
 *
 * @param offered Mechanisms in capitals, from EHLO
 * @param nonce Printable, without a comma
 */
export function beginLogin(
  offered: readonly string[],
  login: Login,
  nonce: string,
): [LoginState, LoginAction] {
  const mechanism = MECHANISMS.find((one) => offered.includes(one));
  switch (mechanism) {
    case "SCRAM-SHA-256": {
      const user = (prepareLogin(login.user) ?? login.user)
        .replaceAll("=", "=3D").replaceAll(",", "=2C"); // RFC 5802 §5.1
      const clientFirstBare = `n=${user},r=${nonce}`;
      return [
        { at: "scram-first", clientFirstBare, nonce },
        secret(`AUTH ${mechanism}`, base64(`n,,${clientFirstBare}`)),
      ];
    }
    case "PLAIN": { // RFC 4616
      const answer = base64(`\0${login.user}\0${login.password}`);
      const action = secret("AUTH PLAIN", answer);
      return action.line.length <= MAX_COMMAND
        ? [{ at: "verdict", mechanism }, action]
        : [{ at: "plain", answer }, plain("AUTH PLAIN")];
    }
    case "LOGIN":
      return [{ at: "login-user" }, plain("AUTH LOGIN")];
    case undefined: {
      const why = offered.length === 0
        ? "no AUTH is offered"
        : `AUTH is offered with ${offered.slice(0, 10).join(" ")} alone`;
      return [{ at: "login-user" }, { do: "failed", why }];
    }
  }
}

/** Handles the awaited reply. */
export async function onLoginReply(
  state: LoginState,
  reply: Reply,
  { login, derive }: { login: Login; derive: Derive },
): Promise<[LoginState, LoginAction]> {
  if (reply.code >= 500) return [state, { do: "refused", reply }];
  if (reply.code >= 400) {
    return [state, { do: "failed", why: `the login got ${reply.code}` }];
  }
  if (reply.code === 235 && state.at === "verdict") {
    return [state, { do: "logged-in" }];
  }
  if (reply.code !== 334) {
    const why = `unexpected reply ${reply.code} to the login`;
    return [state, { do: "failed", why }];
  }
  switch (state.at) {
    case "plain":
      return [
        { at: "verdict", mechanism: "PLAIN" },
        secret("", state.answer),
      ];
    case "login-user":
      return [{ at: "login-password" }, secret("", base64(login.user))];
    case "login-password":
      return [
        { at: "verdict", mechanism: "LOGIN" },
        secret("", base64(login.password)),
      ];
    case "scram-first":
      return await onServerFirst(state, reply, { login, derive });
    case "scram-final": {
      // RFC 5802 §3: a server that does not know the password cannot sign.
      const isSigned = textOf(reply) === `v=${state.signature}`;
      return isSigned
        ? [{ at: "verdict", mechanism: "SCRAM-SHA-256" }, plain("")]
        : [state, {
          do: "failed",
          why: "the server does not know the password itself",
        }];
    }
    case "verdict":
      return [state, { do: "failed", why: "one question too many" }];
  }
}

async function onServerFirst(
  state: LoginState & { at: "scram-first" },
  reply: Reply,
  { login, derive }: { login: Login; derive: Derive },
): Promise<[LoginState, LoginAction]> {
  const serverFirst = textOf(reply);
  const challenge = readChallenge(serverFirst, state.nonce);
  if (challenge === undefined) {
    return [state, { do: "failed", why: "no good SCRAM challenge" }];
  }
  const password = preparePassword(login.password) ?? login.password;
  const salted = await derive(password, challenge.salt, challenge.iterations);
  const { bare, proof, signature } = scramAnswer({
    clientFirstBare: state.clientFirstBare,
    serverFirst,
    nonce: challenge.nonce,
    salted,
    binding: Buffer.from("n,,"),
  });
  return [
    { at: "scram-final", signature },
    secret("", base64(`${bare},p=${proof}`)),
  ];
}

/** server-first-message, RFC 5802 §7; undefined if it is not to be answered. */
function readChallenge(text: string, ours: string) {
  const [r = "", s = "", i = ""] = text.split(",");
  if (!r.startsWith("r=") || !s.startsWith("s=") || !i.startsWith("i=")) {
    return undefined;
  }
  const nonce = r.slice(2);
  const salt = Buffer.from(s.slice(2), "base64");
  const digits = i.slice(2);
  const iterations = /^[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : 0;
  return nonce.startsWith(ours) && nonce.length > ours.length &&
      salt.length > 0 && salt.length <= MAX_SALT &&
      iterations >= ITERATIONS.least && iterations <= ITERATIONS.most
    ? { nonce, salt, iterations }
    : undefined;
}

/** Characters of a secret by which it is recognised. */
const TELLING = 16;

/** What of a reply to a login may be shown: never what could tell a secret. */
export function tellable(reply: Reply, login: Login): Reply {
  if (reply.code === 334) return { code: 334, lines: ["(a question)"] };
  const secrets = [
    base64(`\0${login.user}\0${login.password}`),
    base64(login.password),
    login.password,
  ].map((one) => one.slice(0, TELLING));
  // All behind it goes, too: it is the rest of the secret, perhaps cut.
  const lines = reply.lines.map((line) => {
    const at = secrets.map((one) => line.indexOf(one)).filter((n) => n >= 0);
    return at.length === 0 ? line : `${line.slice(0, Math.min(...at))}***`;
  });
  return { code: reply.code, lines };
}

function textOf(reply: Reply): string {
  return Buffer.from(reply.lines[0]!, "base64").toString("utf8");
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

function plain(line: string): LoginAction & { do: "send" } {
  return { do: "send", line, shown: line === "" ? "(empty line)" : line };
}

/** `command` may be seen, `answer` may not. */
function secret(
  command: string,
  answer: string,
): LoginAction & { do: "send" } {
  return command === ""
    ? { do: "send", line: answer, shown: "***" }
    : { do: "send", line: `${command} ${answer}`, shown: `${command} ***` };
}
