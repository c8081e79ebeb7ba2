/**
 * The server's side of SASL in SMTP (RFC 4954), as values: an event goes in,
 * the next state and one thing to do come out. Nothing is waited for or
 * written here, and no password is kept from one step to the next.
 *
 *     begin -> say -> onLine -> ask -> onAnswer -> ... -> grant | fail
 *
 * The caller offers it only where nobody can listen, and gives it lines of up to
 * {@link MAX_SASL_LINE} octets.
 */
import {
  decodeLine,
  failed,
  refused,
  type SaslAnswer,
  type SaslChannel,
  type SaslState,
  type SaslStep,
  say,
} from "./sasl_step.ts";
import { askPassword, onLoginName, onPlain } from "./sasl_password.ts";
import { onClientFinal, onClientFirst } from "./sasl_scram.ts";

/** The mechanisms, the strongest first. */
const MECHANISMS = [
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-256",
  "PLAIN",
  "LOGIN",
] as const;

type Mechanism = (typeof MECHANISMS)[number];

/** What EHLO offers on a channel; RFC 4954 §3. */
export function mechanismsOn(channel: SaslChannel): readonly Mechanism[] {
  return MECHANISMS.filter((one) =>
    one !== "SCRAM-SHA-256-PLUS" || channel.endPoint !== null
  );
}

/**
 * Begins an exchange.
 *
 * @param initial The initial response as it came: base64, `=` for an empty
 * one; undefined if there was none
 */
export function begin(
  { mechanism, initial, channel }: {
    mechanism: string;
    initial: string | undefined;
    channel: SaslChannel;
  },
): SaslStep {
  const wanted = mechanism.toUpperCase();
  const name = mechanismsOn(channel).find((one) => one === wanted);
  if (name === undefined) {
    return failed("unknown-mechanism", "the mechanism is not offered");
  }
  const state = firstState(name, channel);
  // LOGIN asks before it listens; many clients answer beforehand, and mean
  // the login.
  if (initial === undefined) {
    return state.at === "login-name"
      ? say(state, "Username:")
      : [state, { do: "say", challenge: "" }];
  }
  if (initial === "*") return failed("not-base64", "`*` is no first response");
  // RFC 4954 §4: an empty line could not be told from none.
  if (initial === "") return failed("not-base64", "the response is empty");
  return onLine(state, initial === "=" ? "" : initial);
}

/** A line came from the client, without its CRLF. */
export function onLine(state: SaslState, line: string): SaslStep {
  const text = decodeLine(line);
  if (typeof text !== "string") return text;
  switch (state.at) {
    case "plain":
      return onPlain(text, state.channel);
    case "login-name":
      return onLoginName(text, state.channel);
    case "login-password":
      return askPassword({ ...state, password: text });
    case "scram-first":
      return onClientFirst(text, state);
    case "scram-final":
      return onClientFinal(text, state);
    case "confirming":
      return text === ""
        ? [null, { do: "grant", granted: state.granted }]
        : failed("malformed", "SCRAM: something came behind the end");
    case "asked-password":
    case "asked-first":
    case "asked-final":
      throw new RangeError(`Cannot take a line while ${state.at}`);
  }
}

/** auth answered the question that was asked last. */
export function onAnswer(state: SaslState, answer: SaslAnswer): SaslStep {
  switch (answer.call) {
    case "password": {
      if (state.at !== "asked-password") break;
      const { reply } = answer;
      return reply.kind === "answered"
        ? [null, { do: "grant", granted: reply.answer }]
        : refused(reply);
    }
    case "scramFirst": {
      if (state.at !== "asked-first") break;
      const { reply } = answer;
      if (reply.kind !== "answered") return refused(reply);
      const { exchange, serverFirst } = reply.answer;
      const { binding } = state;
      return say({ at: "scram-final", exchange, binding }, serverFirst);
    }
    case "scramFinal": {
      if (state.at !== "asked-final") break;
      const { reply } = answer;
      if (reply.kind !== "answered") return refused(reply);
      // SMTP's 235 carries no data, so the signature is one more challenge
      // (RFC 4422 §3.7).
      const { granted, signature } = reply.answer;
      return say({ at: "confirming", granted }, `v=${signature}`);
    }
  }
  throw new RangeError(`Cannot take an answer to ${answer.call} here`);
}

function firstState(mechanism: Mechanism, channel: SaslChannel): SaslState {
  switch (mechanism) {
    case "PLAIN":
      return { at: "plain", channel };
    case "LOGIN":
      return { at: "login-name", channel };
    case "SCRAM-SHA-256":
      return { at: "scram-first", channel, isPlus: false };
    case "SCRAM-SHA-256-PLUS":
      return { at: "scram-first", channel, isPlus: true };
  }
}
