/** Shapes of the domain that several contracts share. */
import { int, list, object, text, token, z } from "../ipc/schema.ts";
import { utf8Length } from "./international.ts";
import { QUEUE_ID_PATTERN } from "./ids.ts";

/** See `ids.ts`. */
export const queueId = token(QUEUE_ID_PATTERN, { max: 16 });

/** Octets of an address in UTF-8: RFC 5321 §4.5.3.1.3 less `<>`. */
const MAX_ADDRESS = 254;

/**
 * An address as `local-part@domain`: the local part quoted only where it must
 * be (RFC 5321 §4.1.2) and perhaps beyond ASCII (RFC 6531 §3.3), the domain in
 * lower case and A-labels. Never a control character or half a surrogate.
 */
// deno-lint-ignore no-control-regex
export const address = token(/^[^\x00-\x1f\x7f]+@[!-?A-~]+$/, {
  max: MAX_ADDRESS,
}).refine((text) => text.isWellFormed() && utf8Length(text) <= MAX_ADDRESS);

/** A reverse-path: an address, or empty for `<>` (RFC 5321 §4.5.5). */
export const reversePath = z.union([z.literal(""), address]);

/** A domain name in lower case, A-labels, or an address literal. */
export const domain = token(/^[a-z0-9._:[\]-]+$/, { max: 255 });

/**
 * A local mailbox. Both parts become directory names, so the pattern is the
 * wall: no slash, no leading dot or dash, no NUL.
 */
export const mailbox = object({
  domain: token(/^[a-z0-9_][a-z0-9._-]*$/, { max: 255 }),
  user: token(/^[a-z0-9_][a-z0-9._-]*$/, { max: 64 }),
});

/** See {@link mailbox}. */
export type Mailbox = z.infer<typeof mailbox>;

/** The address that is the mailbox's own, without extension or alias. */
export function addressOfMailbox({ user, domain }: Mailbox): string {
  return `${user}@${domain}`;
}

/**
 * Where a sealed message lies: octets [offset, offset + length) of the
 * segment file `<segment>.seg` in the spool directory.
 */
export const contentRef = object({
  segment: token(/^[a-z0-9][a-z0-9-]*$/, { max: 40 }),
  offset: int({ min: 0, max: 2 ** 40 }),
  /** Octets of the record, headers and tags included. */
  length: int({ min: 1, max: 2 ** 33 }),
  /** Octets of the message. */
  sizeBytes: int({ min: 0, max: 2 ** 32 }),
});

/** See {@link contentRef}. */
export type ContentRef = z.infer<typeof contentRef>;

/** The key of one message: 32 octets in base64. Never logged, never stored in SQLite. */
export const contentKey = token(/^[A-Za-z0-9+/]{43}=$/, { max: 44 });

/**
 * What is spoken with a configured host.
 *
 * - `smtp`: RFC 5321, also if nothing is said
 * - `lmtp`: RFC 2033
 * - `submission`: RFC 6409, a login inside STARTTLS
 * - `submissions`: RFC 8314 §3.3, a login inside TLS from the first octet
 */
export const protocol = z.enum(["smtp", "lmtp", "submission", "submissions"]);

/** See {@link protocol}. */
export type Protocol = z.infer<typeof protocol>;

/** A configured host: a name or an address, and a port. */
export const hostHop = object({
  kind: z.literal("host"),
  host: text({ min: 1, max: 255 }),
  port: int({ min: 1, max: 65_535 }),
  protocol: protocol.optional(),
});

/** A configured Unix socket, at which LMTP is spoken: an absolute path. */
export const unixHop = object({
  kind: z.literal("unix"),
  path: token(/^\/[^\0,]*$/, { max: 107 }), // sun_path, unix(7)
});

/** Where mail for a domain goes next. */
export const nextHop = z.union([
  hostHop,
  unixHop,
  /** The MX hosts of a domain. */
  object({ kind: z.literal("mx"), domain }),
]);

/** See {@link nextHop}. */
export type NextHop = z.infer<typeof nextHop>;

/** How a message's octets are labelled, RFC 6152 and RFC 3030. */
export const bodyType = z.enum(["7bit", "8bitmime", "binarymime"]);

/** What a sender asked for a whole message, beside having it delivered. */
export const messageWishes = object({
  /** RFC 3461 §4.4: the sender's own name for it, xtext decoded; or empty. */
  envid: text({ max: 100 }),
  /** RFC 3461 §4.3: what a failure's DSN returns; empty leaves it to us. */
  ret: z.enum(["", "full", "hdrs"]),
  /** RFC 6531 §3.4: the message needs SMTPUTF8 all the way. */
  smtpUtf8: z.boolean(),
  /** RFC 8689 §2: never over a connection without verified TLS. */
  requireTls: z.boolean(),
  /**
   * Two characters: each recipient's copy leaves with a reverse-path of its
   * own, which the queue makes with them; see `mod/queue/verp.ts`. Or empty.
   */
  verp: token(/^(|[-+=]{2})$/, { max: 2 }),
});

/** See {@link messageWishes}. */
export type MessageWishes = z.infer<typeof messageWishes>;

/** Those of a message of which nothing was asked. */
export const NO_WISHES: MessageWishes = {
  envid: "",
  ret: "",
  smtpUtf8: false,
  requireTls: false,
  verp: "",
};

/** What a sender asked to be told about one recipient, RFC 3461. */
export const recipientWishes = object({
  /** §4.1: empty if nothing was said, which means failure and delay. */
  notify: list(z.enum(["never", "success", "failure", "delay"]), { max: 3 }),
  /** §4.2: `addr-type;address`, xtext decoded; or empty. */
  orcpt: text({ max: 500 }),
});

/** See {@link recipientWishes}. */
export type RecipientWishes = z.infer<typeof recipientWishes>;

/** Those of a recipient of whom nothing was asked. */
export const NO_RECIPIENT_WISHES: RecipientWishes = { notify: [], orcpt: "" };
