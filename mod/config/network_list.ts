/**
 * A file of networks: one a line, `#` starts a comment, blank lines do not
 * count. Pure; read when the server is checked, and again by the role that
 * uses it.
 */
import { type Network, parseNetwork } from "../core/network.ts";

/** One line. */
export interface ListedNetwork {
  readonly network: Network;
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** Most faults told of one file. */
export const MAX_FILE_FAULTS = 20;

/** Reads a whole file; faulty lines are left out and told of. */
export function parseNetworkList(text: string): {
  readonly entries: readonly ListedNetwork[];
  readonly faults: readonly { line: number; message: string }[];
} {
  const entries: ListedNetwork[] = [];
  const faults: { line: number; message: string }[] = [];
  for (const [at, written] of text.split("\n").entries()) {
    const hash = written.indexOf("#");
    const word = (hash < 0 ? written : written.slice(0, hash)).trim();
    if (word === "") continue;
    const network = parseNetwork(word);
    if ("fault" in network) {
      if (faults.length < MAX_FILE_FAULTS) {
        const shown = JSON.stringify(word.slice(0, 60));
        faults.push({ line: at + 1, message: `${shown} ${network.fault}` });
      }
      continue;
    }
    entries.push({ network, text: word, line: at + 1 });
  }
  return { entries, faults };
}
