/**
 * What a signed-in administrator may do. Each is a form that is posted, and
 * leads back to a page, which says what came of it (post, redirect, get). The
 * console decides nothing here: queue and gate look at the grant themselves.
 */
import { isMailDomain } from "../mod/config/names.ts";
import { networkText, parseNetwork } from "../mod/core/network.ts";
import { QUEUE_ID_PATTERN } from "../mod/core/ids.ts";
import type { ConsoleApp, ConsoleContext } from "./environment.ts";
import {
  CLIENT_WORDS,
  type Done,
  MESSAGE_ACTIONS,
  type Office,
} from "./office.ts";
import { isCsrfOf, type Session } from "./session.ts";

/** Longest path to return to. */
const MAX_BACK = 600;

/** What the actions need of the app. */
export interface Desk {
  readonly office: Office;
  sessionOf(context: ConsoleContext): Session | undefined;
  /** The session is over; answers with a cookie that says so. */
  close(context: ConsoleContext, session: Session): void;
  closeAll(): void;
  /** The page to sign in, with words on why one comes to see it. */
  ended(
    context: ConsoleContext,
    words: string,
    status: 200 | 401,
  ): Promise<Response>;
  /** The page about a form that is older than the session. */
  outdated(context: ConsoleContext, session: Session): Promise<Response>;
}

const NOBODY_IN = "Nobody is signed in here any more: nothing was done.";

type Fields = ReadonlyMap<string, string>;

/** Adds the routes of all actions. */
export function addActions(app: ConsoleApp, desk: Desk): void {
  const { office } = desk;
  // Before the other: "chosen" would be an id.
  for (const action of MESSAGE_ACTIONS) {
    app.post(
      `/queue/chosen/${action}`,
      (context) =>
        carryOut(
          context,
          desk,
          ({ grant }, fields) =>
            forChosen(fields, (ids) => office.messages(grant, action, ids)),
        ),
    );
  }
  for (const action of MESSAGE_ACTIONS) {
    app.post(`/queue/:id/${action}`, (context) => {
      const id = context.req.param("id");
      if (!QUEUE_ID_PATTERN.test(id)) return context.notFound();
      return carryOut(
        context,
        desk,
        ({ grant }) => office.messages(grant, action, [id]),
      );
    });
  }
  app.post(
    "/queue/flush",
    (context) =>
      carryOut(context, desk, ({ grant }, fields) => {
        const domain = (fields.get("domain") ?? "").trim().toLowerCase();
        return domain === "" || isMailDomain(domain)
          ? office.flush(grant, domain)
          : said("That is no domain: nothing was done.");
      }),
  );
  for (const word of CLIENT_WORDS) {
    app.post(
      `/clients/${word}`,
      (context) =>
        carryOut(context, desk, ({ grant }, fields) => {
          const text = (fields.get("network") ?? "").trim().slice(0, 64);
          const network = parseNetwork(text);
          return "fault" in network
            ? said(`“${text}” ${network.fault}. Nothing was done.`)
            : office.say(grant, word, networkText(network));
        }),
    );
  }
  app.post(
    "/out",
    (context) =>
      carryOut(context, desk, async (session, fields) => {
        const everywhere = fields.get("everywhere") === "yes";
        const done = await office.signOut(session.grant, everywhere);
        if (everywhere) desk.closeAll();
        return { ...done, isOver: true, isAsked: true };
      }),
  );
}

/**
 * Does something with the messages that were chosen in a list: fields `id0`,
 * `id1` ...
 */
function forChosen(
  fields: Fields,
  act: (ids: readonly string[]) => Promise<Done>,
): Promise<Done> {
  const ids = [...fields].filter(([name]) => /^id\d{1,3}$/.test(name))
    .map(([, id]) => id);
  if (ids.length === 0) return said("No message was chosen.");
  return ids.every((id) => QUEUE_ID_PATTERN.test(id))
    ? act([...new Set(ids)])
    : said("That is no queue id: nothing was done.");
}

/** Checks that the form is of the session, acts, and leads back. */
async function carryOut(
  context: ConsoleContext,
  desk: Desk,
  act: (
    session: Session,
    fields: Fields,
  ) => Promise<Done & { readonly isAsked?: boolean }>,
): Promise<Response> {
  const session = desk.sessionOf(context);
  if (session === undefined) {
    return await desk.ended(context, NOBODY_IN, 401);
  }
  const { fields } = context.var;
  if (!isCsrfOf(session, fields.get("csrf") ?? "")) {
    return await desk.outdated(context, session);
  }
  const { words, isOver = false, isAsked = false } = await act(session, fields);
  if (isOver) {
    desk.close(context, session);
    // No session is left that could tell the next page.
    return await desk.ended(context, words, isAsked ? 200 : 401);
  }
  session.flash = words;
  return context.redirect(pathBack(fields.get("back")), 303);
}

/** A path of our own, and nothing that leads elsewhere. */
function pathBack(said: string | undefined): string {
  if (said === undefined || said.length > MAX_BACK) return "/";
  // Two slashes begin a host, and browsers take a backslash for a slash.
  const isPath = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(said);
  return isPath ? said : "/";
}

function said(words: string): Promise<Done> {
  return Promise.resolve({ words });
}
