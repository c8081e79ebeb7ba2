/** smtpd's entry: opens its edges, then its listening socket. */
import { runRole } from "../ipc/role_runtime.ts";
import { queueContract } from "../queue/queue_ipc.ts";
import { resolveContract } from "../resolve/resolve_ipc.ts";
import { spoolContract } from "../spool/spool_ipc.ts";
import { edgeBackend } from "./backend_io.ts";
import { smtpdPart } from "./role.ts";
import { serve } from "./serve_io.ts";

/** Runs the role for the life of the process. */
export function main(): Promise<void> {
  return runRole(smtpdPart, (context) =>
    serve(context, {
      backend: edgeBackend({
        resolve: context.ask(resolveContract),
        spool: context.ask(spoolContract),
        queue: context.ask(queueContract),
      }),
      doors: [{ name: "smtp", isTls: false }],
    }));
}
