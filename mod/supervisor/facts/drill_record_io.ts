/**
 * The last drill's result, kept in the home for the console: a file that only
 * whoever starts the server can write. `bulkhead drill` writes it, the
 * supervisor reads it when it changed.
 */
import { VERSION } from "../../core/version.ts";
import type { DrillResult } from "../drill.ts";
import { drillFacts, type Facts } from "../../../web/news.ts";
import { wordsOf } from "../care/words.ts";
import { replaceFile } from "../replace_file.ts";
import { readOwn } from "./own_file_io.ts";

/** What is known of a drill. */
export type DrillRecord = NonNullable<Facts["drill"]>;

/** Where it lies. */
export function drillFile(home: string): string {
  return `${home}/drill.json`;
}

/** Sums a drill up. */
export function drillRecord(
  { acts }: DrillResult,
  when: { readonly atMs: number; readonly tookMs: number },
): DrillRecord {
  const byWall = new Map<string, number>();
  const byRole = new Map<string, { acts: number; denied: number }>();
  for (const { role, denied, wall } of acts) {
    const sum = byRole.get(role) ?? { acts: 0, denied: 0 };
    byRole.set(role, {
      acts: sum.acts + 1,
      denied: sum.denied + (denied ? 1 : 0),
    });
    if (denied) byWall.set(wall, (byWall.get(wall) ?? 0) + 1);
  }
  const through = acts.filter((one) => !one.denied);
  return {
    atMs: when.atMs,
    tookMs: Math.round(when.tookMs),
    version: VERSION,
    acts: acts.length,
    denied: acts.length - through.length,
    byWall: Object.fromEntries(byWall),
    byRole: [...byRole].slice(0, 64).map(([role, sum]) => ({ role, ...sum })),
    succeeded: through.slice(0, 100).map((one) => {
      const mode = one.mode === "flags"
        ? "as it runs"
        : "with Deno's checks off";
      const how = one.error === undefined ? "" : ` (${one.error})`;
      return `${one.role}, ${mode}: ${one.act}${how}`.slice(0, 400);
    }),
  };
}

/** Keeps it; a disk that is full or read-only is told, and no more. */
export function writeDrill(home: string, record: DrillRecord): string[] {
  try {
    replaceFile(drillFile(home), JSON.stringify(record) + "\n", 0o644);
    return [];
  } catch (error) {
    return [`the result is not kept: ${wordsOf(error)}`];
  }
}

/** The last one; null if there was none, or what is there is not one. */
export function readDrill(home: string): DrillRecord | null {
  const text = readOwn(drillFile(home), 262_144);
  if (text === undefined) return null;
  try {
    return drillFacts.parse(JSON.parse(text));
  } catch {
    // Another version's, or no JSON: the next drill replaces it.
    return null;
  }
}
