/**
 * What is known of domains' policies: bounded in number and in octets, those
 * used longest ago go first. Domains of which no policy is kept have a place of
 * their own: whoever makes us ask about thousands of them must not make us
 * forget what is in force elsewhere. Pure.
 */
import type { StsFailure, StsPolicy } from "./sts_ipc.ts";

/** A policy that was fetched. */
export interface Kept {
  readonly policy: StsPolicy;
  readonly fetchedMs: number;
}

/** What is known of one domain. */
export interface Knowledge {
  /** The last policy that was fetched; it may be over. */
  readonly kept: Kept | undefined;
  /** What to say where no policy is in force. */
  readonly refusal: "none" | StsFailure;
  /** Why the newest policy could not be had; empty if it could. */
  readonly trouble: string;
  /** Fetches that failed since one did not. */
  readonly failures: number;
  /** Not looked at again before this. */
  readonly nextLookMs: number;
}

/** Most domains, and most octets of their policies. */
export interface Limits {
  readonly domains: number;
  readonly octets: number;
}

/** Domains without a policy that are remembered. */
const MOST_WITHOUT = 5_000;

/** Beside a policy's own texts: the entry, the domain. */
const OCTETS_EACH = 500;

/** The memory. */
export class Known {
  readonly #limits: Limits;
  /** A domain with a policy went, to make room. */
  readonly #onDropped: (domain: string) => void;
  // In order of use: the first is the one used longest ago.
  readonly #domains = new Map<string, Knowledge>();
  readonly #without = new Map<string, Knowledge>();
  #octets = 0;

  constructor(limits: Limits, onDropped: (domain: string) => void) {
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#domains.size + this.#without.size;
  }

  /** Of policies and what belongs to them. */
  get octets(): number {
    return this.#octets;
  }

  /** What is known of a domain; that counts as a use. */
  get(domain: string): Knowledge | undefined {
    for (const all of [this.#domains, this.#without]) {
      const found = all.get(domain);
      if (found === undefined) continue;
      all.delete(domain);
      all.set(domain, found);
      return found;
    }
    return undefined;
  }

  /** Remembers something, in place of what was known. */
  set(domain: string, knowledge: Knowledge): void {
    this.#forget(domain);
    if (knowledge.kept === undefined) {
      this.#without.set(domain, knowledge);
      if (this.#without.size > MOST_WITHOUT) {
        this.#without.delete(this.#without.keys().next().value!);
      }
      return;
    }
    this.#domains.set(domain, knowledge);
    this.#octets += octetsOf(knowledge);
    const { domains, octets } = this.#limits;
    while (
      this.#domains.size > 1 &&
      (this.#domains.size > domains || this.#octets > octets)
    ) {
      const oldest = this.#domains.keys().next().value!;
      this.#forget(oldest);
      this.#onDropped(oldest);
    }
  }

  #forget(domain: string): void {
    this.#without.delete(domain);
    const found = this.#domains.get(domain);
    if (found === undefined) return;
    this.#octets -= octetsOf(found);
    this.#domains.delete(domain);
  }
}

function octetsOf({ kept, trouble }: Knowledge): number {
  let octets = OCTETS_EACH + trouble.length;
  if (kept === undefined) return octets;
  const { mx, lines } = kept.policy;
  for (const text of [...mx, ...lines]) octets += text.length + 32;
  return octets;
}
