/**
 * A mounted disk whose every write and flush is kept: recorder thread (NBD) ->
 * nbdfuse (a file) -> loop device -> file system. What Linux's dm-log-writes
 * does, without device mapper.
 */
import { delay, until } from "../system/server_fixture.ts";
import { type Disk, must, tempDir, unmount } from "./disk_fixture.ts";
import type { Begin, DeviceEvent } from "./recorder_worker.ts";

/** See the head. Mounted until {@link RecordedDisk.end}. */
export class RecordedDisk implements AsyncDisposable {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #counter = new SharedArrayBuffer(4);
  readonly #events = Promise.withResolvers<readonly DeviceEvent[]>();
  #worker: Worker | undefined;
  #bridge: Deno.ChildProcess | undefined;
  #device: string | undefined;
  #isMounted = false;

  private constructor(disk: Disk, dir: string) {
    this.#disk = disk;
    this.#dir = dir;
  }

  /** Mounts a disk, which was made and never mounted, where it belongs. */
  static async mount(disk: Disk): Promise<RecordedDisk> {
    const dir = await tempDir();
    const recorded = new RecordedDisk(disk, dir);
    try {
      await recorded.#mount();
    } catch (error) {
      await recorded[Symbol.asyncDispose]();
      throw error;
    }
    return recorded;
  }

  /** Events so far: what was synced before this was read is among them. */
  get count(): number {
    return Atomics.load(new Int32Array(this.#counter), 0);
  }

  /** Unmounts, and returns what was recorded. */
  async end(): Promise<readonly DeviceEvent[]> {
    await this.#unmount();
    return await this.#events.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unmount();
    this.#worker?.terminate();
    await Deno.remove(this.#dir, { recursive: true });
  }

  async #mount(): Promise<void> {
    const socket = `${this.#dir}/nbd.sock`;
    await this.#startWorker({
      socket,
      image: this.#disk.image,
      counter: this.#counter,
    });
    const folder = `${this.#dir}/fuse`;
    await Deno.mkdir(folder);
    this.#bridge = new Deno.Command("nbdfuse", {
      args: [`${folder}/disk`, "--unix", socket],
      stdin: "null",
    }).spawn();
    await until("the FUSE file", () => isFile(`${folder}/disk`));
    const device = await must(
      "losetup",
      ...["-f", "--show", "--direct-io=on", `${folder}/disk`],
    );
    this.#device = device.trim();
    await must("mount", this.#device, this.#disk.mountPoint);
    this.#isMounted = true;
  }

  async #startWorker(begin: Begin): Promise<void> {
    const url = new URL("recorder_worker.ts", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    this.#worker = worker;
    const listening = Promise.withResolvers<void>();
    worker.onmessage = ({ data }) => {
      if (data === "listening") listening.resolve();
      else this.#events.resolve(data.events);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      const error = new Error(`The recorder failed: ${event.message}`);
      listening.reject(error);
      this.#events.reject(error);
    };
    // Nobody may be waiting when it fails.
    this.#events.promise.catch(() => {});
    worker.postMessage(begin);
    await listening.promise;
  }

  async #unmount(): Promise<void> {
    if (this.#isMounted) await unmount(this.#disk.mountPoint);
    this.#isMounted = false;
    if (this.#device !== undefined) await must("losetup", "-d", this.#device);
    this.#device = undefined;
    const bridge = this.#bridge;
    if (bridge === undefined) return;
    this.#bridge = undefined;
    // Until the loop device has let go of it.
    for (let tries = 0; tries < 100; tries++) {
      const folder = `${this.#dir}/fuse`;
      const { success } = await new Deno.Command("fusermount3", {
        args: ["-u", folder],
        stderr: "null",
      }).output();
      if (success) break;
      await delay(50);
    }
    const late = setTimeout(() => bridge.kill("SIGKILL"), 5_000);
    await bridge.status;
    clearTimeout(late);
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
