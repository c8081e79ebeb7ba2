/**
 * Where the link of `bulkhead console` leads. The ticket is behind `#`, which
 * no browser sends anywhere; the script puts it into the form. Without the
 * script it is pasted.
 */
import { html } from "hono/html";
import type { Html, PageInput } from "../page.ts";
import { frame } from "./frame.ts";

/** See the file's head. */
export function signIn(input: PageInput): Html {
  return frame(
    input,
    "Sign in",
    html`
      <p>Signing in needs a ticket, which <code>bulkhead console</code> prints, run as
        the user who runs the server. It is good for one sign-in within ten
        minutes.</p>
      <form method="post" action="/in" id="sign-in">
        <p>
          <label for="ticket">Ticket</label>
          <input
            id="ticket"
            name="ticket"
            required
            maxlength="300"
            autocomplete="off"
            spellcheck="false"
          >
          <button>Sign in</button>
        </p>
      </form>
    `,
  );
}
