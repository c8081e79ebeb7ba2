/**
 * Declares the calls that a role answers. One contract per answering role, in
 * its `<role>_ipc.ts`, imported by both ends, so that they cannot disagree.
 */
import type { z } from "zod";

/** Roles, by name. The one list; every manifest's name is in it. */
export const ROLE_NAMES = [
  "smtpd",
  "resolve",
  "spool",
  "queue",
  "maildir",
  "sync",
  "smtpc",
  "dns",
  "dial",
  "console",
  // At the end, whoever comes later: numbered users are by this order.
  "shred",
  "gate",
  "auth",
  "submission",
  "sts",
  "pickup",
] as const;

/** Name of a role. */
export type RoleName = (typeof ROLE_NAMES)[number];

/** One call: who may ask, for how long it may take, and its shapes. */
export interface Call<
  Ask extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
  Refusal extends string = string,
> {
  /** Roles that may ask. Others lose their channel. */
  readonly from: readonly RoleName[];
  /** After this the asker gives up, in milliseconds, whatever the answerer does. */
  readonly withinMs: number;
  readonly ask: Ask;
  readonly answer: Answer;
  /** The closed list of reasons to say no. */
  readonly refuses: readonly Refusal[];
  /** True if the ask is followed by a stream of chunks. */
  readonly streams: boolean;
  /**
   * True if asking twice does no harm, so that an ask whose answerer died is
   * put to the next one, within the same time limit.
   */
  readonly repeatable: boolean;
}

/** All calls of one answering role, by name. */
export interface Contract {
  readonly role: RoleName;
  readonly calls: Readonly<Record<string, Call>>;
}

/** Declares a call. See {@link Call} for the fields. */
export function call<
  Ask extends z.ZodType,
  Answer extends z.ZodType,
  const Refusal extends string,
>(declared: {
  from: readonly RoleName[];
  withinMs: number;
  ask: Ask;
  answer: Answer;
  refuses: readonly Refusal[];
  streams?: boolean;
  repeatable?: boolean;
}): Call<Ask, Answer, Refusal> {
  return { streams: false, repeatable: false, ...declared };
}

/** Declares what `role` answers. */
export function contract<C extends Record<string, Call>>(
  role: RoleName,
  calls: C,
): { readonly role: RoleName; readonly calls: C } {
  return { role, calls };
}

/** What the asker sends. */
export type AskOf<C extends Call> = z.input<C["ask"]>;
/** What the answerer reads of an ask, after validation. */
export type AskedOf<C extends Call> = z.output<C["ask"]>;
/** What a good answer holds. */
export type AnswerOf<C extends Call> = z.output<C["answer"]>;
/** The refusals a call may give. */
export type RefusalOf<C extends Call> = C["refuses"][number];

/**
 * What comes of an ask.
 *
 * - `answered`: the answerer did it
 * - `refused`: it says no, with one of the declared refusals: nothing was done
 * - `failed`: nobody knows. The answerer died, hung, is not there, or broke
 *   the contract. It may or may not have done it. In mail terms: 4xx.
 */
export type Reply<C extends Call> =
  | { readonly kind: "answered"; readonly answer: AnswerOf<C> }
  | { readonly kind: "refused"; readonly refusal: RefusalOf<C> }
  | { readonly kind: "failed"; readonly why: string };

/** What a handler returns: the answer or a refusal. */
export type Verdict<C extends Call> =
  | { readonly answer: z.input<C["answer"]> }
  | { readonly refusal: RefusalOf<C> };

/** Chunks of a streaming ask as they arrive. Each is valid until the next. */
export interface ChunkSink {
  /** The next octets, in order, at most one frame's body. */
  chunk(bytes: Uint8Array): void;
  /** The stream is complete; the verdict is due now. */
  end(): void;
  /** The asker gave up or died. Nothing may be kept. */
  abort(why: string): void;
}

/** Answers one plain call. `asker` is the instance, such as `smtpd.0`. */
export type Handler<C extends Call> = (
  ask: AskedOf<C>,
  asker: string,
) => Verdict<C> | Promise<Verdict<C>>;

/**
 * Answers one streaming call: returns where the chunks go and the verdict to
 * come. Chunks are taken synchronously, so the socket itself slows a fast
 * asker down.
 */
export type StreamHandler<C extends Call> = (
  ask: AskedOf<C>,
  asker: string,
) => { sink: ChunkSink; verdict: Promise<Verdict<C>> };

/** One handler for every call of a contract that the given asker may make. */
export type Handlers<C extends Record<string, Call>> = {
  readonly [K in keyof C]: Handler<C[K]> | StreamHandler<C[K]>;
};
