/**
 * The console's pages as a hono app: no socket, no file, no script. Everything
 * shown came through the mail or from a role, so everything is escaped, and
 * the content security policy allows nothing but our own style sheet.
 */
import { Hono } from "hono";
import { html, raw } from "hono/html";
import { visible } from "../mod/core/visible.ts";
import type { AnswerOf } from "../mod/ipc/call.ts";
import type { queueContract } from "../mod/queue/queue_ipc.ts";
import type { News } from "./news.ts";
import { STYLE } from "./style.ts";

type Counts = AnswerOf<typeof queueContract.calls.counts>;
type Recent = AnswerOf<typeof queueContract.calls.recent>["messages"];

/** Where the pages' facts come from; undefined where nobody answers now. */
export interface Sources {
  news(): News | undefined;
  counts(): Promise<Counts | undefined>;
  recent(): Promise<Recent | undefined>;
  nowMs(): number;
}

/** Headers of every answer: nothing is loaded from or shown in elsewhere. */
const HEADERS: readonly (readonly [string, string])[] = [
  [
    "Content-Security-Policy",
    "default-src 'none'; style-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  ],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
  ["Cache-Control", "no-store"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
];

/**
 * Builds the app.
 *
 * @param hosts Values of `Host` that are answered; any other is somebody
 * else's name for our address (DNS rebinding)
 */
export function consoleApp(
  sources: Sources,
  hosts: ReadonlySet<string>,
): Hono {
  const app = new Hono();
  app.use(async function guard(context, next) {
    const host = (context.req.header("host") ?? "").toLowerCase();
    if (!hosts.has(host)) return context.text("Misdirected request", 421);
    if (context.req.method !== "GET" && context.req.method !== "HEAD") {
      return context.text("This console only shows", 405);
    }
    await next();
    for (const [name, value] of HEADERS) context.header(name, value);
    return undefined;
  });
  app.get(
    "/style.css",
    (context) =>
      context.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8" }),
  );
  app.get("/status.json", async (context) =>
    context.json({
      server: sources.news() ?? null,
      queue: await sources.counts() ?? null,
    }));
  app.get("/", async (context) => {
    const [counts, recent] = await Promise.all([
      sources.counts(),
      sources.recent(),
    ]);
    return context.html(await page(sources, counts, recent));
  });
  app.notFound((context) => context.text("There is no such page", 404));
  return app;
}

function page(
  sources: Sources,
  counts: Counts | undefined,
  recent: Recent | undefined,
) {
  const now = sources.news();
  const title = now?.hostname ?? "bulkhead";
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta http-equiv="refresh" content="5">
        <title>${title}: Bulkhead</title>
        <link rel="stylesheet" href="/style.css">
      </head>
      <body>
        <main>
    <h1>${title}</h1>
    <p>${summary(now, sources.nowMs())}</p>
    <h2>Queue</h2>
    ${counts
      ? countsTable(counts)
      : html`<p>The queue does not answer now.</p>`}
    ${recent ? recentTable(recent, sources.nowMs()) : ""}
    <h2>Roles</h2>
    ${now
      ? rolesTable(now)
      : html`<p>The supervisor has not said anything yet.</p>`}
        </main>
      </body>
    </html>
  `;
}

function summary(now: News | undefined, nowMs: number): string {
  if (now === undefined) return "Starting.";
  const seconds = Math.round((nowMs - now.startedMs) / 1_000);
  const down = now.roles.filter((one) => one.state !== "ready").length;
  return `${now.ready ? "Ready" : "Starting"}, up ${span(seconds)}; ` +
    (down === 0
      ? "every role answers."
      : `${down} of ${now.roles.length} roles do not answer now.`);
}

function countsTable(counts: Counts) {
  const rows = Object.entries(counts.byState).filter(([, n]) => n > 0);
  return html`<p>Since the queue's start: ${counts.accepted} messages accepted,
${counts.delivered} recipients delivered, ${counts.bounced} returned.</p>
${
    rows.length === 0 ? html`<p>It is empty.</p>` : table(
      ["State", "Recipients"],
      rows.map(([state, n]) => [
        state,
        String(n),
      ]),
    )
  }`;
}

function recentTable(recent: Recent, nowMs: number) {
  if (recent.length === 0) return "";
  return table(
    ["Queue id", "Age", "Octets", "From", "To", "State", "Why"],
    recent.map((one) => [
      one.queueId,
      span(Math.round((nowMs - one.arrivedMs) / 1_000)),
      String(one.sizeBytes),
      `<${one.reversePath}>`,
      String(one.recipients),
      one.state,
      one.why,
    ]),
  );
}

function rolesTable(now: News) {
  return table(
    ["Role", "State", "Process", "Up", "Restarts", "Counters"],
    now.roles.map((one) => [
      one.instance,
      one.state,
      String(one.pid ?? "-"),
      span(Math.round(one.upMs / 1_000)),
      String(one.restarts),
      Object.entries(one.counters).map(([name, n]) => `${name} ${n}`)
        .join(", "),
    ]),
  );
}

function table(head: readonly string[], rows: readonly string[][]) {
  return html`
    <div class="wide">
      <table>
        <thead>
          <tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`<tr>${
            row.map((cell) => html`<td>${visible(cell, "�")}</td>`)
          }</tr>`
        )}</tbody>
      </table>
    </div>${raw("\n")}
  `;
}

/** Seconds in the largest two units. */
function span(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) {
    return `${Math.floor(s / 3_600)} h ${Math.floor(s % 3_600 / 60)} min`;
  }
  return `${Math.floor(s / 86_400)} d ${Math.floor(s % 86_400 / 3_600)} h`;
}
