/**
 * The console as a hono app: no socket, no file. Joins the guards, the
 * sessions, the pages and the actions. What is shown came through the mail or
 * from a role, so pages escape everything, and the content security policy
 * lets a browser load nothing but our own style sheet and script.
 */
import { Hono, type MiddlewareHandler } from "hono";
import { addActions } from "./actions.ts";
import { closedSources } from "./closed.ts";
import type { ConsoleApp, ConsoleContext, ConsoleEnv } from "./environment.ts";
import { bodyOctets, MAX_FORM_OCTETS, readForm } from "./form.ts";
import { headers, onlyHere, type Reach } from "./guards.ts";
import { addMetrics, type MetricsAccess } from "./metrics_access.ts";
import type { Watcher } from "./live.ts";
import type { Office } from "./office.ts";
import type { Page, PageInput } from "./page.ts";
import { ICON } from "./pages/icon.ts";
import {
  BROKEN,
  NO_SUCH_PAGE,
  OUTDATED,
  PAGES,
  SIGN_IN,
} from "./pages/pages.ts";
import { SCRIPT } from "./script.ts";
import { cookieIn, cookieText, type Session, Sessions } from "./session.ts";
import type { Sources } from "./sources.ts";
import { STYLE } from "./style.ts";
import { TokenBuckets } from "./token_bucket.ts";

/** Longest value of a query that a page is given. */
const MAX_QUERY = 300;
const MAX_QUERIES = 16;

/** Queue or gate began anew, and believes no grant of before. */
const OVER = "This sign-in is over: `bulkhead console` prints a new link.";

/** What the app is put into. */
export interface ConsoleOptions {
  /** Facts, as whoever has this grant may see them; empty: no grant. */
  readonly sources: (grant: string, onOver: () => void) => Sources;
  readonly office: Office;
  readonly reach: Reach;
  /** Everybody who reaches the console sees everything. */
  readonly isOpen: boolean;
  /** Who may read `/metrics`; nobody if absent. */
  readonly metrics?: () => MetricsAccess;
  readonly nowMs: () => number;
  readonly sessions?: Sessions;
  /** Opens a stream of events; undefined if there are too many. */
  readonly live?: (
    sources: Sources,
    watcher: Watcher,
  ) => ReadableStream<Uint8Array> | undefined;
  /** A page failed: a bug of ours. */
  readonly onFault?: (error: Error, path: string) => void;
}

/** Builds the app. */
export function consoleApp(options: ConsoleOptions): ConsoleApp {
  const { reach, office } = options;
  const sessions = options.sessions ?? new Sessions(options.nowMs);
  const knocks = new TokenBuckets({
    all: { burst: 20, everyMs: 500 },
    each: { burst: 5, everyMs: 2_000 },
  });
  const app = new Hono<ConsoleEnv>();
  app.use(headers(reach));
  app.use(onlyHere(reach));
  app.use(readFields);

  const sessionOf = (context: ConsoleContext) => {
    const id = cookieIn(context.req.header("cookie"), reach.isSecure);
    // A page that renews itself is no use of a session, and a browser asks for
    // its stream of events again by itself.
    const isUse = context.req.header("x-renew") === undefined &&
      context.req.path !== "/events";
    return id === undefined ? undefined : sessions.find(id, isUse);
  };
  const sourcesOf = (session: Session | undefined) => {
    const all = options.sources(
      session?.grant ?? "",
      () => session && sessions.close(session),
    );
    return session !== undefined || options.isOpen ? all : closedSources(all);
  };
  const render = async (context: ConsoleContext, page: Page, more: {
    session?: Session | undefined;
    flash?: string;
    /** Other than what was asked for. */
    here?: string;
    status?: 200 | 401 | 403 | 404 | 429 | 500;
  }): Promise<Response> => {
    const { session } = more;
    const input: PageInput = {
      sources: sourcesOf(session),
      session: session ?? null,
      query: queryOf(context),
      params: new Map(Object.entries(context.req.param())),
      here: more.here ??
        new URL(context.req.url).pathname + new URL(context.req.url).search,
      flash: more.flash ?? session?.flash ?? "",
      needsSignIn: !options.isOpen,
    };
    if (session !== undefined) session.flash = "";
    const rendered = await page(input);
    if (session !== undefined && !sessions.isOpen(session)) {
      return render(context, SIGN_IN, { flash: OVER, status: 401 });
    }
    return typeof rendered === "object" && "status" in rendered
      ? context.html(await rendered.html, rendered.status)
      : context.html(rendered, more.status ?? 200);
  };

  app.get("/style.css", (context) => asset(context, STYLE, "text/css"));
  app.get(
    "/console.js",
    (context) => asset(context, SCRIPT, "text/javascript"),
  );
  app.get("/icon.svg", (context) => asset(context, ICON, "image/svg+xml"));
  app.get("/status.json", async (context) => {
    const sources = sourcesOf(undefined);
    return context.json({
      server: sources.news() ?? null,
      queue: await sources.counts() ?? null,
    });
  });
  addMetrics(app, options.sources("", () => {}), options.metrics);
  app.get("/events", (context) => {
    // Nobody would read what is opened for a HEAD, nor end it.
    if (context.req.method === "HEAD") return context.body(null, 200, EVENTS);
    const session = sessionOf(context);
    const stream = options.live?.(sourcesOf(session), {
      isAlive: () => session === undefined || sessions.isOpen(session),
      isStranger: session === undefined && !options.isOpen,
    });
    return stream === undefined
      ? context.text("Too many watch already", 503, { "Retry-After": "30" })
      : context.body(stream, 200, EVENTS);
  });
  app.post("/in", async (context) => {
    const client = context.env?.client ?? "";
    if (!knocks.take(client, options.nowMs())) {
      const flash = "Too many tried to sign in. Wait some seconds.";
      return render(context, SIGN_IN, { flash, status: 429 });
    }
    const ticket = (context.var.fields.get("ticket") ?? "").trim();
    const admitted = await office.signIn(ticket);
    if ("words" in admitted) {
      const flash = admitted.words;
      return render(context, SIGN_IN, { flash, status: 401 });
    }
    // Who signs in anew leaves the session before.
    const before = sessionOf(context);
    if (before !== undefined) sessions.close(before);
    const id = sessions.open(admitted);
    context.header("Set-Cookie", cookieText(id, reach.isSecure));
    return context.redirect("/", 303);
  });
  addActions(app, {
    office,
    sessionOf,
    close: (context, session) => {
      sessions.close(session);
      context.header("Set-Cookie", cookieText("", reach.isSecure));
    },
    closeAll: () => sessions.closeAll(),
    ended: (context, flash, status) =>
      render(context, SIGN_IN, { flash, here: "/in", status }),
    outdated: (context, session) =>
      render(context, OUTDATED, { session, status: 403 }),
  });
  for (const route of PAGES) {
    app.get(route.path, (context) => {
      const session = sessionOf(context);
      const mayShow = route.isOpen || options.isOpen || session !== undefined;
      return mayShow
        ? render(context, route.page, { session })
        : render(context, SIGN_IN, { status: 401 });
    });
  }
  app.notFound((context) => {
    const session = sessionOf(context);
    return render(context, NO_SUCH_PAGE, { session, status: 404 });
  });
  app.onError((error, context) => {
    options.onFault?.(error, context.req.path);
    return render(context, BROKEN, { status: 500 });
  });
  return app;
}

const EVENTS = { "Content-Type": "text/event-stream" };

/** Reads what was posted, and no more than a form may have. */
const readFields: MiddlewareHandler<ConsoleEnv> = async (context, next) => {
  if (context.req.method === "POST") {
    const length = Number(context.req.header("content-length") ?? "0");
    const octets = length <= MAX_FORM_OCTETS
      ? await bodyOctets(context.req.raw.body)
      : undefined;
    if (octets === undefined || octets.length > MAX_FORM_OCTETS) {
      return context.text("This is more than a form", 413);
    }
    const fields = readForm(octets);
    if (fields === undefined) {
      return context.text("This is no form of ours", 400);
    }
    context.set("fields", fields);
  }
  return await next();
};

function asset(context: ConsoleContext, text: string, type: string) {
  return context.body(text, 200, { "Content-Type": `${type}; charset=utf-8` });
}

function queryOf(context: ConsoleContext): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URL(context.req.url).searchParams) {
    if (query.size === MAX_QUERIES) break;
    if (!query.has(name)) query.set(name, value.slice(0, MAX_QUERY));
  }
  return query;
}
