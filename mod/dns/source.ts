/** Where answers come from: forwarders or servers found from the root. */
import type { Message, Question } from "./message.ts";

/** An answer, or why there is none. */
export type Sourced =
  | {
    readonly kind: "message";
    readonly message: Message;
    /** Of a server whose AD bit the configuration believes. */
    readonly isBelieved: boolean;
  }
  | {
    readonly kind: "failed";
    /** For people: `SERVFAIL`, `no answer`. */
    readonly status: string;
    /** One plain sentence without a full stop. */
    readonly why: string;
  };

/** Asks one question, once, within its time. Never rejects. */
export type Source = (question: Question) => Promise<Sourced>;
