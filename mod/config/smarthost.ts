/**
 * `outbound.smarthost`: the provider that takes all mail for elsewhere, with a
 * login, in one line. A library; pure.
 *
 * No message shows what was written: it may hold a password.
 */
import type { Protocol } from "../core/shapes.ts";
import {
  MAX_LOGIN_OCTETS,
  passwordFault,
  prepareLogin,
} from "../login/prepare.ts";
import { bad, good, type Read, type Setting } from "./kinds.ts";
import { hostPort } from "./names.ts";

/** Where all mail goes, and as whom. */
export interface Smarthost {
  readonly protocol: Exclude<Protocol, "lmtp">;
  readonly host: string;
  readonly port: number;
  /** null: there is no login. */
  readonly user: string | null;
  /** null: there is none, or it stands in a file of its own. */
  readonly password: string | null;
}

/** RFC 6409 §3.1, RFC 8314 §3.3. */
const PORTS = [
  ["submission", 587],
  ["submissions", 465],
  ["smtp", 25],
] as const;

const FORM =
  'must be such as "submission://user:password@smtp.provider.test",' +
  ' "submissions://..." or "smtp://host:25"';

/** The setting. */
export const smarthost: Setting<Smarthost | null> = {
  type: "URL",
  bounds: "",
  says:
    "The one host that all mail for elsewhere goes through, if a provider " +
    "wants that or port 25 is closed: `submission://USER:PASSWORD@HOST` " +
    "(port 587, STARTTLS), `submissions://USER:PASSWORD@HOST` (port 465, TLS " +
    "at once) or `smtp://HOST` (port 25, no login); another port behind the " +
    "host. What is not a letter, a digit, `-`, `.`, `_` or `~` in USER and " +
    "PASSWORD is written as in URLs: `%40` is `@`. It is a route for `*`: " +
    "routes of single domains go before it. The login is sent to nobody but " +
    "a host whose certificate is good for HOST.",
  need: "optional",
  default: undefined,
  example: "submission://me%40home.test:secret@smtp.provider.test",
  inInit: false,
  read,
};

function read(raw: unknown): Read<Smarthost> {
  if (typeof raw !== "string") return bad(FORM);
  const scheme = PORTS.find(([name]) => raw.startsWith(`${name}://`));
  if (scheme === undefined) return bad(FORM);
  const [protocol, standard] = scheme;
  const rest = raw.slice(protocol.length + "://".length);
  const at = rest.lastIndexOf("@");
  const place = readPlace(rest.slice(at + 1), standard);
  if (place === undefined) {
    return bad(`${FORM}; what follows the last @ is no host`);
  }
  const login = at < 0
    ? { user: null, password: null }
    : readLogin(rest.slice(0, at));
  if (typeof login === "string") return bad(login);
  if (protocol === "smtp" && login.user !== null) {
    return bad(
      "has a login, which smtp:// has not: write submission:// or " +
        "submissions://, as the provider says",
    );
  }
  if (protocol !== "smtp" && login.user === null) {
    return bad(`has no login, which ${protocol}:// needs: ${FORM}`);
  }
  return good({ protocol, ...place, ...login });
}

function readPlace(text: string, standard: number) {
  const bare = text.endsWith("/") ? text.slice(0, -1) : text;
  return hostPort(bare) ?? hostPort(`${bare}:${standard}`);
}

/** What stands before the `@`, or what is wrong with it. */
function readLogin(
  text: string,
): { user: string; password: string | null } | string {
  const colon = text.indexOf(":");
  const user = decoded(colon < 0 ? text : text.slice(0, colon));
  if (user === undefined || prepareLogin(user) === undefined) {
    return "has a user that cannot be one: at most " +
      `${MAX_LOGIN_OCTETS} octets, and % only before two hex digits`;
  }
  if (colon < 0) return { user, password: null };
  const password = decoded(text.slice(colon + 1));
  if (password === undefined) {
    return "has a password in which a % is not followed by two hex digits: " +
      "write % itself as %25";
  }
  const fault = passwordFault(password);
  return fault === undefined ? { user, password } : `is wrong: ${fault}`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
