/** The table of pages; `app.ts` makes a route of each row. */
import type { Page, PageRoute } from "../page.ts";
import { clientsPage } from "./clients.ts";
import { destinationsPage } from "./destinations.ts";
import { drillPage } from "./drill.ts";
import { journeyPage } from "./journey.ts";
import { carePage, certificatesPage, erasurePage } from "./keeping.ts";
import { nowPage } from "./now.ts";
import { queuePage } from "./queue.ts";
import { rolePage, rolesPage } from "./roles.ts";
import { searchPage } from "./search.ts";
import { signInPage } from "./sign_in.ts";
import { brokenPage, noSuchPage, outdatedPage } from "./trouble.ts";

/** In the order of the routes. */
export const PAGES: readonly PageRoute[] = [
  { path: "/", page: nowPage, isOpen: true },
  { path: "/queue", page: queuePage, isOpen: false },
  { path: "/message/:id", page: journeyPage, isOpen: false },
  { path: "/search", page: searchPage, isOpen: false },
  { path: "/destinations", page: destinationsPage, isOpen: false },
  { path: "/clients", page: clientsPage, isOpen: false },
  { path: "/roles", page: rolesPage, isOpen: true },
  { path: "/roles/:name", page: rolePage, isOpen: true },
  { path: "/drill", page: drillPage, isOpen: true },
  { path: "/erasure", page: erasurePage, isOpen: false },
  { path: "/certificates", page: certificatesPage, isOpen: true },
  { path: "/care", page: carePage, isOpen: false },
  { path: "/in", page: signInPage, isOpen: true },
];

/** Shown, with 401, in place of a closed page to who is not signed in. */
export const SIGN_IN: Page = signInPage;

/** Shown, with 404, where there is no page. */
export const NO_SUCH_PAGE: Page = noSuchPage;

/** Shown, with 500, in place of a page that failed. */
export const BROKEN: Page = brokenPage;

/** Shown, with 403, for a form of another session. */
export const OUTDATED: Page = outdatedPage;
