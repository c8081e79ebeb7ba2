/** What auth does when asked. */
import { randomBytes } from "node:crypto";
import { log } from "../core/log.ts";
import type { Handlers } from "../ipc/call.ts";
import { mailboxOfLogin, nameOf } from "../login/mailbox_name.ts";
import { prepareLogin, preparePassword } from "../login/prepare.ts";
import { parseClientFirstBare } from "../login/scram_message.ts";
import type { authContract } from "./auth_ipc.ts";
import { matchPassword } from "./check_password.ts";
import { Exchanges } from "./exchanges.ts";
import { FailureCounts, type FailureLimit } from "./failure_counts.ts";
import { Lockout } from "./lockout.ts";
import type { Account, Logins } from "./logins.ts";
import { networkOf } from "./network.ts";
import {
  checkProof,
  type ScramExchange,
  serverFirst,
} from "./scram_exchange.ts";
import { WorkQueue } from "./work_queue.ts";

/** What the role is made of; the clock is a parameter for tests. */
export interface AuthOptions {
  /** The logins as they are now; undefined if they cannot be read. */
  readonly logins: () => Logins | undefined;
  /** The domain of a login that names none, as it is now. */
  readonly defaultDomain: () => string;
  readonly hashesAtOnce: number;
  readonly count: (name: string) => void;
  /** Monotonic. */
  readonly nowMs?: () => number;
}

// A login that waits is answered within the contract's 20 s, even if all
// before it are wrong, two at once, at 0.25 s each.
const WAITING = 128;
// Half of it: an attacker with one network keeps nobody else out, and one
// with many nobody who logged in before.
const WAITING_OF_ONE = 64;

// A wrong proof costs us nothing, unlike a wrong password: so many a second are
// all that strangers have, from however many networks they come.
const STRANGE_PROOFS: FailureLimit = {
  limit: 50,
  windowMs: 5_000,
  maxNames: 1,
};

/** Who tries to log in. */
interface Attempt {
  /** `user@domain` if it can be a mailbox, else as prepared. */
  readonly name: string;
  /** May be shown: it is a mailbox's name, and not a password in its place. */
  readonly shown: string;
  readonly client: string;
  readonly mechanism: "password" | "scram-sha-256";
  /** As it came; SCRAM does not show it. */
  readonly password?: string;
}

type ScramAttempt = ScramExchange & { readonly attempt: Attempt };

/** Builds the handlers of `auth_ipc.ts`. */
export function authAnswers(
  options: AuthOptions,
): {
  readonly handlers: Handlers<typeof authContract.calls>;
  /** An asker is gone, and its exchanges with it. */
  readonly gone: (asker: string) => void;
} {
  const { count, nowMs = () => performance.now() } = options;
  const lockout = new Lockout();
  const exchanges = new Exchanges<ScramAttempt>();
  const strangeProofs = new FailureCounts(STRANGE_PROOFS);
  const work = new WorkQueue({
    atOnce: options.hashesAtOnce,
    waiting: WAITING,
    waitingOfOne: WAITING_OF_ONE,
  });
  let grantedCount = 0;
  let deniedCount = 0;

  const refused = (refusal: "denied" | "locked" | "busy" | "unhealthy") => {
    count(refusal);
    return { refusal };
  };
  const isLocked = ({ name, client }: Attempt) =>
    lockout.isLocked(name, client, nowMs());
  const attemptOf = (
    text: string,
    client: string,
    mechanism: Attempt["mechanism"],
  ): Attempt => {
    const login = prepareLogin(text) ?? "";
    const mailbox = mailboxOfLogin(login, options.defaultDomain());
    const name = mailbox === undefined ? login : nameOf(mailbox);
    const shown = mailbox === undefined || !login.includes("@") ? "" : name;
    return { name, shown, client, mechanism };
  };
  const deny = (attempt: Attempt, { mailbox, keys }: Account) => {
    deniedCount++;
    const { name, client, mechanism } = attempt;
    // People type their password into the wrong field: what is no mailbox
    // and names no domain is not written down.
    const login = mailbox === null ? attempt.shown : name;
    const why = mailbox === null
      ? "no such login"
      : mechanism === "scram-sha-256" && keys.length === 0
      ? "no keys for SCRAM: set the password again (bulkhead user passwd)"
      : "wrong password";
    log("auth-denied", { login, client, mechanism, why });
    const failure = { login: name, client, password: attempt.password };
    for (const one of lockout.failed(failure, nowMs())) {
      log("auth-locked", {
        what: one.what,
        ...(one.what === "login" ? { login } : {}),
        network: one.network,
        seconds: Math.ceil(one.forMs / 1_000),
        undo: "it ends by itself; a user who forgot it: bulkhead user passwd",
      });
    }
    return refused("denied");
  };
  const grant = (
    attempt: Attempt,
    mailbox: { user: string; domain: string },
    appPassword: string,
  ) => {
    grantedCount++;
    count("granted");
    const { name, client, mechanism } = attempt;
    lockout.succeeded(name, client);
    log("auth-granted", { login: name, client, mechanism, appPassword });
    return { mailbox, appPassword };
  };

  const handlers: Handlers<typeof authContract.calls> = {
    async password({ login, password, client }) {
      const attempt = { ...attemptOf(login, client, "password"), password };
      if (isLocked(attempt)) return refused("locked");
      const owner = {
        owner: networkOf(client),
        isKnown: lockout.isKnown(attempt.name, client),
      };
      const verdict = await work.run(owner, async () => {
        // It may have been locked while this one waited.
        if (isLocked(attempt)) return refused("locked");
        const account = options.logins()?.accountOf(attempt.name);
        if (account === undefined) return refused("unhealthy");
        // One that is nobody's costs as much as any other.
        const prepared = preparePassword(password);
        const app = await matchPassword(account, prepared ?? "");
        const { mailbox } = account;
        return app === undefined || mailbox === null || prepared === undefined
          ? deny(attempt, account)
          : { answer: grant(attempt, mailbox, app) };
      });
      return verdict ?? refused("busy");
    },

    scramFirst({ clientFirstBare, client }, asker) {
      const read = parseClientFirstBare(clientFirstBare);
      // The asker read it before: it has no right to ask this.
      if (read === undefined) return refused("denied");
      const attempt = attemptOf(read.login, client, "scram-sha-256");
      if (isLocked(attempt)) return refused("locked");
      const account = options.logins()?.accountOf(attempt.name);
      if (account === undefined) return refused("unhealthy");
      const nonce = read.nonce + randomBytes(18).toString("base64");
      const first = serverFirst(nonce, account.parameters);
      const exchange = exchanges.begin(
        { attempt, account, clientFirstBare, serverFirst: first, nonce },
        asker,
        nowMs(),
      );
      return { answer: { exchange, serverFirst: first } };
    },

    scramFinal({ exchange: name, clientFinalBare, proof }, asker) {
      const exchange = exchanges.take(name, asker, nowMs());
      if (exchange === undefined) return refused("denied");
      const { attempt, account } = exchange;
      // Many exchanges may have been begun before the first was denied.
      if (isLocked(attempt)) return refused("locked");
      const isKnown = lockout.isKnown(attempt.name, attempt.client);
      // Before it is checked, or being busy would say that it is wrong.
      if (!isKnown && strangeProofs.fullForMs("", nowMs()) > 0) {
        return refused("busy");
      }
      const proven = checkProof(exchange, clientFinalBare, proof);
      if (proven === undefined || account.mailbox === null) {
        if (!isKnown) strangeProofs.add("", nowMs());
        return deny(attempt, account);
      }
      const granted = grant(attempt, account.mailbox, proven.app);
      return { answer: { granted, signature: proven.signature } };
    },

    counts: () => ({
      answer: {
        granted: grantedCount,
        denied: deniedCount,
        locked: lockout.locked(nowMs()).map((one) => one.slice(0, 320)),
      },
    }),
  };
  return { handlers, gone: (asker) => exchanges.forget(asker) };
}
