/**
 * The one script of the console, as a function whose own text is served
 * (`script.ts`): so it is checked like all other code and needs no build.
 * Therefore it names nothing outside of itself but what every browser has.
 *
 * It signs in with what is behind `#`, and keeps a page live: when the server
 * says that something changed, the same page is asked for again, and the parts
 * marked `data-live` are exchanged. So there is one way to make a page, on the
 * server, where everything is escaped. Everything works without it, except
 * being live.
 */

// What is used of a browser; its whole library would hide Deno's.
interface Box {
  readonly id: string;
  innerHTML: string;
  textContent: string | null;
  open?: boolean;
  checked?: boolean;
  value?: string;
  hash?: string;
  href?: string;
  name?: string;
  readonly tagName: string;
  readonly classList: { add(name: string): void };
  readonly childNodes: Iterable<Box>;
  focus(options?: { preventScroll: boolean }): void;
  submit(): void;
  closest(selector: string): Box | null;
  contains(other: Box | null): boolean;
  querySelector(selector: string): Box | null;
  querySelectorAll(selector: string): Iterable<Box>;
  replaceChildren(...nodes: Box[]): void;
}
interface Events {
  addEventListener(name: string, listener: () => void): void;
}
declare const document: Events & {
  readonly hidden: boolean;
  title: string;
  readonly activeElement: Box | null;
  getElementById(id: string): Box | null;
  getSelection(): { readonly isCollapsed: boolean } | null;
  querySelectorAll(selector: string): Iterable<Box>;
};
declare const location: {
  readonly href: string;
  readonly hash: string;
  readonly pathname: string;
};
declare const history: {
  replaceState(data: null, unused: string, url: string): void;
};
// Not fetch(): it would leave the parsing to us, and trusted types forbid it.
declare const XMLHttpRequest: new () => Events & {
  responseType: string;
  timeout: number;
  readonly status: number;
  readonly response: {
    readonly title: string;
    getElementById(id: string): Box | null;
  } | null;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(): void;
};

/** See the file's head. */
export function client(): void {
  /** A person reads no faster, and the server has other things to do. */
  const AT_MOST_EVERY_MS = 2_000;
  const PATIENCE_MS = 10_000;

  const byId = (id: string) => document.getElementById(id);

  const signIn = byId("sign-in");
  const ticket = byId("ticket");
  if (signIn !== null && ticket !== null && location.hash.length > 1) {
    ticket.value = location.hash.slice(1);
    // So that it is in no history, and reloading does not use it again.
    history.replaceState(null, "", location.pathname);
    signIn.submit();
    return;
  }

  const parts = Array.from(document.querySelectorAll("[data-live]"));
  const beat = byId("beat");
  const told = byId("told");
  if (parts.length < 2 || beat === null || told === null) return;

  let stream: EventSource | undefined;
  let isAsking = false;
  let isDue = false;
  let isLeaving = false;
  let askedMs = 0;

  function say(words: string): void {
    if (beat!.textContent !== words) beat!.textContent = words;
  }

  function listen(): void {
    stream = new EventSource("/events");
    stream.addEventListener(
      "open",
      () => say("Live: changes come by themselves."),
    );
    stream.addEventListener("now", renewSoon);
    stream.addEventListener("error", () => {
      say("Not live now; trying again.");
      // Refused for good (too many watch): the browser gives up, we do not.
      if (stream?.readyState === 2) setTimeout(relisten, PATIENCE_MS);
    });
  }

  function relisten(): void {
    stream?.close();
    if (!document.hidden && !isLeaving) listen();
  }

  function renewSoon(): void {
    if (isDue || isLeaving || document.hidden) return;
    isDue = true;
    const wait = Math.max(0, askedMs + AT_MOST_EVERY_MS - Date.now());
    setTimeout(() => {
      isDue = false;
      if (!isAsking && !isLeaving && !document.hidden) renew();
    }, wait);
  }

  function renew(): void {
    isAsking = true;
    askedMs = Date.now();
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.timeout = PATIENCE_MS;
    // It is no person who asks: it keeps no session awake.
    request.setRequestHeader("X-Renew", "1");
    request.addEventListener("loadend", () => {
      isAsking = false;
      const page = request.response;
      if (request.status === 401) {
        isLeaving = true;
        stream?.close();
        say("Your sign-in has ended. Load the page again.");
        told!.textContent = "Your sign-in has ended.";
      } else if (request.status === 200 && page !== null && !isLeaving) {
        const before = worries();
        document.title = page.title;
        for (const part of parts) {
          const next = page.getElementById(part.id);
          if (next !== null) exchange(part, next);
        }
        if (worries() !== before) told!.textContent = worries();
      }
    });
    request.send();
  }

  /** What is read aloud when it changes, and nothing else is. */
  function worries(): string {
    const state = byId("state")?.querySelector(".tone");
    return state?.textContent ?? "";
  }

  function exchange(part: Box, next: Box): void {
    if (part.innerHTML === next.innerHTML) return;
    // Somebody is marking text, or is about to decide something.
    const selection = document.getSelection();
    if (selection !== null && !selection.isCollapsed) return;
    if (part.querySelector(".sure[open]") !== null) return;
    const focused = document.activeElement;
    const focusKey = focused !== null && part.contains(focused)
      ? keyOf(focused)
      : "";
    const open = keysOf(part, "details[open]");
    const chosen = keysOf(part, "input:checked");
    const rows = keysOf(part, "tbody tr");
    part.replaceChildren(...next.childNodes);
    for (const one of part.querySelectorAll("details")) {
      one.open = open.has(keyOf(one));
    }
    for (const one of part.querySelectorAll("input[type=checkbox]")) {
      one.checked = chosen.has(keyOf(one));
    }
    for (const one of part.querySelectorAll("tbody tr")) {
      if (rows.size > 0 && !rows.has(keyOf(one))) one.classList.add("fresh");
    }
    if (focusKey === "") return;
    for (
      const one of part.querySelectorAll("a,button,summary,input,[tabindex]")
    ) {
      if (keyOf(one) === focusKey) {
        one.focus({ preventScroll: true });
        break;
      }
    }
  }

  function keysOf(part: Box, selector: string): Set<string> {
    return new Set(Array.from(part.querySelectorAll(selector), keyOf));
  }

  /** What makes it the same one in the next page. */
  function keyOf(one: Box): string {
    const row = one.closest("tr,li");
    const link = row?.querySelector("a")?.href ?? "";
    if (one.tagName === "TR") {
      return link === "" ? one.querySelector("th")?.textContent ?? "" : link;
    }
    const own = one.tagName === "DETAILS"
      ? one.querySelector("summary")?.textContent
      : one.tagName === "INPUT"
      ? one.value
      : one.href ?? one.textContent;
    return `${one.tagName} ${link} ${own ?? ""}`;
  }

  document.addEventListener("visibilitychange", () => {
    relisten();
    if (!document.hidden) renewSoon();
  });
  // The answer to a form is the next page; what is asked now would take it.
  document.addEventListener("submit", () => {
    isLeaving = true;
    stream?.close();
  });
  listen();
}
