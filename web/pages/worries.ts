/**
 * What somebody should look at: the supervisor's warnings, as `bulkhead status`
 * has them, and what was started again of late.
 */
import type { Sources } from "../sources.ts";
import { plain, sentence, span } from "./words.ts";

/** A role that answers for less time than this has restarted of late. */
const LATELY_MS = 10 * 60_000;

/** The most urgent first, a sentence or two each; empty if all is well. */
export function worries(sources: Sources): readonly string[] {
  return [
    ...(sources.facts()?.warnings ?? []).map((one) => sentence(plain(one))),
    ...restartsOfLate(sources),
  ];
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
