/**
 * Questions in, judged answers out, kept as long as they may be. What is asked
 * twice at the same time is asked once; a failure is remembered for some
 * seconds, so that name servers being down cost one wait and not one a
 * message. Nothing is handed on that was not judged.
 */
import type { Security } from "./dns_ipc.ts";
import { follow, type Found } from "./follow.ts";
import type { Judgement, Validator } from "./judgement.ts";
import { isWithin } from "./labels.ts";
import { Lru } from "./lru.ts";
import {
  type Fetch,
  type Message,
  type Name,
  type Question,
  TYPE,
} from "./message.ts";
import { plainJudgement } from "./plain_judgement.ts";
import { typeText } from "./rdata.ts";
import type { Source, Sourced } from "./source.ts";
import {
  aged,
  keepSeconds,
  lastsUntilS,
  soaOf,
  type TtlBounds,
} from "./usable.ts";

/** What a resolver needs. */
export interface ResolverOptions {
  readonly source: Source;
  /**
   * Others to ask, in this order, where an answer is bogus: it may be the one
   * who handed it on that spoilt it, and not its zone.
   */
  readonly others?: readonly Source[];
  /** True once the source asks others than at first: what those said is void. */
  readonly hasSwitched?: () => boolean;
  /**
   * Makes the validator over the resolver's own cache, one for the source and
   * one for each of the others; null judges nothing.
   */
  readonly validator:
    | ((fetch: Fetch, of: "source" | "other") => Validator)
    | null;
  /** Domains of which nothing is signed, whatever the zones above say. */
  readonly unsigned?: readonly Name[];
  readonly ttl: TtlBounds;
  /** Octets that answers may take, estimated. */
  readonly cacheOctets: number;
  /** Longest that an asker waits; the work may go on for the next one. */
  readonly withinMs: number;
  /** Told of each answer that was judged anew. */
  readonly onJudged?: (question: Question, found: Found) => void;
}

/** What people want to know of one answer. */
export interface Explained {
  readonly found: Found;
  /** `NOERROR`, `NXDOMAIN`, or why there is no answer. */
  readonly failure: (Sourced & { kind: "failed" }) | undefined;
}

const FAILED_FOR_S = 5;
const BOGUS_FOR_S = 30;
/** Questions under way at once. */
const MAX_UNDER_WAY = 2_000;

interface Kept<T> {
  readonly value: T;
  readonly atMs: number;
  readonly untilMs: number;
}

/** A source, and what its answers are kept under. */
interface From {
  readonly source: Source;
  readonly mark: string;
}

/** A source's answers, and a validator that rests on these alone. */
interface Way {
  readonly validator: Validator;
  readonly fetch: Fetch;
}

/** See the file's header. */
export class Resolver {
  readonly #options: ResolverOptions;
  readonly #found: Lru<Kept<Found>>;
  readonly #messages: Lru<Kept<Sourced>>;
  readonly #finding = new Map<string, Promise<Found>>();
  readonly #fetching = new Map<string, Promise<Sourced>>();
  /** Messages of servers whose AD bit counts. */
  readonly #believed = new WeakSet<Message>();
  readonly #way: Way;
  readonly #others: readonly Way[];

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#found = new Lru(options.cacheOctets / 2);
    this.#messages = new Lru(options.cacheOctets / 2);
    const { source, others = [] } = options;
    this.#way = this.#wayOver({ source, mark: "" });
    this.#others = others.map((source, i) =>
      this.#wayOver({ source, mark: `${i} ` })
    );
  }

  #wayOver(from: From): Way {
    const fetch: Fetch = async (question) => {
      const got = await this.#fetch(question, from);
      return got.kind === "message" ? got.message : undefined;
    };
    const validator = this.#options.validator?.(
      fetch,
      from.mark === "" ? "source" : "other",
    );
    return {
      fetch,
      validator: {
        judge: async (question, message) => {
          if (this.#believed.has(message)) {
            return await this.#believe(question, { message, from });
          }
          const { unsigned = [] } = this.#options;
          if (
            validator === undefined ||
            unsigned.some((domain) => isWithin(question.name, domain))
          ) {
            return plainJudgement(question, message, "insecure");
          }
          const judged = await validator.judge(question, message);
          if (isBareNo(judged, question, message)) {
            return plainJudgement(question, message, "insecure");
          }
          // Of what is not signed it does not look at the lifetime.
          const ownS = lastsUntilS(question, message);
          return { ...judged, untilS: Math.min(judged.untilS ?? 0, ownS) };
        },
      },
    };
  }

  /** Entries kept, for tests. */
  get size(): number {
    return this.#found.size;
  }

  /** Answers a question from the cache or by asking. Never rejects. */
  lookUp(question: Question): Found | Promise<Found> {
    const key = keyOf(question);
    const kept = this.#found.get(key);
    if (kept !== undefined) {
      if (kept.untilMs > performance.now()) return kept.value;
      this.#found.delete(key);
    }
    let finding = this.#finding.get(key);
    if (finding === undefined) {
      if (this.#finding.size >= MAX_UNDER_WAY) {
        return nothing(question, "too many questions are under way");
      }
      finding = this.#find(question, key)
        .finally(() => this.#finding.delete(key));
      this.#finding.set(key, finding);
    }
    return inTime(
      finding,
      this.#options.withinMs,
      () => nothing(question, "the answer is not there in time"),
    );
  }

  /** The same with what a failure said. */
  async explain(question: Question): Promise<Explained> {
    const found = await this.lookUp(question);
    const kept = this.#messages.get(
      keyOf({ ...question, name: found.canonical }),
    );
    const failure = kept?.value.kind === "failed" ? kept.value : undefined;
    return { found, failure };
  }

  async #find(question: Question, key: string): Promise<Found> {
    const { hasSwitched = () => false } = this.#options;
    const before = hasSwitched();
    let found = await follow(this.#way, question);
    if (hasSwitched() !== before) {
      // In part of what others said, in part of what these say.
      this.#messages.clear();
      found = await follow(this.#way, question);
    }
    if (found.security === "bogus" && !hasSwitched()) {
      found = await this.#askOthers(question, found);
    }
    this.#options.onJudged?.(question, found);
    this.#keep(this.#found, key, {
      value: found,
      forS: this.#secondsFor(found),
      weight: weightOf(found),
    });
    return found;
  }

  /**
   * The first of the others' answers that can be built on, else `bogus` again.
   * Where records were said to be, a "no" is none of them: the name may be one
   * that only the first server knows, and mail for it must not bounce.
   */
  async #askOthers(question: Question, bogus: Found): Promise<Found> {
    for (const way of this.#others) {
      const found = await follow(way, question);
      const { security, finding } = found;
      if (security !== "secure" && security !== "insecure") continue;
      if (finding.kind === "records" || bogus.saysNo) return found;
    }
    return bogus;
  }

  #secondsFor(found: Found): number {
    const { ttl } = this.#options;
    switch (found.security) {
      case "bogus":
        return BOGUS_FOR_S;
      case "indeterminate":
        return FAILED_FOR_S;
      case "secure":
      case "insecure": {
        const max = found.finding.kind === "records"
          ? ttl.max
          : ttl.maxNegative;
        const left = (found.untilS ?? 0) - Date.now() / 1_000;
        return Math.max(ttl.min, Math.min(max, left));
      }
    }
  }

  /** What a server says whose AD bit counts. */
  async #believe(
    question: Question,
    { message, from }: { message: Message; from: From },
  ): Promise<Judgement> {
    const said = message.authenticData ? "secure" : "insecure";
    const judged = plainJudgement(question, message, said);
    if (judged.finding.kind !== "alias" || said === "secure") return judged;
    // The bit speaks of the whole chain; of the alias alone when asked for it
    // (RFC 7672 §2.2.2 wants to know).
    const alias = { name: question.name, type: TYPE.CNAME };
    const alone = await this.#fetch(alias, from);
    return alone.kind === "message" && alone.isBelieved &&
        alone.message.authenticData
      ? plainJudgement(question, message, "secure")
      : judged;
  }

  async #fetch(question: Question, from: From): Promise<Sourced> {
    const key = from.mark + keyOf(question);
    const kept = this.#messages.get(key);
    if (kept !== undefined) {
      const nowMs = performance.now();
      if (kept.untilMs > nowMs) {
        return this.#older(kept.value, Math.floor((nowMs - kept.atMs) / 1_000));
      }
      this.#messages.delete(key);
    }
    let fetching = this.#fetching.get(key);
    if (fetching === undefined) {
      fetching = this.#ask(question, { from, key })
        .finally(() => this.#fetching.delete(key));
      this.#fetching.set(key, fetching);
    }
    return await fetching;
  }

  async #ask(
    question: Question,
    { from, key }: { from: From; key: string },
  ): Promise<Sourced> {
    const { hasSwitched = () => false } = this.#options;
    const before = hasSwitched();
    const got = await from.source(question);
    if (hasSwitched() !== before) this.#messages.clear();
    if (got.kind === "message" && got.isBelieved) {
      this.#believed.add(got.message);
    }
    this.#keep(this.#messages, key, {
      value: got,
      forS: got.kind === "failed"
        ? FAILED_FOR_S
        : keepSeconds(question, got.message, this.#options.ttl),
      weight: got.kind === "failed" ? 500 : messageWeight(got.message),
    });
    return got;
  }

  #older(got: Sourced, seconds: number): Sourced {
    if (got.kind === "failed" || seconds < 1) return got;
    const message = aged(got.message, seconds);
    if (got.isBelieved) this.#believed.add(message);
    return { ...got, message };
  }

  #keep<T>(
    into: Lru<Kept<T>>,
    key: string,
    { value, forS, weight }: { value: T; forS: number; weight: number },
  ): void {
    if (forS <= 0) return;
    const atMs = performance.now();
    into.set(key, { value, atMs, untilMs: atMs + forS * 1_000 }, weight);
  }
}

/** What is found when nothing can be said. */
export function nothing(question: Question, why: string): Found {
  const security: Security = "indeterminate";
  return {
    security,
    nameSecurity: security,
    canonical: question.name,
    finding: { kind: "nothing" },
    why: `${question.name} ${typeText(question.type)}: ${why}`,
    proof: [],
    rcode: undefined,
  };
}

/** True of a "no" that neither signatures nor a SOA stand behind. */
function isBareNo(
  { security, finding }: Judgement,
  question: Question,
  message: Message,
): boolean {
  return security === "insecure" &&
    (finding.kind === "no-data" || finding.kind === "no-such-name") &&
    soaOf(message, question) === undefined;
}

function keyOf({ name, type }: Question): string {
  return `${type} ${name}`;
}

/** What a promise gives, or `late()` after a time. */
async function inTime<T>(
  promise: Promise<T>,
  withinMs: number,
  late: () => T,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late()), withinMs);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** What an object of the engine takes beside its octets, roughly. */
const OBJECT = 120;

function weightOf(found: Found): number {
  let weight = 5 * OBJECT + found.why.length;
  for (const line of found.proof) weight += OBJECT + line.length;
  if (found.finding.kind === "records") {
    for (const { data } of found.finding.records) {
      weight += 2 * OBJECT + data.length;
    }
  }
  return weight;
}

function messageWeight(message: Message): number {
  let weight = 5 * OBJECT;
  for (const part of [message.answer, message.authority, message.additional]) {
    for (const { name, data } of part) {
      weight += 2 * OBJECT + name.length + data.length;
    }
  }
  return weight;
}
