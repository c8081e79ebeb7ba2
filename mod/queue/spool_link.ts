/**
 * What the queue tells the spool without being asked: which records are in
 * use (whenever a spool plugs in), and which may go.
 */
import type { Edge } from "../ipc/edge.ts";
import type { ContentRef } from "../core/shapes.ts";
import type { spoolContract } from "../spool/spool_ipc.ts";
import type { Store } from "./store_io.ts";

/** The edge, as far as it is needed; a test's is an object. */
export type SpoolEdge = Pick<Edge<typeof spoolContract.calls>, "ask">;

const PAGE = 1_000;
const AGAIN_MS = 1_000;
/**
 * Nobody waits for a release: its key is destroyed, and space comes back by
 * whole segments. So one ask carries what some time set free.
 */
const GATHER_MS = 250;

interface Release {
  readonly ref: ContentRef;
  readonly then: (() => void) | undefined;
}

/** Adoption and release. */
export class SpoolLink {
  readonly #spool: SpoolEdge;
  readonly #store: Pick<Store, "refsAfter">;
  /** Records that are stored, and whose rows are not committed yet. */
  readonly #inFlight = new Set<ContentRef>();
  #releases: Release[] = [];
  #isReleasing = false;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #adoption = 0;
  #isAdopted = false;

  constructor(options: {
    spool: SpoolEdge;
    store: Pick<Store, "refsAfter">;
  }) {
    this.#spool = options.spool;
    this.#store = options.store;
  }

  /** A record that counts as in use although no row names it yet. */
  hold(ref: ContentRef): void {
    this.#inFlight.add(ref);
  }

  /** The row is there, or never will be. */
  unhold(ref: ContentRef): void {
    this.#inFlight.delete(ref);
  }

  /** A spool plugged in: tells it all records in use, the last page last. */
  async plugged(): Promise<void> {
    const adoption = ++this.#adoption;
    this.#isAdopted = false;
    while (!await this.#tellAll(adoption)) {
      // The spool is gone again, or hangs: from the start with the next.
      await pause(AGAIN_MS);
      if (adoption !== this.#adoption) return;
    }
    if (adoption !== this.#adoption) return;
    this.#isAdopted = true;
    this.#pump();
  }

  /** Tells all pages; false if the spool did not take them all. */
  async #tellAll(adoption: number): Promise<boolean> {
    const tell = async (refs: readonly ContentRef[], last: boolean) => {
      const reply = await this.#spool.ask("adopt", { refs: [...refs], last });
      return reply.kind === "answered";
    };
    let inFlight: ContentRef[] = [];
    for (let after = -1;;) {
      const page = this.#store.refsAfter(after, PAGE);
      // In one turn with the page: what is committed later is in flight now.
      inFlight = [...this.#inFlight];
      const refs = page.rows.map(({ ref }) => ref);
      if (refs.length > 0 && !await tell(refs, false)) return false;
      if (adoption !== this.#adoption) return true;
      after = page.lastN;
      if (refs.length < PAGE) break;
    }
    for (let at = 0;; at += PAGE) {
      const last = at + PAGE >= inFlight.length;
      if (!await tell(inFlight.slice(at, at + PAGE), last)) return false;
      if (last || adoption !== this.#adoption) return true;
    }
  }

  /** Gives a record back; `then` runs when the spool has taken it. */
  release(ref: ContentRef, then?: () => void): void {
    this.#releases.push({ ref, then });
    if (this.#releases.length >= PAGE) return void this.#pump();
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      void this.#pump();
    }, GATHER_MS);
  }

  /** Asks no more. */
  close(): void {
    clearTimeout(this.#gathering);
    this.#isAdopted = false;
  }

  // Not while a spool is being told what is in use: a record released before
  // its page was read would be adopted after it was released, for ever.
  async #pump(): Promise<void> {
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    while (this.#isAdopted && this.#releases.length > 0) {
      const batch = this.#releases.slice(0, PAGE);
      const reply = await this.#spool.ask("release", {
        refs: batch.map(({ ref }) => ref),
      });
      if (reply.kind !== "answered") {
        await pause(AGAIN_MS);
        continue;
      }
      this.#releases.splice(0, batch.length);
      for (const { then } of batch) then?.();
    }
    this.#isReleasing = false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
