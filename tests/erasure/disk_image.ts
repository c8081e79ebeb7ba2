/**
 * The image that a home lies on, but for its Maildirs and the runtime; and
 * how each file system is made and mounted, so that nothing but the server
 * erases anything there.
 */
import { Bind, Disk, MemoryDir, must } from "../crash/disk_fixture.ts";

/** File systems that the proof is about. */
export const IMAGE_KINDS = [
  "ext4-ordered",
  "ext4-journal",
  "xfs",
  "btrfs",
] as const;
/** One of them. */
export type ImageKind = (typeof IMAGE_KINDS)[number];

interface Recipe {
  readonly fileSystem: Disk["fileSystem"];
  readonly make: readonly string[];
  readonly mount: string;
}

// Without discard: it would erase what the server did not. Without lazy
// initialisation: nothing but the server's doing shall change the image.
const EXT4 = {
  fileSystem: "ext4",
  make: ["-b", "4096", "-E"]
    .concat("nodiscard,lazy_itable_init=0,lazy_journal_init=0"),
} as const;
const RECIPES: Readonly<Record<ImageKind, Recipe>> = {
  "ext4-ordered": { ...EXT4, mount: "data=ordered,nodiscard" },
  "ext4-journal": { ...EXT4, mount: "data=journal,nodiscard" },
  "xfs": { fileSystem: "xfs", make: ["-K"], mount: "nodiscard" },
  "btrfs": { fileSystem: "btrfs", make: ["-K"], mount: "nodiscard" },
};

/** The image, mounted or not. */
export class DiskImage implements AsyncDisposable {
  readonly kind: ImageKind;
  readonly #disk: Disk;
  readonly #mail: MemoryDir;
  readonly #runtime: MemoryDir;
  #binds: Bind[] = [];

  private constructor(
    kind: ImageKind,
    parts: { disk: Disk; mail: MemoryDir; runtime: MemoryDir },
  ) {
    this.kind = kind;
    this.#disk = parts.disk;
    this.#mail = parts.mail;
    this.#runtime = parts.runtime;
  }

  /** Makes one and mounts it. */
  static async make(kind: ImageKind, bytes: number): Promise<DiskImage> {
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
