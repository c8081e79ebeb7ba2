/**
 * Where recipients go: asks the resolver, a few hundred at once, and remembers
 * what it said for two seconds, so that a burst for one mailbox is one ask.
 */
import { hostPortText } from "../config/names.ts";
import type { Edge } from "../ipc/edge.ts";
import type { resolveContract, Target } from "../resolve/resolve_ipc.ts";
import type { Recipient } from "./message.ts";

/** The edge, as far as it is needed. */
export type ResolveEdge = Pick<Edge<typeof resolveContract.calls>, "ask">;

/** What is known of an address. */
export type Resolution =
  | { readonly kind: "targets"; readonly targets: readonly Target[] }
  | { readonly kind: "unknown" }
  | { readonly kind: "loop" }
  | { readonly kind: "later"; readonly why: string };

const REMEMBER_MS = 2_000;
const MAX_REMEMBERED = 10_000;
/** Well under the asks that one channel may have open. */
const MAX_ASKS = 256;

/** Resolves addresses. */
export class Router {
  readonly #resolve: ResolveEdge;
  readonly #nowMs: () => number;
  readonly #known = new Map<
    string,
    { until: number; resolution: Resolution }
  >();
  readonly #asked = new Map<string, Promise<Resolution>>();
  readonly #waiting: (() => void)[] = [];
  #asks = 0;

  constructor(resolve: ResolveEdge, nowMs: () => number) {
    this.#resolve = resolve;
    this.#nowMs = nowMs;
  }

  /**
   * Resolves one address; at once if it was resolved a moment ago.
   *
   * @param mayRelay The message may go anywhere; else only where a stranger's
   * may, which is asked by another call
   */
  resolve(
    address: string,
    mayRelay: boolean,
  ): Resolution | Promise<Resolution> {
    const call = mayRelay ? "relay" : "recipient";
    const key = `${call} ${address}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.until > this.#nowMs()) {
      return known.resolution;
    }
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const asking = this.#ask(call, address, key);
    this.#asked.set(key, asking);
    return asking;
  }

  async #ask(
    call: "relay" | "recipient",
    address: string,
    key: string,
  ): Promise<Resolution> {
    if (this.#asks >= MAX_ASKS) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#asks++;
    const reply = await this.#resolve.ask(call, { address });
    this.#asks--;
    this.#waiting.shift()?.();
    this.#asked.delete(key);
    switch (reply.kind) {
      case "answered":
        return this.#remember(key, reply.answer.targets);
      case "failed":
        return { kind: "later", why: reply.why };
      case "refused":
        switch (reply.refusal) {
          case "unknown-recipient":
            return { kind: "unknown" };
          case "alias-loop":
            return { kind: "loop" };
          case "relay-denied":
            // It was allowed when smtpd asked. The configuration may have
            // changed, or smtpd is not ours any more: a human may look.
            return { kind: "later", why: "its domain is not relayed for" };
        }
    }
  }

  #remember(key: string, targets: readonly Target[]): Resolution {
    const resolution: Resolution = { kind: "targets", targets };
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    const until = this.#nowMs() + REMEMBER_MS;
    this.#known.set(key, { until, resolution });
    return resolution;
  }
}

/** Times that aliases may replace a recipient, rounds of delivery included. */
export const MAX_DEPTH = 5;

/** What to do with a recipient's targets. */
export type Choice =
  | { readonly kind: "one"; readonly target: Target }
  | { readonly kind: "several"; readonly targets: readonly Target[] }
  | { readonly kind: "loop" };

/**
 * Chooses among targets. A recipient that came out of an alias and is named
 * by its own alias again (`me -> me, archive`) is itself by now.
 */
export function choose(
  recipient: Pick<Recipient, "address" | "depth">,
  targets: readonly Target[],
): Choice {
  if (targets.length === 1) return { kind: "one", target: targets[0]! };
  if (recipient.depth > 0) {
    const self = targets.find(({ address }) => address === recipient.address);
    if (self !== undefined) return { kind: "one", target: self };
  }
  if (recipient.depth >= MAX_DEPTH) return { kind: "loop" };
  return { kind: "several", targets };
}

/** True if mail goes from there into a mailbox: LMTP is for that, RFC 2033. */
export function isFinal(target: Target): boolean {
  if (target.kind === "mailbox") return true;
  const { nextHop } = target;
  return nextHop.kind === "unix" ||
    (nextHop.kind === "host" && nextHop.protocol === "lmtp");
}

/** Name of the place that a target is delivered to; `""` is the Maildir role. */
export function destinationOf(target: Target): string {
  if (target.kind === "mailbox") return "";
  const hop = target.nextHop;
  switch (hop.kind) {
    case "mx":
      return `mx:${hop.domain}`;
    case "host":
      return `host:${hostPortText(hop)}`;
    case "unix":
      return `unix:${hop.path}`;
  }
}

/** Its name in `[destinations]`. */
export function configuredName(destination: string): string {
  return destination.slice(destination.indexOf(":") + 1);
}
