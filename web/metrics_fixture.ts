/** A server with a bit of everything, for tests of the metrics. */
import { DELAY_BOUNDS_S } from "../mod/core/delay_histogram.ts";
import { madeUpSources } from "./console_fixture.ts";
import type { MetricsSources } from "./metrics.ts";
import { FED } from "./metrics_table.ts";
import type { Facts, News } from "./news.ts";

/** Every counter of the table is there once, and some that should not be. */
export function madeUpServer(): MetricsSources {
  return {
    ...madeUpSources(),
    news: () => ({
      pid: 1,
      startedMs: 1_500,
      ready: true,
      hostname: "mx.home.test",
      version: "0.1.0",
      memoryBytes: 5,
      roles: roles(),
    }),
    facts: () => FACTS,
    counts: async () => ({
      ...(await madeUpSources().counts())!,
      delays: {
        upTo: [...DELAY_BOUNDS_S.map((_, n) => Math.min(n, 2)), 3],
        sumMs: 4_500,
      },
    }),
  };
}

function roles(): News["roles"] {
  const names = new Set(
    FED.flatMap(({ feeds }) => feeds)
      .flatMap(({ roles }) => roles),
  );
  const all = [...names].map((name) => role(`${name}.0`, countersOf(name)));
  return [...all, role("smtpd.1", { "evil": 1, 'failed-evil"x': 1 })];
}

function countersOf(name: string): Record<string, number> {
  const feeds = FED.flatMap((one) => one.feeds)
    .filter(({ roles }) => roles.includes(name));
  return Object.fromEntries(
    feeds.map(({ counter, any }) => [any ? `${counter}odd-1` : counter, 7]),
  );
}

function role(
  instance: string,
  counters: Record<string, number>,
): News["roles"][number] {
  return {
    instance,
    state: "ready",
    pid: 9,
    restarts: 2,
    errors: 1,
    logged: { error: 1, warning: 2 },
    upMs: 61_000,
    memoryBytes: 25_000_000,
    counters,
  };
}

const FACTS: Facts = {
  manifests: [],
  drill: {
    atMs: 1,
    tookMs: 2,
    version: "0.1.0",
    acts: 9,
    denied: 8,
    byWall: {},
    byRole: [],
    succeeded: [],
  },
  certificates: [{
    use: "smtp",
    file: "/c",
    names: [],
    issuer: "",
    isSelfSigned: true,
    notBeforeMs: 0,
    notAfterMs: 2_000_000,
  }],
  erasure: [],
  disks: [{ path: '/s"\\p', freeBytes: 5, allBytes: 9 }],
  care: [],
  warnings: ["one"],
};
