/**
 * The DNS walked from its root, RFC 1034 §5.3.3: each zone's servers are asked
 * until one of them answers or names the servers of a zone below.
 *
 * - A server speaks for its zone and what lies below, and for nothing else.
 * - An address that comes with a referral (glue) says where to ask next; it is
 *   never an answer.
 * - A resolution asks at most 40 questions in all, goes down at most 10
 *   referrals, and gives up when its time is over, so a hostile zone gains
 *   little by sending us elsewhere.
 *
 * Servers are asked by IPv4. Not: minimised questions (RFC 9156), priming (RFC
 * 9609).
 */
import type { Exchange } from "./exchange_io.ts";
import { isBelow, isWithin, parentOf } from "./labels.ts";
import { Lru } from "./lru.ts";
import {
  type Message,
  type Name,
  type Question,
  RCODE,
  type ResourceRecord,
  TYPE,
} from "./message.ts";
import { readAddress, readTarget } from "./rdata.ts";
import type { Server, ServerMemory } from "./server_memory.ts";
import type { Source, Sourced } from "./source.ts";
import { rcodeText, soaOf, speaksOf } from "./usable.ts";

/** What walking needs. */
export interface RecurseOptions {
  /** IPv4 addresses of the root's servers. */
  readonly hints: readonly string[];
  readonly port: number;
  readonly exchange: Exchange;
  readonly memory: ServerMemory;
  /** Whole time for one question. */
  readonly withinMs: number;
  readonly random: () => number;
}

/** Questions in one resolution, those for servers' addresses included. */
const MAX_QUESTIONS = 40;
/** Zones gone down through in one resolution. */
const MAX_REFERRALS = 10;
/** Resolutions of servers' names within one another. */
const MAX_DEPTH = 4;
/** Servers of a zone that are remembered, and those that are asked. */
const MAX_SERVERS = 20;
const MAX_TRIES = 6;
/** Names of servers that are looked up for one zone. */
const MAX_NAMES_LOOKED_UP = 3;
/** Octets of zones that are remembered, estimated: some 3,000 honest ones. */
const MAX_ZONES = 8_388_608;
const MAX_TTL_MS = 86_400_000;
const MIN_TTL_MS = 60_000;
/** Wait for one server that nobody knows. */
const TRY_MS = 1_000;

/** A zone and who speaks for it. */
interface Delegation {
  readonly zone: Name;
  readonly servers: { readonly name: Name; readonly addresses: string[] }[];
  readonly untilMs: number;
}

/** One resolution: what it may still do. */
interface Work {
  questions: number;
  depth: number;
  readonly untilMs: number;
  readonly dnssecOk: boolean;
  /** Servers whose addresses are being looked up. */
  readonly lookingUp: Set<Name>;
}

type Step =
  | { readonly kind: "answer"; readonly message: Message }
  | { readonly kind: "referral"; readonly delegation: Delegation }
  | { readonly kind: "failed"; readonly status: string; readonly why: string };

/** See the file's header. */
export class Recursion {
  readonly #options: RecurseOptions;
  readonly #root: Delegation;
  readonly #zones = new Lru<Delegation>(MAX_ZONES);
  /** A laboratory's servers lie where the world's never do. */
  readonly #isLaboratory: boolean;

  constructor(options: RecurseOptions) {
    this.#options = options;
    this.#isLaboratory = options.hints.some((one) => !isPublic(one));
    this.#root = {
      zone: "",
      servers: [{ name: "", addresses: [...options.hints] }],
      untilMs: Infinity,
    };
  }

  /** With signatures, and, of DS, from the zone above. Never rejects. */
  readonly source: Source = (question) =>
    this.#start(question, { dnssecOk: true, withinMs: this.#options.withinMs });

  /** Without signatures; undefined is no answer. */
  async plain(
    question: Question,
    withinMs: number,
  ): Promise<Message | undefined> {
    const got = await this.#start(question, { dnssecOk: false, withinMs });
    return got.kind === "message" ? got.message : undefined;
  }

  async #start(
    question: Question,
    { dnssecOk, withinMs }: { dnssecOk: boolean; withinMs: number },
  ): Promise<Sourced> {
    const step = await this.#resolve(question, {
      questions: MAX_QUESTIONS,
      depth: 0,
      untilMs: performance.now() + withinMs,
      dnssecOk,
      lookingUp: new Set(),
    });
    return step.kind === "answer"
      ? { kind: "message", message: step.message, isBelieved: false }
      : step;
  }

  async #resolve(
    question: Question,
    work: Work,
  ): Promise<Exclude<Step, { kind: "referral" }>> {
    let delegation = this.#closest(question);
    let isFresh = delegation === this.#root;
    for (let referrals = 0; referrals <= MAX_REFERRALS;) {
      const step = await this.#askZone(delegation, question, work);
      switch (step.kind) {
        case "answer":
          return step;
        case "referral":
          delegation = step.delegation;
          isFresh = true;
          referrals++;
          this.#zones.set(delegation.zone, delegation, weightOf(delegation));
          break;
        case "failed":
          this.#zones.delete(delegation.zone);
          if (isFresh) return step;
          // What was remembered may be out of date: once more from above.
          delegation = this.#closest(question);
          isFresh = true;
      }
    }
    return failed("no answer", `over ${MAX_REFERRALS} referrals`);
  }

  /** The lowest zone known that can answer; DS lies in the zone above. */
  #closest({ name, type }: Question): Delegation {
    let zone = type === TYPE.DS ? parentOf(name) : name;
    for (; zone !== undefined && zone !== ""; zone = parentOf(zone)) {
      const known = this.#zones.get(zone);
      if (known === undefined) continue;
      if (known.untilMs > performance.now()) return known;
      this.#zones.delete(zone);
    }
    return this.#root;
  }

  async #askZone(
    delegation: Delegation,
    question: Question,
    work: Work,
  ): Promise<Step> {
    const { memory, exchange, random } = this.#options;
    let last = failed(
      "no answer",
      `no server of ${spelled(delegation)} answers`,
    );
    const asked = new Set<string>();
    let lookUps = 0;
    for (let tries = 0; tries < MAX_TRIES;) {
      const known = delegation.servers.flatMap((one) => one.addresses)
        .filter((address) => !asked.has(address))
        .map((address) => this.#server(address));
      const nowMs = performance.now();
      const [server] = memory.bySpeed(known, { nowMs, random });
      if (server === undefined) {
        const more = lookUps++ < MAX_NAMES_LOOKED_UP &&
          await this.#learnAddress(delegation, work);
        if (more) continue;
        return last;
      }
      asked.add(server.address);
      tries++;
      const leftMs = work.untilMs - nowMs;
      if (leftMs < 1) return failed("no answer", "the time is over");
      if (work.questions-- < 1) {
        return failed("no answer", `over ${MAX_QUESTIONS} questions`);
      }
      const rttMs = memory.of(server).rttMs ?? TRY_MS / 4;
      const got = await exchange(server, {
        question,
        recursionDesired: false,
        checkingDisabled: false,
        dnssecOk: work.dnssecOk,
        withinMs: Math.min(leftMs, TRY_MS + 4 * rttMs),
      });
      if (got.kind === "silent") continue;
      if (got.kind === "broken") {
        last = failed("no answer", `${server.address}: ${got.fault}`);
        continue;
      }
      const step = this.#read(got.message, question, delegation);
      if (step.kind !== "failed") return step;
      last = failed(
        step.status,
        `${server.address} of ${spelled(delegation)} answers: ${step.why}`,
      );
    }
    return last;
  }

  /** Looks up the address of one more of the zone's servers. */
  async #learnAddress(delegation: Delegation, work: Work): Promise<boolean> {
    const { servers } = delegation;
    const next = servers.find((one) =>
      one.addresses.length === 0 && !work.lookingUp.has(one.name) &&
      // Its address is only known to those whose address it is.
      !isWithin(one.name, delegation.zone)
    );
    if (next === undefined || work.depth >= MAX_DEPTH) return false;
    work.depth++;
    // Stays in: what led nowhere once is not tried again in this resolution.
    work.lookingUp.add(next.name);
    const question = { name: next.name, type: TYPE.A };
    const step = await this.#resolve(question, work);
    work.depth--;
    if (step.kind === "answer") {
      next.addresses.push(...this.#addresses(step.message.answer, next.name));
    }
    return true;
  }

  #addresses(records: readonly ResourceRecord[], name: Name): string[] {
    return records
      .filter((one) => one.type === TYPE.A && one.name === name)
      .map((one) => readAddress(one.data))
      .filter((one) => one !== undefined)
      .filter((one) => this.#isLaboratory || isPublic(one))
      .slice(0, MAX_SERVERS);
  }

  #server(address: string): Server {
    return { address, port: this.#options.port };
  }

  /** What a server of a zone says; only of names within the zone. */
  #read(message: Message, question: Question, { zone }: Delegation): Step {
    const { rcode } = message;
    if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) {
      return failed(rcodeText(rcode), rcodeText(rcode));
    }
    const within = (record: ResourceRecord) => isWithin(record.name, zone);
    const own: Message = {
      ...message,
      authenticData: false,
      answer: message.answer.filter(within),
      authority: message.authority.filter(within),
      additional: [],
    };
    if (message.isAuthoritative) {
      if (speaksOf(own, question) || soaOf(own, question) !== undefined) {
        return { kind: "answer", message: own };
      }
    }
    if (rcode === RCODE.NXDOMAIN || own.answer.length > 0) {
      return failed("no answer", "no proof and no authority");
    }
    const delegation = this.#referral(message, question, zone);
    return delegation === undefined
      ? failed("no answer", "it does not serve the zone")
      : { kind: "referral", delegation };
  }

  #referral(
    message: Message,
    { name, type }: Question,
    zone: Name,
  ): Delegation | undefined {
    const below = message.authority.find((record) =>
      record.type === TYPE.NS && isBelow(record.name, zone) &&
      isWithin(name, record.name)
    )?.name;
    // Who is asked for DS and points to the zone itself knows nothing of DS.
    if (below === undefined || (type === TYPE.DS && below === name)) {
      return undefined;
    }
    const records = message.authority.filter((record) =>
      record.type === TYPE.NS && record.name === below
    );
    const names = records.map((record) => readTarget(record.data))
      .filter((one) => one !== undefined);
    const glue = message.additional.filter((one) => isWithin(one.name, zone));
    const ttlMs = Math.min(...records.map((record) => record.ttl)) * 1_000;
    return {
      zone: below,
      servers: [...new Set(names)].slice(0, MAX_SERVERS).map((one) => ({
        name: one,
        addresses: this.#addresses(glue, one),
      })),
      untilMs: performance.now() +
        Math.max(MIN_TTL_MS, Math.min(MAX_TTL_MS, ttlMs)),
    };
  }
}

/** Each server with the addresses that it may get later. */
function weightOf({ servers }: Delegation): number {
  return servers.reduce(
    (octets, { name, addresses }) =>
      octets + 300 + name.length + 50 * Math.max(3, addresses.length),
    500,
  );
}

function failed(status: string, why: string): Step & { kind: "failed" } {
  return { kind: "failed", status, why };
}

function spelled({ zone }: Delegation): string {
  return zone === "" ? "the root" : zone;
}

/**
 * True if an address can be that of a name server of the world: no zone makes
 * us ask our own machine or network (RFC 6890).
 */
function isPublic(address: string): boolean {
  const [a, b] = address.split(".").map(Number) as [number, number];
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  if (a === 169 && b === 254) return false;
  if (a === 172 && b >= 16 && b < 32) return false;
  return !(a === 192 && b === 168);
}
