/** The resolver role: tables in memory, and no state beside them. */
import { log } from "../core/log.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { danglingTargets } from "./dangling.ts";
import { resolveRecipient, resolveRelay } from "./recipient.ts";
import { resolveContract } from "./resolve_ipc.ts";
import { type ResolvePart, resolvePart } from "./role.ts";
import { resolveSender } from "./sender.ts";
import { buildTables, type Tables } from "./tables.ts";

const MAX_WARNINGS = 20;

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(resolvePart, (context) => {
    let tables = load(context.part);
    context.onRenew((part) => tables = load(part));
    context.answer(resolveContract, {
      recipient: (ask) => {
        context.count("recipients-asked");
        const verdict = resolveRecipient(tables, ask);
        if ("refusal" in verdict) context.count(verdict.refusal);
        return verdict;
      },
      relay: (ask) => {
        context.count("recipients-asked");
        const verdict = resolveRelay(tables, ask);
        if ("refusal" in verdict) context.count(verdict.refusal);
        return verdict;
      },
      sender: (ask) => {
        context.count("senders-asked");
        const verdict = resolveSender(tables, ask);
        if ("refusal" in verdict) context.count(verdict.refusal);
        return verdict;
      },
    });
  });
}

function load(part: ResolvePart): Tables {
  const tables = buildTables(part);
  for (const { alias, target } of danglingTargets(tables, MAX_WARNINGS)) {
    log("alias-target-unknown", { alias, target });
  }
  return tables;
}
