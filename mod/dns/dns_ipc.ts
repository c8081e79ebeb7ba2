/** What the DNS role answers: who takes mail for a domain? */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, token, z } from "../ipc/schema.ts";
import { domain } from "../core/shapes.ts";

/**
 * What DNSSEC says of data, RFC 4033 §5.
 *
 * - `secure`: a chain of signatures leads to it from a trust anchor; also of
 *   what is proven not to exist
 * - `insecure`: proven that no signatures are to be had
 * - `bogus`: signatures are to be had, and these are missing or wrong
 * - `indeterminate`: nobody can tell: no answer, or no anchor
 */
export const SECURITY = [
  "secure",
  "insecure",
  "bogus",
  "indeterminate",
] as const;

/** See {@link SECURITY}. */
export type Security = (typeof SECURITY)[number];

const usable = z.enum(["secure", "insecure"]);

/** A host with its addresses. */
export const host = object({
  name: text({ min: 1, max: 255 }),
  preference: int({ min: 0, max: 65_535 }),
  /** IPv4 and IPv6 addresses in text form. */
  addresses: list(text({ max: 45 }), { max: 20 }),
  /** Of its addresses and all aliases (CNAME) on the way: the weakest. */
  security: usable,
  /** Of the first record at its name: RFC 7672 §2.2.2 asks for it alone. */
  nameSecurity: usable,
  /** Where its aliases end; the name itself if it has none. */
  canonical: text({ min: 1, max: 255 }),
});

/** See {@link host}. */
export type MailHost = z.infer<typeof host>;

/** A TLSA record, RFC 6698 §2.1. */
export const tlsaRecord = object({
  usage: int({ min: 0, max: 255 }),
  selector: int({ min: 0, max: 255 }),
  matching: int({ min: 0, max: 255 }),
  /** Certificate association data in lower-case hex. */
  data: token(/^([0-9a-f]{2})*$/, { max: 8_192 }),
});

/** See {@link tlsaRecord}. */
export type TlsaRecord = z.infer<typeof tlsaRecord>;

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
    answer: object({
      hosts: list(host, { min: 1, max: 100 }),
      /** Of the MX records, or of the proof that there are none. */
      security: usable,
      /** Where the domain's aliases end; the domain itself if it has none. */
      canonical: text({ min: 1, max: 255 }),
    }),
    /**
     * - `null-mx`: the domain takes no mail, RFC 7505
     * - `no-such-domain`: does not exist, or no MX and no address
     * - `try-later`: no answer, or one that proves nothing
     * - `bogus`: DNSSEC says that the answer is forged or broken
     */
    refuses: ["null-mx", "no-such-domain", "try-later", "bogus"],
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
    from: ["smtpc", "sts"],
    withinMs: 60_000,
    ask: object({ name: domain }),
    answer: object({
      addresses: list(text({ max: 45 }), { min: 1, max: 20 }),
      /** As in {@link host}. */
      security: usable,
      nameSecurity: usable,
      canonical: text({ min: 1, max: 255 }),
    }),
    refuses: ["no-such-domain", "try-later", "bogus"],
    repeatable: true,
  }),
  /**
   * The TLSA records at one name, such as `_25._tcp.mx.remote.test`, through
   * secure aliases. Insecure records are not answered: nothing may rest on
   * them (RFC 7671 §4.1).
   */
  tlsa: call({
    from: ["smtpc"],
    withinMs: 60_000,
    ask: object({ name: domain }),
    answer: object({ records: list(tlsaRecord, { min: 1, max: 100 }) }),
    /**
     * - `none`: proven that there are none, or nothing there is signed
     * - `try-later`, `bogus`: as above. Whoever would have used the records
     *   may not go on without them (RFC 7672 §2.1)
     */
    refuses: ["none", "try-later", "bogus"],
    repeatable: true,
  }),
  /** Text records: those of MTA-STS (RFC 8461 §3.1) and TLSRPT (RFC 8460 §3). */
  texts: call({
    from: ["sts", "queue"],
    withinMs: 60_000,
    ask: object({ name: domain }),
    answer: object({
      /** One a record, its strings joined. */
      texts: list(text({ max: 4_096 }), { min: 1, max: 100 }),
      security: usable,
    }),
    refuses: ["none", "try-later", "bogus"],
    repeatable: true,
  }),
  /** One answer in full with its proof, for people: `bulkhead tls`, `check`, the console. */
  explain: call({
    from: ["smtpc", "console"],
    withinMs: 60_000,
    ask: object({
      name: domain,
      type: z.enum([
        ...["A", "AAAA", "CNAME", "MX", "TXT", "TLSA", "DS", "DNSKEY"] as const,
        ...["PTR", "SRV"] as const,
      ]),
    }),
    answer: object({
      security: z.enum(SECURITY),
      /** Of the DNS: such as `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `no answer`. */
      status: text({ max: 32 }),
      /** Records in presentation form, cut. */
      records: list(text({ max: 500 }), { max: 100 }),
      /** The chain of proof, one step a line, from the root downwards. */
      proof: list(text({ max: 300 }), { max: 60 }),
      /** What is wrong, in words; empty if nothing is. */
      why: text({ max: 300 }),
    }),
    refuses: [],
    repeatable: true,
  }),
});
