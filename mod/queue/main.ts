/** Entry of the queue role. */
import { DELAY_BOUNDS_S } from "../core/delay_histogram.ts";
import { dnsContract } from "../dns/dns_ipc.ts";
import { CannotStart, runRole } from "../ipc/role_runtime.ts";
import { maildirContract } from "../maildir/maildir_ipc.ts";
import { resolveContract } from "../resolve/resolve_ipc.ts";
import { smtpcContract } from "../smtpc/smtpc_ipc.ts";
import { spoolContract } from "../spool/spool_ipc.ts";
import { QueueUnusable } from "./database_io.ts";
import { DELAY_COUNTER } from "./delay_counters_ipc.ts";
import { Queue } from "./queue.ts";
import { queueContract } from "./queue_ipc.ts";
import { queuePart } from "./role.ts";

/**
 * A spool holds on to what it finds at its start until it is told again after
 * this: an accept may still have been under way the first time.
 */
const SETTLED_MS = 180_000;
/** So that records of smtpd processes that died do not stay for ever. */
const TELL_AGAIN_MS = 3_600_000;

/** Runs the role until its supervisor stops it. */
export async function main(): Promise<void> {
  await runRole(queuePart, (context) => {
    const spool = context.ask(spoolContract);
    const dns = context.ask(dnsContract);
    const queue = open({
      part: () => context.part,
      edges: {
        spool,
        resolve: context.ask(resolveContract),
        maildir: context.ask(maildirContract),
        smtpc: context.ask(smtpcContract),
      },
      texts: (name) => dns.ask("texts", { name }),
      count: context.count,
    });
    queue.start();
    for (let i = 0; i <= DELAY_BOUNDS_S.length; i++) {
      context.measure(`${DELAY_COUNTER}${i}`, () => queue.delaysUpTo(i));
    }
    context.onRenew(() => queue.start());
    let settled: ReturnType<typeof setTimeout> | undefined;
    spool.onPlugged = () => {
      queue.spoolPlugged();
      clearTimeout(settled);
      settled = setTimeout(() => queue.spoolPlugged(), SETTLED_MS);
    };
    setInterval(() => queue.spoolPlugged(), TELL_AGAIN_MS);
    context.onStop(() => queue.stop());
    context.answer(queueContract, {
      accept: (ask, asker) => queue.accept(ask, asker),
      flush: async (ask) => ({
        answer: { recipients: await queue.flush(ask) },
      }),
      counts: () => ({ answer: queue.counts() }),
      find: (ask) =>
        queue.desk.look(ask.grant, () => ({ answer: queue.find(ask) })),
      story: (ask) =>
        queue.desk.look(ask.grant, () => {
          const answer = queue.story(ask);
          return answer === undefined
            ? { refusal: "unknown" as const }
            : { answer };
        }),
      signIn: (ask) => queue.desk.signIn(ask),
      signOut: (ask) => queue.desk.signOut(ask),
      order: (ask) => queue.desk.order(ask),
      messages: (ask) => queue.desk.messages(ask),
      destinations: (ask) => queue.desk.destinations(ask),
    });
  });
}

/** Opens the queue, or says why not and throws. */
function open(options: ConstructorParameters<typeof Queue>[0]): Queue {
  try {
    return new Queue(options);
  } catch (error) {
    if (error instanceof QueueUnusable) throw new CannotStart(error.message);
    throw error;
  }
}
