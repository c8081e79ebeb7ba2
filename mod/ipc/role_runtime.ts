/**
 * The inside of every role's `main.ts`: reads the first message from the
 * supervisor, opens the edges, answers pings, and stops when told or when the
 * supervisor is gone. Control travels on standard input and output, in the
 * same frames as everything else; nothing of it comes from the network.
 */
import { log } from "../core/log.ts";
import { type Call, type Handlers, ROLE_NAMES, type RoleName } from "./call.ts";
import { Edge } from "./edge.ts";
import {
  Counters,
  MAX_COUNT,
  MAX_COUNTER_NAME,
  MAX_REPORTED,
} from "./counters.ts";
import { encodeFrame, FrameReader, MAX_ORDER_BODY } from "./frames.ts";
import { plugIn, type Plugs } from "./plug.ts";
import { Idleness } from "./rest.ts";
import { int, list, object, text, z } from "./schema.ts";

const roleName = z.enum(ROLE_NAMES);

/** Supervisor to role. */
export const orders = z.union([
  object({
    do: z.literal("start"),
    /** Role and number, such as `smtpd.0`. */
    instance: text({ max: 64 }),
    /** The role's part of the configuration; its own schema checks it. */
    part: z.unknown(),
    /** Listening TCP sockets by name, as inherited descriptors. */
    listeners: list(
      object({ name: text({ max: 32 }), fd: int({ min: 0, max: 65_535 }) }),
      { max: 16 },
    ),
    /** Edges this role asks: the listening descriptor of each. */
    asks: list(
      object({
        role: roleName,
        fd: int({ min: 0, max: 65_535 }),
        /** It rests now, and is woken by an ask. */
        rests: z.boolean(),
      }),
      { max: 16 },
    ),
    /** Sockets of those it answers. */
    answers: list(
      object({
        role: roleName,
        instance: text({ max: 64 }),
        path: text({ max: 108 }),
      }),
      { max: 256 },
    ),
    /** Idle for this long, a role that can goes to rest; 0 for never. */
    restAfterMs: int({ min: 0, max: 2 ** 50 }),
  }),
  /** The configuration changed: the new part. */
  object({ do: z.literal("renew"), part: z.unknown() }),
  object({ do: z.literal("ping"), n: int({ min: 0, max: 2 ** 50 }) }),
  /** Facts for the console; see `web/`. */
  object({ do: z.literal("news"), news: z.unknown() }),
  object({ do: z.literal("stop") }),
  /** Its report `idle` was heard: finish what was asked, and end. */
  object({ do: z.literal("rest") }),
]);

/** See {@link orders}. */
export type Order = z.infer<typeof orders>;

/** Role to supervisor. */
export const reports = z.union([
  object({ is: z.literal("ready") }),
  object({
    is: z.literal("pong"),
    n: int({ min: 0, max: 2 ** 50 }),
    /** Counters since the role's start, by name. */
    counters: z.record(
      text({ max: MAX_COUNTER_NAME }),
      int({ min: 0, max: MAX_COUNT }),
    ).refine((all) => Object.keys(all).length <= MAX_REPORTED),
  }),
  /** It has nothing to do, and nothing in memory that it would miss. */
  object({ is: z.literal("idle") }),
  /** Told to rest, it had something to do again: it stays. */
  object({ is: z.literal("busy") }),
  /** Nobody is plugged in to answer for this role; it may be resting. */
  object({ is: z.literal("wants"), role: roleName }),
]);

/** See {@link reports}. */
export type Report = z.infer<typeof reports>;

/** Longest that a role may take to stop when it is told to. */
const STOP_WITHIN_MS = 5_000;
/** The same when its supervisor died: the next one waits for our sockets. */
const ORPHAN_STOP_WITHIN_MS = 1_500;

/** How often a role looks at most whether it is idle. */
const LOOK_AT_MOST_MS = 15_000;
/** See {@link wakeSeldom}. */
const WAKE_EVERY_MS = 1_000;

/** Exit code of a role that cannot start until somebody mends something. */
export const EXIT_CANNOT_START = 78;

/**
 * Thrown by a role that finds its own house unusable (a corrupt database): it
 * would fail again at every restart. The message says what to do.
 */
export class CannotStart extends Error {
  override name = "CannotStart";
}

/** What a role is given. */
export interface RoleContext<Part> {
  readonly instance: string;
  /** The configuration as it is now; replaced as a whole by a reload. */
  readonly part: Part;
  /** All listening TCP sockets of that name. */
  listeners(name: string): readonly number[];
  /** The descriptor of the listening socket of an edge that this role asks. */
  askFd(role: RoleName): number;
  /** Opens an edge that this role asks. */
  ask<C extends Record<string, Call>>(
    contract: { readonly role: RoleName; readonly calls: C },
  ): Edge<C>;
  /** Answers everybody who may ask. */
  answer<C extends Record<string, Call>>(
    contract: { readonly role: RoleName; readonly calls: C },
    handlers: Handlers<C>,
    onGone?: (instance: string) => void,
  ): void;
  /**
   * Says that the process may end when it has nothing to do, until it is asked
   * again.
   *
   * @param mayRest Whether it would miss nothing that it has in memory now
   * @param atLeastMs Not before this, whatever the configuration says
   */
  restsWhen(mayRest: () => boolean, atLeastMs?: () => number): void;
  /** Wakes the resting processes of its own role. */
  wakeSiblings(): void;
  /** Paths of the sockets to plug into, for roles with a protocol of their own. */
  readonly answers: readonly {
    readonly instance: string;
    readonly path: string;
  }[];
  /**
   * Adds to a counter that the supervisor collects. One whose name begins with
   * a dot is shown to nobody else.
   */
  count(name: string, by?: number): void;
  /** Has the supervisor told what `read` says, every few seconds. */
  measure(name: string, read: () => number): void;
  /** Called with the new part after a reload. */
  onRenew(then: (part: Part) => void): void;
  /** Called with the supervisor's facts (the console only). */
  onNews(then: (news: unknown) => void): void;
  /**
   * Called once before the role exits. At most 5 s are waited for, 1.5 s if
   * the supervisor died.
   */
  onStop(then: () => void | Promise<void>): void;
}

/**
 * Runs a role for the life of the process.
 *
 * @param partSchema Checks the role's part of the configuration
 * @param start Opens everything; the role is `ready` when it resolves
 */
export async function runRole<S extends z.ZodType>(
  partSchema: S,
  start: (context: RoleContext<z.output<S>>) => void | Promise<void>,
): Promise<void> {
  const counters = new Counters();
  let onRenew: (part: z.output<S>) => void = () => {};
  let onNews: (news: unknown) => void = () => {};
  let onStop: () => void | Promise<void> = () => {};
  const idleness = new Idleness(() => performance.now());
  const plugs: Plugs[] = [];
  const wake = wakeSeldom();
  let context: { part: z.output<S> } & RoleContext<z.output<S>> | undefined;

  let isIdle = () => false;
  const stop = async (withinMs: number) => {
    const late = setTimeout(() => Deno.exit(0), withinMs);
    await onStop();
    clearTimeout(late);
    Deno.exit(0);
  };

  const obey = async (order: Order) => {
    switch (order.do) {
      case "start": {
        const part = partSchema.parse(order.part);
        context = {
          instance: order.instance,
          part,
          answers: order.answers,
          listeners: (name) =>
            order.listeners.filter((one) => one.name === name)
              .map((one) => one.fd),
          askFd: (role) => edgeFor(order, role).fd,
          ask: (contract) => {
            const { role, fd, rests } = edgeFor(order, contract.role);
            return new Edge(contract, { fd }, {
              rests,
              wake: () => wake(role),
            });
          },
          answer: (contract, handlers, onGone) => {
            plugs.push(plugIn({
              contract,
              sockets: order.answers,
              handlers,
              ...(onGone ? { onGone } : {}),
              onHeard: () => idleness.touch(),
            }));
          },
          restsWhen: (mayRest, atLeastMs = () => 0) =>
            idleness.allow(mayRest, atLeastMs),
          wakeSiblings: () => wake(roleOf(order.instance)),
          count: (name, by) => {
            idleness.touch();
            counters.add(name, by);
          },
          measure: (name, read) => counters.measure(name, read),
          onRenew: (then) => void (onRenew = then),
          onNews: (then) => void (onNews = then),
          onStop: (then) => void (onStop = then),
        };
        await start(context);
        report({ is: "ready" });
        isIdle = () => {
          if (plugs.some(({ open }) => open > 0)) idleness.touch();
          return idleness.isOver(order.restAfterMs);
        };
        watchIdleness(isIdle, order.restAfterMs);
        return;
      }
      case "renew":
        if (context === undefined) return;
        context.part = partSchema.parse(order.part);
        onRenew(context.part);
        return;
      case "ping":
        report({
          is: "pong",
          n: order.n,
          counters: counters.all(),
        });
        return;
      case "news":
        onNews(order.news);
        return;
      case "stop":
        await stop(STOP_WITHIN_MS);
        return;
      case "rest":
        // Somebody came between our word and this one.
        if (idleness.isAllowed && !isIdle()) return report({ is: "busy" });
        await Promise.all(plugs.map((one) => one.rest()));
        await stop(STOP_WITHIN_MS);
    }
  };

  const reader = new FrameReader(MAX_ORDER_BODY);
  for await (const bytes of Deno.stdin.readable) {
    for (const frame of reader.push(bytes)) {
      const order = orders.parse(JSON.parse(decoder.decode(frame.body)));
      // Not awaited: a start that takes long must not delay a ping's answer.
      obey(order).catch((error) => {
        if (error instanceof CannotStart) {
          log("cannot-start", { why: error.message });
          Deno.exit(EXIT_CANNOT_START);
        }
        log("role-failed", { why: String(error?.stack ?? error) });
        Deno.exit(70);
      });
    }
  }
  // End of file: the supervisor is gone, and so are we; its successor starts
  // our successors. Whom we ask is going too, so there is less to wait for.
  await stop(ORPHAN_STOP_WITHIN_MS);
}

const decoder = new TextDecoder();

function report(what: Report): void {
  const frame = encodeFrame("control", 0, JSON.stringify(what));
  for (let at = 0; at < frame.length;) {
    at += Deno.stdout.writeSync(frame.subarray(at));
  }
}

function roleOf(instance: string): RoleName {
  return roleName.parse(instance.split(".")[0]);
}

function edgeFor(order: Order & { do: "start" }, role: RoleName) {
  const edge = order.asks.find((one) => one.role === role);
  if (edge === undefined) {
    throw new RangeError(`Cannot ask ${role}: the manifest has no such edge`);
  }
  return edge;
}

/** Says when there is nothing to do; the supervisor sees to the rest. */
function watchIdleness(isIdle: () => boolean, restAfterMs: number): void {
  if (restAfterMs === 0) return;
  setInterval(() => {
    if (isIdle()) report({ is: "idle" });
  }, Math.min(restAfterMs / 4, LOOK_AT_MOST_MS));
}

/** Reports a wish at most once a second for each role: a queue may ask often. */
function wakeSeldom(): (role: RoleName) => void {
  const toldMs = new Map<RoleName, number>();
  return (role) => {
    const nowMs = performance.now();
    if (nowMs - (toldMs.get(role) ?? -Infinity) < WAKE_EVERY_MS) return;
    toldMs.set(role, nowMs);
    report({ is: "wants", role });
  };
}
