/**
 * The pickup role: reads what this machine's users dropped, gives content to
 * spool and envelope to queue, and removes the file when both are on disk. It
 * is one thread that does one message after the other.
 */
import { log } from "../core/log.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { queueContract } from "../queue/queue_ipc.ts";
import { spoolContract } from "../spool/spool_ipc.ts";
import { dropFiles } from "./drop_files_io.ts";
import { Pickup } from "./pickup.ts";
import { pickupPart } from "./role.ts";
import { take } from "./taking.ts";

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(pickupPart, (context) => {
    const { dir } = context.part;
    const spool = context.ask(spoolContract);
    const queue = context.ask(queueContract);
    const files = dropFiles(dir);
    const gid = files.look(".")!.gid;
    const pickup = new Pickup({
      files,
      count: context.count,
      take: (name) =>
        take(name, {
          files,
          part: context.part,
          gid,
          nowMs: Date.now(),
          backend: {
            store: () => spool.stream("store", {}),
            accept: (ask) => queue.ask("accept", ask),
            drop: (ref) => spool.ask("drop", { ref }),
          },
        }),
    });
    pickup.run().catch(die);
    context.restsWhen(() => pickup.isIdle);
    context.onStop(() => pickup.stop());
  });
}

/** A disk that fails, or our own bug: the supervisor starts us again. */
function die(error: unknown): never {
  log("role-failed", { why: String((error as Error)?.stack ?? error) });
  Deno.exit(70);
}
