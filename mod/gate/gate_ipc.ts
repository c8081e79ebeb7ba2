/**
 * What the gate answers: what is known of a client across processes and
 * restarts, and what the tables say about what it wants.
 */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import { address, reversePath } from "../core/shapes.ts";

/** A client's address in plain form: never IPv4-mapped, no zone. */
const client = text({ min: 1, max: 64 });
/** Name of a test or rule, such as `pregreet`, `dnsbl`, `sender-access`. */
const rule = text({ max: 64 });

/** Who asks about clients: every role that strangers talk to. */
const DOORS = ["smtpd", "submission"] as const;

/**
 * A verdict that explains itself. The same words go to the client (reply), the
 * log and the gate's own event store (rule, evidence, undo).
 */
export const verdict = object({
  /**
   * - `pass`: nothing against it
   * - `permit`: a table says OK: no later rule is asked; never allows relaying
   * - `reject`, `defer`: with `code`, `enhanced` and `reply`
   * - `discard`: taken with 250 and thrown away, as the table says
   * - `hold`: taken, and waits in the queue for an administrator
   */
  action: z.enum(["pass", "permit", "reject", "defer", "discard", "hold"]),
  /**
   * 0 unless refused. 421 and 521 close the connection, at {@link arrive} before
   * a greeting; any other code given there refuses each recipient.
   */
  code: int({ min: 0, max: 599 }),
  enhanced: text({ max: 9 }),
  /** A true, short reason; one line of printable ASCII. */
  reply: text({ max: 200 }),
  rule,
  /** What it rests on: `192.0.2.1 is in "deny" (line 12)`. */
  evidence: text({ max: 300 }),
  /** What an administrator types or edits to undo it. */
  undo: text({ max: 200 }),
});

/** See {@link verdict}. */
export type GateVerdict = z.infer<typeof verdict>;

/** What is counted per client, network and time unit (anvil(8)). */
export const COUNTED = [
  "connections",
  "messages",
  "recipients",
  "errors",
  "auth-failures",
  "tls-handshakes",
] as const;

/** The gate's calls. */
export const gateContract = contract("gate", {
  /**
   * A client connected: counts it in, and says how to treat it. Not asked for
   * trusted networks, which no rate and no test concerns.
   */
  arrive: call({
    from: DOORS,
    withinMs: 2_000,
    ask: object({ client }),
    answer: object({
      verdict,
      /** Tests to make now; empty for a client that passed them lately. */
      tests: list(z.enum(["pregreet", "dnsbl", "deep"]), { max: 3 }),
    }),
    refuses: [],
  }),
  /** It is gone. A role that dies takes its clients with it. */
  leave: call({
    from: DOORS,
    withinMs: 2_000,
    ask: object({ client }),
    answer: object({}),
    refuses: [],
  }),
  /**
   * The DNSBL and DNSWL score, asked at once after {@link arrive} and answered
   * when it is decided: at the latest after `screening.dnsbl_timeout`, when
   * lists that are silent count nothing.
   */
  score: call({
    from: DOORS,
    withinMs: 30_000,
    ask: object({ client }),
    answer: object({
      verdict,
      /** Weights that were added, for the log: `zen.example*3`. */
      hits: list(text({ max: 255 }), { max: 50 }),
      /** At or below the allow threshold: further tests are skipped. */
      allowed: z.boolean(),
    }),
    refuses: [],
    repeatable: true,
  }),
  /** Which tests a client passed, for the allow cache, or failed and how. */
  tested: call({
    from: DOORS,
    withinMs: 2_000,
    ask: object({
      client,
      passed: list(z.enum(["pregreet", "dnsbl", "deep"]), { max: 3 }),
      failed: list(
        object({ rule, evidence: text({ max: 300 }), stopped: z.boolean() }),
        { max: 8 },
      ),
      helo: text({ max: 255 }),
    }),
    answer: object({}),
    refuses: [],
  }),
  /**
   * What rates, access tables, greylisting and address probes say, at one
   * stage of a transaction. smtpd asks at `sender`, with MAIL (which is when a
   * message counts, and what HELO said is known), and at `recipient`, when
   * resolve has already accepted it.
   */
  judge: call({
    from: DOORS,
    withinMs: 60_000,
    ask: object({
      stage: z.enum(["helo", "sender", "recipient", "message"]),
      client,
      helo: text({ max: 255 }),
      reversePath,
      /** Empty before `recipient`. */
      recipient: z.union([z.literal(""), address]),
      /** The mailbox that logged in; empty if none. */
      login: text({ max: 320 }),
      /** Trusted clients are not counted and not greylisted. */
      trusted: z.boolean(),
    }),
    answer: object({ verdict }),
    refuses: [],
    repeatable: true,
  }),
  /** Counts what went wrong; `closes` is true when a limit was reached. */
  tally: call({
    from: DOORS,
    withinMs: 2_000,
    ask: object({
      client,
      what: z.enum(COUNTED),
      by: int({ min: 1, max: 10_000 }),
    }),
    answer: object({ verdict }),
    refuses: [],
  }),
});
