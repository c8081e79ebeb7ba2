/**
 * Moves the content of deferred messages out of segments that otherwise hold
 * nothing any more, so that those can be overwritten. The spool names them and
 * copies; here the row is changed, and only while nobody can be reading by it:
 *
 * | done so far               | a crash here leaves                           |
 * | ------------------------- | --------------------------------------------- |
 * | copy asked for            | perhaps a copy that no row names: it goes with the next complete adoption |
 * | copy on disk              | the same                                      |
 * | row committed             | the old record, which no row names: the same  |
 * | old record released       | nothing                                       |
 *
 * Not moved: what is being delivered, was never tried, or is damaged.
 */
import type { ContentRef } from "../core/shapes.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { SpoolEdge, SpoolLink } from "./spool_link.ts";
import type { Store } from "./store_io.ts";

const ROUND_MS = 60_000;
/** Moved in one round, one after another. */
const MAX_MOVES = 100;
const PAGE = 1_000;

/** See the file's head. */
export class Stragglers {
  readonly #spool: SpoolEdge;
  readonly #link: Pick<SpoolLink, "hold" | "unhold" | "release">;
  readonly #store: Pick<Store, "refsAfter" | "moveContent">;
  readonly #commit: Pick<GroupCommit, "write">;
  readonly #isActive: (n: number) => boolean;
  readonly #count: (name: string) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isRunning = false;
  #isStopped = false;

  constructor(options: {
    spool: SpoolEdge;
    link: Pick<SpoolLink, "hold" | "unhold" | "release">;
    store: Pick<Store, "refsAfter" | "moveContent">;
    commit: Pick<GroupCommit, "write">;
    /** True if a message's recipients are in memory: somebody may be reading. */
    isActive: (n: number) => boolean;
    count: (name: string) => void;
  }) {
    this.#spool = options.spool;
    this.#link = options.link;
    this.#store = options.store;
    this.#commit = options.commit;
    this.#isActive = options.isActive;
    this.#count = options.count;
  }

  /** Starts the timer. */
  start(): void {
    this.#timer = setInterval(() => void this.round(), ROUND_MS);
  }

  /** Starts no further move. */
  stop(): void {
    clearInterval(this.#timer);
    this.#isStopped = true;
  }

  /** Asks the spool, and moves what it names, as far as it may be moved. */
  async round(): Promise<void> {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    const reply = await this.#spool.ask("stragglers", { max: MAX_MOVES });
    if (reply.kind === "answered" && reply.answer.refs.length > 0) {
      for (const { n, ref } of await this.#rowsOf(reply.answer.refs)) {
        if (this.#isStopped || !await this.#move(n, ref)) break;
      }
    }
    this.#isRunning = false;
  }

  /** The deferred rows of these records, a page of the table a turn. */
  async #rowsOf(
    refs: readonly ContentRef[],
  ): Promise<{ n: number; ref: ContentRef }[]> {
    const wanted = new Set(refs.map(nameOf));
    const found: { n: number; ref: ContentRef }[] = [];
    for (let after = -1; !this.#isStopped;) {
      const page = this.#store.refsAfter(after, PAGE);
      for (const row of page.rows) {
        if (row.isDeferred && wanted.has(nameOf(row.ref))) found.push(row);
      }
      if (page.rows.length < PAGE) break;
      after = page.lastN;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return found;
  }

  /** Moves one; false if the spool can move no more now. */
  async #move(n: number, old: ContentRef): Promise<boolean> {
    if (this.#isActive(n)) return true;
    const reply = await this.#spool.ask("move", { ref: old });
    if (reply.kind === "failed") return false;
    if (reply.kind === "refused") {
      return reply.refusal === "unknown" || reply.refusal === "unreadable";
    }
    const copy = reply.answer.ref;
    this.#link.hold(copy);
    let isMoved = false;
    await this.#commit.write(() => {
      // Whoever is loaded from here on reads the row; who was before, the
      // record that it knows, and that must stay.
      isMoved = !this.#isActive(n) && this.#store.moveContent(n, old, copy);
    });
    this.#link.unhold(copy);
    this.#link.release(isMoved ? old : copy);
    if (isMoved) this.#count("moved");
    return true;
  }
}

function nameOf({ segment, offset }: ContentRef): string {
  return `${offset} ${segment}`;
}
