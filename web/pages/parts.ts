/**
 * The small pieces that all pages are built of: text of strangers, moments,
 * marks, tables. Everything that is given as a string is escaped.
 */
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Tone } from "../../mod/journey/journey.ts";
import { clock, cut, isoTime, lookalike, plain, since } from "./words.ts";

/** A piece of a page, escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** What may stand in a cell or a sentence; a plain string is escaped. */
export type Piece = Html | string | number | readonly Piece[];

/** Nothing at all. */
export const NOTHING: Html = raw("");

/** A stranger's text: harmless, cut, and by itself in its direction. */
export function said(text: string, max = 160): Html {
  const whole = plain(text);
  const short = cut(whole, max);
  return short === whole
    ? html`<bdi>${whole}</bdi>`
    : html`<bdi title="${cut(whole, 1_000)}">${short}</bdi>`;
}

/** An address; says so where it may pass for another. */
export function address(text: string, max = 80): Html {
  if (text === "") return html`<span class="dim">nobody (a notice)</span>`;
  const odd = lookalike(text);
  const whole = plain(text);
  const at = whole.lastIndexOf("@");
  const shown = at < 1 || Array.from(whole).length > max
    ? said(text, max)
    // It may be broken where people would break it.
    : html`<bdi>${whole.slice(0, at)}<wbr>${whole.slice(at)}</bdi>`;
  return odd === "" ? shown : html`${shown} <em class="odd">${odd}</em>`;
}

/** The first addresses of a message, and how many there are beside them. */
export function addresses(all: readonly string[], number: number): Html {
  const shown = all.slice(0, ADDRESSES_SHOWN);
  const more = number - shown.length;
  return html`${
    shown.map((one, at) => html`${at === 0 ? "" : raw("<br>")}${address(one)}`)
  }${
    more > 0
      ? html`
        <span class="dim">and ${more} more</span>
      `
      : ""
  }`;
}

const ADDRESSES_SHOWN = 2;

/** A time: how long ago, and when exactly. */
export function moment(atMs: number, nowMs: number): Html {
  const when = clock(atMs);
  const isToday = when.slice(0, 10) === clock(nowMs).slice(0, 10);
  return html`
    <time datetime="${isoTime(atMs)}"
      title="${when} UTC">${since(atMs, nowMs)} <span class="dim">${isToday
        ? when.slice(11)
        : when.slice(0, 16)}</span></time>
  `;
}

/** Marks beside words, so that no colour is needed to understand one. */
const GLYPHS: Readonly<Record<Tone, string>> = {
  good: "✓",
  waiting: "◷",
  bad: "✕",
  plain: "·",
};

/** A word with its mark and colour. */
export function mark(tone: Tone, words: Piece): Html {
  return html`
    <span
      class="tone ${tone}"><span class="glyph" aria-hidden="true">${GLYPHS[
        tone
      ]}</span>${words}</span>
  `;
}

/** Links to a message's journey. */
export function messageLink(queueId: string): Html {
  return html`<a class="id" href="/message/${encodeURIComponent(queueId)}">${
    plain(queueId)
  }</a>`;
}

/** Choices for {@link table}. */
export interface Table {
  /** What it shows; read aloud, and seen unless `quiet`. */
  readonly caption: string;
  /** The caption repeats the heading above it: only read aloud. */
  readonly quiet?: boolean;
  /** A `#` before a name: figures, set to the right. */
  readonly head: readonly string[];
  /** The first cell of each names its row. */
  readonly rows: readonly (readonly Piece[])[];
  readonly className?: string;
}

/** A table that becomes a list of cards where there is no room. */
export function table(
  { caption, quiet, head, rows, className = "" }: Table,
): Html {
  const names = head.map((name) => name.replace("#", ""));
  const kind = head.map((name) => name.startsWith("#") ? "n" : "");
  return html`
    <table class="cards ${className}">
      <caption${raw(quiet ? ' class="sr"' : "")}>${caption}</caption>
    <thead><tr>${names.map((name, at) =>
      html`<th scope="col" class="${kind[at]!}">${name}</th>`
    )}</tr></thead>
    <tbody>${rows.map((row) =>
      html`<tr>${
        row.map((cell, at) =>
          at === 0
            ? html`<th scope="row">${cell}</th>`
            : html`<td data-is="${names[at]!}" class="${kind[
              at
            ]!}">${cell}</td>`
        )
      }</tr>`
    )}</tbody></table>
  `;
}

/** A list of terms and what they are. */
export function facts(
  pairs: readonly (readonly [string, Piece])[],
): Html {
  return html`<dl class="facts">${
    pairs.map(([term, what]) =>
      html`
        <div>
          <dt>${term}</dt>
          <dd>${what}</dd>
        </div>
      `
    )
  }</dl>`;
}

/** A command to type, that a click selects whole. */
export function command(text: string): Html {
  return html`<code class="command">${plain(text)}</code>`;
}

/** In words, where a role does not answer: nothing is wrong with the page. */
export function silent(who: string): Html {
  return html`
    <p
      class="notice waiting">${mark(
        "waiting",
        `${who} does not answer now.`,
      )} This page shows it as soon as it does. If it stays so, look at <a href="/roles">the roles</a>.</p>
  `;
}

/** In words, where there is nothing to show, and that is well. */
export function empty(words: Piece): Html {
  return html`<p class="empty">${words}</p>`;
}
