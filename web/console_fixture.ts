/** A console with facts made up, for tests; asked without a socket. */
import { consoleApp, type ConsoleOptions } from "./app.ts";
import type { Office } from "./office.ts";
import type { Sources } from "./sources.ts";

/** The name that the requests of {@link Lab} are for. */
export const HOST = "localhost:2528";
/** A grant that the office of the fixture gives for the ticket `good`. */
const GRANT = "grant-of-eva";

/** Facts; `over` replaces some. */
export function madeUpSources(over: Partial<Sources> = {}): Sources {
  return {
    news: () => ({
      pid: 1,
      startedMs: 0,
      ready: true,
      hostname: "mx.home.test",
      version: "0.1.0",
      roles: [{
        instance: "smtpd.0",
        state: "ready",
        pid: 7,
        restarts: 2,
        upMs: 61_000,
        memoryBytes: 0,
        counters: { sessions: 3 },
      }],
    }),
    facts: () => undefined,
    flow: () => [],
    counts: () =>
      Promise.resolve({
        byState: {
          incoming: 0,
          active: 0,
          deferred: 1,
          hold: 0,
          bounce: 0,
          corrupt: 0,
        },
        accepted: 5,
        delivered: 4,
        deferred: 1,
        bounced: 0,
        delays: { upTo: [], sumMs: 0 },
      }),
    messages: () =>
      Promise.resolve({
        total: 1,
        after: "",
        messages: [{
          queueId: "0123456789ABCDEF",
          arrivedMs: 0,
          sizeBytes: 9,
          reversePath: "<script>alert(1)</script>@x.test",
          recipients: 1,
          to: ["eva@x.test"],
          state: "deferred",
          why: 'refused "by"\u202e host <b>',
          nextAttemptMs: 0,
        }],
      }),
    destinations: () => Promise.resolve([]),
    find: () => Promise.resolve([]),
    journey: () => Promise.resolve(null),
    clients: () => Promise.resolve({ verdicts: [], said: [] }),
    nowMs: () => 100_000,
    ...over,
  };
}

/** A console, and what was asked of its office. */
export class Lab {
  readonly asked: string[] = [];
  readonly app;
  nowMs = 100_000;
  isOver = false;
  /** Queue and gate will not have the grant. */
  isRefused = false;

  constructor(
    more: Partial<ConsoleOptions> & { sourcesOver?: Partial<Sources> } = {},
  ) {
    const { sourcesOver, ...options } = more;
    this.app = consoleApp({
      sources: (grant, onOver) =>
        madeUpSources({
          ...sourcesOver,
          ...(this.isRefused && grant !== ""
            ? { messages: () => Promise.resolve(onOver() as undefined) }
            : {}),
        }),
      office: this.#office(),
      reach: {
        hosts: new Set([HOST, "127.0.0.1:2528"]),
        isSecure: false,
        origins: new Set(),
      },
      isOpen: false,
      nowMs: () => this.nowMs,
      ...options,
    });
  }

  /** Asks, as a browser that is at home here would. */
  async ask(
    path: string,
    init: { headers?: Record<string, string>; method?: string; body?: string } =
      {},
  ): Promise<Response> {
    return await this.app.request(path, {
      ...init,
      headers: { host: HOST, ...init.headers },
    });
  }

  /** Posts a form; null leaves a header out. */
  post(
    path: string,
    fields: Record<string, string> | string,
    headers: Record<string, string | null> = {},
  ): Promise<Response> {
    const all: Record<string, string | null> = {
      "content-type": "application/x-www-form-urlencoded",
      origin: `http://${HOST}`,
      "sec-fetch-site": "same-origin",
      ...headers,
    };
    return this.ask(path, {
      method: "POST",
      headers: Object.fromEntries(
        Object.entries(all).filter(([, value]) => value !== null),
      ) as Record<string, string>,
      body: typeof fields === "string"
        ? fields
        : new URLSearchParams(fields).toString(),
    });
  }

  /** Signs in; returns the cookie and the CSRF token of its pages. */
  async signIn(): Promise<{ cookie: string; csrf: string }> {
    const answer = await this.post("/in", { ticket: "good" });
    const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
    const page = await (await this.ask("/", { headers: { cookie } })).text();
    const csrf = /name="csrf"\s+value="([^"]+)"/.exec(page)?.[1] ?? "";
    return { cookie, csrf };
  }

  #office(): Office {
    const done = (what: string) => {
      this.asked.push(what);
      return Promise.resolve({ words: `Done: ${what}.`, isOver: this.isOver });
    };
    return {
      signIn: (ticket) =>
        Promise.resolve(
          ticket === "good"
            ? { grant: GRANT, by: "eva", untilMs: this.nowMs + 43_200_000 }
            : { words: "This ticket is not good" },
        ),
      signOut: (grant, everywhere) => done(`out ${grant} ${everywhere}`),
      messages: (grant, action, ids) =>
        done(`${action} ${ids.join(" ")} ${grant}`),
      flush: (grant, domain) => done(`flush ${domain} ${grant}`),
      say: (grant, word, network) => done(`${word} ${network} ${grant}`),
    };
  }
}
