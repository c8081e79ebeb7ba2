/**
 * Is the disk to be trusted? One failed write or sync says no, and only a
 * fresh file that was written, synced, read back and removed says yes again.
 */
import { randomBytes } from "node:crypto";
import { log } from "../core/log.ts";
import type { Disk } from "./disk.ts";
import { attempt, attemptAsync, writeFully } from "./disk_io.ts";
import { newName } from "./names.ts";

const PROBE_OCTETS = 4_096;

/** Healthy until {@link Health.fail}, then probing. */
export class Health {
  readonly #disk: Disk;
  readonly #probeEveryMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isHealthy = true;
  #isClosed = false;

  constructor(disk: Disk, probeEveryMs: number) {
    this.#disk = disk;
    this.#probeEveryMs = probeEveryMs;
  }

  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /** The disk failed. @param why What we were doing, for the log */
  fail(why: string): void {
    if (!this.#isHealthy || this.#isClosed) return;
    this.#isHealthy = false;
    log("spool-unhealthy", { why });
    this.#probeLater();
  }

  /** Stops probing. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #probeLater(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(async () => {
      if (await this.#probe()) {
        this.#isHealthy = true;
        log("spool-healthy");
      } else {
        this.#probeLater();
      }
    }, this.#probeEveryMs);
  }

  async #probe(): Promise<boolean> {
    const name = newName("probe");
    const opened = attempt(() => this.#disk.openNew(name));
    if (!opened.ok) return false;
    const file = opened.value;
    const sent = randomBytes(PROBE_OCTETS);
    const back = new Uint8Array(PROBE_OCTETS);
    const isSound = writeFully(file, sent, 0) === undefined &&
      (await attemptAsync(() => file.syncData())).ok &&
      attempt(() => file.readAt(back, 0)).ok &&
      sent.equals(back);
    file.close();
    const isRemoved = attempt(() => this.#disk.remove(name)).ok;
    return isSound && isRemoved &&
      (await attemptAsync(() => this.#disk.syncDir())).ok;
  }
}
