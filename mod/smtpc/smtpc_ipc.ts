/** What the SMTP client answers: hand a message to its next hop. */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import {
  address,
  bodyType,
  contentKey,
  contentRef,
  domain,
  messageWishes,
  nextHop,
  queueId,
  recipientWishes,
  reversePath,
} from "../core/shapes.ts";
import { outcome } from "../core/outcome.ts";
import { PROFILES } from "../dane/profile.ts";
import { SECURITY } from "../dns/dns_ipc.ts";

const security = z.enum(["", ...SECURITY]);

/**
 * One host that was tried, or was not and why: what the event store keeps, so
 * that "how did it go out, and was it safe?" has an answer.
 */
export const attemptedHost = object({
  host: text({ max: 255 }),
  /** Empty if no connection was tried. */
  address: text({ max: 64 }),
  port: int({ min: 0, max: 65_535 }),
  /** The profile that the destination has. */
  profile: z.enum(PROFILES),
  /** What that came to for this host, such as `dane: 2 usable TLSA records`. */
  demand: text({ max: 200 }),
  /** What was reached. */
  reached: z.enum(["", "clear", "encrypted", "verified", "dane"]),
  /** Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS. */
  tls: text({ max: 100 }),
  /** What matched, or what did not: `TLSA 3 1 1 2fb4...`, a name, an authority. */
  certificate: text({ max: 300 }),
  /** What DNSSEC said; empty if it was not asked. */
  dns: object({ mx: security, address: security, tlsa: security }),
  /** The MTA-STS policy that counted, such as `enforce 20261121`; or empty. */
  mtaSts: text({ max: 64 }),
  /** What came of it: the reply that ended it, or the trouble. */
  result: text({ max: 300 }),
  tookMs: int({ min: 0, max: 2 ** 40 }),
});

/** See {@link attemptedHost}. */
export type AttemptedHost = z.infer<typeof attemptedHost>;

/** Names of failures by RFC 8460 §4.3; `` is success. */
export const TLS_RESULTS = [
  "",
  "starttls-not-supported",
  "certificate-host-mismatch",
  "certificate-expired",
  "certificate-not-trusted",
  "validation-failure",
  "tlsa-invalid",
  "dnssec-invalid",
  "dane-required",
  "sts-policy-fetch-error",
  "sts-policy-invalid",
  "sts-webpki-invalid",
] as const;

/** One TLS session by a policy of the recipients' domain, for TLSRPT. */
export const tlsResult = object({
  policy: z.enum(["tlsa", "sts", "no-policy-found"]),
  /** RFC 8460 §4.4: the TLSA records, or the lines of the policy. */
  policyLines: list(text({ max: 300 }), { max: 20 }),
  /** The domain whose policy it is. */
  domain,
  mxHost: text({ max: 255 }),
  result: z.enum(TLS_RESULTS),
  ourAddress: text({ max: 64 }),
  theirAddress: text({ max: 64 }),
});

/** See {@link tlsResult}. */
export type TlsResult = z.infer<typeof tlsResult>;

/** One address of a host, as it was found: for people. */
export const explainedHost = object({
  attempt: attemptedHost,
  /** A message would go there, as safely as the profile wants. */
  wouldDo: z.boolean(),
  /** Names (`_25._tcp.host`) at which TLSA records were asked for. */
  tlsaNames: list(text({ max: 255 }), { max: 2 }),
  /** Of the policy that counts, as it was published; cut. */
  policyLines: list(text({ max: 300 }), { max: 20 }),
  /** What it showed, the host's own certificate first. */
  certificates: list(text({ max: 400 }), { max: 10 }),
  /** What was said. */
  transcript: list(text({ max: 200 }), { max: 30 }),
});

/** See {@link explainedHost}. */
export type ExplainedHost = z.infer<typeof explainedHost>;

/** The SMTP client's calls. */
export const smtpcContract = contract("smtpc", {
  /**
   * Sends one message, in one transaction a host, to one next hop.
   *
   * Asked again after an unknown end, with `isRepeat`, it answers `delivered`
   * for what this process has delivered itself. If it died too, the next hop
   * gets a second copy; nothing is ever lost.
   */
  deliver: call({
    from: ["queue"],
    withinMs: 3_600_000,
    ask: object({
      queueId,
      ref: contentRef,
      key: contentKey,
      reversePath,
      recipients: list(address, { min: 1, max: 100 }),
      bodyType,
      wishes: messageWishes,
      /** One a recipient, in their order; empty if none of them has any. */
      recipientWishes: list(recipientWishes, { max: 100 }),
      nextHop,
      /** It may be delivered already, and the queue that asked has died. */
      isRepeat: z.boolean(),
      /**
       * A TLS report of ours: goes out whatever is wrong with the TLS that its
       * domain publishes (RFC 8460 §3).
       */
      isTlsReport: z.boolean().default(false),
    }),
    answer: object({
      /** One outcome a recipient, in their order. */
      outcomes: list(outcome, { min: 1, max: 100 }),
      /** The session for the event store: what was said, without content. */
      attempt: object({
        host: text({ max: 255 }),
        address: text({ max: 64 }),
        /** Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS. */
        tls: text({ max: 100 }),
        tookMs: int({ min: 0, max: 2 ** 40 }),
        /** A host went as far as a transaction: it can be reached. */
        isServed: z.boolean(),
        /** Lines `C: ...` and `S: ...`, cut. */
        transcript: list(text({ max: 200 }), { max: 60 }),
        /** In the order in which they were tried. */
        hosts: list(attemptedHost, { max: 20 }),
        /** Empty for configured next hops. */
        tlsResults: list(tlsResult, { max: 20 }),
      }),
    }),
    /** `damaged`: the record is torn or altered; nothing was sent. */
    refuses: ["damaged"],
  }),
  /**
   * Asks one next hop whether it takes mail for an address, and sends none:
   * `delivered` is a yes, `permanent` a no of the next hop's own, or of the
   * DNS about the domain. Everything else is `temporary`.
   */
  probe: call({
    from: ["gate"],
    withinMs: 120_000,
    ask: object({ recipient: address, nextHop }),
    answer: object({ outcome }),
    refuses: [],
    repeatable: true,
  }),
  /**
   * How mail to a next hop would go, for people: looks everything up, connects
   * to each host, shakes hands and says goodbye. Nothing of any mail is said.
   */
  explain: call({
    from: ["console"],
    withinMs: 180_000,
    ask: object({ nextHop }),
    answer: object({
      profile: z.enum(PROFILES),
      /** Key of `[destinations]` that says so; empty for outbound.tls. */
      entry: text({ max: 300 }),
      /** Why there is nowhere to go; null if there is somewhere. */
      nowhere: outcome.nullable(),
      /** In the order in which they would be tried; the first ones. */
      hosts: list(explainedHost, { max: 10 }),
    }),
    refuses: [],
    repeatable: true,
  }),
});

/** The facts of one session, as the event store keeps them. */
export type Attempt = z.infer<
  typeof smtpcContract.calls.deliver.answer
>["attempt"];
