/**
 * Reads contents through, each to its authentic end, and keeps nothing of
 * them. A one-shot process in the spool's jail, which can reach no network.
 */
import { readContent } from "../content/reader.ts";
import { SegmentFiles } from "../content/segment_files.ts";
import type { ContentsAsk, ContentsRead } from "./care_ipc.ts";

/** Reads them. */
export function inspectContents(
  dir: string,
  { rows }: ContentsAsk,
): ContentsRead {
  const files = new SegmentFiles();
  const bad: ContentsRead["bad"] = [];
  let octets = 0;
  try {
    for (const { id, ref, key } of rows) {
      try {
        for (const chunk of readContent(dir, ref, key, files)) {
          octets += chunk.length;
        }
      } catch (error) {
        if (error instanceof RangeError) throw error;
        bad.push({ id, why: (error as Error).message.slice(0, 300) });
      }
    }
  } finally {
    files.close();
  }
  return { messages: rows.length, octets, bad };
}
