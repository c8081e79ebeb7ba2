/**
 * Entry of the console role. Holds no permission of any kind: its sockets are
 * handed to it, its facts come by asking the queue and from the supervisor.
 */
import http from "node:http";
import { keepAccepting } from "../mod/ipc/accepting.ts";
import { runRole } from "../mod/ipc/role_runtime.ts";
import { queueContract } from "../mod/queue/queue_ipc.ts";
import { consoleApp } from "./app.ts";
import { type Facts, type News, told } from "./news.ts";
import { consolePart } from "./role.ts";

/** Connections that a browser or two need; more are somebody's flood. */
const MAX_CONNECTIONS = 64;

/** Runs the console. */
export function main(): Promise<void> {
  return runRole(consolePart, (role) => {
    const queue = role.ask(queueContract);
    let latest: News | undefined;
    let facts: Facts | undefined;
    role.onNews((message) => {
      const heard = told.parse(message);
      if ("news" in heard) latest = heard.news;
      else facts = heard.facts;
    });
    const app = consoleApp({
      sources: () => ({
        nowMs: Date.now,
        news: () => latest,
        facts: () => facts,
        flow: () => [],
        counts: async () => {
          const reply = await queue.ask("counts", {});
          return reply.kind === "answered" ? reply.answer : undefined;
        },
        messages: nothing,
        destinations: nothing,
        find: nothing,
        journey: nothing,
        clients: nothing,
      }),
      office: {
        signIn: notYet,
        signOut: notYet,
        message: notYet,
        flush: notYet,
        say: notYet,
      },
      reach: {
        hosts: new Set(role.part.hosts.split(" ")),
        isSecure: false,
        origins: new Set(),
      },
      isOpen: false,
      metrics: () => role.part.metrics,
      nowMs: Date.now,
    });
    const server = http.createServer({ maxHeaderSize: 8_192 });
    server.maxConnections = MAX_CONNECTIONS;
    server.requestTimeout = 10_000;
    server.headersTimeout = 10_000;
    server.on("request", async (request, response) => {
      role.count("requests");
      const answer = await answerOf(app.fetch, request);
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(new Uint8Array(await answer.arrayBuffer()));
    });
    for (const fd of role.listeners("console")) server.listen({ fd });
    keepAccepting(server);
    role.onStop(() => void server.close());
  });
}

const nothing = () => Promise.resolve(undefined);
const notYet = () => Promise.resolve({ words: "Nobody can sign in yet." });

/** Puts a request to the app; what is no URL or header is a bad request. */
async function answerOf(
  fetch: (request: Request) => Response | Promise<Response>,
  request: http.IncomingMessage,
): Promise<Response> {
  let asked: Request;
  try {
    asked = new Request(new URL(request.url ?? "/", "http://console"), {
      method: request.method ?? "GET",
      headers: {
        host: request.headers.host ?? "",
        authorization: request.headers.authorization ?? "",
      },
    });
  } catch {
    return new Response("Bad request", { status: 400 });
  }
  return await fetch(asked);
}
