/**
 * What is remembered of name servers: how fast they are, whether they answer,
 * and which of the newer ways they cannot go. Bounded, and forgotten soon: a
 * server may be mended, and an attacker may have made it look broken.
 */

/** A name server. */
export interface Server {
  /** In the one form that sockets give. */
  readonly address: string;
  readonly port: number;
}

/** What is known of one. Times are on the clock of `performance.now()`. */
export interface ServerFacts {
  /** Smoothed round trip; undefined if none was seen. */
  rttMs: number | undefined;
  /** Silences since it last answered. */
  silences: number;
  silentAtMs: number;
  /** Asked by TCP alone until then. */
  tcpUntilMs: number;
  /** Asked without EDNS until then. */
  plainUntilMs: number;
  /** Known not to keep the case of letters until then. */
  caseBlindUntilMs: number;
}

/** Servers remembered. */
const MAX_SERVERS = 2_000;
/** How long a silent server is asked last. */
const SHUN_MS = 30_000;
/** How long an odd server is dealt with in its own way. */
export const ODD_FOR_MS = 600_000;
/** What a server that nobody asked yet is taken for. */
const UNKNOWN_RTT_MS = 120;

/** See the file's header. */
export class ServerMemory {
  readonly #facts = new Map<string, ServerFacts>();

  /** What is known of a server; to be changed in place. */
  of(server: Server): ServerFacts {
    const key = `${server.address} ${server.port}`;
    let facts = this.#facts.get(key);
    if (facts === undefined) {
      facts = {
        rttMs: undefined,
        silences: 0,
        silentAtMs: 0,
        tcpUntilMs: 0,
        plainUntilMs: 0,
        caseBlindUntilMs: 0,
      };
      if (this.#facts.size >= MAX_SERVERS) {
        this.#facts.delete(this.#facts.keys().next().value!);
      }
      this.#facts.set(key, facts);
    }
    return facts;
  }

  /** Notes an answer and how long it took. */
  answered(server: Server, tookMs: number): void {
    const facts = this.of(server);
    facts.silences = 0;
    facts.rttMs = facts.rttMs === undefined
      ? tookMs
      : facts.rttMs * 0.75 + tookMs * 0.25;
  }

  /** Notes that no answer came. */
  silent(server: Server, nowMs: number): void {
    const facts = this.of(server);
    facts.silences++;
    facts.silentAtMs = nowMs;
  }

  /** True if it was silent a moment ago. */
  isShunned(server: Server, nowMs: number): boolean {
    const { silences, silentAtMs } = this.of(server);
    return silences > 0 && nowMs - silentAtMs < SHUN_MS;
  }

  /** The servers in their order, those shunned last. */
  inOrder(servers: readonly Server[], nowMs: number): Server[] {
    const shunned = servers.filter((one) => this.isShunned(one, nowMs));
    return [...servers.filter((one) => !shunned.includes(one)), ...shunned];
  }

  /** The servers by their speed, a little at random; those shunned last. */
  bySpeed(
    servers: readonly Server[],
    { nowMs, random }: { nowMs: number; random: () => number },
  ): Server[] {
    return servers
      .map((server) => ({
        server,
        rank: (this.of(server).rttMs ?? UNKNOWN_RTT_MS) * (1 + random()) +
          (this.isShunned(server, nowMs) ? 1e6 : 0),
      }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ server }) => server);
  }
}
