/** What smtpd and submission do alike when they start: one server, its doors. */
import { log } from "../core/log.ts";
import { gateContract } from "../gate/gate_ipc.ts";
import type { RoleContext } from "../ipc/role_runtime.ts";
import type { Backend } from "./backend.ts";
import type { SmtpdPart, SubmissionPart } from "./role.ts";
import { SmtpServer } from "./server_io.ts";

/** Listening sockets of one name. */
export interface Door {
  readonly name: string;
  /** TLS from the first octet. */
  readonly isTls: boolean;
}

/** Serves the role's clients until it is stopped; resolves when all are let in. */
export async function serve<P extends SmtpdPart | SubmissionPart>(
  context: RoleContext<P>,
  { backend, doors }: { backend: Backend; doors: readonly Door[] },
): Promise<void> {
  const server = new SmtpServer({
    part: context.part,
    backend,
    gate: context.ask(gateContract),
    log,
    count: (name) => context.count(name),
  });
  context.measure("sessions", () => server.sessions);
  context.onRenew((part) => server.renew(part));
  context.onStop(() => server.stop());
  for (const { name, isTls } of doors) {
    for (const fd of context.listeners(name)) {
      await server.listen({ fd }, isTls);
    }
  }
}
