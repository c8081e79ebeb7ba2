/**
 * Who is signed in: in memory alone, so that it ends with the process, and
 * few. The browser has 256 random bits in a cookie; here is only their hash,
 * so that a look-up tells no clock how much of a guess was right.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Visitor } from "./page.ts";

/** Sessions at once; beyond it the oldest ends. */
const MAX_SESSIONS = 64;
/** An idle session ends, whatever its grant says. */
const IDLE_MS = 2 * 3_600_000;
/** Longest `Cookie` that is looked at. */
const MAX_COOKIES = 4_096;

/** What a sign-in gave. */
export interface Admitted {
  /** What queue and gate want to see with every action. */
  readonly grant: string;
  readonly by: string;
  readonly untilMs: number;
}

/** A session. */
export interface Session extends Visitor {
  readonly grant: string;
  /** Shown once. */
  flash: string;
  usedMs: number;
}

/** The sessions that there are. */
export class Sessions {
  readonly #nowMs: () => number;
  readonly #byHash = new Map<string, Session>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Opens one; returns what the cookie says. */
  open({ grant, by, untilMs }: Admitted): string {
    const id = randomBytes(32).toString("base64url");
    const csrf = randomBytes(32).toString("base64url");
    const usedMs = this.#nowMs();
    if (this.#byHash.size >= MAX_SESSIONS) {
      this.#byHash.delete(this.#byHash.keys().next().value!);
    }
    this.#byHash.set(hashOf(id), {
      grant,
      by,
      untilMs,
      csrf,
      usedMs,
      flash: "",
    });
    return id;
  }

  /** The session of a cookie, if it is not over; mostly it counts as used. */
  find(id: string, isUse = true): Session | undefined {
    const hash = hashOf(id);
    const session = this.#byHash.get(hash);
    if (session === undefined) return undefined;
    const nowMs = this.#nowMs();
    if (isOver(session, nowMs)) {
      this.#byHash.delete(hash);
      return undefined;
    }
    if (isUse) session.usedMs = nowMs;
    return session;
  }

  /** Those that are not over. */
  get size(): number {
    for (const [hash, session] of this.#byHash) {
      if (!this.isOpen(session)) this.#byHash.delete(hash);
    }
    return this.#byHash.size;
  }

  /** True while it is open; does not count as use. */
  isOpen(session: Session): boolean {
    return !isOver(session, this.#nowMs()) &&
      [...this.#byHash.values()].includes(session);
  }

  /** Ends it. */
  close(session: Session): void {
    for (const [hash, one] of this.#byHash) {
      if (one === session) this.#byHash.delete(hash);
    }
  }

  /** Ends all. */
  closeAll(): void {
    this.#byHash.clear();
  }
}

/** True if its grant, or the patience with an idle one, has run out. */
function isOver({ untilMs, usedMs }: Session, nowMs: number): boolean {
  return nowMs >= untilMs || nowMs >= usedMs + IDLE_MS;
}

/** True if a form came from a page of this session. */
export function isCsrfOf(session: Visitor, said: string): boolean {
  return timingSafeEqual(digest(session.csrf), digest(said));
}

/**
 * The name of the cookie (RFC 6265 §4.1). With `__Host-` a browser takes it by
 * TLS alone, for this host alone and for all of its paths.
 */
function cookieName(isSecure: boolean): string {
  return isSecure ? "__Host-bulkhead" : "bulkhead";
}

/** A cookie that ends with the browser, or at once if `value` is empty. */
export function cookieText(value: string, isSecure: boolean): string {
  return `${cookieName(isSecure)}=${value}; Path=/; HttpOnly; SameSite=Strict` +
    (isSecure ? "; Secure" : "") + (value === "" ? "; Max-Age=0" : "");
}

/** Our cookie's value in a `Cookie` header; undefined if it is not once. */
export function cookieIn(
  header: string | undefined,
  isSecure: boolean,
): string | undefined {
  if (header === undefined || header.length > MAX_COOKIES) return undefined;
  const start = `${cookieName(isSecure)}=`;
  const found = header.split(";").map((one) => one.trim())
    .filter((one) => one.startsWith(start));
  return found.length === 1 ? found[0]!.slice(start.length) : undefined;
}

function hashOf(id: string): string {
  return digest(id).toString("base64url");
}

function digest(text: string) {
  return createHash("sha256").update(text).digest();
}
