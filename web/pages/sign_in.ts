/**
 * Where the link of `bulkhead console` leads. The ticket is behind `#`, which
 * no browser sends anywhere; the script puts it into the form. Without the
 * script it is pasted. The same page stands in place of those that are shown
 * to administrators only.
 */
import { html } from "hono/html";
import type { PageInput } from "../page.ts";
import { button } from "./forms.ts";
import { frame } from "./frame.ts";
import { command, type Html, NOTHING } from "./parts.ts";
import { plain } from "./words.ts";

/** See the file's head. */
export function signInPage(page: PageInput): Html {
  const isInstead = !page.here.startsWith("/in");
  return frame(page, {
    title: "Sign in",
    path: "",
    body: html`
      ${isInstead
        ? html`
          <p
            class="notice plain">This page names people: who writes to whom, and from where. It is shown to administrators only. How the server is, everybody here may see: <a href="/">Now</a>, <a href="/roles">Roles</a>, <a href="/drill">Drill</a>.</p>
        `
        : NOTHING}
      <p>There is no password. On the server, as root, type</p>
      <p>${command("bulkhead console")}</p>
      <p>and open the link that it prints. It is good for ten minutes and for one sign-in.</p>
      <form method="post" action="/in" id="sign-in" class="filter big">
      <label for="ticket">Or paste the ticket, which is what stands behind the # of the link</label>
      <input id="ticket" name="ticket" required maxlength="300" autocomplete="off" autocapitalize="none" spellcheck="false"> <button>Sign in</button></form>
      ${page.session === null ? NOTHING : html`
        <p>This browser is signed in, by the link of ${plain(
          page.session.by,
        )}.</p>
        ${button(page, {
          action: "/out",
          label: "Sign everybody out",
          fields: { everywhere: "yes" },
          sure: "Every administrator, you too, signs in anew.",
        })}
      `}
      <details class="words">
        <summary>Why so?</summary>
        <p>The console is trusted with nothing. What you sign in with is a paper that only root can write, and that the queue and the gate check themselves before they obey. Somebody who takes over the console can do nothing that no administrator signed in for.</p>
      </details>
    `,
  });
}
