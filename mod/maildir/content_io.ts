/** Message contents from the spool, unsealed. */
import { DamagedError, readContent } from "../content/reader.ts";
import { SegmentFiles } from "../content/segment_files.ts";
import type { Content, ContentStep, OpenContent } from "./content.ts";
import { toFailure } from "./mail_files_io.ts";

/** Reads contents from the segments in `spoolDir`. */
export function spoolContent(spoolDir: string): OpenContent {
  const files = new SegmentFiles();
  return (ref, key) => stepwise(readContent(spoolDir, ref, key, files));
}

function stepwise(octets: Generator<Uint8Array>): Content {
  return {
    next(): ContentStep {
      try {
        const { done, value } = octets.next();
        return done ? { kind: "end" } : { kind: "octets", octets: value };
      } catch (error) {
        if (error instanceof DamagedError) {
          return { kind: "damaged", why: error.message };
        }
        return { kind: "failed", failure: toFailure(error) };
      }
    },
    close: () => void octets.return(undefined),
  };
}
