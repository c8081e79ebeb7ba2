/**
 * Dialogs to begin with: what the clients of `tests/dialogs` say, and some
 * that the grammar makes.
 */
import { Buffer } from "node:buffer";
import { readDialogs } from "../dialogs/library.ts";
import { type Dialog, dialog } from "./grammar.ts";
import { Random } from "./random.ts";

const MADE = 2_000;
/** Longer ones are floods of their own, and would make every session slow. */
const MAX_OCTETS = 20_000;

/** All there are; always the same ones in the same order. */
export function dialogSeeds(): readonly Dialog[] {
  if (seeds.length > 0) return seeds;
  for (let i = 0; i < MADE; i++) seeds.push(dialog(Random.of(1, i)));
  seeds.push(...transcripts());
  return seeds;
}

/** Read once: unfolding them takes long. */
const seeds: Dialog[] = [];

/** What the clients of the transcripts say; TLS begins nowhere. */
function transcripts(): Dialog[] {
  return readDialogs().map(({ steps }) =>
    steps.flatMap((step) =>
      step.do === "send" ? [Buffer.from(step.octets).toString("latin1")] : []
    )
  ).filter((said) => said.length > 0 && said.join("").length <= MAX_OCTETS);
}
