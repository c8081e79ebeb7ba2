/**
 * The image that a home lies on, but for its Maildirs and the runtime.
 */
import { Bind, Disk, MemoryDir, must } from "../crash/disk_fixture.ts";
import { type DiskKind, RECIPES } from "../crash/disk_kinds.ts";

/** The image, mounted or not. */
export class DiskImage implements AsyncDisposable {
  readonly kind: DiskKind;
  readonly #disk: Disk;
  readonly #mail: MemoryDir;
  readonly #runtime: MemoryDir;
  #binds: Bind[] = [];

  private constructor(
    kind: DiskKind,
    parts: { disk: Disk; mail: MemoryDir; runtime: MemoryDir },
  ) {
    this.kind = kind;
    this.#disk = parts.disk;
    this.#mail = parts.mail;
    this.#runtime = parts.runtime;
  }

  /** Makes one and mounts it. */
  static async make(kind: DiskKind, bytes: number): Promise<DiskImage> {
    await using made = new AsyncDisposableStack();
    const { fileSystem, make } = RECIPES[kind];
    const mail = made.use(await MemoryDir.make(bytes));
    const runtime = made.use(await MemoryDir.make(bytes));
    const disk = made.use(
      await Disk.make({ fileSystem, bytes, within: "/var/tmp", more: make }),
    );
    const image = new DiskImage(kind, { disk, mail, runtime });
    await image.mount();
    made.move();
    return image;
  }

  /** The file: what a thief of the disk would read. */
  get file(): string {
    return this.#disk.image;
  }

  /** Where it is mounted, if it is. */
  get mountPoint(): string {
    return this.#disk.mountPoint;
  }

  /** The home on it. */
  get home(): string {
    return `${this.mountPoint}/home`;
  }

  /** Mounts it (again), and puts Maildirs and runtime in their places. */
  async mount(): Promise<void> {
    await this.#disk.mount(RECIPES[this.kind].mount);
    // The Maildirs are the users' own and not what is proved; the runtime is
    // large and the same everywhere.
    this.#binds = [
      await Bind.mount(this.#mail.path, `${this.home}/mail`),
      await Bind.mount(this.#runtime.path, `${this.home}/runtime`),
    ];
  }

  /** Lets mailboxes be written, or refuses it. */
  async setMailboxes(how: "ro" | "rw"): Promise<void> {
    await this.#mail.remount(how);
  }

  /** Everything that was written is on the device. */
  async sync(): Promise<void> {
    await must("sync", "-f", this.mountPoint);
  }

  /** Unmounts it. */
  async unmount(): Promise<void> {
    for (const bind of this.#binds) await bind.umount();
    await this.#disk.umount();
  }

  /** Unmounts and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unmount();
    await this.#disk[Symbol.asyncDispose]();
    await this.#mail[Symbol.asyncDispose]();
    await this.#runtime[Symbol.asyncDispose]();
  }
}
