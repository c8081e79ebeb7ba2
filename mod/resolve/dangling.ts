/**
 * Finds aliases that lead nowhere, to be said in the log at the start: the
 * mail of such a name would be refused, or lack a recipient, in silence.
 */
import { domainOf, fold, lookedUp } from "./local_part.ts";
import { lookUp, type Tables } from "./tables.ts";

/** An alias and one target of it that does not exist. */
export interface Dangling {
  readonly alias: string;
  readonly target: string;
}

/**
 * Targets in local domains that neither a mailbox nor an alias answers for;
 * a bare target only if no local domain has it.
 *
 * @param most Stop after this many
 */
export function danglingTargets(tables: Tables, most: number): Dangling[] {
  const found: Dangling[] = [];
  for (const [alias, targets] of tables.aliases) {
    for (const target of targets) {
      if (found.length >= most) return found;
      if (!leadsOn(tables, alias, target)) found.push({ alias, target });
    }
  }
  return found;
}

function leadsOn(tables: Tables, alias: string, target: string): boolean {
  if (target.includes("@")) {
    return !tables.localDomains.has(domainOf(target)) ||
      isKnown(tables, target);
  }
  const domains = alias.includes("@") ? [domainOf(alias)] : tables.localDomains;
  for (const domain of domains) {
    if (isKnown(tables, `${fold(target)}@${domain}`)) return true;
  }
  return false;
}

function isKnown(tables: Tables, address: string): boolean {
  const looked = lookedUp(address);
  return looked !== undefined && lookUp(tables, looked).kind !== "unknown";
}
