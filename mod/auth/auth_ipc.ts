/**
 * What the auth role answers: is this login who it says it is? Passwords and
 * what is kept of them never leave it.
 */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, token } from "../ipc/schema.ts";
import { mailbox } from "../core/shapes.ts";

/** A login as a client gives it, after RFC 8265 preparation; not yet known. */
const login = text({ min: 1, max: 255 });
/** The client's address in plain form, for lock-out by rate and the log. */
const client = text({ max: 64 });
/** Octets in base64. */
const base64 = (max: number) => token(/^[A-Za-z0-9+/]*={0,2}$/, { max });

/**
 * Why a login fails. A client is told no more than RFC 4954 §6 has codes for.
 *
 * - `denied`: wrong password or no such login; takes as long in both cases: 535
 * - `locked`: too many failures of this client or login lately: 454, later
 * - `busy`: more attempts at once than we hash: 454
 * - `unhealthy`: the password file cannot be read: 454
 */
const REFUSALS = ["denied", "locked", "busy", "unhealthy"] as const;

/** Who logged in. */
const granted = object({
  /** The mailbox that the login is; what it may send as follows from it. */
  mailbox,
  /** Name of the app password used, empty for the user's own. */
  appPassword: text({ max: 64 }),
});

/** The auth role's calls. */
export const authContract = contract("auth", {
  /** Checks a password (PLAIN of RFC 4616, LOGIN). */
  password: call({
    from: ["submission"],
    withinMs: 20_000,
    ask: object({ login, password: text({ min: 1, max: 1_000 }), client }),
    answer: granted,
    refuses: REFUSALS,
  }),
  /**
   * First half of SCRAM-SHA-256 (RFC 5802, RFC 7677): answers server-first.
   * An unknown login gets a salt of its own, the same each time. Nothing is
   * counted yet: it is no failure to ask.
   */
  scramFirst: call({
    from: ["submission"],
    withinMs: 20_000,
    ask: object({
      client,
      /** client-first-message-bare, as it came; it names the login. */
      clientFirstBare: text({ max: 1_000 }),
    }),
    answer: object({
      /** Names the exchange; good once, for a minute. */
      exchange: token(/^[a-z0-9]+$/, { max: 40 }),
      serverFirst: text({ max: 1_000 }),
    }),
    refuses: REFUSALS,
  }),
  /** Second half: checks the proof, answers with the server's signature. */
  scramFinal: call({
    from: ["submission"],
    withinMs: 20_000,
    ask: object({
      exchange: token(/^[a-z0-9]+$/, { max: 40 }),
      /** client-final-message-without-proof, as it came. */
      clientFinalBare: text({ max: 2_000 }),
      proof: base64(200),
    }),
    answer: object({ granted, signature: base64(200) }),
    refuses: REFUSALS,
  }),
  /** How often logins were refused and why, for the console. */
  counts: call({
    from: ["console"],
    withinMs: 5_000,
    ask: object({}),
    answer: object({
      granted: int({ min: 0, max: 2 ** 50 }),
      denied: int({ min: 0, max: 2 ** 50 }),
      /** `NETWORK`, or `LOGIN from NETWORK`. */
      locked: list(text({ max: 320 }), { max: 100 }),
    }),
    refuses: [],
    repeatable: true,
  }),
});
