/** Message contents from the spool, unsealed. */
import { DamagedError, readContent } from "../content/reader.ts";
import type { Content, ContentStep, OpenContent } from "./content.ts";
import { toFailure } from "./mail_files_io.ts";

/** Reads contents from the segments in `spoolDir`. */
export function spoolContent(spoolDir: string): OpenContent {
  return (ref, key) => stepwise(readContent(spoolDir, ref, key));
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
