/**
 * Entry of the console role. Holds no permission of any kind: its sockets are
 * handed to it, its facts come by asking queue and gate and from the
 * supervisor.
 */
import { gateContract } from "../mod/gate/gate_ipc.ts";
import { keepAccepting } from "../mod/ipc/accepting.ts";
import { runRole } from "../mod/ipc/role_runtime.ts";
import { queueContract } from "../mod/queue/queue_ipc.ts";
import { consoleApp } from "./app.ts";
import { Flow, totalsOf } from "./flow.ts";
import { Live } from "./live_io.ts";
import { type Facts, type News, told } from "./news.ts";
import { officeOf } from "./office_io.ts";
import { type ConsolePart, consolePart } from "./role.ts";
import { renewCertificate, serverOf } from "./server_io.ts";
import { Sessions } from "./session.ts";
import { countsOf, sourcesFor } from "./sources_io.ts";

const SAMPLE_EACH_MS = 1_000;

/** Runs the console. */
export function main(): Promise<void> {
  return runRole(consolePart, (role) => {
    const { part } = role;
    const queue = role.ask(queueContract);
    const gate = role.ask(gateContract);
    let news: News | undefined;
    let facts: Facts | undefined;
    role.onNews((message) => {
      const heard = told.parse(message);
      if ("news" in heard) news = heard.news;
      else facts = heard.facts;
    });
    const flow = new Flow();
    const sampling = setInterval(async () => {
      const counts = await countsOf(queue);
      if (counts !== undefined) flow.add(totalsOf(counts, news), Date.now());
    }, SAMPLE_EACH_MS);
    const wells = {
      queue,
      gate,
      news: () => news,
      facts: () => facts,
      flow,
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
        live: (sources, isAlive) => live.open(sources, isAlive),
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
    for (const fd of role.listeners("console")) server.listen({ fd });
    keepAccepting(server);
    role.onStop(() => {
      clearInterval(sampling);
      live.close();
      server.close();
    });
  });
}
