/**
 * One `smtpc.deliver`: reads the content, uses a kept session or walks the
 * next hop's hosts in order, and gathers one outcome a recipient.
 *
 * A recipient that one host put off is offered to the next; one that is
 * delivered or refused for good is settled (RFC 5321 §5.1, and as Postfix
 * does). At most `maxHosts` addresses are tried. After a connection lost
 * behind the final dot no further host is tried: that is the one case in
 * which we would make a second copy ourselves.
 */
import type { Buffer } from "node:buffer";
import type { DialV6 } from "./dialer_io.ts";
import { type Outcome, ownOutcome, saidOf } from "../core/outcome.ts";
import type { AskedOf, Verdict } from "../ipc/call.ts";
import {
  ALL_HELD_OCTETS,
  type Content,
  HELD_OCTETS,
  inspect,
  type Source,
  type Unreadable,
} from "./content_io.ts";
import { AttemptedHosts } from "./attempt.ts";
import { Downgrade, type SevenBit } from "./downgrade_io.ts";
import type { IdlePool } from "./idle_pool.ts";
import type { Logins } from "./logins.ts";
import { DELIVERY_MS, LAST_HOST_MS } from "./patience.ts";
import {
  type Candidate,
  keyOf,
  LOOP,
  type Names,
  placeOf,
  protocolOf,
  type Route,
  routeTo,
} from "./route.ts";
import { decide, type Decided, type SafetyMeans } from "./safety.ts";
import {
  openSession,
  type Sent,
  type Session,
  type Vouch,
} from "./session_io.ts";
import type { SmtpcPart } from "./role.ts";
import type { Attempt, smtpcContract } from "./smtpc_ipc.ts";
import { mustTls } from "./transaction.ts";
import type { Tickets } from "./tickets.ts";
import { filtered } from "./reply_filter.ts";
import type { Sources } from "./source.ts";
import { Transcript } from "./transcript.ts";
import { troubleOutcome } from "./verdict.ts";
import { NOT_REACHED, type Reached, type TlsFault } from "./wanted.ts";

type Deliver = typeof smtpcContract.calls.deliver;
type Ask = AskedOf<Deliver>;

/** What a delivery works with. */
export interface Means {
  readonly part: SmtpcPart;
  readonly names: Names;
  readonly pool: IdlePool<Session>;
  readonly source: (ask: Ask) => Source;
  /** See `route.ts`; a parameter because tests live on loopback. */
  readonly isOurs: (address: string) => boolean;
  /** Octets of content held in memory by all deliveries under way. */
  readonly held: { octets: number };
  readonly count: (name: string) => void;
  readonly logins: Logins;
  readonly sources: Sources;
  /** See `dialer_io.ts`; undefined where there is no IPv6. */
  readonly dialV6?: DialV6 | undefined;
  /** See `safety.ts`. */
  readonly safety: SafetyMeans;
  /** See `tickets.ts`; undefined for none. */
  readonly tickets?: Tickets<Buffer> | undefined;
  /** {@link VOUCHED_MS}, but for tests. */
  readonly vouchedMs?: number | undefined;
  /** Authorities, PEM; undefined means the usual ones. */
  readonly ca?: readonly string[] | undefined;
}

/**
 * How long a kept session is used without a look at whether what was published
 * has changed. Beyond it the question costs nothing but two answers of dns.
 */
const VOUCHED_MS = 10_000;

/** Delivers; see {@link smtpcContract}. Never throws for the world's faults. */
export async function deliver(
  ask: Ask,
  means: Means,
): Promise<Verdict<Deliver>> {
  const errand = new Errand(ask, means);
  const room = Math.min(HELD_OCTETS, ALL_HELD_OCTETS - means.held.octets);
  const found = await inspect(means.source(ask), {
    sizeBytes: ask.ref.sizeBytes,
    roomOctets: room,
    isBinary: ask.bodyType === "binarymime",
    watchesHeader: ask.wishes.smtpUtf8,
  });
  switch (found.kind) {
    case "damaged":
      return { refusal: "damaged" };
    case "unreadable":
      return errand.verdict(unreadableOutcome(found));
    case "malformed": {
      const words = `Message has a ${found.fault}, it cannot be sent`;
      return errand.verdict(ownOutcome("permanent", 554, "5.6.0", words));
    }
    case "content":
      means.held.octets += found.held;
      try {
        return await errand.run(found);
      } finally {
        means.held.octets -= found.held;
      }
  }
}

function unreadableOutcome(found: { why: string }): Outcome {
  return ownOutcome("temporary", 451, "4.3.0", `Cannot read: ${found.why}`);
}

/** One delivery under way. */
class Errand {
  readonly #ask: Ask;
  readonly #means: Means;
  readonly #transcript = new Transcript();
  readonly #startedMs = performance.now();
  readonly #untilMs = this.#startedMs + DELIVERY_MS;
  readonly #outcomes: (Outcome | undefined)[];
  #isServed = false;
  readonly #hosts: AttemptedHosts;
  readonly #requireTls: boolean;
  /** By host, for the time of this delivery. */
  readonly #decided = new Map<string, Promise<Decided>>();
  readonly #downgrade: Downgrade;
  #route: Promise<Route> | undefined;
  /** Why recipients without an outcome have none. */
  #failure: Outcome | undefined;
  #last: { host: string; address: string; tls: string } = {
    host: "",
    address: "",
    tls: "",
  };

  constructor(ask: Ask, means: Means) {
    this.#ask = ask;
    this.#means = means;
    this.#hosts = new AttemptedHosts((name) => means.count(name));
    this.#outcomes = ask.recipients.map(() => undefined);
    this.#requireTls = mustTls(ask);
    this.#downgrade = new Downgrade(means.source(ask));
  }

  /**
   * Sessions with TLS that was verified for REQUIRETLS are kept apart, and so
   * are those of another configuration: what they were opened under, the
   * session itself knows.
   */
  get #poolKey(): string {
    const { safety: { policies } } = this.#means;
    const kind = this.#requireTls
      ? "requiretls"
      : this.#ask.isTlsReport
      ? "tls-report"
      : "";
    const more = `${kind} ${policies.edition}`;
    return `${keyOf(this.#ask.nextHop)} ${more}`;
  }

  async run(content: Content): Promise<Verdict<Deliver>> {
    const tried = new Set<string>();
    const reused = await this.#reuse(content, tried);
    if (reused !== "go-on") return this.#end(reused);
    return this.#end(await this.#walk(content, tried));
  }

  /** The verdict, with `rest` for every recipient without an outcome. */
  verdict(rest: Outcome): Verdict<Deliver> {
    const attempt: Attempt = {
      host: this.#last.host.slice(0, 255),
      address: this.#last.address.slice(0, 64),
      tls: this.#last.tls.slice(0, 100),
      tookMs: Math.round(performance.now() - this.#startedMs),
      isServed: this.#isServed,
      transcript: this.#transcript.lines(),
      hosts: this.#hosts.hosts,
      tlsResults: this.#hosts.tlsResults,
    };
    const outcomes = this.#outcomes.map((outcome) =>
      filtered(this.#means.part.replyFilter, outcome ?? rest)
    );
    for (const { kind } of outcomes) this.#means.count(kind);
    return { answer: { outcomes, attempt } };
  }

  #end(how: "settled" | Unreadable): Verdict<Deliver> {
    const rest = this.#failure ??
      troubleOutcome("No address that may be connected to", "", "4.4.1");
    if (how === "settled") return this.verdict(rest);
    if (how.kind === "unreadable") return this.verdict(unreadableOutcome(how));
    // `damaged` says that nothing was sent. If an earlier host has taken the
    // mail for somebody, that outcome must not be lost; the next attempt
    // finds the damage before anything else.
    return this.#outcomes.some((one) => one?.kind === "delivered")
      ? this.verdict(unreadableOutcome({ why: "the record is damaged" }))
      : { refusal: "damaged" };
  }

  async #reuse(
    content: Content,
    tried: Set<string>,
  ): Promise<"settled" | "go-on" | Unreadable> {
    while (true) {
      const session = this.#means.pool.take(this.#poolKey);
      if (session === undefined) return "go-on";
      if (!await this.#isStillVouched(session)) {
        session.quit();
        continue;
      }
      const { address } = session.to;
      this.#transcript.note(`session kept with ${placeOf(session.to)}`);
      const how = await this.#transact(session, content);
      if (how === "stale") continue;
      this.#means.count("session-reused");
      tried.add(address);
      return how;
    }
  }

  /**
   * Whether a kept session is what would be opened now: what was published
   * may say something else by this time (RFC 7672 §2.2.3 keeps no session
   * longer than its records).
   */
  async #isStillVouched(session: Session): Promise<boolean> {
    const { vouch } = session;
    if (vouch === undefined) return false;
    if (vouch.untilMs > performance.now()) return true;
    const route = await this.#routed();
    if (route.kind === "nowhere") return false;
    const to = route.candidates.find((one) => isSame(one, session.to));
    if (to === undefined) return false;
    const decided = await this.#decide(to);
    if (decided.unusable !== undefined || decided.key !== vouch.key) {
      this.#transcript.note(`${to.host} publishes something else now`);
      return false;
    }
    session.vouch = this.#vouchOf(decided);
    return true;
  }

  #routed(): Promise<Route> {
    const { part, names, isOurs } = this.#means;
    return this.#route ??= routeTo(this.#ask.nextHop, names, {
      ...part,
      isOurs,
    });
  }

  #decide(to: Candidate): Promise<Decided> {
    const known = this.#decided.get(to.host);
    if (known !== undefined) return known;
    const { nextHop, isTlsReport } = this.#ask;
    const asked = { nextHop, requireTls: this.#requireTls, isTlsReport };
    const deciding = decide(to, asked, this.#means.safety);
    this.#decided.set(to.host, deciding);
    return deciding;
  }

  async #walk(
    content: Content,
    tried: Set<string>,
  ): Promise<"settled" | Unreadable> {
    const { part } = this.#means;
    const { nextHop } = this.#ask;
    const route = await this.#routed();
    if (route.kind === "nowhere") {
      this.#failure = route.outcome;
      return "settled";
    }
    const facts = {
      ...part,
      untilMs: this.#untilMs,
      noLoop: nextHop.kind === "mx",
      protocol: protocolOf(nextHop),
      dialV6: this.#means.dialV6,
      ca: this.#means.ca,
      tickets: this.#means.tickets,
      sourceFor: this.#means.sources.of(nextHop),
    };
    const skipped = new Set<string>();
    const { logins } = this.#means;
    const login = logins.of(nextHop);
    if (login !== undefined && logins.refused !== undefined) {
      this.#transcript.note("the login was refused a moment ago: not tried");
      this.#failure = logins.refused;
      return "settled";
    }
    for (const to of route.candidates) {
      if (tried.size >= part.maxHosts) break;
      if (performance.now() - this.#startedMs > LAST_HOST_MS) {
        this.#transcript.note("no time for a further host");
        break;
      }
      if (tried.has(to.address) || skipped.has(to.host)) continue;
      const startedMs = performance.now();
      const decided = await this.#decide(to);
      if (decided.unusable !== undefined) {
        skipped.add(to.host);
        this.#skip(to, decided, startedMs);
        continue;
      }
      const { wanted, policy, fault } = decided;
      const rivals = route.candidates.filter((one) =>
        one !== to && one.host === to.host && !tried.has(one.address)
      ).slice(0, part.maxHosts - tried.size - 1);
      const opened = await openSession(
        to,
        {
          ...facts,
          rivals,
          onUnreached: (one, outcome) => {
            tried.add(one.address);
            this.#noteFailed(one, { outcome, reached: NOT_REACHED }, {
              policy,
              fault,
              tookMs: performance.now() - startedMs,
            });
            this.#hostFailed(outcome);
          },
          wanted: login === undefined
            ? wanted
            : logins.safe(wanted, [to, ...rivals]),
          login,
        },
        this.#transcript,
      );
      const tookMs = performance.now() - startedMs;
      const { to: met } = opened;
      switch (opened.kind) {
        case "not-permitted": // IPv6, mostly: nobody's fault, and not counted
          continue;
        case "loop":
          // All hosts behind it are less preferred than ourselves.
          this.#failure ??= LOOP;
          this.#hosts.add({ to: met, policy, result: LOOP.text, tookMs });
          return "settled";
        case "login-refused":
          // Any address of the same host has the same users.
          logins.refuse(opened.outcome);
          this.#noteFailed(met, opened, { policy, fault, tookMs });
          this.#failure = opened.outcome;
          return "settled";
        case "failed":
          this.#noteFailed(met, opened, { policy, fault, tookMs });
          this.#hostFailed(opened.outcome);
          break;
        case "open": {
          const { session } = opened;
          session.vouch = this.#vouchOf(decided);
          const how = await this.#transact(session, content, {
            startedMs,
            isNew: true,
            fault,
          });
          if (how === "settled" || typeof how === "object") return how;
        }
      }
      tried.add(met.address);
    }
    return "settled";
  }

  #noteFailed(
    to: Candidate,
    { outcome, reached, ourAddress }: {
      outcome: Outcome;
      reached: Reached;
      ourAddress?: string;
    },
    rest: Pick<Decided, "policy" | "fault"> & { tookMs: number },
  ): void {
    this.#last = { host: to.host, address: to.address, tls: reached.tls };
    const result = wordsOfOutcome(outcome);
    this.#hosts.add({ to, reached, result, ourAddress, ...rest });
    this.#means.count("host-failed");
  }

  /** A host that may not have the mail, whatever it would say. */
  #skip(to: Candidate, decided: Decided, startedMs: number): void {
    const outcome = decided.unusable!;
    this.#transcript.note(outcome.text);
    this.#last = { host: to.host, address: "", tls: "" };
    this.#hosts.add({
      to: { ...to, address: "" },
      policy: decided.policy,
      fault: decided.fault,
      result: wordsOfOutcome(outcome),
      tookMs: performance.now() - startedMs,
    });
    this.#hostFailed(outcome);
    this.#means.count("host-failed");
  }

  /** Another host may do, later: only when none will, it is for good. */
  #hostFailed(outcome: Outcome): void {
    if (this.#failure?.kind === "temporary" && outcome.kind === "permanent") {
      return;
    }
    this.#failure = outcome;
  }

  /** One transaction for all recipients that are not settled. */
  async #transact(
    session: Session,
    content: Content,
    { startedMs = performance.now(), isNew = false, fault = "" }: {
      startedMs?: number;
      /** True if it was opened for this very mail. */
      isNew?: boolean;
      fault?: TlsFault;
    } = {},
  ): Promise<"settled" | "go-on" | "stale" | Unreadable> {
    const open = this.#outcomes.flatMap((outcome, index) =>
      outcome === undefined || outcome.kind === "temporary" ? [index] : []
    );
    const ask = this.#ask;
    const fitting = await this.#fitting(session, content);
    if (fitting.kind === "damaged" || fitting.kind === "unreadable") {
      session.quit();
      return fitting;
    }
    const { noSevenBit } = fitting;
    const isConverted = fitting.content !== content;
    const mail = {
      reversePath: ask.reversePath,
      recipients: open.map((index) => ask.recipients[index]!),
      sizeBytes: fitting.sizeBytes,
      eightBit: fitting.content.eightBit,
      noSevenBit,
      internationalHeader: fitting.content.internationalHeader,
      bodyType: isConverted ? "7bit" as const : ask.bodyType,
      wishes: ask.wishes,
      recipientWishes: ask.recipientWishes.length === 0
        ? []
        : open.map((index) => ask.recipientWishes[index]!),
    };
    this.#last = { ...session.to, tls: session.reached.tls };
    const sent: Sent = await session.transact(mail, fitting.content, {
      replyWithinMs: this.#means.part.replyWithinMs,
      untilMs: this.#untilMs,
      transcript: this.#transcript,
    });
    if (sent.do !== "stale") this.#isServed = true;
    switch (sent.do) {
      case "stale":
        return "stale";
      case "broken-off":
        this.#used(session, "broken off", { startedMs, isNew, fault });
        return sent.why;
      case "done": {
        const [first] = sent.outcomes;
        const result = first === undefined ? "" : wordsOfOutcome(first);
        this.#used(session, result, { startedMs, isNew, fault });
        open.forEach((index, i) => this.#outcomes[index] = sent.outcomes[i]);
        if (sent.reusable) {
          this.#means.pool.put(this.#poolKey, session);
        }
        const left = sent.outcomes.some(({ kind }) => kind === "temporary");
        return left && sent.tryNext ? "go-on" : "settled";
      }
    }
  }

  /** The content as this server can take it; in 7 bits if it has to be. */
  async #fitting(session: Session, content: Content): Promise<SevenBit> {
    const { bodyType, ref: { sizeBytes } } = this.#ask;
    const asIs = { kind: "fitting" as const, content, sizeBytes };
    if (
      !content.eightBit || session.peer.eightBitMime ||
      bodyType === "binarymime"
    ) return asIs;
    const sevenBit = await this.#downgrade.of(asIs);
    if (sevenBit.kind === "fitting" && sevenBit.noSevenBit === undefined) {
      this.#transcript.note("no 8BITMIME: converted to 7 bits");
      this.#means.count("converted");
    }
    return sevenBit;
  }

  #vouchOf({ key, policy, isFixed }: Decided): Vouch {
    const { vouchedMs = VOUCHED_MS } = this.#means;
    const untilMs = isFixed ? Infinity : performance.now() + vouchedMs;
    return { key, policy, untilMs };
  }

  #used(
    session: Session,
    result: string,
    { startedMs, isNew, fault }: {
      startedMs: number;
      isNew: boolean;
      fault: TlsFault;
    },
  ): void {
    const { to, reached, vouch, ourAddress } = session;
    if (vouch === undefined) return;
    this.#hosts.add({
      to,
      policy: vouch.policy,
      reached,
      fault,
      result,
      tookMs: performance.now() - startedMs,
      ourAddress,
      isKept: !isNew,
    });
  }
}

function isSame(one: Candidate, other: Candidate): boolean {
  return one.host === other.host && one.address === other.address &&
    one.port === other.port;
}

function wordsOfOutcome(outcome: Outcome): string {
  const { code, enhanced, text } = outcome;
  return saidOf(outcome) || `${code} ${enhanced} ${text}`;
}
