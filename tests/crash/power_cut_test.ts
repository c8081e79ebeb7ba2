/**
 * The power is cut under load: the whole home is on a small disk, which stops
 * taking anything in the middle of a write. Then the server is killed, the
 * disk mounted again (its journal is replayed), and the server started:
 * nothing acknowledged is lost, and nobody has to mend anything.
 */
import assert from "node:assert/strict";
import { NextHop } from "../system/next_hop.ts";
import { delay, freePort, server, until } from "../system/server_fixture.ts";
import {
  childrenOf,
  drained,
  isAlive,
  RECIPIENTS,
  type Scene,
  SETTINGS,
} from "./crash_fixture.ts";
import { canMakeDisks, Disk, type FileSystem } from "./disk_fixture.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { Load } from "./load.ts";
import { report, sized } from "./proof.ts";

const ROUNDS = sized({ small: 2, full: 20 });
/** xfs takes no less than 300 MB; the runtime's copy is 95 MB of it. */
const DISK_BYTES = 700 * 1_048_576;
/** Mail flows for so long before each cut, at least. */
const FLOW_MS = 700;
/** The server runs on for so long, on a disk that takes nothing. */
const DEAD_DISK_MS = 300;

async function cutAndRecover(fileSystem: FileSystem): Promise<void> {
  await using disk = await Disk.make({
    fileSystem,
    bytes: DISK_BYTES,
    within: "/var/tmp",
  });
  await disk.mount();
  await using hop = new NextHop(freePort());
  await hop.listen();
  await using made = await server({
    home: `${disk.mountPoint}/home`,
    routes: [`remote.test=127.0.0.1:${hop.port}`],
    settings: SETTINGS,
  });
  const stage: Pick<Scene, "made" | "hop"> = { made, hop };
  const ledger = new Ledger();
  const acceptedBefore: number[] = [];
  let slowestStartMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const load = new Load({
      port: made.smtpPort,
      ledger,
      senders: 4,
      to: RECIPIENTS,
      pauseMs: 20,
    });
    const before = ledger.of("accepted").length;
    await delay(FLOW_MS + Math.random() * FLOW_MS);
    await disk.cutPower(round % 2 === 0 ? "now" : "journal");
    acceptedBefore.push(ledger.of("accepted").length - before);
    await delay(DEAD_DISK_MS);
    await kill(made);
    await disk.umount();
    const began = performance.now();
    await disk.mount();
    await made.start();
    slowestStartMs = Math.max(slowestStartMs, performance.now() - began);
    await load.end();
    const verdict = await drained(stage, ledger);
    assertNothingLost(verdict);
  }
  const verdict = await drained(stage, ledger);
  report(
    `${fileSystem}: ${ROUNDS} power cuts, after ` +
      `${Math.min(...acceptedBefore)} to ${Math.max(...acceptedBefore)} ` +
      `messages each: ${sentence(verdict)}; mounted and ready after at most ` +
      `${Math.round(slowestStartMs)} ms`,
  );
  assertNothingLost(verdict);
  assert.ok(Math.min(...acceptedBefore) > 0, "mail flowed before each cut");
  await made.stopCleanly();
}

/** Kills the supervisor; its roles end by themselves. */
async function kill(made: Scene["made"]): Promise<void> {
  const roles = childrenOf(made.pid);
  Deno.kill(made.pid, "SIGKILL");
  await made.stop();
  await until("no roles", () => !roles.some(isAlive));
}

Deno.test({
  name: "a power cut under load loses nothing, on ext4 and on xfs",
  ignore: !canMakeDisks("power cuts"),
  fn: async () => {
    const ends = await Promise.allSettled(
      (["ext4", "xfs"] as const).map(cutAndRecover),
    );
    for (const end of ends) {
      if (end.status === "rejected") throw end.reason;
    }
  },
});
