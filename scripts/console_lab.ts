/**
 * The console's pages with made-up facts, to be looked at:
 * `deno run -A scripts/console_lab.ts [MOOD] [PORT]`; a mood is one of
 * calm, large, hostile, fresh, silent. Signing in takes any ticket.
 */
import { consoleApp } from "../web/app.ts";
import {
  type Mood,
  MOODS,
  NOW_MS,
  sampleSources,
} from "../web/pages/fixture.ts";

/** Serves until it is aborted. */
export function consoleLab(
  mood: Mood,
  { port, signal }: { port: number; signal?: AbortSignal },
): Deno.HttpServer<Deno.NetAddr> {
  const done = () => Promise.resolve({ words: "Done, in the laboratory." });
  const hosts = new Set<string>();
  const startedMs = Date.now();
  const app = consoleApp({
    // Time goes on, so that what is shown changes.
    sources: () => ({
      ...sampleSources(mood),
      nowMs: () => NOW_MS + Date.now() - startedMs,
    }),
    office: {
      signIn: () =>
        Promise.resolve({ grant: "lab", by: "eva", untilMs: NOW_MS * 2 }),
      signOut: done,
      messages: done,
      flush: done,
      say: done,
    },
    reach: { hosts, isSecure: false, origins: new Set() },
    isOpen: false,
    nowMs: Date.now,
    live: () => ticks(),
  });
  const server = Deno.serve({
    port,
    hostname: "127.0.0.1",
    onListen: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  }, (request) => app.fetch(request, { client: "127.0.0.1" }));
  hosts.add(`127.0.0.1:${server.addr.port}`);
  return server;
}

/** Says every second that something changed. */
function ticks(): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  return new ReadableStream({
    start(controller) {
      const octets = new TextEncoder().encode("event: now\ndata: {}\n\n");
      timer = setInterval(() => controller.enqueue(octets), 1_000);
    },
    cancel: () => clearInterval(timer),
  });
}

if (import.meta.main) {
  const mood = MOODS.find((one) => one === Deno.args[0]) ?? "calm";
  const server = consoleLab(mood, { port: Number(Deno.args[1] ?? "2529") });
  console.log(`http://127.0.0.1:${server.addr.port}/ (${mood})`);
  await server.finished;
}
