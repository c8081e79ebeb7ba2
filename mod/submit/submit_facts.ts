/**
 * What the command `sendmail` must know of the server: one small file that all
 * may read, `submit.json` in the home, which the supervisor writes. No secret
 * is in it.
 */

/** The file's content. */
export interface SubmitFacts {
  readonly version: 1;
  readonly enabled: boolean;
  readonly dropDir: string;
  readonly hostname: string;
  /** The domain of an address that has none. */
  readonly origin: string;
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  readonly hopLimit: number;
  /** Names and numbers of those who may submit; empty for everybody. */
  readonly users: readonly string[];
}

/** Where it lies. */
export function submitFactsPath(home: string): string {
  return `${home}/submit.json`;
}

/**
 * Reads it. It is root's, and no stranger's: checked against a mishap and not
 * against malice.
 *
 * @throws {Error} If it is none
 */
export function parseSubmitFacts(text: string): SubmitFacts {
  const facts = JSON.parse(text) as Partial<SubmitFacts> | null;
  if (facts?.version !== 1 || typeof facts.dropDir !== "string") {
    throw new Error("it is of another version");
  }
  return facts as SubmitFacts;
}
