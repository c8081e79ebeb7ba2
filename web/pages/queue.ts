/** What waits: by state and destination, a page at a time, and what to do. */
import { html, raw } from "hono/html";
import type { PageInput } from "../page.ts";
import type { Counts, MessagePage } from "../sources.ts";
import { button, hidden, mayAct, signInHint } from "./forms.ts";
import { frame } from "./frame.ts";
import { messageTable, STATE_WORDS } from "./messages.ts";
import { empty, type Html, NOTHING, silent } from "./parts.ts";
import { count, number, plain } from "./words.ts";

/** Messages a page. */
const LIMIT = 40;

/** See the file's head. */
export async function queuePage(page: PageInput): Promise<Html> {
  const state = page.query.get("state") ?? "";
  const domain = page.query.get("domain") ?? "";
  const after = page.query.get("after") ?? "";
  const [counts, found] = await Promise.all([
    page.sources.counts(),
    page.sources.messages({ state, domain, after, limit: LIMIT }),
  ]);
  return frame(page, {
    title: "Queue",
    path: "/queue",
    body: html`
      <div id="states" data-live>${states(counts, { state, domain })}</div>
      ${filter({ state, domain })}
      <div class="acts">${button(page, {
        action: "/queue/flush",
        label: domain === "" ? "Try all that waits now" : "Try these now",
        ...(domain === "" ? {} : { about: plain(domain) }),
        fields: domain === "" ? {} : { domain },
      })}</div>
      ${signInHint(page, "hold, release, try or delete messages")}
      ${mayAct(page) ? bulk(page) : NOTHING}
      <div id="list" data-live>${found === undefined
        ? silent("The queue")
        : list(page, found)}</div>
    `,
  });
}

interface Filter {
  readonly state: string;
  readonly domain: string;
}

function link(filter: Filter & { readonly after?: string }): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    if (value !== "") query.set(name, value);
  }
  const text = query.toString();
  return text === "" ? "/queue" : `/queue?${text}`;
}

function states(counts: Counts | undefined, { state, domain }: Filter): Html {
  const current = (is: boolean) => raw(is ? ' aria-current="true"' : "");
  const all = Object.values(counts?.byState ?? {}).reduce((a, b) => a + b, 0);
  return html`
    <p class="dim" id="h-states">Recipients by state</p>
    <ul class="tabs"
      aria-labelledby="h-states"><li><a href="${link({
        state: "",
        domain,
      })}"${current(state === "")}>All <b>${number(all)}</b></a></li>${[
        ...STATE_WORDS,
      ].map(([name, [, word, meaning]]) => {
        const n = counts?.byState[name as keyof Counts["byState"]] ?? 0;
        return html`<li><a href="${
          link({ state: name, domain })
        }" title="${meaning}"${current(state === name)}>${word} <b>${
          number(n)
        }</b></a></li>`;
      })}</ul>
  `;
}

function filter({ state, domain }: Filter): Html {
  return html`
    <form class="filter"
      action="/queue">${state === ""
        ? NOTHING
        : html`<input type="hidden" name="state" value="${state}">`}<label for="domain">Recipients' domain</label> <input id="domain" name="domain" value="${plain(
          domain,
        )}" maxlength="255" autocomplete="off" spellcheck="false"> <button>Show</button>${domain ===
          ""
        ? NOTHING
        : html`
          <a href="${link({ state, domain: "" })}">all domains</a>
        `}</form>
  `;
}

function list(page: PageInput, { messages, total, after }: MessagePage): Html {
  if (messages.length === 0) {
    return empty(
      page.query.size === 0
        ? "It is empty: everything was delivered or returned."
        : "Nothing here is like that.",
    );
  }
  const state = page.query.get("state") ?? "";
  const domain = page.query.get("domain") ?? "";
  return html`${
    messageTable(page, {
      caption: `${count(messages.length, "message")} of ${
        number(total)
      } in the queue, newest first`,
      messages,
      ...(mayAct(page) ? { form: "chosen" } : {}),
    })
  }
<nav class="pages" aria-label="Pages of the queue">${
    page.query.has("after")
      ? html`<a href="${link({ state, domain })}">The first</a>`
      : NOTHING
  } ${
    after === ""
      ? NOTHING
      : html`<a href="${
        link({ state, domain, after })
      }" rel="next">The next ${LIMIT}</a>`
  }</nav>`;
}

/** Orders for all that are chosen in the table. */
function bulk(page: PageInput): Html {
  return html`
    <form id="chosen" class="bulk" method="post"
      action="/queue/chosen/hold">${hidden(
        page,
      )}<fieldset><legend>With those chosen below</legend>
    <button>Hold</button> <button formaction="/queue/chosen/release">Release</button> <button formaction="/queue/chosen/retry">Try now</button>
    <details class="sure"><summary>Delete…</summary><div><p>They are erased, and nobody is told. This cannot be undone.</p><button class="danger" formaction="/queue/chosen/delete">Delete those chosen</button></div></details></fieldset></form>
  `;
}
