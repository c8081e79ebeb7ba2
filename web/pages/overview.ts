/** The state on one page: queue, what waits, roles. */
import { html, raw } from "hono/html";
import { visible } from "../../mod/core/visible.ts";
import type { News } from "../news.ts";
import type { Html, PageInput } from "../page.ts";
import type { Counts, ListedMessage } from "../sources.ts";
import { frame } from "./frame.ts";

/** See the file's head. */
export async function overview(input: PageInput): Promise<Html> {
  const { sources } = input;
  const filter = { state: "", domain: "", after: "", limit: 50 };
  const [counts, listed] = await Promise.all([
    sources.counts(),
    sources.messages(filter),
  ]);
  const now = sources.news();
  return frame(
    input,
    "Now",
    html`
      <p>${summary(now, sources.nowMs())}</p>
      <h2>Queue</h2>
      ${counts
        ? countsTable(counts)
        : html`<p>The queue does not answer now.</p>`}
      ${listed ? recentTable(listed.messages, sources.nowMs()) : ""}
      <h2>Roles</h2>
      ${now
        ? rolesTable(now)
        : html`<p>The supervisor has not said anything yet.</p>`}
    `,
  );
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

function recentTable(recent: readonly ListedMessage[], nowMs: number) {
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
