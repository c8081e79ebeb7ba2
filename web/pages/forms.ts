/** Buttons that do something: plain forms, which need no script. */
import { html, raw } from "hono/html";
import type { PageInput } from "../page.ts";
import { type Html, NOTHING, type Piece } from "./parts.ts";

/** True if this page may have buttons. */
export function mayAct(page: PageInput): boolean {
  return page.session !== null;
}

/** What every form carries. */
export function hidden(page: PageInput): Html {
  return page.session === null ? NOTHING : html`
    <input type="hidden" name="csrf" value="${page.session
      .csrf}"><input type="hidden"
      name="back" value="${page.here}">
  `;
}

/** Choices for {@link button}. */
export interface Button {
  /** Path that it posts to. */
  readonly action: string;
  readonly label: string;
  /** What it is about, said to who cannot see what is around it. */
  readonly about?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /**
   * It cannot be undone: a second button, behind the first, with these words
   * before it.
   */
  readonly sure?: Piece;
}

/** A form of one button; nothing for who is not signed in. */
export function button(page: PageInput, options: Button): Html {
  if (!mayAct(page)) return NOTHING;
  const { action, label, about, fields = {}, sure } = options;
  const form = (isLast: boolean) =>
    html`
      <form method="post" action="${action}"
        class="button">${hidden(page)}${Object.entries(fields).map((
          [name, value],
        ) =>
          html`<input type="hidden" name="${name}" value="${value}">`
        )}<button${raw(
          isLast ? ' class="danger"' : "",
        )}>${label}${about === undefined
          ? NOTHING
          : html`<span class="sr">: ${about}</span>`}</button></form>
    `;
  if (sure === undefined) return form(false);
  return html`
    <details class="sure">
      <summary>${label}…</summary>
      <div><p>${sure}</p>${form(true)}</div>
    </details>
  `;
}

/** How to get buttons, for who has none; `to` completes "Sign in to". */
export function signInHint(page: PageInput, to: string): Html {
  if (mayAct(page)) return NOTHING;
  return html`
    <p
      class="hint">You are reading. To ${to}, <a href="/in">sign in</a>: type <code class="command">bulkhead console</code> on the server as root, and open the link that it prints.</p>
  `;
}
