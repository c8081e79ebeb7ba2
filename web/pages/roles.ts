/** The roles: how they are, what each may do, and what holds it. */
import { html } from "hono/html";
import { type News, roleOf } from "../news.ts";
import type { PageInput, Rendered } from "../page.ts";
import { frame } from "./frame.ts";
import { graph, type Manifest, processesOf } from "./graph.ts";
import {
  command,
  facts,
  type Html,
  mark,
  moment,
  NOTHING,
  type Piece,
  said,
  silent,
  table,
} from "./parts.ts";
import { count, cut, number, octets, plain, span } from "./words.ts";

/** See the file's head. */
export function rolesPage(page: PageInput): Html {
  const now = page.sources.news();
  const manifests = page.sources.facts()?.manifests ?? [];
  return frame(page, {
    title: "Roles",
    path: "/roles",
    renewSeconds: 20,
    lead:
      "Every part of the server is a process of its own, with no more rights than its manifest states.",
    body: html`
      <div id="plan" data-live>${graph(manifests, now)}</div>
      <section aria-labelledby="h-processes">
        <h2 id="h-processes">Processes</h2>
        <div id="processes" data-live>${now === undefined
          ? silent("The supervisor")
          : processes(now)}</div>
      </section>
      ${manifests.length === 0 ? NOTHING : askers(manifests)}
    `,
  });
}

function processes(now: News): Html {
  const memory = now.roles.reduce((sum, one) => sum + one.memoryBytes, 0);
  return table({
    caption: `${count(now.roles.length, "process", "processes")}${
      memory > 0 ? `, ${octets(memory)} in all` : ""
    }; supervisor: process ${now.pid}`,
    head: [
      ...["Role", "State", "#Process", "#Up", "#Restarts", "#Memory"],
      "Counters",
    ],
    rows: now.roles.map((one) => [
      html`<a href="/roles/${encodeURIComponent(roleOf(one))}">${
        plain(one.instance)
      }</a>`,
      stateOf(one.state),
      one.pid === null ? "–" : String(one.pid),
      one.state === "ready" ? span(one.upMs) : "–",
      one.restarts === 0 ? "0" : html`<b>${number(one.restarts)}</b>`,
      one.memoryBytes === 0 ? "–" : octets(one.memoryBytes),
      counters(one.counters, 8),
    ]),
  });
}

function stateOf(state: string): Html {
  if (state === "ready") return mark("good", "ready");
  if (state === "resting") return mark("plain", "resting");
  return mark(state === "starting" ? "waiting" : "bad", plain(state));
}

function counters(
  all: Readonly<Record<string, number>>,
  most: number,
): Html {
  const named = Object.entries(all).filter(([, n]) => n > 0);
  if (named.length === 0) return html`<span class="dim">–</span>`;
  const shown = named.slice(0, most);
  return html`<span class="counters">${
    shown.map(([name, n]) =>
      html`
        <span>${plain(name)} <b>${number(n)}</b></span>
      `
    )
  }${named.length > most ? html`<span class="dim">…</span>` : NOTHING}</span>`;
}

function askers(manifests: readonly Manifest[]): Html {
  return html`
    <section
      aria-labelledby="h-asks"><h2 id="h-asks">Who may ask whom</h2>${table({
        caption: "Each line is a socket of its own; there are no others",
        head: ["Role", "Job", "#Trust", "Asks", "Is asked by"],
        rows: manifests.map((one) => [
          html`<a href="/roles/${encodeURIComponent(one.name)}">${
            plain(one.name)
          }</a>`,
          plain(one.job),
          String(one.trust),
          names(one.asks),
          names(askersOf(manifests, one.name)),
        ]),
      })}</section>
  `;
}

function askersOf(
  manifests: readonly Manifest[],
  name: string,
): readonly string[] {
  return manifests.filter((one) => one.asks.includes(name))
    .map((one) => one.name);
}

function names(all: readonly string[]): Piece {
  return all.length === 0
    ? html`<span class="dim">nobody</span>`
    : html`${
      all.map((name, at) =>
        html`${at === 0 ? "" : ", "}<a href="/roles/${
          encodeURIComponent(name)
        }">${plain(name)}</a>`
      )
    }`;
}

/** One role: its manifest, and the walls that it became. */
export function rolePage(page: PageInput): Rendered {
  const name = page.params.get("name") ?? "";
  const now = page.sources.news();
  const manifests = page.sources.facts()?.manifests ?? [];
  const one = manifests.find((role) => role.name === name);
  const shown = cut(plain(name), 64);
  if (one === undefined) {
    const body = html`<p>${
      manifests.length === 0
        ? "The supervisor has not told the manifests yet."
        : "There is no such role here."
    } <a href="/roles">All roles</a></p>`;
    return {
      status: manifests.length === 0 ? 503 : 404,
      html: frame(page, { title: `Role ${shown}`, path: "/roles", body }),
    };
  }
  const own = processesOf(now, name);
  return frame(page, {
    title: `Role ${shown}`,
    path: "/roles",
    lead: `It ${plain(one.job)}.`,
    body: html`
      <section aria-labelledby="h-processes">
        <h2 id="h-processes">Now</h2>
        <div id="processes" data-live>${now === undefined
          ? silent("The supervisor")
          : own.length === 0
          ? html`<p>It is not started: nothing in the configuration needs it.</p>`
          : own.map((process) =>
            facts([
              [
                "Process",
                html`${plain(process.instance)} ${stateOf(process.state)}`,
              ],
              ["Up", span(process.upMs)],
              ["Restarts", number(process.restarts)],
              ["Ended by an error", number(process.errors ?? 0)],
              [
                "Memory",
                process.memoryBytes === 0 ? "–" : octets(process.memoryBytes),
              ],
              ["Counters", counters(process.counters, 40)],
            ])
          )}</div>
      </section>
      <section
        aria-labelledby="h-manifest"><h2 id="h-manifest">What it may do</h2>${facts(
          [
            ["Trust", `${one.trust}: ${TRUST[one.trust] ?? ""}`],
            [
              "User",
              one.user === ""
                ? "the one who started the server"
                : plain(one.user),
            ],
            ["Asks", names(one.asks)],
            ["Is asked by", names(askersOf(manifests, name))],
            ["Listens", lines(one.listens, "on nothing")],
            ["Connects to", lines(one.connects, "nobody")],
            ["Reads", lines(one.reads, "no file")],
            ["Writes", lines(one.writes, "no file")],
          ],
        )}</section>
      <section
        aria-labelledby="h-walls"><h2 id="h-walls">What holds it</h2>${one.walls
            .length === 0
          ? html`<p>No wall is told.</p>`
          : html`<ul class="walls">${
            one.walls.map((wall) => html`<li>${said(wall, 400)}</li>`)
          }</ul>`}
      <h3>The runtime's own flags</h3>${one.flags.length === 0
        ? html`<p>None: it may open no file, no connection and no program.</p>`
        : html`<ul class="flags">${
          one.flags.map((flag) => html`<li>${command(cut(flag, 1_000))}</li>`)
        }</ul>`}
      <p>${drilled(page, name)}</p></section>
    `,
  });
}

/** Whether the walls hold: what the last drill says of this role. */
function drilled(page: PageInput, role: string): Piece {
  const drill = page.sources.facts()?.drill ?? null;
  const own = drill?.byRole.find((one) => one.role === role);
  const link = html`<a href="/drill">the drill</a>`;
  if (drill === null || own === undefined) {
    return html`Whether the walls hold is tried by ${link}; there was none of this role yet.`;
  }
  const words = `${number(own.denied)} of ${count(own.acts, "act")} denied`;
  return html`${
    mark(own.denied === own.acts ? "good" : "bad", words)
  } by ${link}, ${moment(drill.atMs, page.sources.nowMs())}`;
}

const TRUST: readonly string[] = [
  "reads what strangers send, octet by octet",
  "passes on what strangers or a browser send",
  "works on addresses and contents that strangers sent",
  "holds what is sealed, or what is kept of passwords",
  "holds the envelopes and the keys",
  "is root, and talks to nobody but its children",
];

function lines(all: readonly string[], none: string): Piece {
  return all.length === 0
    ? html`<span class="dim">${none}</span>`
    : html`<ul class="lines">${
      all.slice(0, 40).map((one) => html`<li>${said(one, 120)}</li>`)
    }${
      all.length > 40
        ? html`<li class="dim">${all.length - 40} more</li>`
        : NOTHING
    }</ul>`;
}
