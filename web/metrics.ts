/**
 * `/metrics`: what the supervisor told of the roles and the queue of its
 * recipients, as Prometheus reads it. Totals only: no address, host, domain or
 * name that a client chose is in it.
 */
import { DELAY_BOUNDS_S } from "../mod/core/delay_histogram.ts";
import { type Facts, isWell, type News, roleOf } from "./news.ts";
import {
  type FamilyHead,
  formatFamilies,
  type Labels,
  type Sample,
} from "./metrics_format.ts";
import { FED, type FedFamily, type Feed } from "./metrics_table.ts";
import type { Counts, Sources } from "./sources.ts";

/** What the metrics are made from. */
export type MetricsSources = Pick<Sources, "news" | "facts" | "counts">;

/** What is known when they are made. */
interface Known {
  readonly news: News;
  readonly facts: Facts | undefined;
  readonly counts: Counts | undefined;
}

type Role = News["roles"][number];

const BY_PROCESS = ["role", "process"];

interface ToldFamily extends FamilyHead {
  /** Their names, for the documentation. */
  readonly labels: readonly string[];
  readonly samples: (known: Known) => readonly Sample[];
}

/** Families that the supervisor's and the queue's facts feed. */
export const TOLD: readonly ToldFamily[] = [
  {
    name: "bulkhead_build_info",
    type: "gauge",
    labels: ["version"],
    help: "1; the program's version is its label.",
    samples: ({ news: { version } }) => [{ labels: { version }, value: 1 }],
  },
  {
    name: "bulkhead_start_time_seconds",
    type: "gauge",
    labels: [],
    help: "When the supervisor was started, since the epoch.",
    samples: ({ news }) => [{ labels: {}, value: news.startedMs / 1_000 }],
  },
  {
    name: "bulkhead_ready",
    type: "gauge",
    labels: [],
    help: "1 once every role has answered.",
    samples: ({ news }) => [{ labels: {}, value: news.ready ? 1 : 0 }],
  },
  {
    name: "bulkhead_warnings",
    type: "gauge",
    labels: [],
    help: "Warnings that `bulkhead status` shows now.",
    samples: ({ facts }) =>
      facts === undefined ? [] : [{ labels: {}, value: facts.warnings.length }],
  },
  {
    name: "bulkhead_role_up",
    type: "gauge",
    labels: BY_PROCESS,
    help: "1 if the process answers, or rests until it is wanted.",
    samples: byRole((one) => isWell(one) ? 1 : 0),
  },
  {
    name: "bulkhead_role_restarts_total",
    type: "counter",
    labels: BY_PROCESS,
    help: "How often the process was started again.",
    samples: byRole(({ restarts }) => restarts),
  },
  {
    name: "bulkhead_unhandled_errors_total",
    type: "counter",
    labels: BY_PROCESS,
    help: "How often the process ended by an error that it did not handle.",
    samples: byRole(({ errors }) => errors ?? 0),
  },
  {
    name: "bulkhead_log_events_total",
    type: "counter",
    labels: [...BY_PROCESS, "severity"],
    help: "Lines of the process's log that are errors or warnings: " +
      "docs/events.md says which events are.",
    samples: ({ news }) =>
      news.roles.flatMap((one) =>
        Object.entries(one.logged ?? {}).map(([severity, value]) => ({
          labels: { ...labelsOf(one), severity },
          value,
        }))
      ),
  },
  {
    name: "bulkhead_memory_bytes",
    type: "gauge",
    labels: BY_PROCESS,
    help: "Proportional set size of the process, at most 30 s old; missing " +
      "if the server was not started as root.",
    samples: ({ news: { roles, memoryBytes } }) =>
      [
        { labels: { role: "supervisor", process: "0" }, value: memoryBytes },
        ...roles.map((one) => ({
          labels: labelsOf(one),
          value: one.memoryBytes,
        })),
      ].flatMap(({ labels, value }) => value ? [{ labels, value }] : []),
  },
  {
    name: "bulkhead_queue_recipients",
    type: "gauge",
    labels: ["state"],
    help: "Recipients in the queue by state.",
    samples: ({ counts }) =>
      Object.entries(counts?.byState ?? {}).map(([state, value]) => ({
        labels: { state },
        value,
      })),
  },
  {
    name: "bulkhead_delivery_delay_seconds",
    type: "histogram",
    labels: ["le"],
    help: "From a message's arrival to a recipient's delivery.",
    samples: ({ counts }) => counts === undefined ? [] : delays(counts),
  },
  {
    name: "bulkhead_disk_free_bytes",
    type: "gauge",
    labels: ["path"],
    help: "Room on the disk of the directory.",
    samples: ({ facts }) =>
      (facts?.disks ?? []).map(({ path, freeBytes }) => ({
        labels: { path },
        value: freeBytes,
      })),
  },
  {
    name: "bulkhead_disk_size_bytes",
    type: "gauge",
    labels: ["path"],
    help: "Size of the disk of the directory.",
    samples: ({ facts }) =>
      (facts?.disks ?? []).map(({ path, allBytes }) => ({
        labels: { path },
        value: allBytes,
      })),
  },
  {
    name: "bulkhead_certificate_expiry_timestamp_seconds",
    type: "gauge",
    labels: ["use"],
    help: "When the certificate ends, since the epoch.",
    samples: ({ facts }) =>
      (facts?.certificates ?? []).map(({ use, notAfterMs }) => ({
        labels: { use },
        value: notAfterMs / 1_000,
      })),
  },
  {
    name: "bulkhead_drill_acts",
    type: "gauge",
    labels: ["denied"],
    help: "Acts of the last break-in drill by whether a wall denied them.",
    samples: ({ facts }) =>
      facts?.drill
        ? [
          { labels: { denied: "yes" }, value: facts.drill.denied },
          {
            labels: { denied: "no" },
            value: facts.drill.acts - facts.drill.denied,
          },
        ]
        : [],
  },
];

/** All families, in the order of the page. */
export const FAMILIES: readonly (ToldFamily | FedFamily)[] = [...TOLD, ...FED];

/** The labels that a family's samples have. */
export function labelNames(family: ToldFamily | FedFamily): readonly string[] {
  if ("labels" in family) return family.labels;
  const own = family.feeds.flatMap(({ labels, any }) => [
    ...Object.keys(labels),
    ...any === undefined ? [] : [any],
  ]);
  return [...new Set([...BY_PROCESS, ...own])];
}

/** The page; undefined as long as the supervisor has told nothing. */
export async function metricsText(
  sources: MetricsSources,
): Promise<string | undefined> {
  const news = sources.news();
  if (news === undefined) return undefined;
  const known = {
    news,
    facts: sources.facts(),
    counts: await sources.counts(),
  };
  return formatFamilies([
    ...TOLD.map((one) => ({ ...one, samples: one.samples(known) })),
    ...FED.map((one) => ({ ...one, samples: fedSamples(one, news.roles) })),
  ]);
}

function byRole(valueOf: (role: Role) => number) {
  return ({ news }: Known): Sample[] =>
    news.roles.map((one) => ({ labels: labelsOf(one), value: valueOf(one) }));
}

/** Not `instance`: Prometheus has that label for its own. */
function labelsOf(role: Role): Labels {
  return {
    role: roleOf(role),
    process: role.instance.split(".")[1] ?? "0",
  };
}

function fedSamples({ feeds }: FedFamily, roles: readonly Role[]): Sample[] {
  return feeds.flatMap((feed) =>
    roles.filter((one) => feed.roles.includes(roleOf(one)))
      .flatMap((role) =>
        feed.any === undefined
          ? exact(feed, role)
          : matching(feed, feed.any, role)
      )
  );
}

/** 0 if it never happened: a series that begins late hides its first step. */
function exact({ counter, labels }: Feed, role: Role): Sample[] {
  const value = counterOf(role, counter);
  return [{ labels: { ...labelsOf(role), ...labels }, value }];
}

function matching(
  { counter, labels }: Feed,
  any: string,
  role: Role,
): Sample[] {
  return Object.entries(role.counters)
    .filter(([name]) => name.startsWith(counter) && isWord(name))
    .map(([name, value]) => ({
      labels: {
        ...labelsOf(role),
        ...labels,
        [any]: name.slice(counter.length),
      },
      value,
    }));
}

function counterOf({ counters }: Role, name: string): number {
  return Object.hasOwn(counters, name) ? counters[name]! : 0;
}

/** Lower-case words: what a role that is itself counts under. */
function isWord(name: string): boolean {
  for (const letter of name) {
    const isGood = letter >= "a" && letter <= "z" ||
      letter >= "0" && letter <= "9" || letter === "-";
    if (!isGood) return false;
  }
  return true;
}

function delays({ delays: { upTo, sumMs } }: Counts): Sample[] {
  const count = upTo.at(-1) ?? 0;
  const buckets = DELAY_BOUNDS_S.map((bound, n) => ({
    suffix: "_bucket",
    labels: { le: String(bound) },
    value: upTo[n] ?? count,
  }));
  return [
    ...buckets,
    { suffix: "_bucket", labels: { le: "+Inf" }, value: count },
    { suffix: "_sum", labels: {}, value: sumMs / 1_000 },
    { suffix: "_count", labels: {}, value: count },
  ];
}
