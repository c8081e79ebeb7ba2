/** For tests: the two readings of a message in memory. Not part of any role. */
import { Buffer } from "node:buffer";
import { SevenBitRewriter } from "./seven_bit.ts";
import { SevenBitSurvey } from "./seven_bit_plan.ts";

/** Converts; `cut` says where the input is in two. */
export function sevenBit(
  octets: Uint8Array,
  cut = 0,
): { refused: string | undefined; octets: Uint8Array } {
  const chunks = [octets.subarray(0, cut), octets.subarray(cut)];
  const survey = new SevenBitSurvey();
  for (const chunk of chunks) survey.push(chunk);
  const refused = survey.end();
  if (refused !== undefined) return { refused, octets: new Uint8Array() };
  const rewriter = new SevenBitRewriter(survey);
  const out = chunks.map((chunk) => rewriter.push(chunk));
  return { refused, octets: Buffer.concat([...out, rewriter.end()]) };
}
