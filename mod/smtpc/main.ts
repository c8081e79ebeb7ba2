/** The SMTP client's process: asks dns, answers the queue. */
import { DamagedError, readContent } from "../content/reader.ts";
import { SegmentFiles } from "../content/segment_files.ts";
import { dnsContract } from "../dns/dns_ipc.ts";
import { log } from "../core/log.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { deliver, type Means } from "./deliver.ts";
import { dialerOn } from "./dialer_io.ts";
import { IdlePool } from "./idle_pool.ts";
import { probe } from "./probe.ts";
import { Recent } from "./recent.ts";
import { smtpcPart } from "./role.ts";
import { isLoopback } from "./route.ts";
import type { Session } from "./session_io.ts";
import { smtpcContract } from "./smtpc_ipc.ts";

/** Most time for what is under way when the role is to stop. */
const FINISH_WITHIN_MS = 1_000;

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(smtpcPart, (context) => {
    const dns = context.ask(dnsContract);
    const dialer = context.part.ipv6
      ? dialerOn({ fd: context.askFd("dial") })
      : undefined;
    const pool = new IdlePool<Session>();
    const recent = new Recent((queueId, recipients) =>
      log("delivery-found", { id: queueId, recipients })
    );
    const held = { octets: 0 };
    const segments = new SegmentFiles();
    const isDamage = (error: unknown) => error instanceof DamagedError;
    const means = (): Means => ({
      part: context.part,
      names: {
        mailHosts: (domain) => dns.ask("mailHosts", { domain }),
        addresses: (name) => dns.ask("addresses", { name }),
      },
      pool,
      source: ({ ref, key }) => ({
        open: () => readContent(context.part.spoolDir, ref, key, segments),
        isDamage,
      }),
      isOurs: isLoopback,
      held,
      count: (name) => context.count(name),
      dialV6: dialer?.dial,
    });
    context.answer(smtpcContract, {
      probe: async (ask) => {
        const { names, isOurs, part, dialV6 } = means();
        context.count("probes");
        const outcome = await probe(ask, { names, isOurs, part, dialV6 });
        return { answer: { outcome } };
      },
      deliver: (ask) => recent.deliver(ask, (rest) => deliver(rest, means())),
    });
    context.onStop(async () => {
      // What is on its way to a next hop is better heard of than sent again.
      await recent.idle(FINISH_WITHIN_MS);
      pool.close();
      dialer?.close();
    });
  });
}
