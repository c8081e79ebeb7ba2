/** One message: where it is, how it came there, what happens next. */
import { html } from "hono/html";
import type { Advice, Journey, Step } from "../../mod/journey/journey.ts";
import type { PageInput, Rendered } from "../page.ts";
import { button, mayAct, signInHint } from "./forms.ts";
import { frame } from "./frame.ts";
import {
  address,
  command,
  type Html,
  mark,
  moment,
  NOTHING,
  said,
  silent,
} from "./parts.ts";
import { cut, plain } from "./words.ts";

/** Steps shown; what is between the first and last of more is folded. */
const STEPS_SHOWN = 60;
/** Lines of evidence shown for one step. */
const DETAILS_SHOWN = 40;

/** See the file's head. */
export async function journeyPage(page: PageInput): Promise<Rendered> {
  const id = page.params.get("id") ?? "";
  const told = await page.sources.journey(id);
  const shownId = cut(plain(id), 40);
  const lead = html`Message <span class="id">${shownId}</span>`;
  const framed = { title: "Journey", path: "/queue", lead };
  if (told === undefined) {
    const body = live(silent("The queue"));
    return frame(page, { ...framed, body });
  }
  if (told === null) {
    return {
      status: 404,
      html: frame(page, {
        ...framed,
        body: html`
          <p>Nobody here has heard of it. It may be forgotten: the history is kept for the time that <code>queue.keep_events</code> says. Is the id complete?</p>
          <p><a href="/search">Find it by an address or a word of its subject</a></p>
        `,
      }),
    };
  }
  return frame(page, { ...framed, body: live(story(page, told)) });
}

function live(body: Html): Html {
  return html`<div id="journey" data-live>${body}</div>`;
}

function story(page: PageInput, told: Journey): Html {
  return html`
    <p class="headline ${told.tone}">${mark(
      told.tone,
      said(told.headline, 600),
    )}</p>
    ${told.next === "" ? NOTHING : html`
      <section aria-labelledby="h-next">
        <h2 id="h-next">What happens next</h2>
        <p>${said(told.next, 600)}</p>
      </section>
    `}
    ${advice(page, told)}
    ${acts(page, told)}
    <section aria-labelledby="h-steps">
      <h2 id="h-steps">Its way so far</h2>
      ${steps(page, told.steps)}
    </section>
  `;
}

/** The commands that have a button. */
const ORDERS = new Map([
  ["retry", "Try now"],
  ["hold", "Hold"],
  ["release", "Release"],
]);

/** A button for what a command would do, if it is one about this message. */
function buttonFor(page: PageInput, told: Journey, { command }: Advice): Html {
  const [bulkhead, queue, word = "", id = "", ...more] = command.split(" ");
  const label = ORDERS.get(word);
  const isOrder = told.isQueued && bulkhead === "bulkhead" &&
    queue === "queue" &&
    more.length === 0 && id === told.queueId && label !== undefined;
  return isOrder
    ? html`
      ${button(page, {
        action: `/queue/${encodeURIComponent(id)}/${word}`,
        label,
      })}
    `
    : NOTHING;
}

function advice(page: PageInput, told: Journey): Html {
  const all = told.advice;
  if (all.length === 0) return NOTHING;
  return html`
    <section aria-labelledby="h-advice">
      <h2 id="h-advice">What you can do</h2>
      <ul class="advice">${all.map((one) =>
        html`<li>${said(one.text, 600)}${
          one.command === ""
            ? NOTHING
            : html`<br>${command(one.command)}${buttonFor(page, told, one)}`
        }</li>`
      )}</ul>
    </section>
  `;
}

/** What an administrator may order while it is in the queue. */
function acts(page: PageInput, told: Journey): Html {
  if (!told.isQueued) return NOTHING;
  if (!mayAct(page)) return signInHint(page, "hold, release or delete it");
  const to = (word: string) =>
    `/queue/${encodeURIComponent(told.queueId)}/${word}`;
  return html`
    <div class="acts" role="group"
      aria-label="Orders for this message">${[
        button(page, { action: to("retry"), label: "Try now" }),
        button(page, { action: to("hold"), label: "Hold" }),
        button(page, { action: to("release"), label: "Release" }),
        button(page, {
          action: to("delete"),
          label: "Delete",
          sure: "It is erased, and nobody is told. This cannot be undone.",
        }),
      ]}</div>
  `;
}

function steps(page: PageInput, all: readonly Step[]): Html {
  if (all.length === 0) return html`<p>Nothing is known of it.</p>`;
  const list = (some: readonly Step[]) =>
    html`<ol class="steps">${some.map((one) => step(page, one))}</ol>`;
  if (all.length <= STEPS_SHOWN) return list(all);
  // The beginning says whose it is, the end why it is not done.
  const first = all.slice(0, 10);
  const last = all.slice(-STEPS_SHOWN + 10);
  return html`
    ${list(first)}<p
      class="dim">${all.length -
        STEPS_SHOWN} steps are left out here; <code>bulkhead why</code> tells them.</p>${list(
          last,
        )}
  `;
}

/** The kinds of steps, in a word or two. */
const KINDS: Readonly<Record<Step["kind"], string>> = {
  "handed-in": "Handed in",
  checked: "Checked",
  sealed: "Sealed",
  routed: "Routed",
  attempt: "Attempt",
  notice: "Notice",
  order: "Order",
  erased: "Erased",
};

function step(page: PageInput, one: Step): Html {
  const details = one.details.slice(0, DETAILS_SHOWN).map((line) =>
    cut(plain(line).trimStart(), 500)
  );
  if (one.details.length > DETAILS_SHOWN) details.push("…");
  return html`
    <li
      class="${one.tone}"><p><b>${mark(
        one.tone,
        KINDS[one.kind],
      )}</b> ${one.atMs === null
        ? NOTHING
        : moment(one.atMs, page.sources.nowMs())}${one.recipient === ""
        ? NOTHING
        : html`
          <span class="whose">for ${address(one.recipient)}</span>
        `}</p><p>${said(one.text, 600)}</p>${details.length === 0
        ? NOTHING
        : html`
          <details>
            <summary>Evidence</summary>
            <pre>${details.join("\n")}</pre>
          </details>
        `}</li>
  `;
}
