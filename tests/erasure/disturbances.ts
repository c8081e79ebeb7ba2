/** Deaths in the middle of erasing. */
import { delay } from "../system/server_fixture.ts";
import type { ErasureScene } from "./erasure_scene.ts";

const BETWEEN_MS = 700;

/** Who dies while messages end and their segments are overwritten. */
const ERASERS = ["queue.0", "spool.0", "shred.0"] as const;

/**
 * Kills all who erase, in turn, and at last the supervisor, until
 * `durationMs` are over.
 */
export async function killErasers(
  scene: ErasureScene,
  durationMs: number,
): Promise<number> {
  const late = performance.now() + durationMs;
  let kills = 0;
  while (performance.now() < late) {
    for (const instance of ERASERS) {
      if (await scene.kill(instance)) kills++;
      await delay(BETWEEN_MS * Math.random());
    }
    await delay(BETWEEN_MS * Math.random());
    await scene.killSupervisor();
    kills++;
    await delay(2_000 * Math.random());
  }
  return kills;
}
