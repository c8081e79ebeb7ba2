/**
 * The frame around every page: who this server is and how it is at the top,
 * the way to the other pages, and what the person who looks may do.
 */
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { PageInput } from "../page.ts";
import { SIGN_SVG } from "./icon.ts";
import { worries } from "./worries.ts";
import { type Html, mark, NOTHING, type Piece } from "./parts.ts";
import { count, plain, span } from "./words.ts";

/** Pages by what they are about. */
const WAYS: readonly {
  readonly name: string;
  readonly pages: readonly (readonly [path: string, name: string])[];
}[] = [
  {
    name: "Mail",
    pages: [
      ["/", "Now"],
      ["/queue", "Queue"],
      ["/search", "Find"],
      ["/destinations", "Destinations"],
      ["/clients", "Clients"],
    ],
  },
  {
    name: "Server",
    pages: [
      ["/roles", "Roles"],
      ["/drill", "Drill"],
      ["/erasure", "Erasure"],
      ["/certificates", "Certificates"],
      ["/care", "Care"],
    ],
  },
];

/** What {@link frame} puts into its frame. */
export interface Framed {
  /** The heading, and the window's name. */
  readonly title: string;
  /** Entry of the navigation that this page belongs to. */
  readonly path: string;
  /** Under the heading, a sentence or a few facts. */
  readonly lead?: Piece;
  readonly body: Html;
  /**
   * Seconds after which a browser without scripts loads it again; 0 for a page
   * on which somebody may be writing.
   */
  readonly renewSeconds?: number;
}

/** A whole page. */
export async function frame(
  page: PageInput,
  framed: Framed,
): Promise<HtmlEscapedString> {
  const made = String(await whole(page, framed));
  // A third of it is how the code is indented. No text of a stranger has a
  // line's end, but the lines of evidence, which begin with no space.
  return raw(made.replace(/\n\s+/g, "\n"));
}

function whole(page: PageInput, framed: Framed): Html {
  const host = plain(page.sources.news()?.hostname ?? "Bulkhead");
  // So that a tab tells it, too.
  const warnings = worries(page.sources).length;
  const warned = warnings === 0 ? "" : `(${warnings}) `;
  const renew = framed.renewSeconds ?? 0;
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${warned}${framed.title} · ${host}</title>
    <link rel="stylesheet" href="/style.css">
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <script src="/console.js" defer></script>
    ${renew > 0
      ? html`<noscript><meta http-equiv="refresh" content="${renew}"></noscript>`
      : NOTHING}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
    <a class="home" href="/" title="To the first page">${SIGN}<span>${host}</span></a>
    <div class="state" id="state" data-live>${state(page, warnings)}</div>
    ${framed.path === "/search" ? NOTHING : finder()}
    ${account(page)}
        </header>
        <nav class="ways" aria-label="Pages">${WAYS.map((group) =>
          html`
            <div>
              <p id="ways-${group.name}">${group.name}</p>
              <ul aria-labelledby="ways-${group.name}">${group.pages.map((
                [path, name],
              ) =>
                html`<li><a href="${path}"${
                  raw(path === framed.path ? ' aria-current="page"' : "")
                }>${name}</a></li>`
              )}</ul>
            </div>
          `
        )}</nav>
        <main id="main" tabindex="-1">
    <h1>${framed.title}</h1>
    ${page.flash === ""
      ? NOTHING
      : html`<p class="notice plain" role="status">${plain(page.flash)}</p>`}
    ${framed.lead === undefined
      ? NOTHING
      : html`<p class="lead">${framed.lead}</p>`}
    ${framed.body}
        </main>
        <p class="sr" id="told" role="status"></p>
        <footer><span id="beat" class="dim">${renew > 0
          ? "As it is now."
          : "As it was when you asked."}</span> <span class="dim">Times are UTC.</span></footer>
      </body>
    </html>
  `;
}

const SIGN = raw(SIGN_SVG);

/** Not on the page that has a larger one. */
function finder(): Html {
  return html`
    <form class="find" action="/search" role="search">
      <label class="sr"
        for="find">Find a message: queue id, address or word of its subject</label>
      <input id="find" name="q" type="search" autocomplete="off" spellcheck="false"
        maxlength="320" placeholder="Id, address, subject word">
      <button>Find</button>
    </form>
  `;
}

/** True if warnings are kept from who is looking. */
function isBlind(page: PageInput): boolean {
  return page.session === null && page.needsSignIn;
}

function state(page: PageInput, warnings: number): Html {
  const now = page.sources.news();
  if (now === undefined) {
    return mark("waiting", "The supervisor has not said anything yet");
  }
  const up = span(Math.max(60_000, page.sources.nowMs() - now.startedMs));
  if (!now.ready) return mark("waiting", "Starting");
  return html`${
    warnings === 0
      ? mark("good", isBlind(page) ? "Ready" : "All is well")
      : html`<a href="/#worries">${mark("bad", count(warnings, "warning"))}</a>`
  } <span class="dim">up ${up}</span>`;
}

function account(page: PageInput): Html {
  if (page.session === null) {
    return html`
      <p
        class="account"><span class="dim">Reading only.</span> <a href="/in">Sign in</a></p>
    `;
  }
  const { by, csrf } = page.session;
  return html`
    <form class="account" method="post"
      action="/out"><input type="hidden" name="csrf" value="${csrf}"><span class="dim">Signed in by ${plain(
        by,
      )}.</span> <button class="quiet">Sign out</button></form>
  `;
}
