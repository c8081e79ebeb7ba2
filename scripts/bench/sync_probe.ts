/** How many syncs a second the disk makes, one after the other. */

const SYNCS = 200;
const BLOCK = new Uint8Array(4_096).fill(0x78);

/** Syncs a second. */
export interface SyncRate {
  /** The file grows by a block before each. */
  readonly append: number;
  /** A block that was written before is written again before each. */
  readonly overwrite: number;
}

/** Measures, in about a second. */
export function probeSyncs(dir: string): SyncRate {
  const path = `${dir}/sync-probe`;
  using file = Deno.openSync(path, { create: true, read: true, write: true });
  const append = rate(file);
  file.seekSync(0, Deno.SeekMode.Start);
  const overwrite = rate(file);
  Deno.removeSync(path);
  return { append, overwrite };
}

function rate(file: Deno.FsFile): number {
  const start = performance.now();
  for (let i = 0; i < SYNCS; i++) {
    file.writeSync(BLOCK);
    file.syncDataSync();
  }
  return Math.round(SYNCS * 1_000 / (performance.now() - start));
}
