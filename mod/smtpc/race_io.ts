/**
 * Connects to one of a host's addresses: the next one is tried when the one
 * before has failed or has not answered for a moment (RFC 8305 §5), so that a
 * dead IPv6 way costs a quarter of a second and not half a minute. The first
 * connection wins; the others are closed before a byte was said in them.
 */
import net from "node:net";
import { connect, Connection, type Unreached } from "./connection_io.ts";
import type { DialV6 } from "./dialer_io.ts";
import type { Candidate } from "./route.ts";

/** RFC 8305 §8: how long one address is waited for before the next is tried. */
export const NEXT_AFTER_MS = 250;
/** Addresses tried at the same time. */
export const AT_ONCE = 3;

/** What came of it. */
export interface Raced {
  /** Undefined if no address was reached. */
  readonly won:
    | { readonly to: Candidate; readonly connection: Connection }
    | undefined;
  /** Those that failed, in the order in which they did. */
  readonly failed: readonly {
    readonly to: Candidate;
    readonly why: Unreached;
  }[];
}

/** How connections are made. */
export interface RaceFacts {
  /** For each one. */
  readonly withinMs: number;
  readonly dialV6: DialV6 | undefined;
  /** See `source.ts`. */
  readonly source: (address: string) => string | undefined;
  /** For tests: how one connection is made. */
  readonly connect?: typeof connect;
}

/** Races; `candidates` in the order of preference, at least one. */
export function race(
  candidates: readonly Candidate[],
  facts: RaceFacts,
): Promise<Raced> {
  const { promise, resolve } = Promise.withResolvers<Raced>();
  const ended = new AbortController();
  const failed: Raced["failed"][number][] = [];
  let next = 0;
  let open = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (won: Raced["won"]) => {
    clearTimeout(timer);
    resolve({ won, failed });
    ended.abort();
  };
  const begin = () => {
    clearTimeout(timer);
    if (next >= candidates.length || open >= AT_ONCE) return;
    const to = candidates[next++]!;
    open++;
    timer = setTimeout(begin, NEXT_AFTER_MS);
    (facts.connect ?? connect)(to, facts.withinMs, {
      dialV6: facts.dialV6,
      source: facts.source(to.address),
      signal: ended.signal,
    }).then((came) => {
      open--;
      if (ended.signal.aborted) {
        if (came instanceof Connection) came.destroy();
        return;
      }
      if (came instanceof Connection) return end({ to, connection: came });
      failed.push({ to, why: came });
      if (next < candidates.length) begin();
      else if (open === 0) end(undefined);
    });
  };
  begin();
  return promise;
}

/** IPv6 and IPv4 in turn, IPv6 first, each in its own order: RFC 8305 §4. */
export function inTurn(candidates: readonly Candidate[]): Candidate[] {
  const v6 = candidates.filter(({ address }) => net.isIPv6(address));
  const rest = candidates.filter(({ address }) => !net.isIPv6(address));
  const turns: Candidate[] = [];
  for (let i = 0; i < Math.max(v6.length, rest.length); i++) {
    turns.push(...v6.slice(i, i + 1), ...rest.slice(i, i + 1));
  }
  return turns;
}
