/** What somebody should look at: the supervisor's warnings, and what the console sees by itself. */
import { isWell } from "../news.ts";
import type { Sources } from "../sources.ts";
import { count, plain, sentence, span } from "./words.ts";

const DAY_MS = 86_400_000;
/** A role that answers for less time than this has restarted of late. */
const LATELY_MS = 10 * 60_000;

/** The worst first, a sentence or two each; empty if all is well. */
export function worries(sources: Sources): readonly string[] {
  return [
    ...rolesThatAreDown(sources),
    ...(sources.facts()?.warnings ?? []).map((one) => sentence(plain(one))),
    ...successfulActs(sources),
    ...certificatesThatEnd(sources),
    ...restartsOfLate(sources),
  ];
}

function rolesThatAreDown(sources: Sources): string[] {
  return (sources.news()?.roles ?? []).filter((one) => !isWell(one))
    .map((one) =>
      `The role ${plain(one.instance)} does not answer; it is ${
        plain(one.state)
      }. The supervisor starts it again by itself.`
    );
}

function restartsOfLate(sources: Sources): string[] {
  const late = (sources.news()?.roles ?? []).filter((one) =>
    one.state === "ready" && one.restarts > 0 && one.upMs < LATELY_MS
  );
  if (late.length === 0) return [];
  const names = late.map((one) => plain(one.instance)).join(", ");
  return [
    `Started again in the last ${span(LATELY_MS)}: ${names}. The log says why.`,
  ];
}

function certificatesThatEnd(sources: Sources): string[] {
  const nowMs = sources.nowMs();
  return (sources.facts()?.certificates ?? []).flatMap((one) => {
    const leftMs = one.notAfterMs - nowMs;
    if (leftMs > 14 * DAY_MS) return [];
    const what = `The certificate for ${plain(one.use)}`;
    return leftMs <= 0
      ? [`${what} has run out. Others may refuse to talk to this server.`]
      : [`${what} runs out in ${span(leftMs)}.`];
  });
}

function successfulActs(sources: Sources): string[] {
  const acts = sources.facts()?.drill?.succeeded.length ?? 0;
  return acts === 0
    ? []
    : [`In the last drill ${count(acts, "act")} of a break-in succeeded.`];
}
