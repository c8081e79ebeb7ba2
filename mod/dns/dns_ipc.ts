/** What the DNS role answers: who takes mail for a domain? */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import { domain } from "../core/shapes.ts";

/** A host with its addresses. */
export const host = object({
  name: text({ min: 1, max: 255 }),
  preference: int({ min: 0, max: 65_535 }),
  /** IPv4 and IPv6 addresses in text form. */
  addresses: list(text({ max: 45 }), { max: 20 }),
});

/** See {@link host}. */
export type MailHost = z.infer<typeof host>;

/** The DNS role's calls. */
export const dnsContract = contract("dns", {
  /**
   * The mail hosts of a domain by ascending preference, or, without MX
   * records, its own addresses as RFC 5321 §5.1 says.
   */
  mailHosts: call({
    from: ["smtpc"],
    withinMs: 60_000,
    ask: object({ domain }),
    answer: object({ hosts: list(host, { min: 1, max: 100 }) }),
    /**
     * - `null-mx`: the domain takes no mail, RFC 7505
     * - `no-such-domain`: proven not to exist, or no MX and no address
     * - `try-later`: no answer, or one that proves nothing
     */
    refuses: ["null-mx", "no-such-domain", "try-later"],
    repeatable: true,
  }),
  /**
   * What a list of client addresses (a DNSBL or DNSWL, RFC 5782) answers for
   * one name, such as `1.2.0.192.bl.home.test`. Nothing rests on a "no" here,
   * so absence is not proven as it is for mail hosts.
   */
  listed: call({
    from: ["gate"],
    withinMs: 15_000,
    ask: object({
      name: domain,
      /** Longest time for all name servers together. */
      withinMs: int({ min: 100, max: 10_000 }),
      /** Asks a list that has the client for its words, too, if time is left. */
      words: z.boolean(),
    }),
    answer: object({
      /** IPv4 addresses, as the list has them. */
      addresses: list(text({ max: 15 }), { min: 1, max: 20 }),
      /** The first TXT record; empty if there is none or it was not asked. */
      text: text({ max: 255 }),
    }),
    /**
     * - `not-listed`: nothing found, or a server that does not serve us
     * - `try-later`: no answer in time
     */
    refuses: ["not-listed", "try-later"],
    repeatable: true,
  }),
  /** The addresses of one host name. */
  addresses: call({
    from: ["smtpc"],
    withinMs: 60_000,
    ask: object({ name: domain }),
    answer: object({ addresses: list(text({ max: 45 }), { min: 1, max: 20 }) }),
    refuses: ["no-such-domain", "try-later"],
    repeatable: true,
  }),
});
