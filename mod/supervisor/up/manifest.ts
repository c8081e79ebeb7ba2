/**
 * `made.json` beside the configuration: what `up` made on this machine, so
 * that `down` removes exactly that. For its owner alone.
 *
 * A thing is written down before it is made: what a crash leaves behind is in
 * the list, and what is in the list may not be there. What an administrator
 * changed since is known by its digest, and is theirs.
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { int, list, object, text, token, z } from "../../ipc/schema.ts";
import { isThere, replaceFile } from "../replace_file.ts";

const path = text({ min: 1, max: 4_096 });
const name = token(/^[a-z_][a-z0-9_-]*$/, { max: 64 });

const made = z.union([
  object({ kind: z.literal("directory"), path }),
  object({
    kind: z.literal("file"),
    path,
    sha256: token(/^[0-9a-f]{64}$/, { max: 64 }),
  }),
  object({ kind: z.literal("link"), path, to: path }),
  /** Another program's file, moved out of a link's way. */
  object({ kind: z.literal("aside"), path, to: path }),
  object({ kind: z.literal("account"), name }),
  object({ kind: z.literal("group"), name }),
  object({
    kind: z.literal("home"),
    path,
    run: path,
    /** Messages that waited when the server was taken down. */
    waiting: int({ min: 0, max: 2 ** 40 }).nullable(),
  }),
  object({
    kind: z.literal("service"),
    how: z.enum(["systemd", "openrc", "none"]),
    log: path,
  }),
]);

/** One thing that `up` made. */
export type Made = z.infer<typeof made>;

const manifest = object({
  version: z.literal(1),
  made: list(made, { max: 1_000 }),
});

/** Where the list of a configuration lies. */
export function manifestPathOf(configPath: string): string {
  return `${dirname(configPath)}/made.json`;
}

/** The list, on disk. */
export class Manifest {
  readonly #path: string;
  readonly #onWritten: () => void;
  #made: readonly Made[];

  private constructor(
    path: string,
    all: readonly Made[],
    onWritten: () => void,
  ) {
    this.#path = path;
    this.#made = all;
    this.#onWritten = onWritten;
  }

  /**
   * Reads it; one that is not there is empty.
   *
   * @param onWritten Told after each change on disk
   * @throws {Error} If the file is damaged, because nobody knows then whose is
   * what; or somebody else could have written it, who would choose what is
   * removed
   */
  static read(path: string, onWritten: () => void = () => {}): Manifest {
    if (!isThere(path)) return new Manifest(path, [], onWritten);
    const { uid, mode, isFile } = Deno.lstatSync(path);
    if (!isFile || uid !== Deno.uid() || ((mode ?? 0) & 0o022) !== 0) {
      throw new Error(
        `${path} could have been written by somebody else: what it says is ` +
          "not done. Run this as its owner, or look at it and move it away",
      );
    }
    try {
      const { made } = manifest.parse(JSON.parse(Deno.readTextFileSync(path)));
      return new Manifest(path, made, onWritten);
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) throw error;
      throw new Error(
        `${path} is damaged: move it away; what up made is then nobody's to ` +
          "remove but yours",
      );
    }
  }

  /** In the order in which they were made. */
  get all(): readonly Made[] {
    return this.#made;
  }

  /** The digest of a file as `up` wrote it; undefined if it never did. */
  digestOf(path: string): string | undefined {
    const found = this.#made.find((one) =>
      one.kind === "file" && one.path === path
    );
    return found?.kind === "file" ? found.sha256 : undefined;
  }

  /** Notes what is about to be made, each in the place of the same thing. */
  add(...all: readonly Made[]): void {
    let next = this.#made;
    for (const one of all) {
      const at = next.findIndex((other) => keyOf(other) === keyOf(one));
      next = at < 0 ? [...next, one] : next.with(at, one);
    }
    if (JSON.stringify(next) !== JSON.stringify(this.#made)) this.#write(next);
  }

  /** Forgets what is gone; without anything left the file goes, too. */
  remove(one: Made): void {
    this.#write(this.#made.filter((other) => keyOf(other) !== keyOf(one)));
  }

  #write(wanted: readonly Made[]): void {
    const dir = dirname(this.#path);
    const isNew = wanted.length > 0 && !isThere(dir);
    if (isNew) Deno.mkdirSync(dir, { recursive: true, mode: 0o755 });
    this.#made = isNew ? [{ kind: "directory", path: dir }, ...wanted] : wanted;
    if (this.#made.length > 0) {
      const all = JSON.stringify({ version: 1, made: this.#made }, null, 1);
      replaceFile(this.#path, `${all}\n`, 0o600);
    } else if (isThere(this.#path)) Deno.removeSync(this.#path);
    this.#onWritten();
  }
}

function keyOf(one: Made): string {
  switch (one.kind) {
    case "directory":
    case "file":
    case "link":
    case "aside":
    case "home":
      return `${one.kind} ${one.path}`;
    case "account":
    case "group":
      return `${one.kind} ${one.name}`;
    case "service":
      return one.kind;
  }
}

/** SHA-256 in hex. */
export function digest(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** What there is at a path that `up` wants to fill. */
export type FileState =
  | { readonly kind: "missing" }
  /** It is what is wanted, whoever made it. */
  | { readonly kind: "right" }
  /** It is what `up` wrote, and now something else is wanted. */
  | { readonly kind: "old" }
  /** Somebody else's, or changed since `up` wrote it. */
  | { readonly kind: "foreign"; readonly wasOurs: boolean };

/** Judges a file by digests; `found` is undefined if there is none. */
export function fileState(
  { found, wanted, ours }: {
    found: string | undefined;
    wanted: string;
    ours: string | undefined;
  },
): FileState {
  if (found === undefined) return { kind: "missing" };
  if (found === wanted) return { kind: "right" };
  if (found === ours) return { kind: "old" };
  return { kind: "foreign", wasOurs: ours !== undefined };
}
