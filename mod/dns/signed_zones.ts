/**
 * The walk from the anchors down to the zone of a name, and what was learned
 * on the way: RFC 4035 §5.2.
 *
 * At each label below a signed zone the zone is asked for DS. What it answers
 * must be signed by it: DS of the keys of a zone that begins there, or a proof
 * that there is none. So no name server can hide a zone's signatures from us,
 * or invent that a zone has none.
 */
import type { Anchor } from "./anchors.ts";
import { Budget } from "./budget.ts";
import { denialText, provenCut, readDenials } from "./denial.ts";
import type { ValidatorOptions } from "./judgement.ts";
import {
  isDigestOf,
  isKnownAlgorithm,
  isKnownDigest,
  isRsa,
  type Key,
  readKey,
} from "./keys.ts";
import { isWithin, labelCount, labelsOf } from "./labels.ts";
import { Lru } from "./lru.ts";
import type { Message, Name } from "./message.ts";
import { TYPE } from "./message.ts";
import { type Ds, readDs } from "./rdata.ts";
import { pickRrset, type Rrset, verifyRrset, zoneText } from "./rrsig.ts";

/** For people whose name servers know nothing of DNSSEC at all. */
const NO_ROOT = "the name servers give no keys of the root: do they strip " +
  "DNSSEC? See dns.resolve and dns.validate";

/** What is known of a zone, or of a name on the way. */
export type ZoneState = SignedZone | OtherZone;

/** A zone with keys that are good. */
export interface SignedZone {
  readonly kind: "secure";
  readonly zone: Name;
  readonly keys: readonly Key[];
  readonly proof: readonly string[];
  readonly untilS: number;
}

/** A zone, or where the walk ended. */
export interface OtherZone {
  readonly kind: "insecure" | "bogus" | "indeterminate";
  readonly why: string;
  readonly proof: readonly string[];
  readonly untilS: number;
}

/** No zone begins at the name. */
interface Inside {
  readonly kind: "inside";
  readonly untilS: number;
}

/**
 * Octets of zones and names that are remembered, estimated: some 4,000 honest
 * ones, and no more of those whose owners have a hundred keys each.
 */
const MAX_KNOWN = 16_777_216;
/** What an entry takes, and a key beside its octets, roughly. */
const ENTRY = 1_000;
const KEY = 1_500;
/** Whatever TTLs say: keys that were taken back are not believed for longer. */
const MAX_KEPT_S = 21_600;
/** What is broken is looked at again soon: somebody may be mending it. */
const BROKEN_KEPT_S = 30;
/** Labels below the anchor that are walked; names of mail have under ten. */
const MAX_STEPS = 20;
/** Keys of one tag whose digest is compared with one DS. */
const MAX_DIGESTS = 8;

/** A digest type. */
const SHA1 = 1;

/** Finds zones, and remembers them. */
export class SignedZones {
  readonly #options: ValidatorOptions;
  readonly #known: Lru<ZoneState | Inside>;
  readonly #underWay = new Map<Name, Promise<ZoneState | Inside>>();

  constructor(options: ValidatorOptions) {
    this.#options = options;
    this.#known = new Lru(options.keptOctets ?? MAX_KNOWN);
  }

  /** The zone that signs for a name, or why there is none. Never rejects. */
  async zoneOf(name: Name): Promise<ZoneState> {
    const { anchors } = this.#options;
    const above = anchors.filter(({ zone }) => isWithin(name, zone))
      .map(({ zone }) => zone);
    if (above.length === 0) {
      return {
        kind: "indeterminate",
        why: `no trust anchor is above ${zoneText(name)}`,
        proof: [],
        untilS: 0,
      };
    }
    // The nearest anchor is the one that the configuration meant.
    const top = above.reduce((a, b) => b.length > a.length ? b : a);
    const known = await this.#remembered(top, () => this.#atAnchor(top));
    let state = known as ZoneState;
    const labels = labelsOf(name);
    const start = labels.length - labelCount(top) - 1;
    for (let i = start; i >= 0 && state.kind === "secure"; i--) {
      if (start - i >= MAX_STEPS) return tooDeep(name, state);
      const child = labels.slice(i).join(".");
      const parent: SignedZone = state;
      const step = await this.#remembered(
        child,
        () => this.#below(parent, child),
      );
      if (step.kind !== "inside") state = step;
    }
    return state;
  }

  async #remembered(
    name: Name,
    find: () => Promise<ZoneState | Inside>,
  ): Promise<ZoneState | Inside> {
    const known = this.#known.get(name);
    if (known !== undefined && known.untilS > this.#options.nowS()) {
      return known;
    }
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return await underWay;
    const finding = find();
    this.#underWay.set(name, finding);
    try {
      const found = await finding;
      this.#remember(name, found);
      return found;
    } finally {
      this.#underWay.delete(name);
    }
  }

  #remember(name: Name, found: ZoneState | Inside): void {
    this.#known.delete(name);
    // What nobody answered is asked again at once.
    if (found.kind === "indeterminate") return;
    const latestS = this.#options.nowS() + MAX_KEPT_S;
    const untilS = Math.min(found.untilS, latestS);
    this.#known.set(name, { ...found, untilS }, weightOf(found));
  }

  #atAnchor(zone: Name): Promise<ZoneState> {
    const anchors = this.#options.anchors.filter((one: Anchor) =>
      one.zone === zone
    );
    return this.#keysOf(zone, {
      ds: anchors.map(({ ds }) => ds),
      untilS: this.#options.nowS() + MAX_KEPT_S,
      proof: [],
      isAnchor: true,
    });
  }

  /** What begins at `child`, the first name below `parent` not yet known. */
  async #below(parent: SignedZone, child: Name): Promise<ZoneState | Inside> {
    const message = await this.#options.fetch({ name: child, type: TYPE.DS });
    const what = `${zoneText(child)} DS`;
    if (message === undefined) {
      return this.#broken("indeterminate", `no answer for ${what}`, parent);
    }
    const nowS = this.#options.nowS();
    const checks = { by: parent, nowS, budget: new Budget() };
    const rrset = pickRrset(message.answer, { name: child, type: TYPE.DS });
    if (rrset === undefined) {
      return this.#withoutDs(parent, { child, message, checks });
    }
    const verified = verifyRrset(rrset, checks);
    if (!verified.ok) return this.#broken("bogus", verified.why, parent);
    if (verified.encloser !== undefined) {
      return this.#broken("bogus", `${what} comes from a wildcard`, parent);
    }
    const ds = dsOf(rrset);
    return await this.#keysOf(child, {
      ds,
      untilS: verified.untilS,
      proof: [
        ...parent.proof,
        `${what} ${ds.map(({ tag }) => tag).join(", ")} signed by ` +
        `${zoneText(parent.zone)} key ${verified.key.tag}`,
      ],
      isAnchor: false,
    });
  }

  #withoutDs(parent: SignedZone, { child, message, checks }: {
    child: Name;
    message: Message;
    checks: { by: SignedZone; nowS: number; budget: Budget };
  }): ZoneState | Inside {
    const alias = pickRrset(message.answer, { name: child, type: TYPE.CNAME });
    if (alias !== undefined) {
      // A wildcard's need not be proven to be the closest: that no zone begins
      // here only means that the parent must sign what is here.
      const verified = verifyRrset(alias, checks);
      if (verified.ok) return { kind: "inside", untilS: verified.untilS };
      // An alias made from a DNAME is not signed, but what made it is.
      if (alias.signatures.length > 0) {
        return this.#broken("bogus", verified.why, parent);
      }
    }
    for (const { name, type } of message.answer) {
      if (type !== TYPE.DNAME || !isWithin(child, name)) continue;
      const verified = verifyRrset(
        pickRrset(message.answer, { name, type })!,
        checks,
      );
      if (verified.ok) return { kind: "inside", untilS: verified.untilS };
    }
    const read = readDenials(message, checks);
    if (!read.ok) return this.#broken("bogus", read.why, parent);
    const { denials } = read;
    switch (provenCut(denials, child)) {
      case "inside":
        return { kind: "inside", untilS: denials.untilS };
      case "unsigned":
        return {
          kind: "insecure",
          why: `${zoneText(child)} has no DS in ${zoneText(parent.zone)}`,
          proof: [
            ...parent.proof,
            `${zoneText(child)} DS proven absent by ${denialText(denials)}`,
          ],
          untilS: denials.untilS,
        };
      case "unproven":
        return this.#broken(
          "bogus",
          `nothing proves that ${zoneText(child)} has no DS`,
          parent,
        );
    }
  }

  async #keysOf(
    zone: Name,
    { ds, untilS, proof, isAnchor }: {
      ds: readonly Ds[];
      untilS: number;
      proof: readonly string[];
      isAnchor: boolean;
    },
  ): Promise<ZoneState> {
    const what = `${zoneText(zone)} DNSKEY`;
    const useful = usefulOf(ds);
    if (useful.length === 0) {
      return unknownAlgorithms(zone, { untilS, proof });
    }
    const question = { name: zone, type: TYPE.DNSKEY };
    const message = await this.#options.fetch(question);
    if (message === undefined) {
      return this.#broken("indeterminate", `no answer for ${what}`, { proof });
    }
    const rrset = pickRrset(message.answer, question);
    if (rrset === undefined) {
      return this.#broken(
        "bogus",
        zone === "" ? NO_ROOT : `${zoneText(zone)} has a DS but no DNSKEY`,
        { proof },
      );
    }
    const keys = rrset.records.flatMap((record) => readKey(record) ?? []);
    const matching = keysOfDs(useful, { zone, keys });
    const trusted = matching.filter(({ object }) => object !== undefined);
    if (trusted.length === 0) {
      // Only if that is so of every DS: a key that could be used must not be
      // kept from us to make the zone seem unsigned.
      const areAllOdd = useful.every((one) =>
        matching.some((key) => isRsa(key) && isDigestOf(one, { zone, key }))
      );
      return areAllOdd
        ? unknownAlgorithms(zone, { untilS, proof })
        : this.#broken("bogus", `no ${what} matches its DS`, { proof });
    }
    const nowS = this.#options.nowS();
    const verified = verifyRrset(rrset, {
      by: { zone, keys: trusted },
      nowS,
      budget: new Budget(),
    });
    if (!verified.ok) return this.#broken("bogus", verified.why, { proof });
    const { tag } = verified.key;
    return {
      kind: "secure",
      zone,
      keys: keys.filter(({ object }) => object !== undefined),
      proof: [
        ...proof,
        isAnchor
          ? `${what} ${tag} is a trust anchor`
          : `${what} ${tag} matches its DS and signs the zone's keys`,
      ],
      untilS: Math.min(untilS, verified.untilS),
    };
  }

  #broken(
    kind: "bogus" | "indeterminate",
    why: string,
    { proof }: { proof: readonly string[] },
  ): OtherZone {
    return {
      kind,
      why,
      proof,
      untilS: this.#options.nowS() + BROKEN_KEPT_S,
    };
  }
}

function weightOf(found: ZoneState | Inside): number {
  if (found.kind === "inside") return ENTRY;
  let octets = ENTRY;
  for (const line of found.proof) octets += line.length;
  if (found.kind === "secure") {
    for (const { data } of found.keys) octets += KEY + data.length;
  }
  return octets;
}

function tooDeep(name: Name, { proof, untilS }: SignedZone): OtherZone {
  return {
    kind: "indeterminate",
    why: `${zoneText(name)} has too many labels`,
    proof,
    untilS,
  };
}

function unknownAlgorithms(
  zone: Name,
  { untilS, proof }: { untilS: number; proof: readonly string[] },
): OtherZone {
  return {
    kind: "insecure",
    why: `${zoneText(zone)} is signed in ways that are not known here`,
    proof,
    untilS,
  };
}

function dsOf({ records }: Rrset): Ds[] {
  return records.flatMap(({ data }) => readDs(data) ?? []);
}

/**
 * The DS that count: of known algorithms, and with SHA-1 only if there is
 * nothing better (RFC 4509 §3).
 */
function usefulOf(ds: readonly Ds[]): Ds[] {
  const known = ds.filter(({ algorithm, digestType }) =>
    isKnownAlgorithm(algorithm) && isKnownDigest(digestType)
  );
  const better = known.filter(({ digestType }) => digestType !== SHA1);
  return better.length > 0 ? better : known;
}

function keysOfDs(
  ds: readonly Ds[],
  { zone, keys }: { zone: Name; keys: readonly Key[] },
): Key[] {
  let digests = 0;
  return keys.filter((key) =>
    ds.some((one) =>
      one.tag === key.tag && ++digests <= MAX_DIGESTS &&
      isDigestOf(one, { zone, key })
    )
  );
}
