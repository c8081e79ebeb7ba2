/** smtpd's entry: opens its edges, then its listening socket. */
import { log } from "../core/log.ts";
import { gateContract } from "../gate/gate_ipc.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { queueContract } from "../queue/queue_ipc.ts";
import { resolveContract } from "../resolve/resolve_ipc.ts";
import { spoolContract } from "../spool/spool_ipc.ts";
import { edgeBackend } from "./backend_io.ts";
import { smtpdPart } from "./role.ts";
import { SmtpServer } from "./server_io.ts";

/** Runs the role for the life of the process. */
export function main(): Promise<void> {
  return runRole(smtpdPart, async (context) => {
    const server = new SmtpServer({
      part: context.part,
      backend: edgeBackend({
        resolve: context.ask(resolveContract),
        spool: context.ask(spoolContract),
        queue: context.ask(queueContract),
      }),
      gate: context.ask(gateContract),
      log,
      count: (name) => context.count(name),
    });
    context.onRenew((part) => server.renew(part));
    context.onStop(() => server.stop());
    for (const fd of context.listeners("smtp")) await server.listen({ fd });
  });
}
