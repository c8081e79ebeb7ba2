/** PLAIN (RFC 4616), and LOGIN, which no RFC has and every client speaks. */
import { prepareLogin, preparePassword } from "../login/prepare.ts";
import {
  failed,
  isOwnIdentity,
  type SaslChannel,
  type SaslStep,
  say,
} from "./sasl_step.ts";

/** PLAIN's one message: identity, NUL, login, NUL, password. */
export function onPlain(text: string, channel: SaslChannel): SaslStep {
  const [authzid, login, password, ...more] = text.split("\0");
  if (
    authzid === undefined || !login || !password || more.length > 0
  ) return failed("malformed", "PLAIN needs a login and a password");
  return isOwnIdentity(authzid, login)
    ? askPassword({ login, password, channel })
    : failed("denied", "PLAIN: acting as another is not allowed");
}

/** LOGIN's first answer. */
export function onLoginName(login: string, channel: SaslChannel): SaslStep {
  return login === ""
    ? failed("malformed", "LOGIN needs a login")
    : say({ at: "login-password", channel, login }, "Password:");
}

/** Has auth check a password; both mechanisms end here. */
export function askPassword(
  { login, password, channel }: {
    login: string;
    password: string;
    channel: SaslChannel;
  },
): SaslStep {
  const name = prepareLogin(login);
  const secret = preparePassword(password);
  // RFC 4616 §2: what cannot be prepared cannot be right.
  if (name === undefined || secret === undefined) {
    return failed("denied", "the login or the password can be nobody's");
  }
  const ask = { login: name, password: secret, client: channel.client };
  return [
    { at: "asked-password" },
    { do: "ask", question: { call: "password", ask } },
  ];
}
