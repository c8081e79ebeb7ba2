/**
 * What a page that is open is told, as server-sent events (`/events`), once a
 * second when something changed: `event: now`, and data in JSON.
 */
import type { News } from "./news.ts";
import type { FlowSample } from "./news.ts";
import type { Counts, ListedMessage } from "./sources.ts";

/** Who watches. */
export interface Watcher {
  /** False: the session that it was opened with is over. */
  readonly isAlive: () => boolean;
  /** Nobody who is signed in. */
  readonly isStranger: boolean;
}

/** The data of `now`. */
export interface LiveData {
  readonly atMs: number;
  /** Null where nobody answers now. */
  readonly counts: Counts | null;
  readonly news: News | null;
  /** The minute that is under way; null before there is one. */
  readonly minute: FlowSample | null;
  /** The newest messages, at most 20; null if nobody is signed in. */
  readonly recent: readonly ListedMessage[] | null;
}
