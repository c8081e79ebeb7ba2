/** Finds messages by queue id, address or word of a subject. */
import { html } from "hono/html";
import type { PageInput } from "../page.ts";
import type { Sources } from "../sources.ts";
import { frame } from "./frame.ts";
import { stateMark } from "./messages.ts";
import {
  address,
  addresses,
  empty,
  type Html,
  messageLink,
  moment,
  silent,
  table,
} from "./parts.ts";
import { count, cut, plain } from "./words.ts";

/** Rows shown; a narrower question finds more. */
const LIMIT = 50;

/** See the file's head. */
export async function searchPage(page: PageInput): Promise<Html> {
  const words = (page.query.get("q") ?? "").trim();
  const found = words === "" ? [] : await page.sources.find(words);
  return frame(page, {
    title: "Find",
    path: "/search",
    body: html`<form class="filter big" action="/search" role="search">
<label for="words">Queue id, address, or a word of the subject</label>
<input id="words" name="q" type="search" maxlength="320" autocomplete="off" spellcheck="false" value="${
      plain(words)
    }"> <button>Find</button></form>
${words === "" ? explained() : results(page, words, found)}`,
  });
}

function explained(): Html {
  return html`
    <dl class="plain">
      <dt>A queue id</dt>
      <dd>stands in the reply that the sender got (<q>queued as …</q>), in every line of the log, and in every notice.</dd>
      <dt>An address</dt>
      <dd>of the sender or a recipient, whole.</dd>
      <dt>A word</dt>
      <dd>of the subject, whole. Subjects are not kept: their words are, as keyed digests, so that a word that you know can be found and nobody can read them.</dd>
    </dl>
  `;
}

function results(
  page: PageInput,
  words: string,
  found: Awaited<ReturnType<Sources["find"]>>,
): Html {
  if (found === undefined) return silent("The queue");
  if (found.length === 0) {
    return empty(
      `Nothing is known of “${
        cut(plain(words), 80)
      }”. What was delivered is forgotten after the time that queue.keep_events says.`,
    );
  }
  const isMore = found.length > LIMIT;
  return html`<h2>${
    isMore ? `More than ${LIMIT} messages` : count(found.length, "message")
  }</h2>${
    table({
      caption: "Messages found, newest first",
      quiet: true,
      head: ["Message", "When", "From", "To", "State"],
      rows: found.slice(0, LIMIT).map((one) => [
        messageLink(one.queueId),
        moment(one.atMs, page.sources.nowMs()),
        address(one.reversePath),
        addresses(one.to, one.to.length),
        stateMark(one.state),
      ]),
    })
  }${
    isMore
      ? html`<p class="dim">The newest ${LIMIT} are shown; a further word finds fewer.</p>`
      : ""
  }`;
}
