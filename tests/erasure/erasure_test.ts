/**
 * A delivered message leaves nothing readable behind: neither its content nor
 * its header, neither its addresses nor its key, wherever on the raw disk one
 * looks, after 60 seconds; the same if the server is killed while it erases.
 *
 * That the search can find is shown first: while the messages wait, their
 * addresses, keys and sealed records are all there, and nothing else is.
 *
 * Small within `deno task test`; `deno task prove erasure` does it on every file
 * system, with few messages, with 1,000 and deaths while they are erased, with
 * 1,000 and with few of which some stay in the queue, and prints a table.
 */
import { canMakeDisks } from "../crash/disk_fixture.ts";
import { IS_FULL } from "../crash/proof.ts";
import { DISK_KINDS, type DiskKind } from "../crash/disk_kinds.ts";
import { killErasers } from "./disturbances.ts";
import { assertErased, erasureRound, type Outcome } from "./erasure_round.ts";
import { reportOutcomes } from "./outcome_table.ts";
import { ErasureScene } from "./erasure_scene.ts";

const MEBIBYTE = 1_048_576;
/** Erasing begins when a segment was idle for some 20 s. */
const KILLING_MS = 25_000;

if (IS_FULL) {
  const name = "nothing of 2,000 delivered messages is left on any file system";
  // All at once: most of the time is waiting.
  Deno.test(name, async () => {
    const ends = await Promise.allSettled(chosen().map(proveFully));
    const outcomes = ends.flatMap((end) =>
      end.status === "fulfilled" ? end.value : []
    );
    reportOutcomes(outcomes);
    const failures = ends.flatMap((end) =>
      end.status === "rejected" ? [end.reason] : []
    );
    for (const outcome of outcomes) {
      try {
        assertErased(outcome);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures);
  });
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
        name: "few",
        messages: 60,
        someStay: false,
        allSmall: false,
        isPatient: false,
      });
      reportOutcomes([outcome]);
      assertErased(outcome);
    },
  });
}

/** `BULKHEAD_FILE_SYSTEMS=xfs,btrfs` looks at these alone. */
function chosen(): DiskKind[] {
  const names = Deno.env.get("BULKHEAD_FILE_SYSTEMS")?.split(",");
  return DISK_KINDS.filter((kind) => names?.includes(kind) ?? true);
}

async function proveFully(kind: DiskKind): Promise<Outcome[]> {
  await using scene = await ErasureScene.make(kind, 512 * MEBIBYTE);
  const usual = {
    messages: 1_000,
    someStay: false,
    allSmall: false,
    isPatient: true,
  };
  // So few that no later write covers their traces by chance.
  const few = await erasureRound(scene, {
    ...usual,
    name: "few",
    messages: 40,
  });
  await scene.image.mount();
  let kills = 0;
  const killed = await erasureRound(scene, {
    ...usual,
    name: "killed",
    disturb: async () => {
      kills = await killErasers(scene, KILLING_MS);
    },
  });
  await scene.image.mount();
  const some = await erasureRound(scene, {
    ...usual,
    name: "some stay",
    someStay: true,
  });
  await scene.image.mount();
  // Nothing is spent, so nothing is overwritten but keys and rows.
  const pinned = await erasureRound(scene, {
    ...usual,
    name: "few, one stays",
    messages: 40,
    someStay: true,
    allSmall: true,
  });
  const name = `${killed.name} ${kills} times`;
  return [few, { ...killed, name }, some, pinned];
}
