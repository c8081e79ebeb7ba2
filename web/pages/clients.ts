/** Who was refused, on which evidence, and what undoes it. */
import { html } from "hono/html";
import type { PageInput } from "../page.ts";
import type { ClientVerdict, SaidOfClient } from "../sources.ts";
import { button, hidden, mayAct, signInHint } from "./forms.ts";
import { frame } from "./frame.ts";
import {
  address,
  command,
  empty,
  facts,
  type Html,
  mark,
  moment,
  NOTHING,
  said,
  silent,
  table,
} from "./parts.ts";
import { count, plain } from "./words.ts";

/** Verdicts shown. */
const LIMIT = 30;

/** See the file's head. */
export async function clientsPage(page: PageInput): Promise<Html> {
  const client = (page.query.get("client") ?? "").trim();
  const found = await page.sources.clients({ client });
  return frame(page, {
    title: "Clients",
    path: "/clients",
    lead: "Who was refused at the door, on which evidence, and what undoes it.",
    body: html`
      <form class="filter"
        action="/clients"><label for="client">Address of a client</label> <input id="client" name="client" maxlength="64" autocomplete="off" spellcheck="false" value="${plain(
          client,
        )}"> <button>Show</button>${client === "" ? NOTHING : html`
          <a href="/clients">all clients</a>
        `}</form>
      ${signInHint(page, "let a client in or keep one out")}
      <div id="verdicts" data-live>${found === undefined
        ? silent("The gate")
        : verdicts(page, found.verdicts)}</div>
      ${found === undefined ? NOTHING : words(page, found.said)}
    `,
  });
}

function verdicts(page: PageInput, all: readonly ClientVerdict[]): Html {
  if (all.length === 0) {
    return html`<h2>Refused of late</h2>${
      empty("Nobody, as far back as the gate remembers.")
    }`;
  }
  return html`
    <section
      aria-labelledby="h-refused"><h2 id="h-refused">Refused of late</h2><ul class="verdicts" >${all
        .slice(0, LIMIT).map((one) =>
          verdict(page, one)
        )}</ul>${all.length > LIMIT
        ? html`<p class="dim">The newest ${LIMIT} of ${all.length}.</p>`
        : NOTHING}</section>
  `;
}

function verdict(page: PageInput, one: ClientVerdict): Html {
  const client = plain(one.client);
  return html`
    <li>
      <article><h3><a href="/clients?client=${encodeURIComponent(
        one.client,
      )}">${client}</a></h3> ${outcome(one)} ${moment(
        one.atMs,
        page.sources.nowMs(),
      )}
    <p>${said(one.evidence === "" ? one.reply : one.evidence, 300)}</p>
    <details><summary>What it said, and what was said to it</summary>${facts([
      ["It calls itself", said(one.helo === "" ? "nothing yet" : one.helo)],
      ["Sender", one.sender === "" ? "none named" : address(one.sender)],
      [
        "Recipient",
        one.recipient === "" ? "none named" : address(one.recipient),
      ],
      ["Rule", said(one.rule)],
      ["Reply", said(one.reply, 300)],
    ])}</details>
    ${undo(page, one)}</article>
    </li>
  `;
}

/** The commands that have a button. */
const UNDOINGS = [
  ["bulkhead client allow ", "/clients/allow", "Let it in"],
  ["bulkhead client forget ", "/clients/forget", "Take the word back"],
] as const;

function undo(page: PageInput, { undo }: ClientVerdict): Html {
  if (undo === "") return NOTHING;
  const button = UNDOINGS.find(([start]) => undo.startsWith(start));
  return html`<p><span class="dim">What undoes it:</span> ${
    undo.startsWith("bulkhead ") ? command(undo) : said(undo, 200)
  }</p>${button === undefined ? NOTHING : undoButton(page, undo, button)}`;
}

function undoButton(
  page: PageInput,
  undo: string,
  [start, action, label]: typeof UNDOINGS[number],
): Html {
  const network = undo.slice(start.length).trim();
  return html`<div class="acts">${
    button(page, { action, label, about: plain(network), fields: { network } })
  }</div>`;
}

function outcome(one: ClientVerdict): Html {
  if (one.shadow) {
    return mark("plain", `Would have been refused (${plain(one.action)})`);
  }
  switch (one.action) {
    case "reject":
      return mark("bad", "Refused");
    case "defer":
      return mark("waiting", "Put off");
    case "discard":
      return mark("bad", "Taken and thrown away");
    case "hold":
      return mark("waiting", "Taken, and held");
    // The gate may learn new words; they are shown as they are.
    default:
      return mark("plain", plain(one.action));
  }
}

function words(page: PageInput, all: readonly SaidOfClient[]): Html {
  const isClient = (page.query.get("client") ?? "") !== "";
  return html`
    <section
      aria-labelledby="h-said"><h2 id="h-said">What administrators said</h2>${all
          .length === 0
        ? empty(
          isClient ? "Nothing of this client." : "Nothing of anybody yet.",
        )
        : table({
          caption: `${count(all.length, "network")} let in or kept out` +
            (all.length > LIMIT ? `; the first ${LIMIT} are shown` : ""),
          quiet: true,
          head: ["Network", "Word", "Since", ...(mayAct(page) ? ["Undo"] : [])],
          rows: all.slice(0, LIMIT).map((one) => [
            plain(one.network),
            one.word === "allow"
              ? mark("good", "let in")
              : mark("bad", one.word === "deny" ? "kept out" : plain(one.word)),
            moment(one.atMs, page.sources.nowMs()),
            ...(mayAct(page)
              ? [button(page, {
                action: "/clients/forget",
                label: "Take back",
                about: `what was said of ${plain(one.network)}`,
                fields: { network: one.network },
              })]
              : []),
          ]),
        })}${mayAct(page)
        ? html`
          <details class="sure">
            <summary>Keep a network out…</summary>
            <div>
              <form method="post"
                action="/clients/deny">${hidden(
                  page,
                )}<label for="network">Address or network</label> <input id="network" name="network" required maxlength="64" autocomplete="off" spellcheck="false" placeholder="192.0.2.0/24"> <button>Keep it out</button> <button formaction="/clients/allow">Let it in</button></form>
            </div>
          </details>
        `
        : NOTHING}</section>
  `;
}
