/** submission's entry: opens its edges, then its listening sockets. */
import { authContract } from "../auth/auth_ipc.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { queueContract } from "../queue/queue_ipc.ts";
import { resolveContract } from "../resolve/resolve_ipc.ts";
import { spoolContract } from "../spool/spool_ipc.ts";
import { submissionBackend } from "./backend_io.ts";
import { submissionPart } from "./role.ts";
import { serve } from "./serve_io.ts";

/** Runs the role for the life of the process. */
export function main(): Promise<void> {
  return runRole(submissionPart, (context) =>
    serve(context, {
      backend: submissionBackend({
        auth: context.ask(authContract),
        resolve: context.ask(resolveContract),
        spool: context.ask(spoolContract),
        queue: context.ask(queueContract),
      }),
      doors: [
        { name: "submission", isTls: false },
        { name: "submissions", isTls: true },
      ],
    }));
}
