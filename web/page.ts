/**
 * What a page is: a pure function of the facts, who is asking, and the path
 * and query. `app.ts` calls it, and does everything else: guards, sessions,
 * headers. `pages/pages.ts` has the table.
 *
 * A page's forms are posted with `method="post"`, and carry `csrf` (the
 * session's) and `back` (a path of our own to return to, with its query) as
 * hidden fields. What came of it is the next page's `flash`. The actions:
 *
 * | POST                                     | does                             |
 * | ---------------------------------------- | -------------------------------- |
 * | /queue/ID/hold, release, retry, delete   | that, with one message           |
 * | /queue/chosen/hold ..., fields `id0` ... | that, with each of them          |
 * | /queue/flush, field `domain` or nothing  | tries what waits now             |
 * | /clients/allow, deny, forget             | says it of field `network`       |
 * | /in, field `ticket` (no csrf)            | signs in, see `sign_in.ts`       |
 * | /out, field `everywhere` = `yes` or none | signs out, here or everybody     |
 */
import type { Html } from "./pages/parts.ts";
import type { Sources } from "./sources.ts";

/** Who is signed in. */
export interface Visitor {
  /** The hidden field `csrf` of every form. */
  readonly csrf: string;
  /** The user of the system who asked for the link: `root`, `eva`. */
  readonly by: string;
  readonly untilMs: number;
}

/** What a page is given. */
export interface PageInput {
  /** Without sign-in those of a closed page are undefined; see `closed.ts`. */
  readonly sources: Sources;
  /** Null if nobody is signed in. */
  readonly session: Visitor | null;
  /** Each once, cut at 300 characters. */
  readonly query: ReadonlyMap<string, string>;
  /** Of the path: `id` of `/message/:id`. */
  readonly params: ReadonlyMap<string, string>;
  /** This page's own path and query: for `back`. */
  readonly here: string;
  /** What came of the last action; mostly empty. */
  readonly flash: string;
  /** False: what is closed is shown to everybody (`console.open`). */
  readonly needsSignIn: boolean;
}

/** A page, or a page that is an answer other than 200. */
export type Rendered = Html | {
  readonly status: 401 | 404 | 429 | 503;
  readonly html: Html;
};

/** See the file's head. */
export type Page = (input: PageInput) => Rendered | Promise<Rendered>;

/** A row of the table of pages. */
export interface PageRoute {
  /** As hono has it: `/message/:id`. */
  readonly path: string;
  readonly page: Page;
  /** Shown to whoever is not signed in, with what they may see. */
  readonly isOpen: boolean;
}
