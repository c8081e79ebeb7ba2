/** Waiting for what another process does, by looking again and again. */

/** Between two looks. */
const LOOK_MS = 50;

/**
 * Looks until there is something to be seen.
 *
 * @param look Gives what it saw; undefined: not yet
 * @returns What was seen; undefined if that took longer than `withinMs`
 */
export async function waitFor<T>(
  look: () => T | undefined,
  withinMs: number,
): Promise<T | undefined> {
  const until = Date.now() + withinMs;
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    if (Date.now() > until) return undefined;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
