/**
 * What stands before every route: who may be asked by which name, what a
 * browser may do with an answer, and where a form may come from.
 */
import type { Context, MiddlewareHandler } from "hono";

/** How the console is reached. */
export interface Reach {
  /** Values of `Host` that are answered; any other is DNS rebinding. */
  readonly hosts: ReadonlySet<string>;
  /** Served by TLS. */
  readonly isSecure: boolean;
  /** Further origins, of a proxy that has the TLS. */
  readonly origins: ReadonlySet<string>;
}

/** Headers of every answer: nothing is loaded from or shown in elsewhere. */
const HEADERS: readonly (readonly [string, string])[] = [
  [
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self'; " +
    "connect-src 'self'; base-uri 'none'; form-action 'self'; " +
    "frame-ancestors 'none'; require-trusted-types-for 'script'; " +
    "trusted-types 'none'",
  ],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  // With `no-referrer` a browser hides the origin of our own forms, too.
  ["Referrer-Policy", "same-origin"],
  ["Cache-Control", "no-store"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Embedder-Policy", "require-corp"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  [
    "Permissions-Policy",
    "camera=(), geolocation=(), microphone=(), payment=(), usb=(), " +
    "clipboard-read=(), display-capture=(), browsing-topics=()",
  ],
];

const STRICT_TRANSPORT = "max-age=31536000";

/** Puts the headers on whatever the others answer. */
export function headers({ isSecure }: Reach): MiddlewareHandler {
  return async function putHeaders(context, next) {
    await next();
    for (const [name, value] of HEADERS) context.header(name, value);
    if (isSecure) {
      context.header("Strict-Transport-Security", STRICT_TRANSPORT);
    }
  };
}

/** Refuses a foreign name, and methods that nothing here has. */
export function onlyHere(reach: Reach): MiddlewareHandler {
  return async function refuseElsewhere(context, next) {
    const { method } = context.req;
    if (!reach.hosts.has(hostOf(context))) {
      return context.text("Misdirected request", 421);
    }
    if (method !== "GET" && method !== "HEAD" && method !== "POST") {
      context.header("Allow", "GET, HEAD, POST");
      return context.text("There is no such method here", 405);
    }
    if (method === "POST") {
      const fault = originFault(context, reach);
      if (fault !== undefined) return context.text(fault, 403);
      if (!isForm(context)) return context.text("Only forms are read", 415);
    }
    await next();
    return undefined;
  };
}

function hostOf(context: Context): string {
  return (context.req.header("host") ?? "").toLowerCase();
}

/**
 * Why a form is not from a page of ours. A browser names the origin of every
 * POST; a program that names none has no cookie that it did not ask for.
 */
function originFault(context: Context, reach: Reach): string | undefined {
  const site = context.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") {
    return "This form is from another site";
  }
  const origin = context.req.header("origin");
  const own = `${reach.isSecure ? "https" : "http"}://${hostOf(context)}`;
  return origin === undefined || origin === own || reach.origins.has(origin)
    ? undefined
    : "This form is from another site";
}

function isForm(context: Context): boolean {
  const [type] = (context.req.header("content-type") ?? "").split(";");
  return type!.trim().toLowerCase() === "application/x-www-form-urlencoded";
}
