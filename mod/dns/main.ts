/** The DNS role: answers questions of smtpc and gate about names, holds no state. */
import { runRole } from "../ipc/role_runtime.ts";
import { dnsContract } from "./dns_ipc.ts";
import { listed } from "./listed.ts";
import { listingsOver } from "./listing_io.ts";
import { lookupsOver } from "./lookup_io.ts";
import { addresses, mailHosts } from "./mail_hosts.ts";
import { type DnsPart, dnsPart } from "./role.ts";

const PORT = 53;

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(dnsPart, (context) => {
    let lookups = open(context.part);
    let listings = listingsOver(serversOf(context.part));
    context.onRenew((part) => {
      lookups = open(part);
      listings = listingsOver(serversOf(part));
    });
    context.answer(dnsContract, {
      mailHosts: async ({ domain }) => {
        context.count("mail-hosts-asked");
        const verdict = await mailHosts(domain, lookups);
        if ("refusal" in verdict) context.count(verdict.refusal);
        return verdict;
      },
      addresses: async ({ name }) => {
        context.count("addresses-asked");
        const verdict = await addresses(name, lookups);
        if ("refusal" in verdict) context.count(verdict.refusal);
        return verdict;
      },
      tlsa: () => ({ refusal: "try-later" }),
      texts: () => ({ refusal: "try-later" }),
      explain: () => ({
        answer: {
          security: "indeterminate" as const,
          status: "no answer",
          records: [],
          proof: [],
          why: "signatures are not looked at",
        },
      }),
      listed: async (ask) => {
        context.count("listings-asked");
        const verdict = await listed(ask, listings);
        if ("refusal" in verdict) context.count(verdict.refusal);
        return verdict;
      },
    });
  });
}

function open(part: DnsPart) {
  return lookupsOver(serversOf(part), part.withinMs);
}

function serversOf(part: DnsPart) {
  return part.nameservers.map((ipAddr) => ({ ipAddr, port: PORT }));
}
