/**
 * The network side of `dns.listed`. A list's "no" is NXDOMAIN, for which
 * `Deno.resolveDns` throws the same as for a failure; here that is no matter,
 * because both count nothing, so one question a name server is all.
 */
import type { Listing, Listings } from "./listed.ts";
import type { NameServer } from "./lookup_io.ts";

/** Builds the lookups over these servers, in their order. */
export function listingsOver(servers: readonly NameServer[]): Listings {
  return {
    a: (name, withinMs) =>
      ask(
        servers,
        withinMs,
        async (nameServer, signal) =>
          await Deno.resolveDns(`${name}.`, "A", { nameServer, signal }),
      ),
    txt: (name, withinMs) =>
      ask(
        servers,
        withinMs,
        async (nameServer, signal) =>
          (await Deno.resolveDns(`${name}.`, "TXT", { nameServer, signal }))
            .map((parts) => parts.join("")),
      ),
  };
}

/** Asks server after server, each with its share of the time. */
async function ask(
  servers: readonly NameServer[],
  withinMs: number,
  look: (nameServer: NameServer, signal: AbortSignal) => Promise<string[]>,
): Promise<Listing> {
  const until = performance.now() + withinMs;
  for (const [at, server] of servers.entries()) {
    const leftMs = until - performance.now();
    if (leftMs < 1) break;
    const late = new AbortController();
    const shareMs = leftMs / (servers.length - at);
    const timer = setTimeout(() => late.abort(), Math.max(1, shareMs));
    try {
      const records = await look(server, late.signal);
      return records.length === 0
        ? { kind: "nothing" }
        : { kind: "records", records };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return { kind: "nothing" };
      // Silence, or a server that is not there: the next one.
    } finally {
      clearTimeout(timer);
    }
  }
  return { kind: "silent" };
}
