/**
 * How the wishes of a sender stand in the database: small numbers, in which
 * nothing asked is 0. The numbers are in files: never renumber. Pure.
 */
import {
  type MessageWishes,
  NO_WISHES,
  type RecipientWishes,
} from "../core/shapes.ts";

/** A recipient of which nothing was asked: one object, shared by all. */
export const NOTHING_ASKED: RecipientWishes = { notify: [], orcpt: "" };

const RETURNS = ["", "full", "hdrs"] as const;
const SMTP_UTF8 = 4;
const REQUIRE_TLS = 8;

/** In the order of their bits. */
const NOTIFY = ["never", "success", "failure", "delay"] as const;

/** All wishes of a message but `envid` and `verp`, as one number. */
export function messageWishNumber(wishes: MessageWishes): number {
  return RETURNS.indexOf(wishes.ret) +
    (wishes.smtpUtf8 ? SMTP_UTF8 : 0) +
    (wishes.requireTls ? REQUIRE_TLS : 0);
}

/** See {@link messageWishNumber}. */
export function messageWishes(
  number: number,
  { envid, verp }: Pick<MessageWishes, "envid" | "verp">,
): MessageWishes {
  if (number === 0 && envid === "" && verp === "") return NO_WISHES;
  return {
    envid,
    verp,
    ret: RETURNS[number & 3] ?? "",
    smtpUtf8: (number & SMTP_UTF8) !== 0,
    requireTls: (number & REQUIRE_TLS) !== 0,
  };
}

/** Whom to tell what, as one number. */
export function notifyNumber(notify: RecipientWishes["notify"]): number {
  let number = 0;
  for (const word of notify) number |= 1 << NOTIFY.indexOf(word);
  return number;
}

/** See {@link notifyNumber}. */
export function recipientWishes(
  number: number,
  orcpt: string,
): RecipientWishes {
  if (number === 0 && orcpt === "") return NOTHING_ASKED;
  return { notify: NOTIFY.filter((_, bit) => (number >> bit) & 1), orcpt };
}

/**
 * What is asked of each address behind an alias of several: the same without
 * success, of which the alias itself tells (RFC 3461 §5.2.7.3, its third way).
 */
export function wishesBehind(wishes: RecipientWishes): RecipientWishes {
  if (!wishes.notify.includes("success")) return wishes;
  const left = wishes.notify.filter((word) => word !== "success");
  return { ...wishes, notify: left.length === 0 ? ["never"] : left };
}
