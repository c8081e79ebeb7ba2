/**
 * What the gate answers: what is known of a client across processes and
 * restarts, and what the tables say about what it wants.
 */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import { consoleCalls } from "./console_ipc.ts";
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
   * - `pass`: nothing against it; with `rule` and `evidence` if there is
   *   something to tell all the same
   * - `permit`: a table says OK: no later rule is asked; never allows relaying
   * - `reject`, `defer`: with `code`, `enhanced` and `reply`
   * - `discard`: taken with 250 and thrown away, as the table says
   * - `hold`: taken, and waits in the queue for an administrator
   */
  action: z.enum(["pass", "permit", "reject", "defer", "discard", "hold"]),
  /**
   * 0 unless refused. 421 and 521 refuse the client itself: said at once, and
   * the connection is closed. Of {@link gateContract}'s `arrive` and `score`
   * any other code lets the session go on, and is said to every RCPT
   * (`enforce`). Shadow mode and `ignore` are over here: such a verdict comes
   * as `pass`, and was recorded.
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

/** Nothing against it. */
export const PASS: GateVerdict = {
  action: "pass",
  code: 0,
  enhanced: "",
  reply: "",
  rule: "",
  evidence: "",
  undo: "",
};

/** What is counted per client, network and time unit (anvil(8)). */
export const COUNTED = [
  "connections",
  "messages",
  "recipients",
  "errors",
  "auth-failures",
  "tls-handshakes",
] as const;

const doorCalls = {
  /**
   * A client connected: counts it in, and says how to treat it. Not asked for
   * trusted networks, which no rate and no test concerns. Whatever it says,
   * {@link gateContract}'s `leave` follows.
   */
  arrive: call({
    from: DOORS,
    // It may have to be woken first; smtpd does not wait so long for others.
    withinMs: 5_000,
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
  /**
   * Which tests a client passed, for the allow cache, or failed and how.
   * `dnsbl` needs no telling: `score` noted it. A failure is recorded here:
   * `stopped` is false if nothing came of it.
   */
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
   * A recipient was refused because of what `arrive`, `score` or a test said
   * of the client: so that it is recorded whose mail that was. With `said`, a
   * rule of the door's own refused it (no such user, too large), and it is
   * recorded as told; few a client and minute.
   */
  refused: call({
    from: DOORS,
    withinMs: 2_000,
    ask: object({
      client,
      rule,
      helo: text({ max: 255 }),
      reversePath,
      /** Empty if there was none yet; only with `said`. */
      recipient: z.union([z.literal(""), address]),
      evidence: text({ max: 300 }).optional(),
      said: object({
        code: int({ min: 400, max: 599 }),
        enhanced: text({ max: 9 }),
        text: text({ max: 200 }),
      }).optional(),
    }),
    answer: object({}),
    refuses: [],
  }),
  /**
   * What access tables, rates, greylisting and address probes say, in this
   * order, at one stage of a transaction. smtpd asks at `sender`, with MAIL
   * (which is when a message counts, and what HELO said is known), and at
   * `recipient`, when resolve has already accepted it.
   *
   * - `sender`: client and HELO tables (not of who is logged in), sender
   *   tables; counts a message
   * - `recipient`: recipient tables; counts a recipient; greylisting, probes
   */
  judge: call({
    from: DOORS,
    // Longer than a next hop is waited for; a gate that hangs keeps nobody long.
    withinMs: 15_000,
    ask: object({
      stage: z.enum(["sender", "recipient"]),
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
  /**
   * Counts errors, failed log-ins and handshakes; what is counted otherwise
   * (connections by `arrive`, messages and recipients by `judge`) must not
   * come here. Refuses with 421 when a limit was exceeded.
   */
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
} as const;

/** What doors ask. */
export type DoorCalls = typeof doorCalls;

/** The gate's calls. */
export const gateContract = contract("gate", {
  ...doorCalls,
  ...consoleCalls,
});
