/** What a notice is made from; see `notice.ts`. */
import type { NoticeAction } from "./message.ts";

/** One recipient that the sender is told of. */
export interface Reported {
  readonly action: NoticeAction | "delayed";
  /** The address that was tried. */
  readonly address: string;
  /** What the sender wrote, if an alias changed it; else empty. */
  readonly original: string;
  /** RFC 3461 §4.2: what the sender says was written first; or empty. */
  readonly orcpt: string;
  /** RFC 3463 code for `Status`. */
  readonly enhanced: string;
  /** Why, in our words. */
  readonly text: string;
  /** The host that was asked; empty if none was. */
  readonly host: string;
  /** What it said, word for word; empty if it said nothing. */
  readonly said: string;
  /** How the last attempt went; see `account.ts`. */
  readonly account: string;
  /** When that was; 0 if nothing was tried. */
  readonly lastMs: number;
}

/** What a notice is made from. */
export interface NoticeFacts {
  /** Our name. */
  readonly hostname: string;
  /** Queue id of the notice, for its Message-ID. */
  readonly noticeId: string;
  /** Queue id of the message. */
  readonly queueId: string;
  /** Whom it goes to, never empty: no notice of a notice, RFC 5321 §4.5.5. */
  readonly reversePath: string;
  /** RFC 3461 §4.4: what the sender calls that message; or empty. */
  readonly envid: string;
  readonly arrivedMs: number;
  readonly nowMs: number;
  /** When a message that is late is given up. */
  readonly retryUntilMs: number;
  /** True if what is quoted may have octets above 127. */
  readonly is8bit: boolean;
  /** True if that message needed SMTPUTF8. */
  readonly isGlobal: boolean;
  /** What of the original stands between head and tail. */
  readonly quotes: "message" | "header" | "nothing";
  /** Random, so that no quoted line can be the delimiter: 32 hex digits. */
  readonly boundary: string;
  /** All failed, all delayed, or neither. */
  readonly reported: readonly Reported[];
}

/** What a notice is about. */
export type News = "failure" | "delay" | "success";

/** See {@link News}: what is true of the first is true of all. */
export function newsOf({ reported }: Pick<NoticeFacts, "reported">): News {
  switch (reported[0]!.action) {
    case "failed":
      return "failure";
    case "delayed":
      return "delay";
    case "delivered":
    case "relayed":
    case "expanded":
      return "success";
  }
}
