/**
 * What the console asks the gate. With each goes a grant, which the gate
 * checks itself; see `mod/core/ticket.ts`.
 */
import { MAX_TICKET } from "../core/ticket.ts";
import { call } from "../ipc/call.ts";
import { list, object, text, z } from "../ipc/schema.ts";
import { saidOf, shownVerdict } from "./inspect_ipc.ts";

const grant = text({ max: MAX_TICKET });

/** Of each, what one answer holds. */
export const MAX_SHOWN = 200;

/** The console's calls; `no-grant`: the grant is not good, or no longer. */
export const consoleCalls = {
  /**
   * Somebody signs in: a gate that rests is woken, and one that hears of a
   * good grant stays until that is over. For it believes none that is older
   * than itself, and must remember who signs out.
   */
  stay: call({
    from: ["console"],
    withinMs: 5_000,
    /** Empty: there is none yet. */
    ask: object({ grant }),
    answer: object({}),
    refuses: ["no-grant"],
    repeatable: true,
  }),
  /** The newest verdicts, and what was said of networks. */
  clients: call({
    from: ["console"],
    withinMs: 10_000,
    ask: object({
      grant,
      /** An address or a network; empty: all. */
      client: text({ max: 64 }),
    }),
    answer: object({
      verdicts: list(shownVerdict, { max: MAX_SHOWN }),
      said: list(saidOf, { max: MAX_SHOWN }),
    }),
    /** `busy`: too many lists are being made. */
    refuses: ["no-grant", "busy"],
    repeatable: true,
  }),
  /** As `bulkhead client allow`, `deny`, `forget`. */
  say: call({
    from: ["console"],
    withinMs: 5_000,
    ask: object({
      grant,
      network: text({ min: 1, max: 64 }),
      word: z.enum(["allow", "deny", "forget"]),
    }),
    answer: object({}),
    /** `no-network`: it is none; `not-written`: the disk would not. */
    refuses: ["no-grant", "no-network", "not-written"],
  }),
  /** The grant is worth nothing any more; `everywhere`: nor is any other. */
  signOut: call({
    from: ["console"],
    withinMs: 5_000,
    ask: object({ grant, everywhere: z.boolean() }),
    answer: object({}),
    refuses: ["no-grant"],
  }),
} as const;
