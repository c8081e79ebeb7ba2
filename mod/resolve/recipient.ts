/**
 * Resolves one recipient to everything that its mail goes to.
 *
 * Work is bounded by steps, depth and the size of the answer, whatever the
 * aliases say, and no alias is expanded twice for one recipient.
 */
import { address as addressShape } from "../core/shapes.ts";
import type { AskedOf, Verdict } from "../ipc/call.ts";
import { domainOf, isRouted, type Looked, lookedUp } from "./local_part.ts";
import type { resolveContract, Target } from "./resolve_ipc.ts";
import { isRelayDomain, nextHopFor } from "./routes.ts";
import { isHostPostmaster, lookUp, type Tables } from "./tables.ts";

type RecipientCall = typeof resolveContract.calls.recipient;
type RelayCall = typeof resolveContract.calls.relay;

/** Aliases that may lead to one another in a row. */
export const MAX_DEPTH = 50;

/** Addresses looked at for one recipient. */
const MAX_STEPS = 10_000;

/** A frame holds 262,144 octets of answer; the rest is for what surrounds it. */
const MAX_ANSWER_OCTETS = 240_000;

/** Resolves a stranger's recipient; see `resolve_ipc.ts` for the refusals. */
export function resolveRecipient(
  tables: Tables,
  { address }: AskedOf<RecipientCall>,
): Verdict<RecipientCall> {
  const domain = domainOf(address);
  return localVerdict(tables, address) ??
    (isRelayDomain(tables, domain) && !isRouted(address)
      ? remoteVerdict(tables, address)
      : { refusal: "relay-denied" });
}

/** Resolves a recipient of a message that may go anywhere. */
export function resolveRelay(
  tables: Tables,
  { address }: AskedOf<RelayCall>,
): Verdict<RelayCall> {
  return localVerdict(tables, address) ?? remoteVerdict(tables, address);
}

/** The verdict on an address that is answered for here, undefined if not. */
function localVerdict(
  tables: Tables,
  address: string,
): Verdict<RelayCall> | undefined {
  if (tables.localDomains.has(domainOf(address))) {
    return expand(tables, address);
  }
  const looked = lookedUp(address);
  const [home] = tables.localDomains;
  return looked !== undefined && home !== undefined &&
      isHostPostmaster(tables, looked)
    ? expand(tables, `${looked.localPart}@${home}`)
    : undefined;
}

function remoteVerdict(tables: Tables, address: string): Verdict<RelayCall> {
  const target = remote(tables, address);
  // No mail can exist for a name that is no domain.
  return target === undefined
    ? { refusal: "unknown-recipient" }
    : { answer: { targets: [target] } };
}

/** The aliases that an address came from, nearest first. */
interface Origin {
  readonly key: string;
  readonly depth: number;
  readonly from: Origin | undefined;
}

function expand(tables: Tables, address: string): Verdict<RelayCall> {
  const expansion = new Expansion(tables);
  const work: { address: string; from: Origin | undefined }[] = [
    { address, from: undefined },
  ];
  for (const one of work) { // and what is pushed meanwhile
    for (const next of expansion.step(one.address, one.from)) work.push(next);
    if (expansion.overflowed || work.length > MAX_STEPS) {
      return { refusal: "alias-loop" };
    }
  }
  return expansion.verdict();
}

/** The state of one recipient's expansion. */
class Expansion {
  /** True if the answer would grow, or the aliases lead, too far. */
  overflowed = false;
  readonly #tables: Tables;
  /** By what makes two targets the same. */
  readonly #targets = new Map<string, Target>();
  readonly #expanded = new Set<string>();
  #octets = 0;
  #looped = false;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Takes one address: notes where it leads, or returns what it stands for. */
  step(
    address: string,
    from: Origin | undefined,
  ): { address: string; from: Origin }[] {
    // An alias's target in a long domain may come out too long.
    if (!addressShape.safeParse(address).success) return [];
    if (!this.#tables.localDomains.has(domainOf(address))) {
      const target = remote(this.#tables, address);
      if (target !== undefined) this.#add(address, target);
      return [];
    }
    const looked = lookedUp(address);
    return looked === undefined ? [] : this.#local(address, looked, from);
  }

  verdict(): Verdict<RelayCall> {
    if (this.#targets.size > 0) {
      return { answer: { targets: [...this.#targets.values()] } };
    }
    return { refusal: this.#looped ? "alias-loop" : "unknown-recipient" };
  }

  #local(address: string, looked: Looked, from: Origin | undefined) {
    const entry = lookUp(this.#tables, looked, (key) => passed(from, key));
    switch (entry.kind) {
      case "unknown":
        this.#looped ||= entry.looped;
        return [];
      case "mailbox": {
        const { user, domain } = entry.mailbox;
        const { mailbox } = entry;
        this.#add(`${user}@${domain}`, { kind: "mailbox", mailbox, address });
        return [];
      }
      case "alias": {
        // Once more by another way: its targets are on their way already.
        // The domain counts: a bare target means another one in each.
        const done = `${entry.key} ${looked.domain}`;
        if (this.#expanded.has(done)) return [];
        this.#expanded.add(done);
        const depth = (from?.depth ?? 0) + 1;
        if (depth > MAX_DEPTH) this.overflowed = true;
        const origin = { key: entry.key, depth, from };
        return entry.targets.map((target) => ({
          address: target.includes("@") ? target : `${target}@${looked.domain}`,
          from: origin,
        }));
      }
    }
  }

  #add(key: string, target: Target): void {
    // One mailbox gets one copy, however many names of it an alias lists.
    const same = `${target.kind} ${key}`;
    if (this.#targets.has(same)) return;
    this.#targets.set(same, target);
    this.#octets += encoder.encode(JSON.stringify(target)).length + 1;
    this.overflowed ||= this.#targets.size > this.#tables.maxTargets ||
      this.#octets > MAX_ANSWER_OCTETS;
  }
}

const encoder = new TextEncoder();

function passed(from: Origin | undefined, key: string): boolean {
  for (let one = from; one !== undefined; one = one.from) {
    if (one.key === key) return true;
  }
  return false;
}

/** The local part stays as written: only its own host may read it. */
function remote(tables: Tables, address: string): Target | undefined {
  const domain = domainOf(address);
  const nextHop = nextHopFor(tables, domain);
  if (nextHop === undefined) return undefined;
  const localPart = address.slice(0, address.lastIndexOf("@"));
  return { kind: "remote", address: `${localPart}@${domain}`, nextHop };
}
