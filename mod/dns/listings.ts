/**
 * The lookups of `dns.listed`: plain questions without signatures, each server
 * with its share of the time. A list's "no" is NXDOMAIN; a server that refuses
 * says no more, and counts as little.
 */
import type { Exchange } from "./exchange_io.ts";
import type { Listing, Listings } from "./listed.ts";
import { type Message, TYPE } from "./message.ts";
import { readAddress, readStrings } from "./rdata.ts";
import type { Server, ServerMemory } from "./server_memory.ts";

/** Asks one plain question within a time; undefined is silence. */
export type PlainAsk = (
  question: { name: string; type: number },
  withinMs: number,
) => Promise<Message | undefined>;

/** Builds the lookups. */
export function listingsOver(ask: PlainAsk): Listings {
  const look = async (
    name: string,
    { type, withinMs, read }: {
      type: number;
      withinMs: number;
      read(data: Uint8Array): string | undefined;
    },
  ): Promise<Listing> => {
    const message = await ask({ name, type }, withinMs);
    if (message === undefined) return { kind: "silent" };
    const records = message.answer
      .filter((record) => record.type === type)
      .map((record) => read(record.data))
      .filter((one) => one !== undefined);
    return records.length === 0
      ? { kind: "nothing" }
      : { kind: "records", records };
  };
  return {
    a: (name, withinMs) =>
      look(name, { type: TYPE.A, withinMs, read: readAddress }),
    txt: (name, withinMs) =>
      look(name, { type: TYPE.TXT, withinMs, read: joined }),
  };
}

const decoder = new TextDecoder();

function joined(data: Uint8Array): string | undefined {
  return readStrings(data)?.map((one) => decoder.decode(one)).join("");
}

/** Asks forwarders, in their order. */
export function plainForwarding(
  { servers, exchange, memory }: {
    servers: readonly Server[];
    exchange: Exchange;
    memory: ServerMemory;
  },
): PlainAsk {
  return async (question, withinMs) => {
    const untilMs = performance.now() + withinMs;
    const ordered = memory.inOrder(servers, performance.now());
    for (const [at, server] of ordered.entries()) {
      const leftMs = untilMs - performance.now();
      if (leftMs < 1) break;
      const got = await exchange(server, {
        question,
        recursionDesired: true,
        checkingDisabled: false,
        dnssecOk: false,
        withinMs: Math.max(1, leftMs / (ordered.length - at)),
      });
      if (got.kind === "message") return got.message;
    }
    return undefined;
  };
}
