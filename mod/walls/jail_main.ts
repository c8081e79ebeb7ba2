/** Entry of the jail stage: `jail SPEC`. */
import { enterJail } from "./jail.ts";

/** Enters the jail that its argument describes; see `jail.ts`. */
export function main(args: readonly string[]): never {
  return enterJail(JSON.parse(args[0] ?? ""));
}
