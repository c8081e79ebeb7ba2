/**
 * What somebody should look at, in plain words, each with what to do. Pure:
 * facts in, sentences out.
 */
import { VERSION } from "../../core/version.ts";
import type { Facts } from "../../../web/news.ts";

const DAY_MS = 86_400_000;
/** A certificate's last days. */
const EXPIRES_WITHIN_MS = 21 * DAY_MS;
/** A disk with less is nearly full. */
const LEAST_FREE = 0.1;
/** So many restarts within {@link OFTEN_WITHIN_MS} are often. */
const OFTEN = 3;
/** See {@link OFTEN}. */
export const OFTEN_WITHIN_MS = 600_000;
/** How long an error or a jump of the clock is spoken of. */
export const SPOKEN_OF_MS = DAY_MS;

/** What is known when warnings are made. */
export interface Known {
  readonly nowMs: number;
  /** What was odd about the configuration when it was read. */
  readonly odd: readonly string[];
  readonly isRoot: boolean;
  readonly certificates: Facts["certificates"];
  readonly disks: Facts["disks"];
  readonly drill: Facts["drill"];
  /** Roles that do not answer, though the server was ready once. */
  readonly down: readonly string[];
  /** Restarts of late ({@link OFTEN_WITHIN_MS}), by process. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Ends by an error of their own within a day, by process. */
  readonly errors: ReadonlyMap<string, number>;
  /** Moments of a day with errors in the log, by process. */
  readonly logged: ReadonlyMap<string, number>;
  /** Jumps of the clock within a day, in ms, forward or back. */
  readonly jumps: readonly { readonly atMs: number; readonly byMs: number }[];
}

/** The sentences, the most urgent first. */
export function warningsFor(known: Known): string[] {
  return [
    ...known.down.map((instance) =>
      `The role ${instance} does not answer; it is started again by itself. ` +
      "The log says why it ended."
    ),
    ...known.disks.flatMap(diskWarning),
    ...known.certificates.flatMap((one) => expiry(one, known.nowMs)),
    ...[...known.restarts].filter(([, count]) => count >= OFTEN).map((
      [instance, count],
    ) =>
      `The role ${instance} was started again ${count} times in ten minutes: ` +
      "look for role-died in the log."
    ),
    ...[...known.errors].filter(([, count]) => count > 0).map((
      [instance, count],
    ) =>
      `The role ${instance} ended by an error of its own ` +
      `${count === 1 ? "once" : `${count} times`} within a day: that is a ` +
      "bug of ours; role-failed and the lines before role-died in the log " +
      "are what a report needs."
    ),
    ...[...known.logged.keys()].map((instance) =>
      `The role ${instance} wrote errors into the log within a day: look for ` +
      "lines of it with severity error there; docs/events.md explains them."
    ),
    ...drillWarning(known.drill),
    ...known.jumps.slice(-3).map(({ atMs, byMs }) =>
      `The clock jumped ${byMs > 0 ? "forward" : "back"} by ` +
      `${Math.round(Math.abs(byMs) / 1_000)} s at ` +
      `${new Date(atMs).toISOString()}: mail is tried and given up by it; ` +
      "see that it is set by NTP."
    ),
    ...known.isRoot ? [] : [
      "The server was not started as root, so all roles run as one user: the " +
      "wall of users is missing.",
    ],
    ...known.odd,
  ].slice(0, 100).map((one) => one.slice(0, 1_000));
}

function diskWarning(disk: Facts["disks"][number]): string[] {
  const { path, freeBytes, allBytes } = disk;
  if (allBytes === 0 || freeBytes / allBytes >= LEAST_FREE) return [];
  const percent = Math.floor(100 * freeBytes / allBytes);
  return [
    `The disk of ${path} is nearly full: ${percent} % of it, ` +
    `${Math.floor(freeBytes / 1_048_576)} MiB, are free. When there is no ` +
    "room, senders are told to come again later.",
  ];
}

function expiry(
  { file, notAfterMs }: Facts["certificates"][number],
  nowMs: number,
): string[] {
  const leftMs = notAfterMs - nowMs;
  if (leftMs >= EXPIRES_WITHIN_MS) return [];
  const day = new Date(notAfterMs).toISOString().slice(0, 10);
  return [
    leftMs < 0
      ? `The certificate ${file} expired on ${day}: renew it, and send the ` +
        "server SIGHUP."
      : `The certificate ${file} expires on ${day}, in ` +
        `${Math.floor(leftMs / DAY_MS)} days: renew it, and send the server ` +
        "SIGHUP.",
  ];
}

function drillWarning(drill: Facts["drill"]): string[] {
  if (drill === null) return [];
  if (drill.denied < drill.acts) {
    return [
      `In the last drill ${drill.acts - drill.denied} of ${drill.acts} acts ` +
      "of a taken-over role were not denied: `bulkhead drill` says which.",
    ];
  }
  return drill.version === VERSION ? [] : [
    `The last drill was done with version ${drill.version}, and this is ` +
    `${VERSION}: run \`bulkhead drill\` again.`,
  ];
}
