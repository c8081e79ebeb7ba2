/**
 * How much work one judgement may cost. Zones can be made so that a validator
 * that tries everything is busy for hours: many keys of one tag times many
 * signatures (CVE-2023-50387), many hashes of many rounds (CVE-2023-50868).
 */

/** Signatures to verify for one judgement; an honest one needs a dozen at most. */
const SIGNATURES = 16;
/** Names to hash for NSEC3; one a label of the asked name, and some. */
const HASHES = 48;

/** What is left of it. */
export class Budget {
  #signatures = SIGNATURES;
  #hashes = HASHES;

  /** True if one more signature may be verified. */
  takeSignature(): boolean {
    return this.#signatures-- > 0;
  }

  /** True if one more name may be hashed. */
  takeHash(): boolean {
    return this.#hashes-- > 0;
  }
}
