/**
 * Walks mailboxes that are in use: people read, move and mark their mail while
 * it is copied. A message that is moved from `new` to `cur`, or gets another
 * flag in its name, must not slip through between two looks; so `new` is read
 * before `cur`, a directory from which a name went away is looked at again, and
 * in the end the whole tree, for what was moved from one folder to another.
 */
import { NotPlain, openLinked, type PlainFile } from "./plain_file.ts";
import { lookAt } from "../replace_file.ts";

/** Told of what is found, in an order in which it can be made again. */
export interface Walker {
  directory(path: string, info: Deno.FileInfo): Promise<void>;
  file(path: string, file: PlainFile): Promise<void>;
  /** Something is there that is neither, and is not taken. */
  passedOver?(path: string): void;
  /** Whose files may have several names; the owner of their directory may. */
  readonly owner?: number | undefined;
}

/** Looks at one directory from which names go away. */
const MOST_LOOKS = 20;
/** Walks of the tree, each after what came to a directory behind the last. */
const MOST_WALKS = 4;

/**
 * Walks a tree of plain files and directories. What is neither (links,
 * sockets) is passed over and told of; what is being written, in `tmp`, is
 * passed over.
 *
 * @param short Path of `dir` as it is told
 */
export async function walkMail(
  dir: string,
  short: string,
  walker: Walker,
): Promise<void> {
  const known = new Set<string>();
  // Again, for what was moved to a folder that had been read by then.
  for (let walk = 0; walk < MOST_WALKS; walk++) {
    const had = known.size;
    await walkOnce({ dir, short, isFirst: walk === 0 }, { known, walker });
    if (known.size === had) return;
  }
}

interface Looking {
  /** Keys of what was found. */
  readonly known: Set<string>;
  readonly walker: Walker;
}

async function walkOnce(
  { dir, short, isFirst }: {
    readonly dir: string;
    readonly short: string;
    readonly isFirst: boolean;
  },
  looking: Looking,
): Promise<void> {
  const { known, walker } = looking;
  const info = lookAt(dir);
  if (info === undefined || !info.isDirectory) return;
  if (!known.has(`${short}/`)) await walker.directory(short, info);
  known.add(`${short}/`);
  const owners = [info.uid, walker.owner].flatMap((uid) => uid ?? []);
  if (short.endsWith("/tmp")) return;
  // Of this directory alone at first: in doubt a message is taken twice.
  const seen = isFirst ? new Set<string>() : known;
  const inner = new Set<string>();
  // Until a look finds nothing new: reading a directory may miss a name that
  // is changed meanwhile.
  for (let look = 0; look < MOST_LOOKS; look++) {
    const unseen = entriesIn(dir).filter(({ name, isDirectory }) =>
      isDirectory ? !inner.has(name) : !seen.has(keyOf(short, name))
    );
    if (unseen.length === 0) return;
    for (const { name } of unseen) {
      const path = `${dir}/${name}`;
      const facts = lookAt(path);
      if (facts === undefined) continue;
      if (facts.isDirectory) {
        inner.add(name);
        await walkOnce(
          { dir: path, short: `${short}/${name}`, isFirst },
          looking,
        );
        continue;
      }
      if (facts.isFile) {
        const one = { path, short: `${short}/${name}`, owners };
        if (!await taken(one, walker)) continue;
      } else walker.passedOver?.(`${short}/${name}`);
      seen.add(keyOf(short, name));
      known.add(keyOf(short, name));
    }
  }
}

/** A message is the same in whatever folder; any other file is not. */
function keyOf(short: string, name: string): string {
  const isMessage = short.endsWith("/cur") || short.endsWith("/new");
  return isMessage ? baseOf(name) : `${short}/${name}`;
}

/** A message's name without its flags, by which it stays the same. */
function baseOf(name: string): string {
  const at = name.lastIndexOf(":2,");
  return at < 0 ? name : name.slice(0, at);
}

async function taken(
  { path, short, owners }: {
    readonly path: string;
    readonly short: string;
    readonly owners: readonly number[];
  },
  walker: Walker,
): Promise<boolean> {
  try {
    using file = openLinked(path, owners);
    await walker.file(short, file);
    return true;
  } catch (error) {
    if (!(error instanceof NotPlain)) throw error;
    if (!error.isGone) walker.passedOver?.(short);
    return !error.isGone;
  }
}

/**
 * What is in a directory, `cur` last: what leaves `new` goes there. Nothing of
 * a directory that is gone.
 */
export function entriesIn(dir: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(dir)]
      .sort((a, b) => Number(a.name === "cur") - Number(b.name === "cur"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
