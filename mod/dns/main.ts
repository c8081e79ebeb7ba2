/** The DNS role: answers questions about names, and keeps what it was told. */
import { log } from "../core/log.ts";
import { LogBrake } from "../core/log_brake.ts";
import { runRole } from "../ipc/role_runtime.ts";
import { explanation, questionOf, texts, tlsa } from "./answers.ts";
import { dnsContract } from "./dns_ipc.ts";
import { type Engine, engineOf } from "./engine.ts";
import { Exchanger } from "./exchange_io.ts";
import type { Found } from "./follow.ts";
import { listed } from "./listed.ts";
import { addresses, mailHosts } from "./mail_hosts.ts";
import type { Question } from "./message.ts";
import { typeText } from "./rdata.ts";
import { nothing } from "./resolver.ts";
import { dnsPart } from "./role.ts";
import { validator } from "./validate.ts";

/** Lines about bogus answers that are written in one second. */
const MOST_BOGUS_LINES = 5;

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(dnsPart, (context) => {
    const brake = new LogBrake(MOST_BOGUS_LINES);
    const onJudged = (question: Question, found: Found) => {
      context.count(`judged-${found.security}`);
      if (found.security !== "bogus" || !brake.mayWrite(Date.now())) return;
      log("dns-bogus", {
        name: question.name,
        type: typeText(question.type),
        why: found.why,
        unwritten: brake.takeLeftOut() || undefined,
      });
    };
    const open = (): Engine =>
      engineOf({
        part: context.part,
        exchanger: new Exchanger(),
        makeValidator: validator,
        onJudged,
        onStrips: (seen) => log("dns-forwarder-strips", { seen }),
      });
    let engine = open();
    let part = JSON.stringify(context.part);
    context.onRenew((renewed) => {
      // What is known is kept unless something about asking has changed.
      if (JSON.stringify(renewed) === part) return;
      part = JSON.stringify(renewed);
      engine = open();
    });
    const counted = <V extends object>(asked: string, verdict: V): V => {
      context.count(`${asked}-asked`);
      if ("refusal" in verdict) context.count(String(verdict.refusal));
      return verdict;
    };
    context.restsWhen(() => true);
    context.answer(dnsContract, {
      mailHosts: async ({ domain }) =>
        counted("mail-hosts", await mailHosts(domain, engine.lookups)),
      addresses: async ({ name }) =>
        counted("addresses", await addresses(name, engine.lookups)),
      tlsa: async ({ name }) =>
        counted("tlsa", await tlsa(name, engine.lookups)),
      texts: async ({ name }) =>
        counted("texts", await texts(name, engine.lookups)),
      explain: async (ask) => {
        const question = questionOf(ask);
        return explanation(
          question === undefined
            ? {
              found: nothing({ name: ask.name, type: 0 }, "it is no host name"),
              failure: undefined,
            }
            : await engine.resolver.explain(question),
        );
      },
      listed: async (ask) =>
        counted("listings", await listed(ask, engine.listings)),
    });
  });
}
