/** What is said where there is no page: in words, and where to go on. */
import { html } from "hono/html";
import type { PageInput } from "../page.ts";
import { frame } from "./frame.ts";
import type { Html } from "./parts.ts";

/** There is no such page. */
export function noSuchPage(page: PageInput): Html {
  return frame(page, {
    title: "There is no such page",
    path: "",
    body: html`
      <p>The address may be old, or cut. Everything that there is, is in the list of pages; a message is found by its id, an address, or a word of its subject.</p>
      <p><a href="/">To the first page</a></p>
    `,
  });
}

/** Somebody signed in anew since the page with this form was made. */
export function outdatedPage(page: PageInput): Html {
  return frame(page, {
    title: "Nothing was done",
    path: "",
    body:
      html`<p>This form is not of this session: you signed in anew since its page was made, in another window perhaps. Go back, load that page again, and look whether you still want it. <a href="/">To the first page</a></p>`,
  });
}

/** A page failed: our fault, and no mail's. */
export function brokenPage(page: PageInput): Html {
  return frame(page, {
    title: "This page failed",
    path: "",
    body:
      html`<p>The fault is the console's; mail goes on without it. The log has the reason: look for <code>page-failed</code> in it. <a href="/">To the first page</a></p>`,
  });
}
