/** submission's entry: opens its edges, then its listening sockets. */
import { authContract } from "../auth/auth_ipc.ts";
import { log } from "../core/log.ts";
import { gateContract } from "../gate/gate_ipc.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { queueContract } from "../queue/queue_ipc.ts";
import { resolveContract } from "../resolve/resolve_ipc.ts";
import { spoolContract } from "../spool/spool_ipc.ts";
import { submissionBackend } from "./backend_io.ts";
import { submissionPart } from "./role.ts";
import { SmtpServer } from "./server_io.ts";

/** Runs the role for the life of the process. */
export function main(): Promise<void> {
  return runRole(submissionPart, async (context) => {
    const server = new SmtpServer({
      part: context.part,
      backend: submissionBackend({
        auth: context.ask(authContract),
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
    for (const fd of context.listeners("submission")) {
      await server.listen({ fd });
    }
    for (const fd of context.listeners("submissions")) {
      await server.listen({ fd }, true);
    }
  });
}
