/**
 * What the validator is asked and what it says. `validate.ts` has the walk,
 * `follow.ts` goes along aliases with it.
 */
import type { Security } from "./dns_ipc.ts";
import type {
  Fetch,
  Message,
  Name,
  Question,
  ResourceRecord,
} from "./message.ts";
import type { Anchor } from "./anchors.ts";

/** Judges answers, and remembers zones' keys for the next ones. */
export interface Validator {
  /**
   * Judges one step: the records of the asked type at the asked name, or the
   * alias (CNAME, also one made from a DNAME) at that name, or the proof that
   * there are neither. Further aliases in the same message are not looked at:
   * ask again with the alias's target.
   *
   * Asks for what is missing (DS and DNSKEY of the zones on the way) by `fetch`.
   * Never rejects.
   */
  judge(question: Question, message: Message): Promise<Judgement>;
}

/** What a validator rests on. */
export interface ValidatorOptions {
  /** See `anchors.ts`. Above whom there is none, all is indeterminate. */
  readonly anchors: readonly Anchor[];
  /** Must ask with DO and CD, and, of servers, DS of the parent's. */
  readonly fetch: Fetch;
  /** Unix seconds. */
  readonly nowS: () => number;
  /** Octets that zones and their keys may take, estimated; 16 MiB unless said. */
  readonly keptOctets?: number;
}

/** What was found; `security` says what it is worth. */
export interface Judgement {
  readonly security: Security;
  /** `nothing` if, and only if, `security` is bogus or indeterminate. */
  readonly finding: Finding;
  /** One plain sentence without a full stop; empty if all is secure. */
  readonly why: string;
  /** The chain from the anchor downwards, a step a line; at most 60. */
  readonly proof: readonly string[];
  /**
   * Unix seconds until which this may be kept: TTLs, original TTLs and ends of
   * signatures are in it (RFC 4035 §5.3.3). Undefined: do not keep it.
   */
  readonly untilS?: number | undefined;
}

/** What there is at the asked name. */
export type Finding =
  /** Of the asked type; TTLs are cut to what the signatures allow. */
  | { readonly kind: "records"; readonly records: readonly ResourceRecord[] }
  | { readonly kind: "alias"; readonly target: Name }
  /** The name exists, or stands above one that does; the type does not. */
  | { readonly kind: "no-data" }
  | { readonly kind: "no-such-name" }
  | { readonly kind: "nothing" };
