/**
 * One question to one server, in whatever way that server can be asked: UDP
 * with EDNS (RFC 6891) and mixed case, TCP when the answer is truncated or
 * somebody is guessing, without EDNS where it is not understood. What was
 * found out is remembered.
 *
 * A hostile answer leads to at most three more questions here.
 */
import { compareQuestion, mixCase } from "./case_bits.ts";
import { decode, encode, type Fault, query } from "./codec.ts";
import { labelsOf } from "./labels.ts";
import { type Message, type Question, RCODE } from "./message.ts";
import {
  ODD_FOR_MS,
  type Server,
  type ServerFacts,
  ServerMemory,
} from "./server_memory.ts";
import { askByTcp } from "./tcp_io.ts";
import { askByUdp, type Datagram } from "./udp_io.ts";

/** Payload that passes the net unfragmented (RFC 9715 §3). */
const EDNS_SIZE = 1_232;
/** Silences after which TCP is tried in place of UDP. */
const SILENCES_BEFORE_TCP = 2;
/** Questions under way at once, each with a socket. */
const MAX_UNDER_WAY = 300;
/** Questions that wait for one of those. */
const MAX_WAITING = 2_000;
/**
 * The same of one stranger, see {@link strangerOf}: who serves zones of his own
 * and is silent must not keep all others from being asked.
 */
const MAX_EACH = 60;
const MAX_WAITING_EACH = 1_000;

/** How a question is put. */
export interface Ask {
  readonly question: Question;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** Asks for signatures; without it, for no EDNS at all. */
  readonly dnssecOk: boolean;
  /** Asks for the server's own verdict, RFC 6840 §5.7. */
  readonly wantsVerdict?: boolean;
  readonly withinMs: number;
}

/** What came of it. */
export type Exchanged =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "silent" }
  /** An answer that is none: its octets, or its question. */
  | { readonly kind: "broken"; readonly fault: Fault | "other-question" };

/** Asks one server. Never rejects. */
export type Exchange = (server: Server, ask: Ask) => Promise<Exchanged>;

/** See the file's header. */
export class Exchanger {
  readonly memory: ServerMemory;
  readonly #all = new Turns({ atOnce: MAX_UNDER_WAY, waiting: MAX_WAITING });
  /** By stranger. */
  readonly #each = new Map<string, Turns>();

  constructor(memory: ServerMemory = new ServerMemory()) {
    this.memory = memory;
  }

  /** See {@link Exchange}. */
  readonly exchange: Exchange = async (server, ask) => {
    const key = strangerOf(server, ask);
    let turns = this.#each.get(key);
    if (turns === undefined) {
      turns = new Turns({ atOnce: MAX_EACH, waiting: MAX_WAITING_EACH });
      this.#each.set(key, turns);
    }
    const untilMs = performance.now() + ask.withinMs;
    if (!await turns.take()) return SILENT;
    try {
      const withinMs = untilMs - performance.now();
      return withinMs < ask.withinMs / 2
        ? SILENT
        : await this.#exchange(server, { ...ask, withinMs });
    } finally {
      turns.give();
      if (turns.isIdle) this.#each.delete(key);
    }
  };

  async #exchange(server: Server, ask: Ask): Promise<Exchanged> {
    const startedMs = performance.now();
    if (!await this.#all.take()) return SILENT;
    try {
      const untilMs = startedMs + ask.withinMs;
      const askedMs = performance.now();
      const got = await this.#ask(server, ask, untilMs);
      const nowMs = performance.now();
      if (got.kind !== "silent") {
        this.memory.answered(server, nowMs - askedMs);
      } else if (untilMs - askedMs > ask.withinMs / 2) {
        // Not where the time went by before it was asked.
        this.memory.silent(server, nowMs);
      }
      return got;
    } finally {
      this.#all.give();
    }
  }

  async #ask(server: Server, ask: Ask, untilMs: number): Promise<Exchanged> {
    const facts = this.memory.of(server);
    const isPlain = facts.plainUntilMs > performance.now();
    const got = await this.#askOnce(server, ask, { facts, untilMs, isPlain });
    if (isPlain || !isDeafToEdns(got, ask)) return got;
    const again = await this.#askOnce(server, ask, {
      facts,
      untilMs,
      isPlain: true,
    });
    if (again.kind === "message" && !isDeafToEdns(again, ask)) {
      facts.plainUntilMs = performance.now() + ODD_FOR_MS;
    }
    return again;
  }

  async #askOnce(
    server: Server,
    ask: Ask,
    { facts, untilMs, isPlain }: {
      facts: ServerFacts;
      untilMs: number;
      isPlain: boolean;
    },
  ): Promise<Exchanged> {
    const startedMs = performance.now();
    const leftMs = untilMs - startedMs;
    if (leftMs < 1) return SILENT;
    const sent = write(ask, isPlain);
    const byTcp = async (withinMs = untilMs - performance.now()) => {
      const octets = withinMs < 1
        ? undefined
        : await askByTcp(server, sent, withinMs);
      return octets && { octets, got: read(octets, sent) };
    };
    if (facts.tcpUntilMs > startedMs) {
      const got = await byTcp();
      if (got === undefined) facts.tcpUntilMs = 0;
      return got?.got ?? SILENT;
    }
    let likeness: Likeness = "other";
    const datagram = await askByUdp(server, sent, {
      // Room for TCP if UDP has failed before.
      withinMs: facts.silences >= SILENCES_BEFORE_TCP ? leftMs / 2 : leftMs,
      judge: (octets) => (likeness = answers(octets, sent)) !== "other",
    });
    const mayLoseCase = facts.caseBlindUntilMs > startedMs;
    const lostCase = (likeness as Likeness) === "other-case" && !mayLoseCase;
    switch (afterUdp(datagram, { lostCase, facts })) {
      case "silent":
        return SILENT;
      case "tcp-for-once":
        return (await byTcp())?.got ?? SILENT;
      case "tcp-for-case": {
        // Either the server loses case, or somebody guessed all but that; by
        // TCP nobody guesses.
        const got = await byTcp((untilMs - performance.now()) / 2);
        if (got !== undefined && answers(got.octets, sent) === "same") {
          return got.got;
        }
        facts.caseBlindUntilMs = performance.now() + ODD_FOR_MS;
        return got?.got ??
          await this.#askOnce(server, ask, { facts, untilMs, isPlain });
      }
      case "tcp-for-good": {
        const got = await byTcp();
        if (got === undefined) return SILENT;
        facts.tcpUntilMs = performance.now() + ODD_FOR_MS;
        return got.got;
      }
      case "read":
        return datagram.kind === "taken" ? read(datagram.octets, sent) : SILENT;
    }
  }
}

/**
 * Who may keep us waiting: the server that a walk asks; behind a forwarder,
 * which answers for the whole world, the owner of the name.
 */
function strangerOf(server: Server, { question, recursionDesired }: Ask) {
  return recursionDesired
    ? labelsOf(question.name).slice(-2).join(".")
    : `${server.address} ${server.port}`;
}

/** So many at once; the others wait, first come, first served. */
class Turns {
  readonly #bounds: { readonly atOnce: number; readonly waiting: number };
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(bounds: { atOnce: number; waiting: number }) {
    this.#bounds = bounds;
  }

  /** True if nobody has a turn. */
  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  /** Waits for a turn; false if too many wait already. */
  async take(): Promise<boolean> {
    if (this.#underWay < this.#bounds.atOnce) {
      this.#underWay++;
      return true;
    }
    if (this.#waiting.length >= this.#bounds.waiting) return false;
    await new Promise<void>((go) => this.#waiting.push(go));
    return true;
  }

  /** Hands the turn on, or gives it back. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay--;
    else next();
  }
}

const SILENT: Exchanged = { kind: "silent" };

type Likeness = "same" | "other-case" | "other";

type Next =
  | "read"
  | "silent"
  | "tcp-for-once"
  | "tcp-for-case"
  | "tcp-for-good";

function afterUdp(
  datagram: Datagram,
  { lostCase, facts }: { lostCase: boolean; facts: ServerFacts },
): Next {
  switch (datagram.kind) {
    case "silent":
      return facts.silences >= SILENCES_BEFORE_TCP ? "tcp-for-good" : "silent";
    case "flooded":
      return "tcp-for-good";
    case "taken":
      if (lostCase) return "tcp-for-case";
      return (datagram.octets[2]! & 2) !== 0 ? "tcp-for-once" : "read";
  }
}

/** The octets of a question with a fresh id and, in UDP's sense, mixed case. */
function write(ask: Ask, isPlain: boolean): Uint8Array<ArrayBuffer> {
  const random = crypto.getRandomValues(new Uint8Array(34));
  const octets = encode({
    ...query(ask.question, {
      id: (random[32]! << 8) | random[33]!,
      recursionDesired: ask.recursionDesired,
      checkingDisabled: ask.checkingDisabled,
      edns: ask.dnssecOk && !isPlain
        ? { size: EDNS_SIZE, dnssecOk: true }
        : undefined,
    }),
    authenticData: ask.wantsVerdict ?? false,
  });
  mixCase(octets, random);
  return octets;
}

/** How octets compare with the answer that is waited for. */
function answers(octets: Uint8Array, sent: Uint8Array): Likeness {
  const isAnswer = octets.length >= 12 && octets[0] === sent[0] &&
    octets[1] === sent[1] && (octets[2]! & 0x80) !== 0;
  if (!isAnswer) return "other";
  // RFC 1035 §4.1.1: who could not read the question need not repeat it.
  if (octets[4] === 0 && octets[5] === 0 && (octets[3]! & 15) === 1) {
    return "same";
  }
  return compareQuestion(octets, sent);
}

function read(octets: Uint8Array, sent: Uint8Array): Exchanged {
  if (answers(octets, sent) === "other") {
    return { kind: "broken", fault: "other-question" };
  }
  const decoded = decode(octets);
  return decoded.kind === "message"
    ? decoded
    : { kind: "broken", fault: decoded.fault };
}

/** RFC 6891 §7: what servers say that do not know EDNS. */
function isDeafToEdns(got: Exchanged, ask: Ask): boolean {
  return ask.dnssecOk && got.kind === "message" &&
    got.message.edns === undefined &&
    (got.message.rcode === RCODE.FORMERR || got.message.rcode === RCODE.NOTIMP);
}
