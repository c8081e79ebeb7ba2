/**
 * Entry of the console role. Holds no permission of any kind: its sockets are
 * handed to it, its facts come by asking queue and gate and from the
 * supervisor.
 */
import { log } from "../mod/core/log.ts";
import { gateContract } from "../mod/gate/gate_ipc.ts";
import { keepAccepting } from "../mod/ipc/accepting.ts";
import { runRole } from "../mod/ipc/role_runtime.ts";
import { queueContract } from "../mod/queue/queue_ipc.ts";
import { consoleApp } from "./app.ts";
import { Live } from "./live_io.ts";
import { type Facts, type FlowSample, type News, told } from "./news.ts";
import { officeOf } from "./office_io.ts";
import { type ConsolePart, consolePart } from "./role.ts";
import { renewCertificate, serverOf } from "./server_io.ts";
import { Sessions } from "./session.ts";
import { sourcesFor } from "./sources_io.ts";

/** The supervisor tells each second, and at once who has just started. */
const NEWS_WITHIN_MS = 1_500;

/** Runs the console. */
export function main(): Promise<void> {
  return runRole(consolePart, (role) => {
    const { part } = role;
    const queue = role.ask(queueContract);
    const gate = role.ask(gateContract);
    let news: News | undefined;
    let facts: Facts | undefined;
    let flow: readonly FlowSample[] = [];
    const firstNews = Promise.withResolvers<void>();
    role.onNews((message) => {
      // The supervisor passes on what roles count: a console that dies of one
      // role's numbers would show nobody which.
      const { data: heard } = told.safeParse(message);
      if (heard === undefined) return;
      if ("news" in heard) news = heard.news;
      else if ("facts" in heard) facts = heard.facts;
      else flow = heard.flow;
      firstNews.resolve();
    });
    const wells = {
      queue,
      gate,
      news: () => news,
      facts: () => facts,
      flow: () => flow,
      expireMs: () => role.part.expireMs,
    };
    const live = new Live();
    const sessions = new Sessions(() => Date.now());
    const build = ({ hosts, origins, tls, isOpen }: ConsolePart) =>
      consoleApp({
        sources: (grant, onOver) => sourcesFor(wells, grant, onOver),
        office: officeOf(queue, gate),
        reach: {
          hosts: new Set(hosts.split(" ")),
          isSecure: tls !== null,
          origins: new Set(origins),
        },
        isOpen,
        metrics: () => role.part.metrics,
        nowMs: () => Date.now(),
        sessions,
        live: (sources, watcher) => live.open(sources, watcher),
        onFault: ({ message, stack }, path) =>
          log("page-failed", { path, why: stack ?? message }),
      });
    let app = build(part);
    const server = serverOf(() => app, {
      tls: part.tls,
      onRequest: () => role.count("requests"),
    });
    role.onRenew((renewed) => {
      // Its sockets are those of a server that begins otherwise.
      if ((renewed.tls === null) !== (part.tls === null)) Deno.exit(0);
      if (renewed.tls !== null) renewCertificate(server, renewed.tls);
      app = build(renewed);
    });
    // Woken by a browser, it has a moment to hear what it is to show.
    setTimeout(firstNews.resolve, NEWS_WITHIN_MS);
    firstNews.promise.then(() => {
      for (const fd of role.listeners("console")) server.listen({ fd });
      keepAccepting(server);
    });
    role.restsWhen(() => live.size === 0 && sessions.size === 0);
    role.onStop(() => {
      live.close();
      server.close();
    });
  });
}
