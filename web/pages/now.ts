/** The first page: is all well, and does mail flow? */
import { isWell } from "../news.ts";
import { html } from "hono/html";
import type { PageInput } from "../page.ts";
import type { FlowSample } from "../news.ts";
import type { Counts, ListedMessage } from "../sources.ts";
import { signInHint } from "./forms.ts";
import { frame } from "./frame.ts";
import { messageTable } from "./messages.ts";
import {
  empty,
  facts,
  type Html,
  mark,
  NOTHING,
  said,
  silent,
} from "./parts.ts";
import { flowPlots } from "./plots.ts";
import { count, number, octets, plain } from "./words.ts";
import { worries } from "./worries.ts";

/** Warnings shown at once. */
const WARNINGS_SHOWN = 6;
/** How many messages the list has. */
const RECENT = 15;
/** Minutes that a rate is the mean of. */
const RATE_MINUTES = 5;

/** See the file's head. */
export async function nowPage(page: PageInput): Promise<Html> {
  const { sources } = page;
  const filter = { state: "", domain: "", after: "", limit: RECENT };
  const [counts, listed] = await Promise.all([
    sources.counts(),
    sources.messages(filter),
  ]);
  return frame(page, {
    title: "Now",
    path: "/",
    renewSeconds: 10,
    body: html`
      <section id="worries" data-live aria-label="Warnings">${warnings(
        page,
      )}</section>
      <section aria-labelledby="h-mail">
        <h2 id="h-mail" class="sr">Mail</h2>
        <div id="tiles" data-live>${counts === undefined
          ? silent("The queue")
          : tiles(sources.flow(), counts)}</div>
        <div id="plots" data-live>${flowPlots(sources.flow())}</div>
      </section>
      <section aria-labelledby="h-recent">
        <h2 id="h-recent">In the queue</h2>
        <div id="recent" data-live>${recent(page, listed?.messages)}</div>
      </section>
      <section aria-labelledby="h-server">
        <h2 id="h-server">Server</h2>
        <div id="server" data-live>${server(page)}</div>
      </section>
    `,
  });
}

function warnings(page: PageInput): Html {
  const found = worries(page.sources);
  if (found.length === 0) return NOTHING;
  const items = (some: readonly string[]) =>
    html`<ul class="worries">${
      some.map((one) => html`<li>${mark("bad", "")}${said(one, 600)}</li>`)
    }</ul>`;
  const more = found.slice(WARNINGS_SHOWN);
  return html`<h2 class="sr">Warnings</h2>${
    items(found.slice(0, WARNINGS_SHOWN))
  }${
    more.length === 0
      ? NOTHING
      : html`<details><summary>${more.length} more</summary>${
        items(more)
      }</details>`
  }`;
}

function tiles(flow: readonly FlowSample[], counts: Counts): Html {
  // The minute under way is not over: it would look like a fall.
  const last = flow.slice(-RATE_MINUTES - 1, -1);
  const rate = (of: (one: FlowSample) => number) =>
    last.length === 0
      ? "–"
      : rateWords(last.reduce((sum, one) => sum + of(one), 0) / last.length);
  const { byState } = counts;
  const waiting = byState.deferred ?? 0;
  const held = byState.hold ?? 0;
  const bad = (byState.bounce ?? 0) + (byState.corrupt ?? 0);
  return html`
    <ul class="tiles">${[
      tile(
        "Accepted a minute",
        rate((o) => o.accepted),
        `${number(counts.accepted)} in all`,
      ),
      tile(
        "Delivered a minute",
        rate((o) => o.delivered),
        `${number(counts.delivered)} in all`,
      ),
      tile(
        "Refused a minute",
        rate((o) => o.refused),
        html`<a href="/clients">whom, and why</a>`,
      ),
      tile(
        "Under way",
        number((byState.incoming ?? 0) + (byState.active ?? 0)),
        "recipients, now",
      ),
      tile(
        "Waiting",
        number(waiting),
        waiting === 0
          ? "nobody has to"
          : html`<a href="/queue?state=deferred">tried again</a>`,
      ),
      tile(
        "Held",
        number(held),
        held === 0
          ? "nothing is"
          : html`<a href="/queue?state=hold">for you to decide</a>`,
      ),
      tile(
        "Returned",
        number(counts.bounced),
        bad === 0
          ? "in all"
          : html`<a href="/queue?state=bounce">${bad} now</a>`,
      ),
    ]}</ul>
    <p
      class="dim">In all: since the queue's start. Rates: the mean of the last ${count(
        RATE_MINUTES,
        "minute",
      )}.</p>
  `;
}

function tile(name: string, figure: string, more: Html | string): Html {
  return html`<li><span class="name">${name}</span> <strong>${figure}</strong> <span class="dim">${more}</span></li>`;
}

function rateWords(rate: number): string {
  return rate > 0 && rate < 9.95 ? rate.toFixed(1) : number(rate);
}

function recent(
  page: PageInput,
  messages: readonly ListedMessage[] | undefined,
): Html {
  if (messages === undefined) {
    return page.session === null && page.needsSignIn
      ? html`
        <p
          class="dim">Who writes to whom is shown to administrators only.</p>${signInHint(
            page,
            "see messages",
          )}
      `
      : silent("The queue");
  }
  if (messages.length === 0) {
    return empty("The queue is empty: everything was delivered or returned.");
  }
  return html`${
    messageTable(page, {
      caption: "The newest messages that are not done",
      messages,
    })
  }<p><a href="/queue">The whole queue</a></p>`;
}

function server(page: PageInput): Html {
  const now = page.sources.news();
  if (now === undefined) return silent("The supervisor");
  const down = now.roles.filter((one) => !isWell(one)).length;
  const memory = now.roles.reduce((sum, one) => sum + one.memoryBytes, 0);
  const disks = page.sources.facts()?.disks ?? [];
  const processes = count(now.roles.length, "process", "processes");
  const roles = html`<a href="/roles">the roles</a>`;
  return facts([
    [
      "Roles",
      down === 0
        ? mark("good", html`All ${processes} of ${roles} answer`)
        : mark("bad", html`${down} of ${processes} of ${roles} do not answer`),
    ],
    ["Version", plain(now.version)],
    ...(memory > 0 ? [["Memory", octets(memory)] as const] : []),
    ...disks.map((disk) =>
      ["Disk", `${octets(disk.freeBytes)} free in ${plain(disk.path)}`] as const
    ),
  ]);
}
