/** `bulkhead why`: where a message is, and why; server running or not. */
import fs from "node:fs";
import { asStored } from "../../core/sought_word.ts";
import { type AboutShown, aboutShown } from "../../gate/inspect_ipc.ts";
import type { Journey } from "../../journey/journey.ts";
import { tellRefusal } from "../../journey/refused.ts";
import { tell } from "../../journey/tell.ts";
import { MAX_STORIES, type WhyTold, whyTold } from "../../queue/inspect_ipc.ts";
import { type Opened, openSite } from "../site_io.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { inspectQueue, runJailed } from "./jailed.ts";
import { foundText, journeyText } from "./why_text.ts";

const MAX_WORDS = 8;
const MAX_WORD = 320;
/** Journeys of mail that was refused, in one answer. */
const MAX_REFUSALS = 60;

/** What is asked, and how it is answered. */
export interface WhyOptions {
  readonly config: string;
  readonly json: boolean;
  /** With the evidence line by line. */
  readonly full: boolean;
}

/** Tells what is known of what `words` name. */
export async function why(
  { config, json, full }: WhyOptions,
  programs: ReadonlyMap<string, string>,
  words: readonly string[],
): Promise<number> {
  if (
    words.length > MAX_WORDS ||
    words.some((word) => word === "" || word.length > MAX_WORD)
  ) {
    return fail(EXIT.usage, [
      `at most ${MAX_WORDS} words of at most ${MAX_WORD} characters`,
    ]);
  }
  const opening = openSite(config);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const asked = await askQueue(opened, programs, {
    words,
    stories: json ? MAX_STORIES : 1,
  });
  if ("fault" in asked) return fail(EXIT.config, [asked.fault]);
  const address = words.map(asStored).find((word) => word.includes("@"));
  const refused = address === undefined
    ? []
    : await askGate(opened, programs, address);
  const { found } = asked.told;
  if (found.length + refused.length === 0) {
    const nothing = `nothing is known of ${words.join(" ")}`;
    if (json) print(true, { journeys: [], found: [] }, () => "");
    return fail(EXIT.notFound, [nothing]);
  }
  const journeys = asked.told.stories.map(({ queueId, story }) =>
    journeyOf(opened, { queueId, story })
  );
  const refusals = refused.slice(0, MAX_REFUSALS).map(tellRefusal);
  print(
    json,
    { found, journeys: [...journeys, ...refusals] },
    () => whole({ found, journeys, refusals, full }),
  );
  return EXIT.ok;
}

function whole(
  { found, journeys, refusals, full }: {
    found: WhyTold["found"];
    journeys: readonly Journey[];
    refusals: readonly Journey[];
    full: boolean;
  },
): string {
  const told = journeys.map((one) => journeyText(one, full));
  const list = journeys.length === 0 && found.length > 0
    ? [foundText(found)]
    : [];
  // Of many refusals the first, which is the newest, says most.
  const some = full || found.length === 0 ? refusals : refusals.slice(0, 1);
  const left = refusals.length - some.length;
  const more = left > 0
    ? [`${left} more refused at the door: --full shows them.`]
    : [];
  return [
    ...told,
    ...list,
    ...some.map((one) => journeyText(one, full)),
    ...more,
  ].join("\n\n");
}

function journeyOf(
  { config, paths }: Opened,
  { queueId, story }: WhyTold["stories"][number],
): Journey {
  const segment = story.events.findLast(({ what }) => what === "erased")?.text;
  const isGone = segment === undefined || !isSegment(segment)
    ? undefined
    : !fs.existsSync(`${paths.spoolDir}/${segment}.seg`);
  return tell({ queueId, ...story }, {
    nowMs: Date.now(),
    expireMs: config.queue.expire,
    ...(isGone === undefined ? {} : { isSegmentGone: isGone }),
  });
}

/** It comes from a role's database, and becomes part of a path here. */
function isSegment(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,39}$/.test(text);
}

async function askQueue(
  opened: Opened,
  programs: ReadonlyMap<string, string>,
  ask: { readonly words: readonly string[]; readonly stories: number },
): Promise<{ told: WhyTold } | { fault: string }> {
  const run = await inspectQueue(opened, programs, "why", JSON.stringify(ask));
  if (run.code === 0) return { told: whyTold.parse(JSON.parse(run.out)) };
  return {
    fault: run.errors || `the queue in ${opened.paths.queueDir} cannot be read`,
  };
}

/** What was refused at the door; nothing if the gate's memory is unreadable. */
async function askGate(
  opened: Opened,
  programs: ReadonlyMap<string, string>,
  address: string,
): Promise<AboutShown["verdicts"]> {
  const { gateDir } = opened.paths;
  const run = await runJailed(
    opened,
    "gate",
    ["inspect-gate", gateDir, "about", address],
    programs,
  );
  return run.code === 0 ? aboutShown.parse(JSON.parse(run.out)).verdicts : [];
}
