/** Searches an image in a thread of its own, so that mail flows meanwhile. */
import { type Pattern, PatternSearch } from "./pattern_search.ts";

/** What the thread is asked. */
export interface Question<T> {
  readonly file: string;
  readonly patterns: readonly Pattern<T>[];
}

const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<Question<unknown>>) => void;
  postMessage: (message: unknown) => void;
};
thread.onmessage = ({ data }) => {
  thread.postMessage(new PatternSearch(data.patterns).findInFile(data.file));
};
