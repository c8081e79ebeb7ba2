/**
 * Pages that are open are told what changes: server-sent events, once a second
 * at most, and something at least every 15 s. Who does not read is not waited
 * for, and is closed after a while.
 */
import type { LiveData, Watcher } from "./live.ts";
import type { Sources } from "./sources.ts";

/** Streams at once; a browser has one for each page that is open. */
const MAX_STREAMS = 16;
/** Of these; so that other users of the machine leave some to who signs in. */
const MAX_STRANGERS = 8;
const EVERY_MS = 1_000;
/** A proxy or a browser takes a silent connection for a dead one. */
const HEARTBEAT_MS = 15_000;
/** Ticks that a stream may be full before it is closed. */
const MAX_FULL = 30;
/** A page that is open all day asks for a new stream now and then. */
const MAX_AGE_MS = 3_600_000;
const RECENT = 20;

interface Stream {
  readonly sources: Sources;
  readonly watcher: Watcher;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly sinceMs: number;
  last: string;
  lastMs: number;
  full: number;
}

/** The streams that there are. */
export class Live {
  readonly #streams = new Set<Stream>();
  readonly #timer: ReturnType<typeof setInterval>;
  #isTelling = false;

  constructor(everyMs = EVERY_MS) {
    this.#timer = setInterval(() => void this.tell(), everyMs);
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Opens one; undefined if there are too many. */
  open(
    sources: Sources,
    watcher: Watcher,
  ): ReadableStream<Uint8Array> | undefined {
    const isFull = this.#streams.size >= MAX_STREAMS ||
      watcher.isStranger && this.#strangers() >= MAX_STRANGERS;
    if (isFull) return undefined;
    let stream: Stream | undefined;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        const nowMs = performance.now();
        stream = {
          sources,
          watcher,
          controller,
          sinceMs: nowMs,
          last: "",
          lastMs: nowMs,
          full: 0,
        };
        this.#streams.add(stream);
        // A browser comes back after this, if the stream ends.
        controller.enqueue(encoder.encode("retry: 3000\n\n"));
      },
      cancel: () => {
        if (stream !== undefined) this.#streams.delete(stream);
      },
    });
  }

  #strangers(): number {
    return [...this.#streams].filter(({ watcher }) => watcher.isStranger)
      .length;
  }

  /** Tells all streams what changed. Called on a timer. */
  async tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      await Promise.all([...this.#streams].map((one) => this.#tellOne(one)));
    } finally {
      this.#isTelling = false;
    }
  }

  /** Ends all of them. */
  close(): void {
    clearInterval(this.#timer);
    for (const stream of this.#streams) this.#end(stream);
  }

  async #tellOne(stream: Stream): Promise<void> {
    const nowMs = performance.now();
    const isOver = !stream.watcher.isAlive() ||
      nowMs > stream.sinceMs + MAX_AGE_MS;
    if (isOver) return this.#end(stream);
    if ((stream.controller.desiredSize ?? 0) <= 0) {
      if (++stream.full >= MAX_FULL) this.#end(stream);
      return;
    }
    stream.full = 0;
    const data = await dataOf(stream.sources);
    if (!this.#streams.has(stream)) return;
    const lasting = lastingOf(data);
    if (lasting !== stream.last) {
      stream.last = lasting;
      const now = JSON.stringify(data);
      stream.controller.enqueue(
        encoder.encode(`event: now\ndata: ${now}\n\n`),
      );
    } else if (nowMs > stream.lastMs + HEARTBEAT_MS) {
      stream.controller.enqueue(encoder.encode(": here\n\n"));
    } else return;
    stream.lastMs = nowMs;
  }

  #end(stream: Stream): void {
    if (!this.#streams.delete(stream)) return;
    try {
      stream.controller.close();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it was cancelled
    }
  }
}

const encoder = new TextEncoder();

async function dataOf(sources: Sources): Promise<LiveData> {
  const first = { state: "", domain: "", after: "", limit: RECENT };
  const [counts, listed] = await Promise.all([
    sources.counts(),
    sources.messages(first),
  ]);
  return {
    atMs: sources.nowMs(),
    counts: counts ?? null,
    news: sources.news() ?? null,
    minute: sources.flow().at(-1) ?? null,
    recent: listed?.messages ?? null,
  };
}

/**
 * What is worth telling when it changes: not that everything is older, or has
 * some more memory, or that a page that heard of it asked us again.
 */
function lastingOf({ atMs: _, news, ...data }: LiveData): string {
  const roles = news?.roles.map(({ instance, state, restarts, counters }) =>
    instance.startsWith("console.")
      ? [instance, state, restarts]
      : [instance, state, restarts, counters]
  );
  return JSON.stringify({ ...data, roles, ready: news?.ready });
}
