/**
 * What was sent, what became of it, and what arrived: the oracle of all crash
 * tests. Every attempt of a message has a content of its own, so that a copy
 * that the sender itself caused (it never heard the reply) is told from one
 * that the server made.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { newFiles, readDelivered, storedForm } from "../system/mailbox.ts";
import type { Taken } from "../system/next_hop.ts";

/**
 * What the sender knows of one attempt.
 *
 * - `accepted`: 250 was read
 * - `deferred`: 4xx was read, or the link broke before the final dot
 * - `rejected`: 5xx was read
 * - `unknown`: the link broke after the final dot
 */
export type Fate = "accepted" | "deferred" | "rejected" | "unknown";

/** One attempt. */
export interface Attempt {
  readonly token: string;
  readonly to: string;
  /** As sent, with CRLF, dots not doubled; emptied when it is decided. */
  content: Uint8Array;
  /** True once the final dot was on its way. */
  isComplete: boolean;
  fate: Fate | undefined;
  /** The reply that decided, or how the link broke. */
  why: string;
}

/** Where local mail arrives: a server's installation, or a copy of one. */
export interface Mailboxes {
  maildir(user: string): string;
}

/** Where other mail arrives. */
export interface Takers {
  readonly taken: readonly Taken[];
}

/** A message that was accepted once and arrived more than once. */
export interface Repeated {
  readonly token: string;
  /** In order of time. */
  readonly copies: readonly { readonly where: string; readonly atMs: number }[];
}

/** What the oracle found. */
export interface Verdict {
  readonly messages: number;
  readonly attempts: number;
  readonly accepted: number;
  /** 4xx to a command or to the final dot. */
  readonly deferred: number;
  readonly rejected: readonly string[];
  readonly unknown: number;
  /** Accepted and nowhere. */
  readonly lost: readonly string[];
  /** Accepted and more than once somewhere: copies beyond the first. */
  readonly duplicates: number;
  /** Copies of attempts whose reply was never heard; none is a fault. */
  readonly unheard: number;
  /** Complete, answered 4xx, and delivered all the same. */
  readonly ghosts: readonly string[];
  /** Delivered files that are not what was sent. */
  readonly damaged: readonly string[];
}

/** The sender's log. */
export class Ledger {
  readonly #attempts = new Map<string, Sent>();
  #messages = 0;

  /** Names the next message. */
  newMessage(): string {
    return `m${this.#messages++}`;
  }

  /** Notes an attempt that is about to begin. */
  begin(message: string, facts: { to: string; size: number }): Attempt {
    const token = `${message}x${this.#attempts.size}`;
    const content = contentOf(token, facts.size);
    const stored = storedForm(content);
    const attempt: Sent = {
      token,
      to: facts.to,
      content,
      length: stored.length,
      digest: digest(stored),
      isComplete: false,
      fate: undefined,
      why: "",
    };
    this.#attempts.set(token, attempt);
    return attempt;
  }

  /** Attempts of one fate. */
  of(fate: Fate): Attempt[] {
    return [...this.#attempts.values()].filter((one) => one.fate === fate);
  }

  /** Tokens that were acknowledged and have not arrived. */
  missing(made: Mailboxes, hop?: Takers): string[] {
    const there = new Set(
      arrivals(made, hop).map(({ text }) => tokenOf(text)),
    );
    return this.of("accepted").map(({ token }) => token)
      .filter((token) => !there.has(token));
  }

  /** What was accepted and is there more than once. */
  repeated(made: Mailboxes, hop?: Takers): Repeated[] {
    const byToken = new Map<string, { where: string; atMs: number }[]>();
    for (const { where, atMs, text } of arrivals(made, hop)) {
      const token = tokenOf(text);
      if (this.#attempts.get(token)?.fate !== "accepted") continue;
      const copies = byToken.get(token);
      if (copies === undefined) byToken.set(token, [{ where, atMs }]);
      else copies.push({ where, atMs });
    }
    return [...byToken].filter(([, copies]) => copies.length > 1)
      .map(([token, copies]) => ({
        token,
        copies: copies.sort((a, b) => a.atMs - b.atMs),
      }));
  }

  /** Compares what was promised with what is there. */
  verdict(made: Mailboxes, hop?: Takers): Verdict {
    const copies = new Map<Sent, number>();
    const damaged: string[] = [];
    for (const { where, domain, text } of arrivals(made, hop)) {
      const sent = this.#attempts.get(tokenOf(text));
      const why = faultOf(text, sent, domain);
      if (why !== undefined) damaged.push(`${where}: ${why}`);
      else copies.set(sent!, (copies.get(sent!) ?? 0) + 1);
    }
    const all = [...this.#attempts.values()];
    const say = ({ token, to, why }: Attempt) => `${token} ${to}: ${why}`;
    const count = (fate: Fate) => this.of(fate).length;
    return {
      messages: this.#messages,
      attempts: all.length,
      accepted: count("accepted"),
      deferred: count("deferred"),
      rejected: this.of("rejected").map(say),
      unknown: count("unknown"),
      lost: all.filter((one) => one.fate === "accepted" && !copies.has(one))
        .map(say),
      duplicates: [...copies]
        .filter(([{ fate }]) => fate === "accepted")
        .reduce((sum, [, times]) => sum + times - 1, 0),
      unheard: [...copies]
        .filter(([{ fate }]) => fate === "unknown")
        .reduce((sum, [, times]) => sum + times, 0),
      ghosts: [...copies.keys()].filter(({ fate }) => fate === "deferred")
        .map(say),
      damaged,
    };
  }
}

/** Fails unless nothing acknowledged is lost and nothing is damaged. */
export function assertNothingLost(verdict: Verdict): void {
  assert.deepEqual(verdict.lost, [], "acknowledged and lost");
  assert.deepEqual(verdict.damaged, [], "damaged or half messages");
  assert.deepEqual(verdict.rejected, [], "refused for good");
  assert.ok(verdict.accepted > 0, "something was accepted");
}

/** The verdict in one line, for the test's report. */
export function sentence(verdict: Verdict): string {
  const { lost, ghosts, damaged, rejected, ...counts } = verdict;
  return Object.entries({
    ...counts,
    lost: lost.length,
    ghosts: ghosts.length,
    damaged: damaged.length,
    rejected: rejected.length,
  }).map(([name, count]) => `${name} ${count}`).join(", ");
}

interface Sent extends Attempt {
  /** Of the form with LF. */
  readonly length: number;
  readonly digest: string;
}

interface Arrival {
  readonly where: string;
  /** When it was written there, since the epoch. */
  readonly atMs: number;
  readonly domain: string;
  /** From the token's field on, with LF. */
  readonly text: Uint8Array;
}

function arrivals(made: Mailboxes, hop: Takers | undefined): Arrival[] {
  const found: Arrival[] = [];
  for (const user of ["me", "you"]) {
    for (const path of newFiles(made.maildir(user))) {
      const { content } = readDelivered(path);
      found.push({
        where: path,
        atMs: Deno.lstatSync(path).mtime!.getTime(),
        domain: "home.test",
        text: content,
      });
    }
  }
  for (const [i, { to, content, atMs }] of (hop?.taken ?? []).entries()) {
    const stored = Buffer.from(storedForm(content));
    // What stands above is the trace that our server put there.
    const start = Math.max(0, stored.indexOf("X-Token: "));
    found.push({
      where: `next hop, ${i}`,
      atMs,
      domain: to[0]!.slice(to[0]!.indexOf("@") + 1),
      text: stored.subarray(start),
    });
  }
  return found;
}

function faultOf(
  text: Uint8Array,
  sent: Sent | undefined,
  domain: string,
): string | undefined {
  if (sent === undefined) return "nobody sent it";
  if (!sent.isComplete) return "its final dot was never sent";
  if (!sent.to.endsWith(`@${domain}`)) return `it is for ${sent.to}`;
  if (text.length !== sent.length) {
    return `${text.length} octets for ${sent.length}`;
  }
  return digest(text) === sent.digest ? undefined : "other octets than sent";
}

function tokenOf(text: Uint8Array): string {
  const head = Buffer.from(text.subarray(0, 100)).toString("latin1");
  return /^X-Token: (\S+)\n/.exec(head)?.[1] ?? "none";
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

// Lines of many lengths, some with dots in front; cut at a place of its own
// for each message, so that no two are the same.
const FILLER = Buffer.from(
  Array.from(
    { length: 16_000 },
    (_, n) => `${".".repeat(n % 7 ? 0 : n % 4)}line ${n} ${"-".repeat(n % 60)}`,
  ).join("\r\n"),
);

/** For sizes beyond it; made only if there are any. */
let manyFillers: Uint8Array | undefined;

function fillerOf(length: number): Uint8Array {
  if (length < FILLER.length / 2) return FILLER;
  manyFillers ??= Buffer.concat(Array.from({ length: 32 }, () => FILLER));
  return manyFillers;
}

function contentOf(token: string, size: number): Uint8Array {
  const head = `X-Token: ${token}\r\nSubject: crash ${token}\r\n\r\n`;
  const tail = `\r\nend of ${token}\r\n`;
  const length = Math.max(0, size - head.length - tail.length);
  const filler = fillerOf(length);
  const from = Math.floor(Math.random() * (filler.length - length));
  // A cut may leave half a line end on either side.
  const middle = Buffer.from(filler.subarray(from, from + length))
    .toString("latin1")
    .replace(/^\n/, "x").replace(/\r$/, "x");
  return new Uint8Array(Buffer.from(head + middle + tail, "latin1"));
}
