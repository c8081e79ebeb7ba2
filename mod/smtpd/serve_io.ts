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

/** With more sessions than this the role's other processes are woken. */
const ALONE_UP_TO = 4;

/** A gate that is not there by then is not waited for. */
const GATE_WITHIN_MS = 1_000;

/** Serves the role's clients until it is stopped; resolves when all are let in. */
export async function serve<P extends SmtpdPart | SubmissionPart>(
  context: RoleContext<P>,
  { backend, doors }: { backend: Backend; doors: readonly Door[] },
): Promise<void> {
  const gate = context.ask(gateContract);
  const server: SmtpServer = new SmtpServer({
    part: context.part,
    backend,
    gate,
    log,
    count: (name) => {
      context.count(name);
      if (server.sessions > ALONE_UP_TO) context.wakeSiblings();
    },
  });
  context.measure("sessions", () => server.sessions);
  // One process of port 25 is always there: what is there at once is greeted
  // at once.
  context.restsWhen(() =>
    server.sessions === 0 && context.instance !== "smtpd.0"
  );
  context.onRenew((part) => server.renew(part));
  context.onStop(() => server.stop());
  // Who waits at the door would be let in unseen.
  await gate.settled(GATE_WITHIN_MS);
  for (const { name, isTls } of doors) {
    for (const fd of context.listeners(name)) {
      await server.listen({ fd }, isTls);
    }
  }
}
