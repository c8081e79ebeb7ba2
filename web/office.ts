/**
 * Who carries out what an administrator wants: queue and gate. They check the
 * grant themselves; the console only passes it on, and says what came of it.
 */
import type { Admitted } from "./session.ts";

/** What may be done with a message. */
export const MESSAGE_ACTIONS = ["hold", "release", "retry", "delete"] as const;
/** See {@link MESSAGE_ACTIONS}. */
export type MessageAction = typeof MESSAGE_ACTIONS[number];

/** What may be said of a network. */
export const CLIENT_WORDS = ["allow", "deny", "forget"] as const;
/** See {@link CLIENT_WORDS}. */
export type ClientWord = typeof CLIENT_WORDS[number];

/** What came of something, in words for whoever asked. */
export interface Done {
  readonly words: string;
  /** The grant is worth nothing any more: the session is over. */
  readonly isOver?: boolean;
}

/** See the file's head. */
export interface Office {
  /** Exchanges a ticket; words if that is refused. */
  signIn(ticket: string): Promise<Admitted | Done>;
  signOut(grant: string, everywhere: boolean): Promise<Done>;
  /** @param ids At least one, and no more than a form has */
  messages(
    grant: string,
    action: MessageAction,
    ids: readonly string[],
  ): Promise<Done>;
  /** @param domain Empty: all */
  flush(grant: string, domain: string): Promise<Done>;
  say(grant: string, word: ClientWord, network: string): Promise<Done>;
}
