/**
 * Where we log in, what that demands of TLS, and what was refused of late.
 *
 * A refused login is not tried again at once: mail waits in hundreds, and a
 * provider that sees a wrong password that often locks the account.
 */
import { hostPortText } from "../config/names.ts";
import type { Outcome } from "../core/outcome.ts";
import type { NextHop } from "../core/shapes.ts";
import { TlsPolicies } from "./destination.ts";
import type { Login } from "./login.ts";
import type { SmtpcPart } from "./role.ts";
import { type Candidate, protocolOf } from "./route.ts";
import { type Wanted, wantedBy } from "./wanted.ts";

/** How long a refused login is left alone. */
export const REFUSED_FOR_MS = 60_000;

/** What the keeper tells of: never more often than {@link REFUSED_FOR_MS}. */
export type OnRefused = (
  what: { readonly host: string; readonly user: string; readonly said: string },
) => void;

/** The logins of one configuration. */
export class Logins {
  readonly #login: SmtpcPart["login"];
  /** True if `[destinations]` names this very host. */
  readonly #isSaid: boolean;
  readonly #onRefused: OnRefused;
  readonly #now: () => number;
  #refused: { readonly outcome: Outcome; readonly untilMs: number } | undefined;

  constructor(
    part: Pick<
      SmtpcPart,
      "login" | "tls" | "tlsExceptions" | "destinations" | "ca"
    >,
    onRefused: OnRefused,
    now: () => number = () => performance.now(),
  ) {
    this.#login = part.login;
    this.#onRefused = onRefused;
    this.#now = now;
    this.#isSaid = part.login !== null &&
      new TlsPolicies(part).of({ kind: "host", ...part.login }).entry ===
        hostPortText(part.login);
  }

  /** The login for a next hop; undefined if none is wanted there. */
  of(nextHop: NextHop): Login | undefined {
    const login = this.#login;
    const protocol = protocolOf(nextHop);
    const isWanted = protocol === "submission" || protocol === "submissions";
    return isWanted && nextHop.kind === "host" && login !== null &&
        login.host === nextHop.host && login.port === nextHop.port
      ? login
      : undefined;
  }

  /** What to say instead of trying again; undefined if it may be tried. */
  get refused(): Outcome | undefined {
    if (this.#refused !== undefined && this.#refused.untilMs <= this.#now()) {
      this.#refused = undefined;
    }
    return this.#refused?.outcome;
  }

  /** Notes that the login was refused, and tells of it. */
  refuse(outcome: Outcome): void {
    if (this.refused !== undefined || this.#login === null) return;
    const { host, user } = this.#login;
    const untilMs = this.#now() + REFUSED_FOR_MS;
    this.#refused = { outcome, untilMs };
    this.#onRefused({ host, user, said: outcome.text });
  }

  /**
   * What a session must have before the login is said in it: a certificate of
   * a known authority for the host's name, if nothing stronger is wanted. Not
   * on this machine, and not where `[destinations]` says something else of
   * this very host: what it says of `*` was not said about a password.
   *
   * @param places All addresses of one host that the session may be with
   */
  safe(wanted: Wanted, places: readonly [Candidate, ...Candidate[]]): Wanted {
    const { demand, requireTls } = wanted;
    switch (demand.kind) {
      case "verified":
      case "dane":
      case "fingerprint":
      case "unusable":
        return wanted;
      case "clear":
      case "opportunistic":
      case "encrypted":
        return this.#isSaid || places.every(isHere) ? wanted : wantedBy({
          ...demand,
          kind: "verified",
          names: [places[0].host],
          mayCommonName: false,
          says: "a login: a certificate for the host's name",
        }, requireTls);
    }
  }
}

/**
 * True if nobody but this machine can be there. That a name leads here does
 * not count: who forges its addresses could have another user of this machine
 * listen for the password.
 */
function isHere({ host, address }: Candidate): boolean {
  const isOurs = address === "::1" || /^127(\.[0-9]{1,3}){3}$/.test(address);
  return isOurs && (host === address || host === "localhost");
}
