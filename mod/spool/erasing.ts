/**
 * The way of a file of which nothing is in use: into the directory of spent
 * files, overwritten there by shred, and only then used again or removed.
 *
 *     STATE      THE FILE LIES    A CRASH HERE          LEAVES IT BY
 *     waiting    as it was        found, settled anew   rename(2)
 *     handed     in spent/        overwritten again     shred's answer
 *     overwritten  in spent/      overwritten again     a new name, or
 *                                                       removal
 *
 * Nothing comes here that the ledger holds to be in use, and the file goes
 * back only under a name that was never used. So whichever of the two renames
 * a crash undoes, what is found is a file of which nothing is in use.
 *
 * Shred that is away, slow, or that fails, costs space and nothing else: the
 * file stays where it is and is tried again.
 */
import { log } from "../core/log.ts";
import type { Disk, Fault } from "./disk.ts";
import { attempt } from "./disk_io.ts";
import { segmentFile, spentFile } from "./names.ts";
import { overwriteHere } from "./prepare_segment.ts";

/** Asks under way at a time: shred serves them one by one. */
const MAX_ASKS = 4;

/** After a refusal, and with nothing else to blame than the disk. */
const FAILED_AGAIN_MS = 60_000;

/** Without any answer for so long, nobody waits for shred any more. */
const LATE_MS = 5_000;

/** And for so long, it is told. It may wash a journal for a minute. */
const ALARM_MS = 150_000;

/**
 * What shred said.
 *
 * - `overwritten`: on disk and read back; nobody else has the file open
 * - `failed`: it is perhaps overwritten in part
 * - `unfit`: it cannot open the file (made before there was shred)
 * - `away`: no answer
 */
export type Shredded = "overwritten" | "failed" | "unfit" | "away";

/** Asks shred. `restMs`: how long it should rest after each MiB. */
export type Shred = (
  ask: { segment: string; bytes: number; restMs: number },
) => Promise<Shredded>;

/** A file to be overwritten. */
export interface Spent {
  readonly segment: string;
  readonly bytes: number;
  /** True if it was found where shred reaches it. */
  readonly isHanded: boolean;
  /**
   * Takes the overwritten `spent/<segment>.seg` back as a ready segment; a
   * fault means that it is still there. Without it the file is removed.
   */
  readonly renew?: () => Promise<Fault | undefined>;
  /** The file is removed. */
  readonly onRemoved: () => void;
}

/** See the file's head. */
export class Erasing {
  readonly #disk: Disk;
  readonly #shred: Shred;
  readonly #againMs: number;
  readonly #nowMs: () => number;
  readonly #onChange: () => void;
  readonly #lateMs: number;
  readonly #waiting: Spent[] = [];
  readonly #asked = new Set<Spent>();
  readonly #handed = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #again = new Set<ReturnType<typeof setTimeout>>();
  /** How long shred may rest, as of now. */
  restMs: () => number = () => 0;
  #movedMs = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #isTold = false;
  #isClosed = false;

  constructor(options: {
    disk: Disk;
    shred: Shred;
    /** Before it is tried again, when shred was away or the disk refused. */
    againMs: number;
    nowMs: () => number;
    /** {@link Erasing.coming} is another: perhaps others must be made. */
    onChange: () => void;
    /** @default {5_000} */
    lateMs?: number;
  }) {
    this.#disk = options.disk;
    this.#shred = options.shred;
    this.#againMs = options.againMs;
    this.#nowMs = options.nowMs;
    this.#onChange = options.onChange;
    this.#lateMs = options.lateMs ?? LATE_MS;
  }

  /** Ready segments to be expected; none if shred does not answer. */
  get coming(): number {
    if (this.#isLate) return 0;
    return [...this.#waiting, ...this.#asked]
      .filter(({ renew }) => renew !== undefined).length;
  }

  /** Files not overwritten yet. */
  get count(): number {
    return this.#waiting.length + this.#asked.size + this.#again.size;
  }

  /** Takes a file of which nothing is in use. */
  add(spent: Spent): void {
    if (this.#isClosed) return;
    if (spent.isHanded) this.#handed.add(spent.segment);
    if (this.#waiting.length + this.#asked.size === 0) this.#moved();
    this.#waiting.push(spent);
    this.#pump();
  }

  /** Stops. What shred is doing, it goes on with. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#watch);
    for (const timer of this.#again) clearTimeout(timer);
    this.#again.clear();
  }

  get #isLate(): boolean {
    return this.#nowMs() - this.#movedMs >= this.#lateMs;
  }

  #pump(): void {
    while (this.#asked.size < MAX_ASKS && !this.#isClosed) {
      const spent = this.#waiting.shift();
      if (spent === undefined) break;
      this.#asked.add(spent);
      this.#erase(spent).then((againMs) => {
        this.#asked.delete(spent);
        if (againMs !== undefined) this.#later(spent, againMs);
        this.#pump();
        this.#onChange();
      });
    }
    if (this.#asked.size > 0) this.#watchShred();
  }

  /** @returns When to try again; undefined if it is done with */
  async #erase(spent: Spent): Promise<number | undefined> {
    const { segment, bytes } = spent;
    if (!this.#handed.has(segment)) {
      const moved = attempt(() =>
        this.#disk.rename(segmentFile(segment), spentFile(segment))
      );
      if (!moved.ok) return this.#againMs;
      this.#handed.add(segment);
    }
    const restMs = this.restMs();
    const said = await this.#shred({ segment, bytes, restMs });
    if (this.#isClosed) return undefined;
    if (said !== "away") this.#moved();
    switch (said) {
      case "away":
        return this.#againMs;
      case "failed":
        this.#tell(segment, "segment-not-erased");
        return FAILED_AGAIN_MS;
      case "unfit":
        this.#tell(segment, "segment-erased-by-spool");
        if (await this.#eraseHere(spent) !== undefined) return FAILED_AGAIN_MS;
        break;
      case "overwritten":
    }
    if (this.#isClosed) return undefined;
    // One that shred cannot open is of no use any more.
    const fault = said === "overwritten" && spent.renew !== undefined
      ? await spent.renew()
      : this.#remove(spent);
    if (fault !== undefined) return this.#againMs;
    this.#handed.delete(segment);
    this.#failed.delete(segment);
    return undefined;
  }

  #remove({ segment, onRemoved }: Spent): Fault | undefined {
    const removed = attempt(() => this.#disk.remove(spentFile(segment)));
    if (!removed.ok) {
      log("segment-stays", { segment });
      return removed.fault;
    }
    onRemoved();
    return undefined;
  }

  #eraseHere({ segment, bytes }: Spent): Promise<Fault | undefined> {
    return overwriteHere(this.#disk, spentFile(segment), {
      bytes,
      isStopped: () => this.#isClosed,
    });
  }

  /** Once a file: it is tried again and again. */
  #tell(segment: string, event: string): void {
    if (this.#failed.has(segment)) return;
    this.#failed.add(segment);
    log(event, { segment, alarm: event === "segment-not-erased" });
  }

  #later(spent: Spent, inMs: number): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#again.delete(timer);
      this.#waiting.push(spent);
      this.#pump();
    }, inMs);
    this.#again.add(timer);
  }

  #moved(): void {
    this.#movedMs = this.#nowMs();
    this.#isTold = false;
  }

  #watchShred(): void {
    if (this.#watch !== undefined || this.#isClosed) return;
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      if (this.#asked.size === 0) return;
      if (this.#isLate) this.#onChange();
      if (!this.#isTold && this.#nowMs() - this.#movedMs >= ALARM_MS) {
        this.#isTold = true;
        log("shred-late", { files: this.count, alarm: true });
      }
      this.#watchShred();
    }, this.#lateMs);
  }
}
