/**
 * The auth role. It reads one directory, whose one file it can read and never
 * write, and answers yes or no; what it read stays in here.
 */
import { runRole } from "../ipc/role_runtime.ts";
import { authAnswers } from "./answers.ts";
import { authContract } from "./auth_ipc.ts";
import { LOCK_WINDOW_MS } from "./lockout.ts";
import { PasswordSource } from "./password_source_io.ts";
import { authPart } from "./role.ts";

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(authPart, (context) => {
    const source = new PasswordSource(context.part.file);
    // Before the first login has to wait for it.
    source.logins();
    const { handlers, gone } = authAnswers({
      logins: () => source.logins(),
      defaultDomain: () => context.part.defaultDomain,
      hashesAtOnce: context.part.hashesAtOnce,
      count: context.count,
    });
    // By then every failure that was counted is forgotten anyway.
    context.restsWhen(() => true, () => LOCK_WINDOW_MS);
    context.answer(authContract, handlers, gone);
  });
}
