/** The MTA-STS role's process: asks dns, answers smtpc, speaks HTTPS. */
import { log } from "../core/log.ts";
import { LogBrake } from "../core/log_brake.ts";
import { dnsContract } from "../dns/dns_ipc.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { addressesOf, type Dns, look, policyHost } from "./discovery.ts";
import { type Failed, fetchPolicy } from "./fetch_io.ts";
import { type News, Policies, type Published } from "./policies.ts";
import { published } from "./published.ts";
import { Shelf } from "./shelf_io.ts";
import { type StsPart, stsPart } from "./role.ts";
import { stsContract } from "./sts_ipc.ts";

/** Time for one fetch, all addresses together; RFC 8461 §3.3 advises a minute. */
const FETCH_WITHIN_MS = 40_000;
const HTTPS = 443;
/** News written out in one second; the rest is only counted. */
const LOGGED_EACH_SECOND = 20;

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(stsPart, (context) => {
    const dns = context.ask(dnsContract);
    const shelf = new Shelf(
      context.part.dir,
      (why) => log("sts-not-kept", { alarm: true, why }),
    );
    const brake = new LogBrake(LOGGED_EACH_SECOND);
    const policies = new Policies({
      look: (domain) => look(dns, domain),
      fetch: (domain) => fetchFor(dns, domain, context.part),
      keep: (domain, kept) => shelf.keep(domain, kept),
      forget: (domain) => shelf.forget(domain),
      tell: (domain, news) => {
        context.count(`policies-${news.is}`);
        if (brake.mayWrite(Date.now())) tell(domain, news);
      },
      nowMs: () => Date.now(),
    });
    for (const { domain, kept } of shelf.all()) policies.restore(domain, kept);
    log("sts-loaded", { policies: policies.size });
    context.restsWhen(() => true);
    context.answer(stsContract, {
      policy: async ({ domain }) => {
        context.count("policies-asked");
        const verdict = await policies.policy(domain);
        return "refusal" in verdict ? verdict : { answer: verdict };
      },
    });
  });
}

async function fetchFor(
  dns: Dns,
  domain: string,
  { port, ca }: StsPart,
): Promise<Published | Failed> {
  const host = policyHost(domain);
  const addresses = await addressesOf(dns, host, { loopback: port !== HTTPS });
  if (!Array.isArray(addresses)) return addresses;
  const withinMs = FETCH_WITHIN_MS;
  const fetched = await fetchPolicy({ host, addresses, port, ca, withinMs });
  return fetched.kind === "failed" ? fetched : published(fetched.octets);
}

function tell(domain: string, news: News): void {
  switch (news.is) {
    case "fetched": {
      const { mode, id, mx, untilMs } = news.policy;
      const until = new Date(untilMs).toISOString();
      log("sts-policy-fetched", {
        domain,
        mode,
        id,
        mx: mx.slice(0, 5),
        until,
      });
      return;
    }
    case "failed":
      log("sts-policy-failed", {
        domain,
        why: news.trouble,
        inForce: news.old ? "an older policy" : "none",
      });
  }
}
