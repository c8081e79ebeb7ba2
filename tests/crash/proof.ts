/**
 * The proofs of this folder run small within `deno task test`, and in full
 * size by `deno task prove`, which says so in the environment.
 */

/** True if `deno task prove` asked. */
export const IS_FULL = Deno.env.get("BULKHEAD_PROOF") === "full";

/** The size of a proof. */
export function sized<T>(of: { small: T; full: T }): T {
  return IS_FULL ? of.full : of.small;
}

/** Says in one line, with numbers, what was seen. */
export function report(line: string): void {
  console.log(line);
  const file = Deno.env.get("BULKHEAD_PROOF_REPORT");
  if (file !== undefined) {
    Deno.writeTextFileSync(file, `${line}\n`, { append: true });
  }
}
