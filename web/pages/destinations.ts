/** Where mail goes, and how safely it went there last. */
import { html } from "hono/html";
import type { Tone } from "../../mod/journey/journey.ts";
import type { PageInput } from "../page.ts";
import type { Destination } from "../sources.ts";
import { frame } from "./frame.ts";
import {
  address,
  empty,
  facts,
  type Html,
  mark,
  moment,
  NOTHING,
  type Piece,
  said,
  silent,
  table,
} from "./parts.ts";
import { count, number, plain, since } from "./words.ts";

/** Rows shown. */
const LIMIT = 40;

/** See the file's head. */
export async function destinationsPage(page: PageInput): Promise<Html> {
  const found = await page.sources.destinations();
  return frame(page, {
    title: "Destinations",
    path: "/destinations",
    lead: "Where mail goes from here, and how safely it went there last.",
    body: html`<div id="destinations" data-live>${
      found === undefined
        ? silent("The queue")
        : found.length === 0
        ? empty("Nothing has left for another server yet.")
        : list(page, found)
    }</div>${explained()}`,
  });
}

function list(page: PageInput, found: readonly Destination[]): Html {
  const nowMs = page.sources.nowMs();
  // Those where mail waits are what somebody looks for.
  const sorted = found.toSorted((a, b) =>
    b.waiting - a.waiting || a.name.localeCompare(b.name)
  );
  return html`${
    table({
      caption: `${
        count(found.length, "destination")
      }, those where mail waits first`,
      head: [
        "Destination",
        "#Waiting",
        "#Under way",
        "Safety",
        "Last delivery",
      ],
      rows: sorted.slice(0, LIMIT).map((one) => [
        destination(one, nowMs),
        one.waiting === 0
          ? "0"
          : html`<a href="/queue?domain=${encodeURIComponent(one.name)}">${
            number(one.waiting)
          }</a>`,
        number(one.active),
        one.last === null
          ? html`<span class="dim">no delivery under this name is remembered</span>`
          : safety(one.last),
        one.last === null ? NOTHING : last(one.last, nowMs),
      ]),
    })
  }${
    found.length > LIMIT
      ? html`<p class="dim">${found.length - LIMIT} more, where ${
        sorted[LIMIT]!.waiting === 0 ? "nothing" : "less"
      } waits, are left out.</p>`
      : NOTHING
  }`;
}

function destination(one: Destination, nowMs: number): Html {
  return html`${address(one.name)}${
    one.deadUntilMs > nowMs
      ? html`<br>${
        mark(
          "bad",
          `Does not answer; asked again ${since(one.deadUntilMs, nowMs)}`,
        )
      }`
      : NOTHING
  }`;
}

type Last = NonNullable<Destination["last"]>;

/** What was reached, in words; a word of smtpc's that is new stays as it is. */
const REACHED: ReadonlyMap<string, readonly [Tone, string]> = new Map([
  ["dane", ["good", "Encrypted, certificate proved by DANE"]],
  ["verified", ["good", "Encrypted, certificate verified"]],
  ["encrypted", ["waiting", "Encrypted, certificate not proved"]],
  ["clear", ["bad", "Not encrypted"]],
  ["", ["bad", "No connection came about"]],
]);

function safety(last: Last): Html {
  const [tone, words] = REACHED.get(last.reached) ??
    ["plain", plain(last.reached)] as const;
  return html`${mark(tone, words)}<details><summary>Facts</summary>${
    facts(
      [
        ["TLS", said(last.tls === "" ? "none" : last.tls)],
        [
          "Certificate",
          said(last.certificate === "" ? "none seen" : last.certificate),
        ],
        ["MTA-STS", said(last.mtaSts === "" ? "no policy" : last.mtaSts)],
        ["MX records", dnssec(last.dns.mx)],
        ["Address", dnssec(last.dns.address)],
        ["TLSA records", dnssec(last.dns.tlsa)],
      ],
    )
  }</details>`;
}

/** What DNSSEC said, in words. */
function dnssec(word: string): Piece {
  switch (word) {
    case "secure":
      return mark("good", "signed, and the signatures hold");
    case "insecure":
      return mark("plain", "not signed");
    case "bogus":
      return mark("bad", "signatures do not hold");
    case "":
      return html`<span class="dim">not asked</span>`;
    // The role dns may learn new words; they are shown as they are.
    default:
      return said(word);
  }
}

function last(last: Last, nowMs: number): Html {
  return html`${moment(last.atMs, nowMs)} at ${address(last.host)}<br>${
    said(last.outcome, 140)
  }`;
}

function explained(): Html {
  return html`
    <details class="words">
      <summary>What the words mean</summary>
      <dl class="plain">
        <dt>DANE</dt>
        <dd>The destination's DNS, signed by DNSSEC, says which certificate its server has. Nobody in between can forge that.</dd>
        <dt>MTA-STS</dt>
        <dd>The destination says by HTTPS which hosts are its, and that they have certificates that a public authority vouches for.</dd>
        <dt>Not proved</dt>
        <dd>The connection is encrypted, but who listens at the other end is known by its address alone. A listener who only hears learns nothing; one who diverts the connection may.</dd>
        <dt>A host with a port</dt>
        <dd>A next hop that the configuration names: what is sent there is told of the host, what waits of the domain.</dd>
        <dt>Does not answer</dt>
        <dd>One delivery tries at a time until the time shown; the others wait in the queue and delay nobody else.</dd>
      </dl>
      <p><code>bulkhead tls DOMAIN</code> says how mail to a domain would go now, record by record.</p>
    </details>
  `;
}
