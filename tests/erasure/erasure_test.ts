/**
 * A delivered message leaves nothing readable behind: neither its content nor
 * its header, neither its addresses nor its key, wherever on the raw disk one
 * looks, after 60 seconds; the same if the server is killed while it erases.
 *
 * That the search can find is shown first: while the messages wait, their
 * addresses, keys and sealed records are all there, and nothing else is.
 *
 * Small within `deno task test`; `deno task prove erasure` does it with 1,000
 * messages on every file system, twice, and prints a table.
 */
import assert from "node:assert/strict";
import { canMount, FILE_SYSTEMS, type FileSystem } from "./disk_image.ts";
import { killErasers } from "./disturbances.ts";
import { assertErased, erasureRound, type Outcome } from "./erasure_round.ts";
import { printOutcomes } from "./outcome_table.ts";
import { ErasureScene } from "./erasure_scene.ts";

const IS_FULL = Deno.env.get("BULKHEAD_PROOF") === "full";
const MEGABYTES = 512;
/** Erasing begins when a segment was idle for some 20 s. */
const KILLING_MS = 25_000;

Deno.test({
  name: "nothing of delivered mail is left on a raw ext4 image",
  ignore: IS_FULL || !await canMount("ext4-ordered"),
  async fn() {
    await using scene = await ErasureScene.make("ext4-ordered", 256);
    const outcome = await erasureRound(scene, {
      name: "undisturbed",
      messages: 60,
      isPatient: false,
    });
    printOutcomes([outcome]);
    assertErased(outcome);
  },
});

for (const kind of chosen()) {
  Deno.test({
    name: `nothing of 1,000 delivered messages is left on ${kind}`,
    ignore: !IS_FULL,
    async fn() {
      const outcomes = await proveFully(kind);
      printOutcomes(outcomes);
      outcomes.forEach(assertErased);
    },
  });
}

/** `BULKHEAD_FILE_SYSTEMS=xfs,btrfs` looks at these alone. */
function chosen(): FileSystem[] {
  const names = Deno.env.get("BULKHEAD_FILE_SYSTEMS")?.split(",");
  return FILE_SYSTEMS.filter((kind) => names?.includes(kind) ?? true);
}

async function proveFully(kind: FileSystem): Promise<Outcome[]> {
  assert.ok(await canMount(kind), `${kind} can be made here`);
  const messages = Number(Deno.env.get("BULKHEAD_MESSAGES") ?? 1_000);
  await using scene = await ErasureScene.make(kind, MEGABYTES);
  const calm = await erasureRound(scene, {
    name: "undisturbed",
    messages,
    isPatient: true,
  });
  await scene.remount();
  let kills = 0;
  const killed = await erasureRound(scene, {
    name: "killed",
    messages,
    isPatient: true,
    disturb: async () => {
      kills = await killErasers(scene, KILLING_MS);
    },
  });
  return [calm, { ...killed, name: `${killed.name} ${kills} times` }];
}
