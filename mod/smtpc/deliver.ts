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
import { X509Certificate } from "node:crypto";
import type { DialV6 } from "./dialer_io.ts";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import type { AskedOf, Verdict } from "../ipc/call.ts";
import {
  ALL_HELD_OCTETS,
  type Content,
  HELD_OCTETS,
  inspect,
  type Source,
  type Unreadable,
} from "./content_io.ts";
import type { IdlePool } from "./idle_pool.ts";
import { noRequireTls } from "./opening.ts";
import {
  isVouchedFor,
  keyOf,
  LOOP,
  type Names,
  placeOf,
  protocolOf,
  routeTo,
} from "./route.ts";
import { openSession, type Sent, type Session } from "./session_io.ts";
import type { SmtpcPart } from "./role.ts";
import type { Attempt, smtpcContract } from "./smtpc_ipc.ts";
import { mustTls } from "./transaction.ts";
import { Transcript } from "./transcript.ts";
import { troubleOutcome } from "./verdict.ts";
import { opportunistic, type Wanted } from "./wanted.ts";

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
  /** See `dialer_io.ts`; undefined where there is no IPv6. */
  readonly dialV6?: DialV6 | undefined;
  /** Certificate authorities instead of the usual ones; for tests. */
  readonly ca?: string | undefined;
}

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

/** What REQUIRETLS demands of a host by this name, RFC 8689 §4.2.1. */
function verified(host: string): Wanted {
  return {
    tls: "must",
    serverName: host,
    requireTls: true,
    judge: ({ chain, authorityFault }) => {
      const own = chain[0];
      const isNamed = own !== undefined &&
        new X509Certificate(own).checkHost(host) !== undefined;
      return authorityFault === "" && isNamed
        ? { ok: true, what: `certificate for ${host}`, isDane: false }
        : {
          ok: false,
          what: authorityFault || `no certificate for ${host}`,
          fault: "certificate-not-trusted",
        };
    },
  };
}

/** One delivery under way. */
class Errand {
  readonly #ask: Ask;
  readonly #means: Means;
  readonly #transcript = new Transcript();
  readonly #startedMs = performance.now();
  readonly #outcomes: (Outcome | undefined)[];
  #isServed = false;
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
    this.#outcomes = ask.recipients.map(() => undefined);
  }

  /** Sessions with verified TLS are kept apart, for those who demand it. */
  get #poolKey(): string {
    const key = keyOf(this.#ask.nextHop);
    return mustTls(this.#ask) ? `requiretls ${key}` : key;
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
      hosts: [],
      tlsResults: [],
    };
    const outcomes = this.#outcomes.map((outcome) => outcome ?? rest);
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
      const { address } = session.to;
      this.#transcript.note(`session kept with ${placeOf(session.to)}`);
      const how = await this.#transact(session, content);
      if (how === "stale") continue;
      this.#means.count("session-reused");
      tried.add(address);
      return how;
    }
  }

  async #walk(
    content: Content,
    tried: Set<string>,
  ): Promise<"settled" | Unreadable> {
    const { part, names, isOurs } = this.#means;
    const { nextHop } = this.#ask;
    const route = await routeTo(nextHop, names, { ...part, isOurs });
    if (route.kind === "nowhere") {
      this.#failure = route.outcome;
      return "settled";
    }
    const facts = {
      ...part,
      noLoop: nextHop.kind === "mx",
      protocol: protocolOf(nextHop),
      dialV6: this.#means.dialV6,
      ca: this.#means.ca === undefined ? undefined : [this.#means.ca],
    };
    const requireTls = mustTls(this.#ask);
    for (const to of route.candidates) {
      if (tried.size >= part.maxHosts) break;
      if (tried.has(to.address)) continue;
      if (requireTls && !isVouchedFor(to, nextHop)) {
        this.#transcript.note(
          `${to.host} is named by plain DNS: no REQUIRETLS`,
        );
        this.#hostFailed(noRequireTls(to.host));
        continue;
      }
      const opened = await openSession(to, {
        ...facts,
        wanted: requireTls ? verified(to.host) : opportunistic(to.host),
      }, this.#transcript);
      switch (opened.kind) {
        case "not-permitted": // IPv6, mostly: nobody's fault, and not counted
          continue;
        case "loop":
          // All hosts behind it are less preferred than ourselves.
          this.#failure ??= LOOP;
          return "settled";
        case "failed":
          this.#last = { host: to.host, address: to.address, tls: "" };
          this.#hostFailed(opened.outcome);
          this.#means.count("host-failed");
          break;
        case "open": {
          const how = await this.#transact(opened.session, content);
          if (how === "settled" || typeof how === "object") return how;
        }
      }
      tried.add(to.address);
    }
    return "settled";
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
  ): Promise<"settled" | "go-on" | "stale" | Unreadable> {
    const open = this.#outcomes.flatMap((outcome, index) =>
      outcome === undefined || outcome.kind === "temporary" ? [index] : []
    );
    const ask = this.#ask;
    const mail = {
      reversePath: ask.reversePath,
      recipients: open.map((index) => ask.recipients[index]!),
      sizeBytes: ask.ref.sizeBytes,
      eightBit: content.eightBit,
      internationalHeader: content.internationalHeader,
      bodyType: ask.bodyType,
      wishes: ask.wishes,
      recipientWishes: ask.recipientWishes.length === 0
        ? []
        : open.map((index) => ask.recipientWishes[index]!),
    };
    this.#last = { ...session.to, tls: session.reached.tls };
    const sent: Sent = await session.transact(mail, content, {
      replyWithinMs: this.#means.part.replyWithinMs,
      transcript: this.#transcript,
    });
    if (sent.do !== "stale") this.#isServed = true;
    switch (sent.do) {
      case "stale":
        return "stale";
      case "broken-off":
        return sent.why;
      case "done": {
        open.forEach((index, i) => this.#outcomes[index] = sent.outcomes[i]);
        if (sent.reusable) {
          this.#means.pool.put(this.#poolKey, session);
        }
        const left = sent.outcomes.some(({ kind }) => kind === "temporary");
        return left && sent.tryNext ? "go-on" : "settled";
      }
    }
  }
}
