/** Reads records back for the queue; what goes wrong becomes a value. */
import { DamagedError, readContent } from "../content/reader.ts";
import type { ContentRef } from "../core/shapes.ts";
import { attempt } from "./disk_io.ts";
import { messageStart } from "./notice.ts";

/** Chunks of 64 KiB that are opened before others have their turn. */
const CHUNKS_A_TURN = 16;

/**
 * What reading a record through showed.
 *
 * - `whole`: every octet is there and authentic
 * - `damaged`: positive knowledge that it is not
 * - `missing`: its file is not there
 * - `unreadable`: the system would not read; says nothing
 */
export type Reading = "whole" | "damaged" | "missing" | "unreadable";

/** Reads a record through, without keeping the event loop for long. */
export async function readThrough(
  dir: string,
  ref: ContentRef,
  key: string,
): Promise<Reading> {
  const chunks = readContent(dir, ref, key);
  for (let read = 1;; read++) {
    const next = caught(() => chunks.next());
    if ("fault" in next) return next.fault;
    if (next.value.done) return "whole";
    if (read % CHUNKS_A_TURN === 0) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

/** The first octets of a message; undefined if they cannot be had. */
export function readStart(
  dir: string,
  ref: ContentRef,
  key: string,
): Uint8Array | undefined {
  const start = caught(() => messageStart(readContent(dir, ref, key)));
  return "fault" in start ? undefined : start.value;
}

function caught<T>(
  operation: () => T,
): { value: T } | { fault: Exclude<Reading, "whole"> } {
  let seen: Exclude<Reading, "whole"> = "unreadable";
  const done = attempt(() => {
    try {
      return { value: operation() };
    } catch (error) {
      if (error instanceof DamagedError) return { fault: "damaged" as const };
      if (error instanceof Deno.errors.NotFound) seen = "missing";
      throw error;
    }
  });
  return done.ok ? done.value : { fault: seen };
}
