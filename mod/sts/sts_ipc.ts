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
  /** Good until then, milliseconds since the epoch. */
  untilMs: int({ min: 0, max: 2 ** 50 }),
});

/** See {@link stsPolicy}. */
export type StsPolicy = z.infer<typeof stsPolicy>;

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
      /** Why the newest could not be had, for TLSRPT and for people; or empty. */
      trouble: text({ max: 300 }),
    }),
    /**
     * - `none`: the domain publishes none, as far as can be seen
     * - `unusable`: it publishes one that cannot be fetched or read, and no
     *   older one is known: as if there were none, but told
     */
    refuses: ["none", "unusable"],
    repeatable: true,
  }),
});
