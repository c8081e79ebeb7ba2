/**
 * A DNS message as values, RFC 1035 §4. `codec.ts` turns octets into these
 * and back; everything else in this folder works on them.
 */

/** Types that mean something here; the others are numbers like these. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  CDS: 59,
} as const;

/** Response codes, RFC 1035 §4.1.1. */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;

/**
 * A name in lower case, absolute, without the last dot; the root is "". Octets
 * that are no letter, digit, hyphen, underscore, asterisk or slash stand as
 * `\DDD` (RFC 1035 §5.1), so that every name has one spelling and a label is
 * what lies between two dots.
 */
export type Name = string;

/** What is asked. */
export interface Question {
  readonly name: Name;
  readonly type: number;
}

/** One record of class IN. */
export interface ResourceRecord {
  readonly name: Name;
  readonly type: number;
  /** Seconds, bounded by the codec to 31 bits. */
  readonly ttl: number;
  /**
   * The data with all names in it uncompressed and, for the types of RFC 4034
   * §6.2 (3), in lower case: the canonical form that signatures are over.
   */
  readonly data: Uint8Array;
}

/** A response, or what a test serves. */
export interface Message {
  readonly id: number;
  readonly isResponse: boolean;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  /** RFC 4035 §3.2.3: believed of nobody whom the configuration does not name. */
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
  readonly rcode: number;
  readonly question: Question | undefined;
  readonly answer: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  /** Without OPT, of which only the next two are kept. */
  readonly additional: readonly ResourceRecord[];
  /** EDNS (RFC 6891): undefined without an OPT record. */
  readonly edns:
    | { readonly size: number; readonly dnssecOk: boolean }
    | undefined;
}

/**
 * Asks one question of whatever there is: the cache, forwarders, or servers
 * found from the root. The validator's only way to the outside.
 *
 * Rejects never; `undefined` is: no usable answer (time, SERVFAIL, REFUSED,
 * lies). A CNAME on the way is left for the asker to follow, but answers of
 * forwarders hold the whole chain already.
 */
export type Fetch = (question: Question) => Promise<Message | undefined>;
