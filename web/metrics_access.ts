/**
 * Who may read `/metrics`. Without a token: whoever reaches a console that
 * listens on the loopback and has no other name, for there are only totals in
 * it. With `metrics.token`: whoever shows that. Else nobody, and there
 * is no such page.
 */
import { timingSafeEqual } from "node:crypto";
import type { ConsoleApp } from "./environment.ts";
import { METRICS_TYPE } from "./metrics_format.ts";
import { type MetricsSources, metricsText } from "./metrics.ts";

/** As the console's part of the configuration has it. */
export interface MetricsAccess {
  /** It may be read without a token. */
  readonly isOpen: boolean;
  /** Empty if there is none. */
  readonly token: string;
}

/** Adds the page to the console's app. */
export function addMetrics(
  app: ConsoleApp,
  sources: MetricsSources,
  access: () => MetricsAccess = () => ({ isOpen: false, token: "" }),
): void {
  app.get("/metrics", async (context) => {
    const shown = context.req.header("authorization");
    const answer = await answerMetrics(sources, access(), shown);
    return context.body(answer.body, answer.status, { ...answer.headers });
  });
}

/** The answer to a request. */
export interface MetricsAnswer {
  readonly status: 200 | 401 | 404 | 503;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };

/**
 * Answers.
 *
 * @param authorization The header's value, if there is one (RFC 6750 §2.1)
 */
export async function answerMetrics(
  sources: MetricsSources,
  { isOpen, token }: MetricsAccess,
  authorization: string | undefined,
): Promise<MetricsAnswer> {
  if (token === "" && !isOpen) {
    return { status: 404, body: "There is no such page", headers: TEXT };
  }
  if (token !== "" && !isBearer(authorization ?? "", token)) {
    return {
      status: 401,
      body: "The metrics need their token",
      headers: { ...TEXT, "WWW-Authenticate": 'Bearer realm="metrics"' },
    };
  }
  const body = await metricsText(sources);
  return body === undefined
    ? { status: 503, body: "Nothing is known yet", headers: TEXT }
    : { status: 200, body, headers: { "Content-Type": METRICS_TYPE } };
}

/** As long for a wrong token as for the right one. */
function isBearer(authorization: string, token: string): boolean {
  const [scheme, shown, ...more] = authorization.split(" ");
  if (scheme?.toLowerCase() !== "bearer" || more.length > 0) return false;
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(shown ?? ""), encoder.encode(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
