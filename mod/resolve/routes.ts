/** Which host takes mail for a domain that is not ours, and for whom. */
import { domain as domainShape, type NextHop } from "../core/shapes.ts";
import type { RouteHop, Tables } from "./tables.ts";

/**
 * The next hop for a domain: the route of the domain itself, of the nearest
 * `.domain` above it, or of `*`; without one the domain's MX hosts (RFC 5321
 * §5.1). The order is that of Postfix's transport(5).
 *
 * @param domain In lower case
 * @returns Undefined if there is no route and the name can be no domain
 */
export function nextHopFor(
  tables: Tables,
  domain: string,
): NextHop | undefined {
  const route = routeFor(tables, domain);
  if (route !== undefined && route.kind !== "mx") return route;
  // The name comes from a stranger; an answer that breaks the contract would
  // be our fault.
  return domainShape.safeParse(domain).success
    ? { kind: "mx", domain }
    : undefined;
}

/**
 * True if strangers may hand in mail for a domain that is not local. `a.test`
 * is `a.test` alone, `.a.test` all below it.
 */
export function isRelayDomain(tables: Tables, domain: string): boolean {
  // `.a.test` is a key of the table and no domain of anybody's.
  if (domain.startsWith(".")) return false;
  return tables.relayDomains.has(domain) ||
    above(domain).some((parent) => tables.relayDomains.has(parent));
}

function routeFor(tables: Tables, domain: string): RouteHop | undefined {
  const exact = tables.routes.get(domain);
  if (exact !== undefined) return exact;
  for (const parent of above(domain)) {
    const route = tables.routes.get(parent);
    if (route !== undefined) return route;
  }
  return tables.routes.get("*");
}

/** `.b.test`, `.test` for `a.b.test`: nearest first; none for a literal. */
function above(domain: string): string[] {
  const parents: string[] = [];
  if (domain.startsWith("[")) return parents;
  // From 1: a name that begins with a dot is below nothing.
  for (let dot = domain.indexOf(".", 1); dot > 0;) {
    parents.push(domain.slice(dot));
    dot = domain.indexOf(".", dot + 1);
  }
  return parents;
}
