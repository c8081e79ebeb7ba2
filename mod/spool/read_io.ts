/** Reads records back for the queue; what goes wrong becomes a value. */
import { DamagedError, readContent } from "../content/reader.ts";
import type { ContentRef } from "../core/shapes.ts";
import { attempt } from "./disk_io.ts";
import { messageStart } from "./notice.ts";

/** The first octets of a message; undefined if they cannot be had. */
export function readStart(
  dir: string,
  ref: ContentRef,
  key: string,
): Uint8Array | undefined {
  return unlessDamaged(() => messageStart(readContent(dir, ref, key)));
}

/** All octets of a message; undefined as above. */
export function readWhole(
  dir: string,
  ref: ContentRef,
  key: string,
): readonly Uint8Array[] | undefined {
  return unlessDamaged(() => [...readContent(dir, ref, key)]);
}

function unlessDamaged<T>(work: () => T): T | undefined {
  const read = attempt(() => {
    try {
      return work();
    } catch (error) {
      if (error instanceof DamagedError) return undefined;
      throw error;
    }
  });
  return read.ok ? read.value : undefined;
}
