/**
 * Which policy is in force for a domain, and when to look for a newer one: RFC
 * 8461 §3.3, §5.1. Pure but for what it is given: the DNS, the fetching, the
 * time and the disk.
 *
 * - A policy that is good is answered at once; a newer one is looked for
 *   meanwhile, so no delivery waits for somebody's web server twice.
 * - It stays in force until it is over, whatever becomes of the record or of
 *   the server.
 * - Where none is known, the answer waits for the first fetch.
 */
import { type Kept, type Knowledge, Known } from "./known.ts";
import type { Failed } from "./fetch_io.ts";
import type { StsFailure, StsPolicy } from "./sts_ipc.ts";

/** What the DNS says, RFC 8461 §3.1. */
export type Sight =
  | { readonly kind: "record"; readonly id: string }
  /** There is none, or nobody can tell. */
  | { readonly kind: "none" };

/** A policy as its server publishes it, RFC 8461 §3.2. */
export interface Published {
  readonly kind: "policy";
  readonly mode: StsPolicy["mode"];
  readonly mx: readonly string[];
  readonly lines: readonly string[];
  /** Milliseconds. */
  readonly maxAgeMs: number;
}

/** The world. */
export interface World {
  look(domain: string): Promise<Sight>;
  fetch(domain: string): Promise<Published | Failed>;
  /** A new policy is to be kept beyond this process. */
  keep(domain: string, kept: Kept): void;
  /** It need not be kept any more. */
  forget(domain: string): void;
  /** Tells the log. */
  tell(domain: string, news: News): void;
  nowMs(): number;
}

/** What came of a fetch. */
export type News =
  | { readonly is: "fetched"; readonly policy: StsPolicy }
  | { readonly is: "failed"; readonly trouble: string; readonly old: boolean };

/** What is answered. */
export type Verdict =
  | { readonly policy: StsPolicy; readonly trouble: string }
  | { readonly refusal: "none" | StsFailure };

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Between two looks at a record: RFC 8461 §3.3 asks for no less. */
const LOOK_EACH_MS = 5 * MINUTE_MS;
/** What is not there may come at any time, and the DNS role knows for long. */
const NONE_FOR_MS = MINUTE_MS;
const MOST_BETWEEN_LOOKS_MS = 60 * MINUTE_MS;
/** A policy is good for this at least, and at most; §3.2 ends at a year. */
const LEAST_AGE_MS = 5 * MINUTE_MS;
const MOST_AGE_MS = 31_557_600_000;

/** Longest that an answer waits for a fetch; its asker gives up after 60 s. */
const ANSWER_WITHIN_MS = 50_000;
/** Looks under way at once, and those that wait for their turn. */
const AT_ONCE = 100;
const MOST_WAITING = 1_000;

/** Domains and octets in memory and on the disk. */
const LIMITS = { domains: 10_000, octets: 8 * 1024 * 1024 };

/** The policies of all domains. */
export class Policies {
  readonly #world: World;
  readonly #known: Known;
  readonly #answerWithinMs: number;
  readonly #looking = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(
    world: World,
    options: { limits?: typeof LIMITS; answerWithinMs?: number } = {},
  ) {
    this.#world = world;
    this.#answerWithinMs = options.answerWithinMs ?? ANSWER_WITHIN_MS;
    this.#known = new Known(
      options.limits ?? LIMITS,
      (domain) => world.forget(domain),
    );
  }

  /** Domains of which something is known. */
  get size(): number {
    return this.#known.size;
  }

  /** Takes in what was kept; what is over is to be forgotten. */
  restore(domain: string, kept: Kept): void {
    if (kept.policy.untilMs <= this.#world.nowMs()) {
      this.#world.forget(domain);
      return;
    }
    this.#known.set(domain, { ...NOTHING, kept });
  }

  /** The policy in force for a domain. */
  async policy(domain: string): Promise<Verdict> {
    const nowMs = this.#world.nowMs();
    const known = this.#known.get(domain);
    const isDue = known === undefined || isLookDue(known, nowMs);
    if (known !== undefined && isInForce(known.kept, nowMs)) {
      if (isDue) void this.#look(domain);
      return { policy: known.kept.policy, trouble: known.trouble };
    }
    if (!isDue) return { refusal: known.refusal };
    const isSeen = await this.#inTime(this.#look(domain));
    if (!isSeen) return { refusal: "sts-policy-fetch-error" };
    const seen = this.#known.get(domain);
    return isInForce(seen?.kept, this.#world.nowMs())
      ? { policy: seen!.kept!.policy, trouble: seen!.trouble }
      : { refusal: seen?.refusal ?? "sts-policy-fetch-error" };
  }

  /** Looks at the domain's record and, if need be, fetches; once at a time. */
  #look(domain: string): Promise<void> {
    const under = this.#looking.get(domain);
    if (under !== undefined) return under;
    if (this.#waiting.length >= MOST_WAITING) return Promise.resolve();
    const look = this.#inTurn(() => this.#lookNow(domain))
      .finally(() => this.#looking.delete(domain));
    this.#looking.set(domain, look);
    return look;
  }

  async #lookNow(domain: string): Promise<void> {
    const sight = await this.#world.look(domain);
    const nowMs = this.#world.nowMs();
    const before = this.#known.get(domain) ?? NOTHING;
    if (sight.kind === "none") {
      this.#known.set(domain, {
        ...before,
        refusal: "none",
        trouble: "",
        nextLookMs: nowMs +
          (isInForce(before.kept, nowMs) ? LOOK_EACH_MS : NONE_FOR_MS),
      });
      return;
    }
    if (isFresh(before, sight.id, nowMs)) {
      this.#known.set(domain, {
        ...before,
        trouble: "",
        nextLookMs: nowMs + LOOK_EACH_MS,
      });
      return;
    }
    this.#fetched(domain, sight.id, await this.#world.fetch(domain));
  }

  #fetched(domain: string, id: string, got: Published | Failed): void {
    const nowMs = this.#world.nowMs();
    const before = this.#known.get(domain) ?? NOTHING;
    if (got.kind === "failed") {
      const { failure, why } = got;
      const failures = before.failures + 1;
      const waitMs = LOOK_EACH_MS * 2 ** Math.min(failures - 1, 10);
      const trouble = `${failure}: ${why}`;
      this.#known.set(domain, {
        ...before,
        refusal: failure,
        trouble,
        failures,
        nextLookMs: nowMs + Math.min(waitMs, MOST_BETWEEN_LOOKS_MS),
      });
      const old = isInForce(before.kept, nowMs);
      this.#world.tell(domain, { is: "failed", trouble, old });
      return;
    }
    const { mode, mx, lines } = got;
    const ageMs = Math.min(Math.max(got.maxAgeMs, LEAST_AGE_MS), MOST_AGE_MS);
    const policy: StsPolicy = {
      mode,
      id,
      mx: [...mx],
      lines: [...lines],
      untilMs: nowMs + ageMs,
    };
    const kept = { policy, fetchedMs: nowMs };
    this.#known.set(domain, {
      ...NOTHING,
      kept,
      nextLookMs: nowMs + LOOK_EACH_MS,
    });
    this.#world.keep(domain, kept);
    this.#world.tell(domain, { is: "fetched", policy });
  }

  /** True if it ended before the asker has gone. */
  async #inTime(look: Promise<void>): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), this.#answerWithinMs);
    const isSeen = await Promise.race([look.then(() => true), late.promise]);
    clearTimeout(timer);
    return isSeen;
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#running < AT_ONCE) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      // The turn is handed on, or given back.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

const NOTHING: Knowledge = {
  kept: undefined,
  refusal: "none",
  trouble: "",
  failures: 0,
  nextLookMs: 0,
};

function isInForce(kept: Kept | undefined, nowMs: number): kept is Kept {
  return kept !== undefined && nowMs < kept.policy.untilMs;
}

/** A clock that was set back must not keep us from looking for a year. */
function isLookDue({ nextLookMs }: Knowledge, nowMs: number): boolean {
  return nowMs >= nextLookMs || nextLookMs > nowMs + MOST_BETWEEN_LOOKS_MS;
}

/** True if nothing newer is to be had, and it is not time to fetch it again. */
function isFresh({ kept }: Knowledge, id: string, nowMs: number): boolean {
  if (!isInForce(kept, nowMs) || kept.policy.id !== id) return false;
  const ageMs = nowMs - kept.fetchedMs;
  const halfMs = (kept.policy.untilMs - kept.fetchedMs) / 2;
  return ageMs >= 0 && ageMs < Math.min(halfMs, DAY_MS);
}
