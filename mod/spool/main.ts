/**
 * The spool role. Keeps message contents, sealed, on disk; holds no key for
 * longer than it takes to answer, opens no connection but to its askers'
 * sockets, and reads nothing of what it stores but to verify it or to quote a
 * header in a notice.
 */
import { shredContract } from "../shred/shred_ipc.ts";
import { log } from "../core/log.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { spoolAnswers } from "./answers.ts";
import { DenoDisk } from "./disk_io.ts";
import { spoolPart } from "./role.ts";
import { shredPeer } from "./shred_peer.ts";
import { Spool } from "./spool.ts";
import { spoolContract } from "./spool_ipc.ts";

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(spoolPart, (ctx) => {
    const { dir, spentDir, ...limits } = ctx.part;
    const disk = new DenoDisk(dir, spentDir);
    if (disk.freeBytes() === undefined) log("free-space-unknown", { dir });
    const shred = shredPeer(ctx.ask(shredContract));
    const spool = new Spool(disk, { ...limits, shred });
    spool.open();
    ctx.measure("spent-files", () => spool.facts.spentFiles);
    const answers = spoolAnswers({ spool, dir, count: ctx.count });
    ctx.answer(spoolContract, answers, (gone) => spool.askerGone(gone));
    ctx.onStop(() => spool.close());
  });
}
