/**
 * What somebody who is not signed in may see: how the server is, and numbers;
 * no address, subject, client or history of a message. A machine may have
 * other users, and any of them reaches a port of the loopback. It is decided
 * here and not in the pages: what a page cannot get it cannot show. (The
 * queue and the gate decide it again; see `mod/core/ticket.ts`.)
 */
import type { Facts } from "./news.ts";
import type { Sources } from "./sources.ts";

const nothing = () => Promise.resolve(undefined);

/** The same sources without what names people. */
export function closedSources(sources: Sources): Sources {
  return {
    nowMs: () => sources.nowMs(),
    news: () => sources.news(),
    flow: () => sources.flow(),
    counts: () => sources.counts(),
    facts: () => closedFacts(sources.facts()),
    messages: nothing,
    destinations: nothing,
    find: nothing,
    journey: nothing,
    clients: nothing,
  };
}

/** Walls are in the program, certificates in every handshake. */
function closedFacts(facts: Facts | undefined): Facts | undefined {
  return facts && { ...facts, erasure: [], disks: [], care: [], warnings: [] };
}
