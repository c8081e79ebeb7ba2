/** The table of pages; `app.ts` makes a route of each row. */
import type { Page, PageRoute } from "../page.ts";
import { overview } from "./overview.ts";
import { signIn } from "./sign_in.ts";

/** In the order of the routes. */
export const PAGES: readonly PageRoute[] = [
  { path: "/", page: overview, isOpen: true },
  { path: "/in", page: signIn, isOpen: true },
];

/** Shown, with 401, in place of a closed page to who is not signed in. */
export const SIGN_IN: Page = signIn;
