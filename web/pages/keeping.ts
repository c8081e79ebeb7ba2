/** Pages about what is kept: erasure, certificates, backups and upgrades. */
import { html } from "hono/html";
import type { Facts } from "../news.ts";
import type { PageInput } from "../page.ts";
import { frame } from "./frame.ts";
import {
  command,
  empty,
  facts,
  type Html,
  mark,
  moment,
  said,
  silent,
  table,
} from "./parts.ts";
import { octets, plain, sentence, span } from "./words.ts";

const DAY_MS = 86_400_000;

/** What an overwrite is worth where mail waits. */
export function erasurePage(page: PageInput): Html {
  const told = page.sources.facts();
  return frame(page, {
    title: "Erasure",
    path: "/erasure",
    lead:
      "When a message's last recipient is done, its key is overwritten in place, and what it was in soon after.",
    body: html`
      ${told === undefined
        ? silent("The supervisor")
        : told.erasure.length === 0
        ? empty("Nothing is told about the file systems here yet.")
        : html`<dl class="plain">${
          told.erasure.map((one) =>
            html`
              <dt>${said(one.path, 200)}</dt>
              <dd>${said(sentence(one.says), 1_000)}</dd>
            `
          )
        }</dl>`}
      <section aria-labelledby="h-check">
        <h2 id="h-check">Look for yourself</h2>
        <p>${command(
          "bulkhead shred status",
        )} says what is still to be erased.</p>
        <p>${command(
          "bulkhead shred verify",
        )} looks on the disk whether it holds.</p>
      </section>
    `,
  });
}

/** Certificates in use. */
export function certificatesPage(page: PageInput): Html {
  const told = page.sources.facts();
  return frame(page, {
    title: "Certificates",
    path: "/certificates",
    lead: "What this server shows of itself when somebody connects by TLS.",
    body: told === undefined
      ? silent("The supervisor")
      : told.certificates.length === 0
      ? empty("None is configured: what comes in is not encrypted.")
      : html`${told.certificates.map((one) => certificate(page, one))}
<p>A new file in the same place is taken at the next reload, without an interruption: ${
        command("systemctl reload bulkhead")
      }, or SIGHUP for the supervisor${
        pid(page)
      } where there is no systemd.</p>`,
  });
}

function pid({ sources }: PageInput): string {
  const told = sources.news();
  return told === undefined ? "" : `, process ${told.pid},`;
}

function certificate(
  page: PageInput,
  one: Facts["certificates"][number],
): Html {
  const nowMs = page.sources.nowMs();
  const leftMs = one.notAfterMs - nowMs;
  const state = leftMs <= 0
    ? mark("bad", "Has run out")
    : one.notBeforeMs > nowMs
    ? mark("bad", "Is not valid yet")
    : leftMs < 14 * DAY_MS
    ? mark("waiting", `Runs out in ${span(leftMs)}`)
    : mark("good", `Good for ${span(leftMs)} more`);
  return html`<section><h2>For ${plain(one.use)}</h2><p>${state}</p>${
    facts([
      [
        "Names",
        html`<ul class="lines">${
          one.names.map((name) => html`<li>${said(name)}</li>`)
        }</ul>`,
      ],
      [
        "Issuer",
        one.isSelfSigned
          ? "itself: enough for encryption and for DANE, but no program trusts it by itself"
          : said(one.issuer),
      ],
      ["Until", moment(one.notAfterMs, nowMs)],
      ["Since", moment(one.notBeforeMs, nowMs)],
      ["File", said(one.file, 200)],
    ])
  }</section>`;
}

/** Backups and upgrades. */
export function carePage(page: PageInput): Html {
  const told = page.sources.facts();
  const now = page.sources.news();
  return frame(page, {
    title: "Care",
    path: "/care",
    lead: "Backups and upgrades of this installation.",
    body: html`
      ${facts([
        ["Version", now === undefined ? "unknown" : plain(now.version)],
        ...(told?.disks ?? []).map((disk) =>
          [`Room in ${plain(disk.path)}`, room(disk)] as const
        ),
      ])}
      <section
        aria-labelledby="h-done"><h2 id="h-done">What was done</h2>${told ===
            undefined
          ? silent("The supervisor")
          : told.care.length === 0
          ? empty("Nothing yet: no backup and no upgrade is known.")
          : table({
            caption: "Newest first",
            quiet: true,
            head: ["When", "What", "How it went"],
            rows: told.care.map((one) => [
              moment(one.atMs, page.sources.nowMs()),
              plain(one.what),
              said(one.says, 400),
            ]),
          })}</section>
      <section aria-labelledby="h-do">
        <h2 id="h-do">What to do</h2>
        <dl class="plain">
          <dt>${command("bulkhead backup FILE")}</dt>
          <dd>makes a backup while the server runs.</dd>
          <dt>${command("bulkhead verify")}</dt>
          <dd>looks whether everything on the disk is as it should be.</dd>
          <dt>${command("bulkhead upgrade FILE")}</dt>
          <dd>tries a new version on a copy first, switches only if that went well, and goes back by itself otherwise.</dd>
        </dl>
      </section>
    `,
  });
}

function room(disk: Facts["disks"][number]): Html {
  const share = disk.allBytes === 0 ? 0 : disk.freeBytes / disk.allBytes;
  const words = `${octets(disk.freeBytes)} free of ${octets(disk.allBytes)}`;
  return mark(share < 0.05 ? "bad" : share < 0.15 ? "waiting" : "good", words);
}
