/**
 * Whose address is it? What a login may give as its reverse-path (RFC 6409
 * §6.1).
 */
import type { AskedOf, Verdict } from "../ipc/call.ts";
import { resolveRecipient } from "./recipient.ts";
import type { resolveContract } from "./resolve_ipc.ts";
import type { Tables } from "./tables.ts";

type SenderCall = typeof resolveContract.calls.sender;

/**
 * Says whether mail for `address` would come to the login's own mailbox.
 *
 * That is the whole rule: what a mailbox gets mail for, it may send as. So an
 * alias of many may be used by each of them, and that of nobody by nobody.
 */
export function resolveSender(
  tables: Tables,
  { address, login }: AskedOf<SenderCall>,
): Verdict<SenderCall> {
  const verdict = resolveRecipient(tables, { address });
  const isOurs = "answer" in verdict &&
    verdict.answer.targets.some((target) =>
      target.kind === "mailbox" && target.mailbox.user === login.user &&
      target.mailbox.domain === login.domain
    );
  return isOurs ? { answer: {} } : { refusal: "not-yours" };
}
