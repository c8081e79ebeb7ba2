/**
 * The gate: answers about clients, from lists, rates, lists in the DNS,
 * access tables and greylisting, in that order of cost. Pure: clock, lookups
 * and the store are parameters.
 *
 * Nothing here permits relaying: `permit` only ends the asking of tables.
 */
import { createHash } from "node:crypto";
import type { AccessKind } from "../config/access_table.ts";
import {
  type Address,
  type Network,
  networkOf,
  networkText,
  overlap,
  parseAddress,
  parseNetwork,
} from "../core/network.ts";
import type { NextHop } from "../core/shapes.ts";
import type { AnswerOf, AskedOf } from "../ipc/call.ts";
import { type AccessHit, AccessTables } from "./access.ts";
import { ClientLists, type Standing } from "./client_lists.ts";
import { Lists, type ListSurroundings, type Score } from "./dnsbl.ts";
import { type gateContract, type GateVerdict, PASS } from "./gate_ipc.ts";
import { Greylist, type GreylistPart } from "./greylist.ts";
import { type Probed, Probes, type VerifyPart } from "./probes.ts";
import { Concurrency, type Counted, Rates } from "./rates.ts";
import type { GatePart } from "./role.ts";
import { Shelf } from "./shelf.ts";
import { Places } from "./places.ts";
import {
  DOOR_UNDO,
  letIn,
  passing,
  type Refusal,
  refusal,
} from "./verdicts.ts";

type Calls = typeof gateContract.calls;

/** The tests of a new client. */
export const TESTS = ["pregreet", "dnsbl", "deep"] as const;

/** Until when a client's passing of each test holds, in the order of TESTS. */
export type Passed = readonly [number, number, number];

/** A verdict with all that it was about. */
export interface Recorded {
  readonly verdict: GateVerdict;
  readonly client: string;
  readonly helo: string;
  readonly sender: string;
  readonly recipient: string;
  /** True if nothing came of it: shadow mode, or the action `ignore`. */
  readonly shadow: boolean;
}

/** An address, and where its mail goes. */
export interface Hop {
  readonly address: string;
  readonly nextHop: NextHop;
}

/** What the gate is put into. */
export interface GateSurroundings {
  readonly part: GatePart;
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Asks a list; see {@link ListSurroundings}. */
  readonly askList: ListSurroundings["ask"];
  readonly onListHealth: ListSurroundings["onHealth"];
  /**
   * The one next hop of a recipient; undefined if it is local, goes to several
   * places, or if nobody knows.
   */
  nextHopOf(address: string): Promise<Hop | undefined>;
  /** Asks a next hop about an address; never throws. */
  askHop(hop: Hop): Promise<Probed>;
  /** Logs and stores a verdict. */
  record(what: Recorded): void;
  count(name: string): void;
  /** The database's own, for hashes that mean nothing elsewhere. */
  readonly salt: string;
}

/** Scores remembered, and for how long: a listed client comes at once again. */
const MAX_SCORES = 10_000;
const SCORE_MS = 60_000;
/** A client is kept no longer than this for a next hop's answer. */
const PROBE_WAIT_MS = 9_000;
/** A pass while a list was silent holds only this long. */
const UNSURE_MS = 60_000;
/** Refusals of the doors' own that are recorded of one client. */
const DOOR_EACH_MINUTE = 10;
/** The same refusal of the same client is recorded once in this time. */
const RECORD_EACH_MS = 60_000;

interface Client {
  readonly address: Address;
  readonly text: string;
  /** What is counted as one client. */
  readonly key: string;
  /**
   * The same at one door: an smtpd that was taken over, and counts what it
   * likes, is not to shut users out of submission.
   */
  readonly doorKey: string;
}

/** The mail that a verdict is about. */
type Mail = Pick<
  AskedOf<Calls["judge"]>,
  "helo" | "reversePath" | "recipient"
>;

interface CachedScore {
  readonly untilMs: number;
  readonly score: Promise<Score>;
}

/** See the header. */
export class Gate {
  readonly clients: Shelf<Passed>;
  readonly greylist: Greylist;
  readonly probes: Probes;
  readonly #around: GateSurroundings;
  #part: GatePart;
  #networks: ClientLists;
  #tables: AccessTables;
  #lists: Lists;
  #rates: Rates;
  #concurrency = new Concurrency();
  /** What doors may have recorded of one client. */
  readonly #doorPlaces = new Places(DOOR_EACH_MINUTE);
  readonly #scores = new Map<string, CachedScore>();
  readonly #recorded = new Map<string, number>();
  /** What clients are refused with now, by address. */
  readonly #refusals = new Map<string, GateVerdict>();
  readonly #said = new Map<string, { network: Network; standing: Standing }>();

  constructor(around: GateSurroundings) {
    const { part } = around;
    this.#around = around;
    this.#part = part;
    this.clients = new Shelf(part.maxClients);
    this.greylist = new Greylist(part.maxClients);
    this.probes = new Probes(() => around.nowMs());
    this.#networks = new ClientLists(part);
    this.#tables = new AccessTables(part);
    this.#lists = this.#openLists(part);
    this.#rates = new Rates(part.rates.unitMs, part.maxClients);
  }

  /** Takes over a new configuration; what is counted stays if it can. */
  renew(part: GatePart): void {
    const before = this.#part.rates;
    this.#part = part;
    this.#networks = new ClientLists(part);
    for (const { network, standing } of this.#said.values()) {
      this.#networks.say(network, standing);
    }
    this.#tables = new AccessTables(part);
    this.#lists = this.#openLists(part);
    this.#scores.clear();
    const { unitMs, ipv4Prefix, ipv6Prefix } = part.rates;
    if (
      unitMs === before.unitMs && ipv4Prefix === before.ipv4Prefix &&
      ipv6Prefix === before.ipv6Prefix
    ) return;
    this.#rates = new Rates(unitMs, part.maxClients);
    this.#concurrency = new Concurrency();
  }

  /** True if no client is connected. */
  get isEmpty(): boolean {
    return this.#concurrency.isEmpty;
  }

  /** Entries of lists and tables, for the log. */
  get sizes(): { networks: number; entries: number } {
    return { networks: this.#networks.size, entries: this.#tables.size };
  }

  /**
   * An administrator said something of a network; `forget` takes it back, and
   * with it everything else that is remembered of the clients in it.
   *
   * @returns False if the network is none
   */
  say(text: string, word: "allow" | "deny" | "forget"): boolean {
    const network = parseNetwork(text);
    if ("fault" in network) return false;
    this.#networks.say(network, null);
    this.#said.delete(text);
    if (word === "forget") {
      this.#forget(network);
      return true;
    }
    const standing: Standing = {
      is: word === "allow" ? "allowed" : "denied",
      source: `bulkhead client ${word}`,
      network: text,
    };
    this.#said.set(text, { network, standing });
    this.#networks.say(network, standing);
    return true;
  }

  /** Answers `gate.arrive`. */
  arrive(
    { client: text }: AskedOf<Calls["arrive"]>,
    asker: string,
  ): AnswerOf<Calls["arrive"]> {
    const client = this.#client(text, asker);
    const open = this.#concurrency.enter(client.doorKey, asker);
    const standing = this.#networks.of(client.address);
    if (standing?.is === "allowed") return { verdict: PASS, tests: [] };
    const { rates } = this.#part;
    const many = rates.concurrency > 0 && open > rates.concurrency
      ? this.#tooMany(client, "concurrency", open)
      : undefined;
    const verdict = many ?? this.#counted(client, "connections", 1) ??
      this.#reached(client) ??
      (standing === undefined ? undefined : this.#denied(client, standing));
    return verdict === undefined
      ? { verdict: PASS, tests: this.#tests(client) }
      : { verdict, tests: [] };
  }

  /** Answers `gate.leave`. */
  leave({ client }: AskedOf<Calls["leave"]>, asker: string): void {
    this.#concurrency.leave(this.#client(client, asker).doorKey, asker);
  }

  /** A process that asked died, and its connections with it. */
  gone(asker: string): void {
    this.#concurrency.gone(asker);
  }

  /** Answers `gate.score`. */
  async score(
    { client: text }: AskedOf<Calls["score"]>,
  ): Promise<AnswerOf<Calls["score"]>> {
    const part = this.#part;
    if (this.#lists.isEmpty) return { verdict: PASS, hits: [], allowed: false };
    const client = this.#client(text);
    const score = await this.#scoreOf(client);
    const { sum, hits } = score;
    const nowMs = this.#around.nowMs();
    if (part.dnsblAllowThreshold < 0 && sum <= part.dnsblAllowThreshold) {
      const untilMs = nowMs + part.dnsblPassesMs;
      this.clients.set(client.key, [untilMs, untilMs, untilMs], untilMs);
      return { verdict: PASS, hits: [...hits], allowed: true };
    }
    if (sum < part.dnsblThreshold) {
      const forMs = score.silent === 0
        ? part.dnsblPassesMs
        : Math.min(UNSURE_MS, part.dnsblPassesMs);
      this.#pass(client, [0, nowMs + forMs, 0]);
      return { verdict: PASS, hits: [...hits], allowed: false };
    }
    const refused = refusal({
      code: part.dnsblAction === "drop" ? 521 : 550,
      enhanced: "5.7.1",
      reply: `Your address ${client.text} is listed by ${score.list}` +
        (score.text === "" ? "" : `: ${score.text}`),
      rule: "dnsbl",
      evidence: `${hits.join(" ")} is ${sum}, and the threshold is ` +
        `${part.dnsblThreshold}`,
      undo: letIn(client.text),
    });
    const shadow = part.shadow || part.dnsblAction === "ignore";
    this.#around.count(shadow ? "shadowed" : "refused");
    // One that is refused is recorded with its HELO name, by `tested`.
    if (!shadow) this.#remember(this.#refusals, client.text, refused);
    else if (this.#isNews(`${client.key} dnsbl`)) {
      this.#record(refused, client, true);
    }
    return {
      verdict: shadow ? PASS : refused,
      hits: [...hits],
      allowed: false,
    };
  }

  /** Answers `gate.tested`. */
  tested(
    { client: text, passed, failed, helo }: AskedOf<Calls["tested"]>,
  ): void {
    const client = this.#client(text);
    const nowMs = this.#around.nowMs();
    const part = this.#part;
    // That of `dnsbl` was noted with the score.
    this.#pass(client, [
      passed.includes("pregreet") ? nowMs + part.greetPassesMs : 0,
      0,
      passed.includes("deep") ? nowMs + part.deepPassesMs : 0,
    ]);
    for (const { rule, evidence, stopped } of failed) {
      const verdict = this.#refusalOf(client, rule, evidence);
      if (stopped) this.#remember(this.#refusals, client.text, verdict);
      if (!this.#isNews(`${client.key} ${rule}`)) continue;
      this.#around.record({
        verdict,
        client: client.text,
        helo,
        sender: "",
        recipient: "",
        shadow: !stopped,
      });
    }
  }

  /** Answers `gate.refused`. */
  refused(asked: AskedOf<Calls["refused"]>): void {
    const client = this.#client(asked.client);
    const { rule, recipient, reversePath, said, evidence = "" } = asked;
    if (said !== undefined) {
      // Who guesses addresses must not drive everybody else's verdicts out.
      const place = this.#doorPlaces.take(client.key, this.#around.nowMs());
      if (!place) return this.#around.count("refusals-not-kept");
      if (!this.#isNews(`${client.key} ${rule} ${reversePath} ${recipient}`)) {
        return;
      }
      const { code, enhanced, text: reply } = said;
      const undo = DOOR_UNDO.get(rule) ?? "";
      const what = { code, enhanced, reply, rule, evidence, undo };
      return this.#record(refusal(what), client, false, asked);
    }
    if (!this.#isNews(`${client.key} ${rule} ${recipient}`)) return;
    const verdict = this.#refusalOf(client, rule, "");
    this.#record(verdict, client, false, asked);
  }

  /** Answers `gate.tally`. */
  tally(
    { client: text, what, by }: AskedOf<Calls["tally"]>,
    asker: string,
  ): GateVerdict {
    const client = this.#client(text, asker);
    if (this.#networks.of(client.address)?.is === "allowed") return PASS;
    return this.#counted(client, what, by) ?? PASS;
  }

  /** Answers `gate.judge`: at once, unless the next hop is asked. */
  judge(
    asked: AskedOf<Calls["judge"]>,
    asker: string,
  ): GateVerdict | Promise<GateVerdict> {
    const client = this.#client(asked.client, asker);
    const verdict = this.#judge(asked, client);
    const { verify } = this.#part;
    // A user's own mail is taken, and comes back if it must.
    const isAsked = verify !== null && asked.stage === "recipient" &&
      asked.login === "" && verdict.action === "pass" &&
      !this.#isPermitted(asked, client);
    return isAsked ? this.#verified(asked, client, verify) : verdict;
  }

  #judge(asked: AskedOf<Calls["judge"]>, client: Client): GateVerdict {
    const standing = asked.trusted
      ? undefined
      : this.#networks.of(client.address);
    const isExempt = asked.trusted || asked.login !== "" ||
      standing?.is === "allowed";
    // It was denied since it came, or nobody could say so then.
    if (standing?.is === "denied" && asked.stage === "recipient") {
      const denied = this.#denied(client, standing, asked);
      if (denied !== undefined) return denied;
    }
    const byTables = this.#byTables(asked, client);
    if (isRefusal(byTables) || byTables.action === "discard") return byTables;
    // Logged in or not, what is counted is counted; a trusted client is not.
    const what = asked.stage === "sender" ? "messages" : "recipients";
    if (!asked.trusted) {
      const many = this.#counted(client, what, 1, asked);
      if (many !== undefined) return many;
    }
    const greylist = isExempt || asked.stage !== "recipient"
      ? null
      : this.#part.greylist;
    if (greylist === null || this.#isPermitted(asked, client)) return byTables;
    const listed = this.#greylisted(asked, client, greylist);
    return isRefusal(listed) || byTables.action === "pass" ? listed : byTables;
  }

  #openLists(part: GatePart): Lists {
    return new Lists(part.dnsblSites, {
      ask: this.#around.askList,
      nowMs: () => this.#around.nowMs(),
      onHealth: this.#around.onListHealth,
    });
  }

  /** @param asker What asked, if something is counted or was */
  #client(text: string, asker = ""): Client {
    const parsed = parseAddress(text);
    // What is no address comes from an smtpd that is not itself any more; its
    // words must not stand in a command that we advise.
    const address = parsed ?? { family: 4, value: 0n };
    const { ipv4Prefix, ipv6Prefix } = this.#part.rates;
    const prefix = address.family === 4 ? ipv4Prefix : ipv6Prefix;
    const key = networkText(networkOf(address, prefix));
    return {
      address,
      text: parsed === undefined ? "0.0.0.0" : text,
      key,
      doorKey: `${asker.split(".")[0]} ${key}`,
    };
  }

  #tests(client: Client): (typeof TESTS)[number][] {
    const nowMs = this.#around.nowMs();
    const passed = this.clients.get(client.key, nowMs);
    const tests = TESTS.filter((test, at) => {
      if (test === "pregreet" && !this.#part.testsGreeting) return false;
      if (test === "dnsbl" && this.#lists.isEmpty) return false;
      return passed === undefined || passed[at]! <= nowMs;
    });
    this.#around.count(tests.length === 0 ? "known-clients" : "new-clients");
    return tests;
  }

  #pass(client: Client, until: Passed): void {
    const nowMs = this.#around.nowMs();
    const before = this.clients.get(client.key, nowMs) ?? [0, 0, 0];
    const after = until.map((one, at) => Math.max(one, before[at]!));
    const [greet = 0, dnsbl = 0, deep = 0] = after;
    if (after.every((one, at) => one === before[at])) return;
    this.clients.set(client.key, [greet, dnsbl, deep], Math.max(...after));
  }

  #scoreOf(client: Client): Promise<Score> {
    const nowMs = this.#around.nowMs();
    const cached = this.#scores.get(client.text);
    if (cached !== undefined && nowMs < cached.untilMs) return cached.score;
    const score = this.#lists.score(client.address, this.#part.dnsblWithinMs);
    const untilMs = nowMs + SCORE_MS;
    this.#remember(this.#scores, client.text, { untilMs, score });
    return score;
  }

  #denied(
    client: Client,
    standing: Standing,
    about?: Mail,
  ): GateVerdict | undefined {
    const { denyAction } = this.#part;
    const isSaid = this.#said.has(standing.network) &&
      standing.source.startsWith("bulkhead");
    // Who says `client deny` means it, whatever the lists lead to.
    const action = isSaid && denyAction === "ignore" ? "enforce" : denyAction;
    return this.#refuse(client, action, {
      code: action === "drop" ? 521 : 550,
      enhanced: "5.7.1",
      reply: `Mail from your address ${client.text} is not accepted here`,
      rule: "deny",
      evidence: `${client.text} is in ${standing.network} (${standing.source})`,
      undo: isSaid
        ? `bulkhead client forget ${standing.network}`
        : letIn(client.text),
    }, about);
  }

  /** Counts, and refuses if that is too much. */
  #counted(
    client: Client,
    what: Counted,
    by: number,
    about?: AskedOf<Calls["judge"]>,
  ): GateVerdict | undefined {
    const limit = this.#part.rates[LIMITS[what].setting];
    const count = this.#rates.count(
      client.doorKey,
      { what, by, limit },
      this.#around.nowMs(),
    );
    if (limit === 0 || count <= limit) return undefined;
    return this.#tooMany(client, what, count, about);
  }

  /**
   * Refuses a client that did already as much as it may of what is counted
   * only afterwards: it would be gone before its session is ended. Failed
   * log-ins are left to auth, which knows one user from another behind it.
   */
  #reached(client: Client): GateVerdict | undefined {
    for (const what of ["errors", "tls-handshakes"] as const) {
      const limit = this.#part.rates[LIMITS[what].setting];
      if (limit === 0) continue;
      const count = this.#rates.of(client.doorKey, what, this.#around.nowMs());
      if (count >= limit) return this.#tooMany(client, what, count);
    }
    return undefined;
  }

  #tooMany(
    client: Client,
    what: Counted | "concurrency",
    count: number,
    about?: AskedOf<Calls["judge"]>,
  ): GateVerdict | undefined {
    const { setting, code, of } = LIMITS[what];
    const limit = this.#part.rates[setting];
    const isAllowed = this.#networks.of(client.address)?.is === "allowed";
    if (isAllowed) return undefined;
    return this.#refuse(client, "enforce", {
      code,
      enhanced: "4.7.0",
      reply: `Too many ${of} from ${client.key}; try again later`,
      rule: `rate-${what}`,
      evidence: `${count} ${of}, and the limit is ${limit}`,
      undo: letIn(client.key),
    }, about);
  }

  /** The refusal of a client by a rule, as it was made or as it must be. */
  #refusalOf(client: Client, rule: string, evidence: string): GateVerdict {
    const made = this.#refusals.get(client.text);
    if (made?.rule === rule) return made;
    return refusal({
      code: 550,
      enhanced: "5.7.1",
      reply: "",
      rule,
      evidence,
      undo: letIn(client.text),
    });
  }

  /** Records a refusal; undefined if nothing comes of it. */
  #refuse(
    client: Client,
    action: GatePart["denyAction"],
    what: Refusal,
    about?: Mail,
  ): GateVerdict | undefined {
    const verdict = refusal(what);
    const shadow = this.#part.shadow || action === "ignore";
    this.#around.count(shadow ? "shadowed" : "refused");
    if (!shadow && about === undefined) {
      this.#remember(this.#refusals, client.text, verdict);
    }
    if (this.#isNews(`${client.key} ${what.rule}`)) {
      this.#record(verdict, client, shadow, about);
    }
    return shadow ? undefined : verdict;
  }

  #record(
    verdict: GateVerdict,
    client: Client,
    shadow: boolean,
    about?: Mail,
  ): void {
    this.#around.record({
      verdict,
      client: client.text,
      helo: about?.helo ?? "",
      sender: about?.reversePath ?? "",
      recipient: about?.recipient ?? "",
      shadow,
    });
  }

  /** A client that comes again and again is recorded now and then. */
  #isNews(key: string): boolean {
    const nowMs = this.#around.nowMs();
    const lastMs = this.#recorded.get(key);
    if (lastMs !== undefined && nowMs - lastMs < RECORD_EACH_MS) return false;
    this.#remember(this.#recorded, key, nowMs);
    return true;
  }

  /** Sets a key as the newest; the oldest goes when there are too many. */
  #remember<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key);
    map.set(key, value);
    if (map.size > MAX_SCORES) map.delete(map.keys().next().value!);
  }

  #byTables(asked: AskedOf<Calls["judge"]>, client: Client): GateVerdict {
    const hits = ((): readonly (readonly [AccessKind, AccessHit])[] => {
      switch (asked.stage) {
        case "sender":
          return [
            // These are about strangers' hosts, and say nothing of our users.
            ...asked.login !== "" ? [] : [
              ...this.#hits("client", this.#tables.client(client.address)),
              ...this.#hits("helo", this.#tables.helo(asked.helo)),
            ],
            ...this.#hits("sender", this.#tables.sender(asked.reversePath)),
          ];
        case "recipient":
          return this.#hits(
            "recipient",
            this.#tables.recipient(asked.recipient),
          );
      }
    })();
    let later: GateVerdict | undefined;
    let ended: AccessKind | undefined;
    for (const [kind, hit] of hits) {
      if (kind === ended) continue;
      const { result } = hit;
      if (result.is === "dunno") continue;
      const verdict = accessVerdict(kind, hit, client.text);
      switch (result.is) {
        case "ok":
          ended = kind;
          break;
        case "warn":
          this.#record(verdict, client, true, asked);
          break;
        case "defer-if-permit":
          if (later?.action !== "defer") later = verdict;
          break;
        case "hold":
          later ??= verdict;
          break;
        case "reject":
        case "defer":
        case "discard":
          this.#around.count("refused-by-table");
          this.#record(verdict, client, false, asked);
          return verdict;
      }
    }
    if (later !== undefined) {
      this.#record(later, client, false, asked);
      return later;
    }
    return ended === undefined ? PASS : { ...PASS, action: "permit" };
  }

  #hits(kind: AccessKind, hits: readonly AccessHit[]) {
    return hits.map((hit) => [kind, hit] as const);
  }

  /** True if a table says OK to client, sender or recipient. */
  #isPermitted(
    asked: AskedOf<Calls["judge"]>,
    { address }: Client,
  ): boolean {
    const firsts = [
      this.#tables.client(address),
      this.#tables.sender(asked.reversePath),
      this.#tables.recipient(asked.recipient),
    ].map((hits) => hits.find(({ result }) => result.is !== "dunno"));
    return firsts.some((hit) => hit?.result.is === "ok");
  }

  #greylisted(
    asked: AskedOf<Calls["judge"]>,
    client: Client,
    part: GreylistPart,
  ): GateVerdict {
    const { address } = client;
    const prefix = address.family === 4 ? part.ipv4Prefix : part.ipv6Prefix;
    const network = networkText(networkOf(address, prefix));
    const triplet = this.#hash([
      network,
      asked.reversePath.toLowerCase(),
      asked.recipient.toLowerCase(),
    ]);
    const said = this.greylist.judge(
      part,
      { client: network, triplet },
      this.#around.nowMs(),
    );
    if (said.is === "pass") return passing("greylist", said.why);
    const seconds = Math.ceil(said.forMs / 1_000);
    return this.#refuse(client, "enforce", {
      code: 450,
      enhanced: "4.7.1",
      reply: `You are new to this recipient; try again in ${seconds} s`,
      rule: "greylist",
      evidence: `${network} has not sent from this sender to this recipient ` +
        "before, or came again too early",
      undo: letIn(client.text),
    }, asked) ?? passing("greylist", "would have to come again; shadow mode");
  }

  async #verified(
    asked: AskedOf<Calls["judge"]>,
    client: Client,
    part: VerifyPart,
  ): Promise<GateVerdict> {
    const hop = await this.#around.nextHopOf(asked.recipient);
    if (hop === undefined) return PASS;
    const key = this.#hash([hop.address, JSON.stringify(hop.nextHop)]);
    const probed = await this.probes.of(key, part, {
      ask: () => this.#around.askHop(hop),
      waitMs: PROBE_WAIT_MS,
    });
    if (probed.is === "yes") {
      return passing("verify", "their server takes mail for this recipient");
    }
    const isNo = probed.is === "no";
    const verdict = this.#refuse(client, "enforce", {
      code: isNo ? 550 : 450,
      enhanced: isNo ? "5.1.1" : "4.4.3",
      reply: isNo
        ? `Their server takes no mail for this recipient: ${probed.words}`
        : "Cannot ask their server about this recipient now; try again later",
      rule: "verify",
      evidence: probed.words,
      undo: "give the address an OK in a table of access.recipient",
    }, asked);
    return verdict ?? PASS;
  }

  #hash(parts: readonly string[]): string {
    return createHash("sha256")
      .update(JSON.stringify([this.#around.salt, ...parts]))
      .digest("base64url").slice(0, 22);
  }

  #forget(network: Network): void {
    const isInside = (text: string) => {
      const one = parseNetwork(text);
      return !("fault" in one) && overlap(one, network);
    };
    for (const shelf of [this.clients, this.greylist.clients]) {
      for (const [key] of [...shelf]) if (isInside(key)) shelf.delete(key);
    }
    this.#rates.forget((doorKey) => isInside(doorKey.split(" ")[1]!));
    for (const text of [...this.#scores.keys()]) {
      if (isInside(text)) this.#scores.delete(text);
    }
    this.#recorded.clear();
    this.#refusals.clear();
  }
}

type RateSetting = Exclude<
  keyof GatePart["rates"],
  "unitMs" | "ipv4Prefix" | "ipv6Prefix"
>;

// 421 closes the connection, RFC 5321 §3.8; 450 refuses one command.
const LIMITS: Readonly<
  Record<
    Counted | "concurrency",
    { setting: RateSetting; code: number; of: string }
  >
> = {
  "concurrency": { setting: "concurrency", code: 421, of: "open connections" },
  "connections": { setting: "connections", code: 421, of: "connections" },
  "messages": { setting: "messages", code: 450, of: "messages" },
  "recipients": { setting: "recipients", code: 450, of: "recipients" },
  "errors": { setting: "errors", code: 421, of: "errors" },
  "auth-failures": { setting: "authFailures", code: 421, of: "failed log-ins" },
  "tls-handshakes": {
    setting: "tlsHandshakes",
    code: 421,
    of: "TLS handshakes",
  },
};

/** Whom a table refuses without words of its own. */
const REFUSED: Readonly<Record<AccessKind, string>> = {
  client: "Mail from your address is not accepted here",
  helo: "Mail from a host of that name is not accepted here",
  sender: "Mail from this sender is not accepted here",
  recipient: "Mail for this recipient is not accepted here",
};

function isRefusal({ action }: GateVerdict): boolean {
  return action === "reject" || action === "defer";
}

function accessVerdict(
  kind: AccessKind,
  { result, pattern, source }: AccessHit,
  client: string,
): GateVerdict {
  const isRefusing = "code" in result;
  const verdict = refusal({
    code: isRefusing ? result.code : 0,
    enhanced: isRefusing
      ? result.enhanced || (result.code < 500 ? "4.7.1" : "5.7.1")
      : "",
    reply: isRefusing ? result.text || REFUSED[kind] : "",
    rule: `${kind}-access`,
    evidence: `${pattern} in ${source}` +
      (result.is === "warn" && result.text !== "" ? `: ${result.text}` : "") +
      (kind === "client" ? ` is ${client}` : ""),
    undo: `edit ${source}, then send SIGHUP to bulkhead serve`,
  });
  switch (result.is) {
    case "reject":
    case "defer":
    case "defer-if-permit":
      return verdict;
    case "discard":
    case "hold":
      return { ...verdict, action: result.is };
    case "ok":
      return { ...verdict, action: "permit" };
    case "warn":
    case "dunno":
      return { ...verdict, action: "pass" };
  }
}
