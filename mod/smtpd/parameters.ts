/**
 * Parameters of MAIL and RCPT (RFC 5321 §4.1.2), each as its RFC has it. Reads
 * what every extension of ours defines; whether it was offered in this session
 * is the session's to say.
 */
import {
  type MessageWishes,
  NO_RECIPIENT_WISHES,
  NO_WISHES,
  type RecipientWishes,
} from "../core/shapes.ts";
import { readOriginalRecipient, readXtext } from "./xtext.ts";

/** Keywords of MAIL and RCPT that we know. */
export type ParameterName =
  | "SIZE"
  | "BODY"
  | "SMTPUTF8"
  | "REQUIRETLS"
  | "RET"
  | "ENVID"
  | "AUTH"
  | "XVERP"
  | "NOTIFY"
  | "ORCPT";

/** How a message's octets are labelled, see `mod/core/shapes.ts`. */
export type BodyType = "7bit" | "8bitmime" | "binarymime";

/** What MAIL says beside the sender. */
export interface MailParameters {
  /** As declared with SIZE=, undefined if it was not. */
  readonly sizeBytes: number | undefined;
  readonly bodyType: BodyType;
  readonly wishes: MessageWishes;
  /** What was said, to compare with what was offered. */
  readonly names: readonly ParameterName[];
}

/** What RCPT says beside the recipient. */
export interface RcptParameters {
  readonly wishes: RecipientWishes;
  readonly names: readonly ParameterName[];
}

/** Why there are no parameters. */
export type ParameterFault = "syntax" | "unknown-parameter";

/** RFC 3461 §4.4, in octets as they were sent. */
const MAX_ENVID = 100;
/** RFC 3461 §4.2, in octets as they were sent. */
const MAX_ORCPT = 500;
/** What XVERP alone means, as in Postfix. */
const VERP_DELIMITERS = "+=";
/** RFC 4954 §5 adds this many octets to a line. */
const MAX_AUTH = 500;

/** What one parameter does to those before it; undefined if it is malformed. */
type Reader<P> = (value: string, before: P) => P | undefined;

const MAIL: ReadonlyMap<string, Reader<MailParameters>> = new Map<
  ParameterName,
  Reader<MailParameters>
>([
  // RFC 1870 §3: 1*20DIGIT.
  [
    "SIZE",
    (value, before) =>
      /^[0-9]{1,20}$/.test(value)
        ? { ...before, sizeBytes: Number(value) }
        : undefined,
  ],
  ["BODY", (value, before) => {
    const bodyType = BODY_TYPES.get(value.toUpperCase());
    return bodyType && { ...before, bodyType };
  }],
  ["SMTPUTF8", (value, before) =>
    wish(value === "", before, {
      smtpUtf8: true,
    })],
  ["REQUIRETLS", (value, before) =>
    wish(value === "", before, {
      requireTls: true,
    })],
  ["RET", (value, before) => {
    const ret = RETURNS.get(value.toUpperCase());
    return ret === undefined ? undefined : wish(true, before, { ret });
  }],
  ["ENVID", (value, before) => {
    const envid = value.length > MAX_ENVID ? undefined : readXtext(value);
    return envid === undefined ? undefined : wish(true, before, { envid });
  }],
  // RFC 4954 §5: who submitted it elsewhere. We trust nobody in that, so it
  // is checked and then as if it had not been said.
  [
    "AUTH",
    (value, before) =>
      value.length <= MAX_AUTH && readXtext(value) !== undefined
        ? before
        : undefined,
  ],
  // Postfix's VERP_README: two delimiters, or none for the usual ones.
  [
    "XVERP",
    (value, before) =>
      wish(value === "" || isVerp(value), before, {
        verp: value || VERP_DELIMITERS,
      }),
  ],
]);

const RCPT: ReadonlyMap<string, Reader<RecipientWishes>> = new Map<
  ParameterName,
  Reader<RecipientWishes>
>([
  ["NOTIFY", (value, before) => {
    const notify = readNotify(value);
    return notify && { ...before, notify };
  }],
  ["ORCPT", (value, before) => {
    const orcpt = value.length > MAX_ORCPT
      ? undefined
      : readOriginalRecipient(value);
    return orcpt === undefined ? undefined : { ...before, orcpt };
  }],
]);

const BODY_TYPES = new Map<string, BodyType>([
  ["7BIT", "7bit"],
  ["8BITMIME", "8bitmime"],
  ["BINARYMIME", "binarymime"],
]);

const RETURNS = new Map<string, MessageWishes["ret"]>([
  ["FULL", "full"],
  ["HDRS", "hdrs"],
]);

type Notify = RecipientWishes["notify"][number];

const NOTIFICATIONS = new Map<string, Notify>([
  ["NEVER", "never"],
  ["SUCCESS", "success"],
  ["FAILURE", "failure"],
  ["DELAY", "delay"],
]);

function isVerp(value: string): boolean {
  return /^[-+=]{2}$/.test(value);
}

/** Reads what follows the path of MAIL, from the blank before it. */
export function mailParameters(text: string): MailParameters | ParameterFault {
  const words = readWords(text);
  if (words === undefined) return "syntax";
  const none: MailParameters = {
    sizeBytes: undefined,
    bodyType: "7bit",
    wishes: NO_WISHES,
    names: [],
  };
  const said = readAll(words, MAIL, none);
  return typeof said === "string" ? said : { ...said, names: namesOf(words) };
}

/** Reads what follows the path of RCPT, from the blank before it. */
export function rcptParameters(text: string): RcptParameters | ParameterFault {
  const words = readWords(text);
  if (words === undefined) return "syntax";
  const wishes = readAll(words, RCPT, NO_RECIPIENT_WISHES);
  return typeof wishes === "string"
    ? wishes
    : { wishes, names: namesOf(words) };
}

function readAll<P>(
  words: ReadonlyMap<string, string>,
  readers: ReadonlyMap<string, Reader<P>>,
  none: P,
): P | ParameterFault {
  let said = none;
  for (const [name, value] of words) {
    const read = readers.get(name);
    if (read === undefined) return "unknown-parameter";
    const more = read(value, said);
    if (more === undefined) return "syntax";
    said = more;
  }
  return said;
}

/** Only of words that {@link readAll} knew. */
function namesOf(words: ReadonlyMap<string, string>): ParameterName[] {
  return [...words.keys()] as ParameterName[];
}

function wish(
  isWellFormed: boolean,
  before: MailParameters,
  wishes: Partial<MessageWishes>,
): MailParameters | undefined {
  if (!isWellFormed) return undefined;
  return { ...before, wishes: { ...before.wishes, ...wishes } };
}

/** RFC 3461 §4.1: NEVER alone, or some of the others, each once. */
function readNotify(value: string): Notify[] | undefined {
  // Bounded before it is cut: the longest is SUCCESS,FAILURE,DELAY.
  if (value.length > 21) return undefined;
  const notify: Notify[] = [];
  for (const word of value.toUpperCase().split(",")) {
    const one = NOTIFICATIONS.get(word);
    if (one === undefined || notify.includes(one)) return undefined;
    notify.push(one);
  }
  return notify.includes("never") && notify.length > 1 ? undefined : notify;
}

/**
 * `esmtp-param *(SP esmtp-param)`, keywords in upper case, no value as "". A
 * keyword given twice is a syntax error, as is anything that is not one. A
 * value may be 8-bit here: whose reader knows no such value refuses it.
 */
function readWords(text: string): Map<string, string> | undefined {
  const words = new Map<string, string>();
  if (text === "") return words;
  if (text[0] !== " ") return undefined;
  for (const word of text.split(" ")) {
    if (word === "") continue;
    const equals = word.indexOf("=");
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase();
    const value = equals < 0 ? "" : word.slice(equals + 1);
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(keyword)) return undefined;
    const isValue = /^[!-<>-~\x80-\xff]+$/.test(value) ||
      // The one that may have `=`, which RFC 5321 §4.1.2 has in no value.
      (keyword === "XVERP" && isVerp(value));
    if (equals >= 0 && !isValue) return undefined;
    if (words.has(keyword)) return undefined;
    words.set(keyword, value);
  }
  return words;
}
