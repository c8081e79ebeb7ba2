/** The SMTP client's process: asks dns, answers the queue. */
import type { Buffer } from "node:buffer";
import { DamagedError, readContent } from "../content/reader.ts";
import { SegmentFiles } from "../content/segment_files.ts";
import { dnsContract } from "../dns/dns_ipc.ts";
import { log } from "../core/log.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { deliver, type Means } from "./deliver.ts";
import { TlsPolicies } from "./destination.ts";
import { dialerOn } from "./dialer_io.ts";
import { Logins, type OnRefused } from "./logins.ts";
import { explain } from "./explain.ts";
import { IdlePool } from "./idle_pool.ts";
import { probe } from "./probe.ts";
import { Sources } from "./source.ts";
import { Recent } from "./recent.ts";
import { type SmtpcPart, smtpcPart } from "./role.ts";
import { isLoopback, type Names } from "./route.ts";
import type { Session } from "./session_io.ts";
import { smtpcContract } from "./smtpc_ipc.ts";
import { noPolicies, rememberingPolicies } from "./sts_memory.ts";
import { Tickets } from "./tickets.ts";
import { stsContract } from "../sts/sts_ipc.ts";

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
    const sts = context.ask(stsContract);
    const names: Names = {
      mailHosts: (domain) => dns.ask("mailHosts", { domain }),
      addresses: (name) => dns.ask("addresses", { name }),
      tlsa: (name) => dns.ask("tlsa", { name }),
      explain: (name, type) => dns.ask("explain", { name, type }),
    };
    const policyOf = rememberingPolicies((domain) =>
      sts.ask("policy", { domain })
    );
    const settledBy = (part: SmtpcPart) => ({
      logins: new Logins(part, loginRefused),
      sources: new Sources(part),
      tickets: new Tickets<Buffer>(),
      safety: {
        policies: new TlsPolicies(part),
        names,
        // Without it there is no sts to answer.
        sts: part.mtaSts ? policyOf : noPolicies,
      },
      ca: part.ca === "" ? undefined : [part.ca],
    });
    let settled = settledBy(context.part);
    context.onRenew((part) => {
      settled = settledBy(part);
      pool.close(); // what was kept was opened under another configuration
    });
    const means = (): Means => ({
      ...settled,
      part: context.part,
      names,
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
        context.count("probes");
        const outcome = await probe(ask, means());
        return { answer: { outcome } };
      },
      explain: async ({ nextHop }) => {
        context.count("explained");
        return { answer: await explain(nextHop, means()) };
      },
      deliver: (ask) => recent.deliver(ask, (rest) => deliver(rest, means())),
    });
    context.restsWhen(() => true);
    context.onStop(async () => {
      // What is on its way to a next hop is better heard of than sent again.
      await recent.idle(FINISH_WITHIN_MS);
      pool.close();
      dialer?.close();
    });
  });
}

function loginRefused(what: Parameters<OnRefused>[0]): void {
  log("smarthost-login-refused", {
    ...what,
    alarm: true,
    todo: "mend outbound.smarthost; the mail waits meanwhile",
  });
}
