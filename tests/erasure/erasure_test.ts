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
import { canMakeDisks } from "../crash/disk_fixture.ts";
import { IS_FULL } from "../crash/proof.ts";
import { IMAGE_KINDS, type ImageKind } from "./disk_image.ts";
import { killErasers } from "./disturbances.ts";
import { assertErased, erasureRound, type Outcome } from "./erasure_round.ts";
import { reportOutcomes } from "./outcome_table.ts";
import { ErasureScene } from "./erasure_scene.ts";

const MEBIBYTE = 1_048_576;
/** Erasing begins when a segment was idle for some 20 s. */
const KILLING_MS = 25_000;

if (IS_FULL) {
  for (const kind of chosen()) {
    Deno.test(`nothing of 1,000 delivered messages is left on ${kind}`, async () => {
      const outcomes = await proveFully(kind);
      reportOutcomes(outcomes);
      outcomes.forEach(assertErased);
    });
  }
} else {
  const name = "nothing of delivered mail is left on a raw ext4 image";
  Deno.test({
    name,
    ignore: !canMakeDisks(name),
    async fn() {
      await using scene = await ErasureScene.make(
        "ext4-ordered",
        256 * MEBIBYTE,
      );
      const outcome = await erasureRound(scene, {
        name: "undisturbed",
        messages: 60,
        isPatient: false,
      });
      reportOutcomes([outcome]);
      assertErased(outcome);
    },
  });
}

/** `BULKHEAD_FILE_SYSTEMS=xfs,btrfs` looks at these alone. */
function chosen(): ImageKind[] {
  const names = Deno.env.get("BULKHEAD_FILE_SYSTEMS")?.split(",");
  return IMAGE_KINDS.filter((kind) => names?.includes(kind) ?? true);
}

async function proveFully(kind: ImageKind): Promise<Outcome[]> {
  await using scene = await ErasureScene.make(kind, 512 * MEBIBYTE);
  const calm = await erasureRound(scene, {
    name: "undisturbed",
    messages: 1_000,
    isPatient: true,
  });
  await scene.image.mount();
  let kills = 0;
  const killed = await erasureRound(scene, {
    name: "killed",
    messages: 1_000,
    isPatient: true,
    disturb: async () => {
      kills = await killErasers(scene, KILLING_MS);
    },
  });
  return [calm, { ...killed, name: `${killed.name} ${kills} times` }];
}
