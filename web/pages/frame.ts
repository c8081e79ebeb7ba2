/** What is around every page. */
import { html } from "hono/html";
import type { Html, PageInput } from "../page.ts";

/** A whole page with `content` in it. */
export function frame(
  { sources, session, flash }: PageInput,
  title: string,
  content: Html,
): Html {
  const hostname = sources.news()?.hostname ?? "bulkhead";
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>${title}: ${hostname}</title>
        <link rel="stylesheet" href="/style.css">
        <script src="/console.js" defer></script>
      </head>
      <body>
        <main>
          <h1>${hostname}</h1>
          ${flash === "" ? "" : html`<p role="status">${flash}</p>`} ${content}
          ${session === null ? html`<p><a href="/in">Sign in</a></p>` : html`
            <form method="post" action="/out">
              <input type="hidden" name="csrf" value="${session.csrf}">
              <button>Sign out</button>
            </form>
          `}
        </main>
      </body>
    </html>
  `;
}
