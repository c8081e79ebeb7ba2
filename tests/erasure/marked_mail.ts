/**
 * Messages whose every part bears a word that stands nowhere else in the
 * world, so that whatever is found of them on a disk can be told apart.
 */
import { randomBytes, randomInt } from "node:crypto";
import { octets } from "../system/smtp_client.ts";

/** Digits of a mark: 100 random bits. */
const MARK_LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const MARK_LENGTH = 20;
/** Octets between two marks in a body: no fragment of it goes unseen. */
const BETWEEN_MARKS = 300;

/** What a mark stands for. */
export type MarkKind = "content" | "header" | "address";

/** One mark. */
export interface Mark {
  readonly kind: MarkKind;
  readonly text: string;
}

/**
 * What becomes of a message: `bounce` is sent back to its sender, `aborted`
 * breaks off before its end, `stays` is never delivered, and may not keep a
 * trace of the others alive.
 */
export type Way = "mailbox" | "remote" | "bounce" | "aborted" | "stays";

/** One message. */
export interface Marked {
  readonly way: Way;
  readonly from: string;
  readonly to: readonly string[];
  readonly content: Uint8Array;
  readonly marks: readonly Mark[];
  /** The mark that tells of its arrival: a notice returns the header only. */
  readonly sign: string;
}

function wayOf(n: number, { someStay, allSmall }: MailPlan): Way {
  if (n % 50 === 17 && !allSmall) return "aborted";
  if (n % 50 === 33 && someStay) return "stays";
  if (n % 20 === 7) return "bounce";
  return n % 2 === 0 ? "mailbox" : "remote";
}

/** From 1 KB to 600 KB: most share a segment, some have a file of their own. */
function sizeOf(n: number, { allSmall }: MailPlan): number {
  if (allSmall) return randomInt(1_000, 8_000);
  if (n % 25 === 3 || n % 50 === 17) return randomInt(300_000, 600_000);
  return n % 5 === 0 ? randomInt(20_000, 100_000) : randomInt(1_000, 8_000);
}

/** Which messages to make. */
export interface MailPlan {
  readonly messages: number;
  /** One in fifty stays in the queue, and with it the segment it is in. */
  readonly someStay: boolean;
  /** None has a file of its own in the spool. */
  readonly allSmall: boolean;
}

/** Makes messages. */
export function markedMail(plan: MailPlan): Marked[] {
  return Array.from(
    { length: plan.messages },
    (_, n) => marked(wayOf(n, plan), sizeOf(n, plan)),
  );
}

function marked(way: Way, size: number): Marked {
  const [body, header, sender, first, second] = Array.from(
    { length: 5 },
    newMark,
  ) as [string, string, string, string, string];
  const at = (mark: string) => addressOf(way, mark);
  const recipients = randomInt(4) === 0 ? [first, second] : [first];
  const head = `Subject: ${header}\r\nX-Mark: ${header}\r\n` +
    `Message-ID: <${header}@client.test>\r\n\r\n`;
  const line = `${body} ${"-".repeat(BETWEEN_MARKS - MARK_LENGTH - 3)}\r\n`;
  const lines = Math.ceil((size - head.length) / line.length);
  return {
    way,
    // Notices go to a mailbox here.
    from: way === "bounce"
      ? `you+${sender}@home.test`
      : `${sender}@client.test`,
    to: recipients.map(at),
    content: octets(head + line.repeat(Math.max(1, lines))),
    marks: [
      { kind: "content", text: body },
      { kind: "header", text: header },
      ...[sender, ...recipients].map((text) => ({
        kind: "address" as const,
        text,
      })),
    ],
    sign: way === "bounce" ? header : body,
  };
}

function addressOf(way: Way, mark: string): string {
  switch (way) {
    case "mailbox":
    case "aborted":
      return `me+${mark}@home.test`;
    case "remote":
    case "bounce":
      return `${mark}@remote.test`;
    case "stays":
      return `${mark}@away.test`;
  }
}

function newMark(): string {
  return Array.from(
    randomBytes(MARK_LENGTH),
    (octet) => MARK_LETTERS[octet % 32],
  ).join("");
}
