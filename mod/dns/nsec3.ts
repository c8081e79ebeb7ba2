/**
 * NSEC3: hashed names, RFC 5155. All records here are verified already, and of
 * one zone; only those of one set of parameters are looked at together.
 */
import { createHash } from "node:crypto";
import { readTypes } from "./bitmaps.ts";
import type { Budget } from "./budget.ts";
import { isWithin, labelsOf, nameOctets, parentOf } from "./labels.ts";
import type { Name, ResourceRecord } from "./message.ts";
import { TYPE } from "./message.ts";
import { isCut, nextCloser } from "./nsec.ts";

/**
 * Rounds above which a zone's denials are insecure: RFC 9276 §3.2 lets a
 * validator choose, and this is where others have it.
 */
export const MAX_ITERATIONS = 150;

const SHA1 = 1;
const OPT_OUT = 1;
const HASH_OCTETS = 20;
/** Base32 with extended hex alphabet, RFC 4648 §7: keeps the order of octets. */
const DIGITS = "0123456789abcdefghijklmnopqrstuv";

/** An NSEC3 record. */
export interface Nsec3 {
  readonly zone: Name;
  /** Hashes as they stand in owner names, so that comparing text is enough. */
  readonly hash: string;
  readonly next: string;
  readonly isOptOut: boolean;
  readonly iterations: number;
  /** Hex. */
  readonly salt: string;
  readonly types: ReadonlySet<number>;
}

/**
 * Reads a record of a zone.
 *
 * @returns undefined if it is malformed or of an unknown kind, and so to be
 * ignored (RFC 5155 §8.1, §8.2)
 */
export function readNsec3(
  { name, data }: ResourceRecord,
  zone: Name,
): Nsec3 | undefined {
  if (parentOf(name) !== zone) return undefined;
  const hash = labelsOf(name)[0]!;
  if (hash.length !== 32 || !isBase32(hash)) return undefined;
  const [algorithm, flags] = data;
  if (algorithm !== SHA1 || (flags! & ~OPT_OUT) !== 0) return undefined;
  const saltEnd = 5 + data[4]!;
  const nextEnd = saltEnd + 1 + HASH_OCTETS;
  if (data[saltEnd] !== HASH_OCTETS || nextEnd > data.length) return undefined;
  const types = readTypes(data, nextEnd);
  return types && {
    zone,
    hash,
    next: base32(data.subarray(saltEnd + 1, nextEnd)),
    isOptOut: flags === OPT_OUT,
    iterations: (data[2]! << 8) | data[3]!,
    salt: data.subarray(5, saltEnd).toHex(),
    types,
  };
}

function isBase32(text: string): boolean {
  for (const char of text) if (!DIGITS.includes(char)) return false;
  return true;
}

function base32(octets: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const octet of octets) {
    held = (held << 8) | octet;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += DIGITS[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return text;
}

/** Records of one zone and one set of parameters, asked about names. */
export class HashedNames {
  readonly #records: readonly Nsec3[];
  readonly #zone: Name;
  readonly #budget: Budget;
  readonly #hashes = new Map<Name, string>();

  /** All of `records` have the parameters of the first; there is one. */
  constructor(records: readonly Nsec3[], budget: Budget) {
    this.#records = records;
    this.#zone = records[0]!.zone;
    this.#budget = budget;
  }

  /** The record that says which types a name has. */
  matching(name: Name): Nsec3 | undefined {
    const hash = this.#hash(name);
    return this.#records.find((record) => record.hash === hash);
  }

  /** The record that says that a name's hash is not there. */
  covering(name: Name): Nsec3 | undefined {
    const hash = this.#hash(name);
    if (hash === undefined) return undefined;
    return this.#records.find((record) => spans(record, hash));
  }

  /**
   * The longest ancestor that is proven to exist, and the record that covers
   * the next longer name (RFC 5155 §8.3).
   *
   * @returns undefined if there is no such proof, or if the ancestor's names
   * are another zone's or elsewhere
   */
  closestEncloser(
    name: Name,
  ): { encloser: Name; closer: Name; cover: Nsec3 } | undefined {
    let encloser = parentOf(name);
    while (encloser !== undefined && isWithin(encloser, this.#zone)) {
      const match = this.matching(encloser);
      if (match !== undefined) {
        if (isCut(match.types) || match.types.has(TYPE.DNAME)) return undefined;
        const closer = nextCloser(name, encloser);
        const cover = this.covering(closer);
        return cover && { encloser, closer, cover };
      }
      encloser = parentOf(encloser);
    }
    return undefined;
  }

  /** Undefined if the budget is spent. */
  #hash(name: Name): string | undefined {
    const known = this.#hashes.get(name);
    if (known !== undefined) return known;
    if (!this.#budget.takeHash()) return undefined;
    const { salt, iterations } = this.#records[0]!;
    const hash = base32(hashName(name, { salt, iterations }));
    this.#hashes.set(name, hash);
    return hash;
  }
}

/** RFC 5155 §5. */
function hashName(
  name: Name,
  { salt, iterations }: { salt: string; iterations: number },
): Uint8Array {
  const grains = Uint8Array.fromHex(salt);
  let octets: Uint8Array = nameOctets(name);
  for (let round = 0; round <= iterations; round++) {
    octets = createHash("sha1").update(octets).update(grains).digest();
  }
  return octets;
}

function spans({ hash: owner, next }: Nsec3, hash: string): boolean {
  // The last record of a zone leads back to the first.
  return owner < next
    ? owner < hash && hash < next
    : hash !== owner && (owner < hash || hash < next);
}
