/**
 * The key of the administrators' tickets; see `mod/core/ticket.ts`. Made anew
 * at each start, in a file that whoever runs the server alone can read. Queue
 * and gate are told it; the console never is.
 */
import { randomBytes } from "node:crypto";
import { hostPortText } from "../config/names.ts";
import type { Config } from "../config/settings.ts";
import { KEY_OCTETS, LINK_MS, makeTicket } from "../core/ticket.ts";
import type { RoleName } from "../ipc/call.ts";
import type { Paths } from "./plan.ts";
import { replaceFile } from "./replace_file.ts";
import type { ServerPlan } from "./supervisor.ts";

/** Roles that look at tickets. */
const TOLD: readonly RoleName[] = ["queue", "gate"];

/** Where it lies. */
export function consoleKeyPath({ runDir }: Pick<Paths, "runDir">): string {
  return `${runDir}/console-key`;
}

/** Makes a new key, in place of that of an earlier start. */
export function makeConsoleKey(paths: Pick<Paths, "runDir">): string {
  const key = randomBytes(KEY_OCTETS).toString("base64url");
  replaceFile(consoleKeyPath(paths), key, 0o600);
  return key;
}

/** At the end nobody can sign in any more. */
export function forgetConsoleKey(paths: Pick<Paths, "runDir">): void {
  try {
    Deno.removeSync(consoleKeyPath(paths));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The plan with the key in the parts of those who look at tickets. */
export function withConsoleKey(plan: ServerPlan, key: string): ServerPlan {
  const parts = new Map(plan.parts);
  for (const role of TOLD) {
    const part = parts.get(role);
    if (part !== undefined) parts.set(role, { ...part, consoleKey: key });
  }
  return { ...plan, parts };
}

/** Where a browser finds the console; undefined if it is off. */
export function consoleUrl(config: Config): string | undefined {
  const { listen, tls } = config.console;
  if (listen === null) return undefined;
  const isWild = listen.host === "0.0.0.0" || listen.host === "::";
  const host = tls || isWild ? config.server.hostname : listen.host;
  const place = hostPortText({ host, port: listen.port });
  return `${tls ? "https" : "http"}://${place}/`;
}

/** A link that signs in once. */
export interface SignInLink {
  readonly url: string;
  readonly ticket: string;
  readonly untilMs: number;
}

/**
 * Makes a link.
 *
 * @param url Of the console, see {@link consoleUrl}
 */
export function signInLink(
  { url, key, by }: { url: string; key: string; by: string },
): SignInLink {
  const nowMs = Date.now();
  const ticket = makeTicket(key, { kind: "link", by, nowMs });
  // Behind `#` it is sent to no server: so it is in no log and no referrer.
  return { url: `${url}in#${ticket}`, ticket, untilMs: nowMs + LINK_MS };
}

/** Who asks for a link, for the log. */
export function thisUser(): string {
  for (const name of ["SUDO_USER", "USER", "LOGNAME"]) {
    const value = Deno.env.get(name);
    if (value !== undefined && value !== "") return value;
  }
  const uid = Deno.uid();
  return uid === 0 ? "root" : `uid-${uid}`;
}
