/** The last drill: a break-in to every role, and what held. */
import { html } from "hono/html";
import type { Facts } from "../news.ts";
import type { PageInput } from "../page.ts";
import { frame } from "./frame.ts";
import {
  command,
  facts,
  type Html,
  mark,
  moment,
  NOTHING,
  said,
  table,
} from "./parts.ts";
import { count, number, plain, span } from "./words.ts";

type Drill = NonNullable<Facts["drill"]>;

/** What the walls are, in words; others are shown by their name. */
const WALLS: ReadonlyMap<string, string> = new Map([
  ["deno", "the runtime's permissions"],
  ["landlock", "the kernel's rules for files and connections"],
  ["seccomp", "the kernel's list of system calls"],
  ["user", "users and modes of files"],
]);

/** See the file's head. */
export function drillPage(page: PageInput): Html {
  const told = page.sources.facts();
  const drill = told?.drill ?? null;
  return frame(page, {
    title: "Drill",
    path: "/drill",
    lead:
      "A drill takes over every role, as a hole in its code would, and tries what an attacker would do next.",
    body: html`
      ${told === undefined
        ? html`<p>The supervisor has not told it yet.</p>`
        : drill === null
        ? html`<p>${mark("waiting", "There was no drill here yet.")}</p>`
        : result(page, drill)}
      <section aria-labelledby="h-how">
        <h2 id="h-how">How to run it</h2>
        <p>As root on the server, while it runs; mail goes on. It takes about a minute, and changes nothing:</p>
        <p>${command("bulkhead drill")}</p>
        <p>Each act is a real one, made by a process in the role's own jail: read the mail beside its own, read the keys, open a connection, start a program, trace its neighbour. It is counted as denied only if the operation failed, and by the wall that said no first.</p>
      </section>
    `,
  });
}

function result(page: PageInput, drill: Drill): Html {
  const failed = drill.succeeded.length;
  const got = drill.acts - drill.denied;
  return html`
    <p class="headline ${failed + got === 0
      ? "good"
      : "bad"}">${failed + got === 0
      ? mark(
        "good",
        `Every wall held: ${number(drill.denied)} of ${
          count(drill.acts, "act")
        } were denied.`,
      )
      : mark(
        "bad",
        `${count(Math.max(failed, got), "act")} of ${
          number(drill.acts)
        } succeeded.`,
      )}</p>
    ${facts([
      ["When", moment(drill.atMs, page.sources.nowMs())],
      ["Took", span(drill.tookMs)],
      ["Version", plain(drill.version)],
    ])}
    ${failed === 0 ? NOTHING : html`
      <section aria-labelledby="h-succeeded">
        <h2 id="h-succeeded">What succeeded</h2>
        <ul class="worries">${drill.succeeded.map((one) =>
          html`<li>${mark("bad", said(one, 400))}</li>`
        )}</ul>
      </section>
    `}
    <div class="two">
      <section
        aria-labelledby="h-walls"><h2 id="h-walls">By wall</h2>${table({
          caption: "Which wall denied first",
          quiet: true,
          head: ["Wall", "#Denied", "Share"],
          rows: Object.entries(drill.byWall).toSorted(([, a], [, b]) => b - a)
            .map(([wall, n]) => [
              html`${plain(wall)}<br><span class="dim">${
                WALLS.get(wall) ?? ""
              }</span>`,
              number(n),
              share(n, drill.denied, `of ${number(drill.denied)} denied acts`),
            ]),
        })}</section>
      <section
        aria-labelledby="h-roles"><h2 id="h-roles">By role</h2>${table({
          caption: "Acts tried and denied, by role",
          quiet: true,
          head: ["Role", "#Acts", "#Denied", "Held"],
          rows: drill.byRole.map((one) => [
            html`<a href="/roles/${encodeURIComponent(one.role)}">${
              plain(one.role)
            }</a>`,
            number(one.acts),
            number(one.denied),
            one.acts === one.denied
              ? mark("good", "all")
              : mark("bad", `${one.acts - one.denied} not`),
          ]),
        })}</section>
    </div>
  `;
}

function share(part: number, whole: number, says: string): Html {
  const of100 = whole === 0 ? 0 : Math.round(100 * part / whole);
  return html`
    <meter min="0" max="100" value="${of100}"
      title="${of100} of 100 ${says}">${of100} %</meter>
  `;
}
