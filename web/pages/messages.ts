/** Lists of messages, as several pages have them. */
import { html, raw } from "hono/html";
import type { PageInput } from "../page.ts";
import type { ListedMessage } from "../sources.ts";
import {
  address,
  addresses,
  type Html,
  mark,
  messageLink,
  moment,
  NOTHING,
  type Piece,
  said,
} from "./parts.ts";
import type { Tone } from "../../mod/journey/journey.ts";
import { cut, octets, plain, since } from "./words.ts";

/** What a state means, in words for people, and how it looks. */
export const STATE_WORDS: ReadonlyMap<string, readonly [Tone, string, string]> =
  new Map([
    ["incoming", ["plain", "arriving", "just taken, on its way in"]],
    ["active", ["good", "under way", "being delivered now"]],
    ["deferred", ["waiting", "waiting", "put off; tried again by itself"]],
    ["hold", ["waiting", "held", "waits for a word of an administrator"]],
    ["bounce", ["bad", "returning", "failed; its sender is being told"]],
    ["corrupt", ["bad", "damaged", "cannot be read; kept for you to see"]],
  ]);

/** A state in a word, with its mark. */
export function stateMark(state: string): Html {
  const [tone, word] = STATE_WORDS.get(state) ??
    ["plain", cut(plain(state), 16)];
  return mark(tone, word);
}

/** Choices for {@link messageTable}. */
export interface MessageTable {
  readonly caption: string;
  readonly quiet?: boolean;
  readonly messages: readonly ListedMessage[];
  /** With boxes to choose some, `id0`, `id1` ..., of the form with this id. */
  readonly form?: string;
}

/** Messages as a table. */
export function messageTable(page: PageInput, options: MessageTable): Html {
  const { caption, quiet, messages, form } = options;
  const nowMs = page.sources.nowMs();
  const head = ["Message", "Age", "#Size", "From", "To", "State", "Why"];
  return html`
    <table class="cards messages">
      <caption${raw(quiet ? ' class="sr"' : "")}>${caption}</caption>
    <thead><tr>${form === undefined
      ? NOTHING
      : html`<td class="pick w0"></td>`}${head.map((name, at) =>
        html`<th scope="col" class="w${at + 1} ${name[0] === "#" ? "n" : ""}">${
          name.replace("#", "")
        }</th>`
      )}</tr></thead>
    <tbody>${messages.map((one, at) => {
      const id = plain(one.queueId);
      return html`<tr>${
        form === undefined ? NOTHING : html`
          <td
            class="pick"><input type="checkbox" name="id${at}" value="${one
              .queueId}" form="${form}" aria-label="Choose ${id}"></td>
        `
      }<th scope="row">${messageLink(one.queueId)}</th><td data-is="Age">${
        moment(one.arrivedMs, nowMs)
      }</td><td data-is="Size" class="n">${
        octets(one.sizeBytes)
      }</td><td data-is="From">${
        address(one.reversePath)
      }</td><td data-is="To">${
        addresses(one.to, one.recipients)
      }</td><td data-is="State">${stateMark(one.state)}</td><td data-is="Why">${
        why(one, nowMs)
      }</td></tr>`;
    })}</tbody></table>
  `;
}

function why(one: ListedMessage, nowMs: number): Piece {
  const next = one.nextAttemptMs > nowMs
    ? html`
      <span class="dim">Next try ${since(one.nextAttemptMs, nowMs)}.</span>
    `
    : NOTHING;
  return one.why === "" ? next : html`${said(one.why, 120)}${next}`;
}
