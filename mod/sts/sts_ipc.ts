/** What the MTA-STS role answers: which policy has a domain published? */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import { domain } from "../core/shapes.ts";

/** A policy that was fetched and is still good, RFC 8461 §3.2. */
export const stsPolicy = object({
  mode: z.enum(["enforce", "testing", "none"]),
  /** Of the TXT record, §3.1. */
  id: text({ max: 32 }),
  /** Host names and `*.` patterns, lower case, A-labels. */
  mx: list(text({ max: 255 }), { max: 100 }),
  /** Its first lines as they were published, for TLSRPT (RFC 8460 §4.4). */
  lines: list(text({ max: 300 }), { max: 20 }),
  /** Good until then, milliseconds since the epoch. */
  untilMs: int({ min: 0, max: 2 ** 50 }),
});

/** See {@link stsPolicy}. */
export type StsPolicy = z.infer<typeof stsPolicy>;

/**
 * Why a policy cannot be had, in the words of RFC 8460 §4.3.2.2 for TLSRPT.
 *
 * - `sts-policy-fetch-error`: no answer, or not the right one
 * - `sts-policy-invalid`: what came is no policy
 * - `sts-webpki-invalid`: the server's certificate is not to be believed
 */
export const STS_FAILURES = [
  "sts-policy-fetch-error",
  "sts-policy-invalid",
  "sts-webpki-invalid",
] as const;

/** See {@link STS_FAILURES}. */
export type StsFailure = (typeof STS_FAILURES)[number];

/** The MTA-STS role's calls. */
export const stsContract = contract("sts", {
  /**
   * The policy of a domain, from the cache or fetched now. A cached policy
   * stays in force when a new one cannot be fetched (RFC 8461 §5.1).
   */
  policy: call({
    from: ["smtpc"],
    withinMs: 60_000,
    ask: object({ domain }),
    answer: object({
      policy: stsPolicy,
      /**
       * Why the newest could not be had: one of {@link STS_FAILURES}, a colon
       * and words for people; empty if it could.
       */
      trouble: text({ max: 300 }),
    }),
    /**
     * - `none`: the domain publishes none, as far as can be seen
     * - {@link STS_FAILURES}: it publishes one that cannot be had, and no older
     *   one is known: as if there were none (§3.3), but told
     */
    refuses: ["none", ...STS_FAILURES],
    repeatable: true,
  }),
});
