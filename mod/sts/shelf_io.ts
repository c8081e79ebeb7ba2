/**
 * Keeps policies in files of the role's own directory, one a domain, so that
 * a restart does not forget what an attacker could keep us from seeing again
 * (RFC 8461 §10.2). A file is replaced whole and never written in place; one
 * that is damaged or not ours is as if it were not there.
 *
 * A file each and no database: a policy changes once in weeks.
 */
import { int, object } from "../ipc/schema.ts";
import { domain as domainShape } from "../core/shapes.ts";
import type { Kept } from "./known.ts";
import { stsPolicy } from "./sts_ipc.ts";

const shape = object({
  policy: stsPolicy,
  fetchedMs: int({ min: 0, max: 2 ** 50 }),
});

/** Files looked at by a start; there are fewer policies than this. */
const MOST_FILES = 20_000;
const MOST_OCTETS = 131_072;
/** How names of unfinished files begin: no domain has a capital letter. */
const NEW = "New-";

/** The files. */
export class Shelf {
  readonly #dir: string;
  readonly #onFailing: (why: string) => void;
  #isFailing = false;

  /** @param onFailing Told once, when the disk begins to say no */
  constructor(dir: string, onFailing: (why: string) => void) {
    this.#dir = dir;
    this.#onFailing = onFailing;
  }

  /** All that is kept, the oldest first. */
  all(): { domain: string; kept: Kept }[] {
    const found: { domain: string; kept: Kept }[] = [];
    let files = 0;
    this.#try(() => {
      for (const { name, isFile } of Deno.readDirSync(this.#dir)) {
        if (++files > MOST_FILES) break;
        if (isFile && name.startsWith(NEW)) {
          Deno.removeSync(`${this.#dir}/${name}`);
          continue;
        }
        if (!isFile || !isDomain(name)) continue;
        const kept = this.#read(name);
        if (kept === undefined) this.forget(name);
        else found.push({ domain: name, kept });
      }
    });
    return found.sort((a, b) => a.kept.fetchedMs - b.kept.fetchedMs);
  }

  /** Writes one policy; what cannot be written is known to this process. */
  keep(domain: string, kept: Kept): void {
    if (!isDomain(domain)) return;
    const isKept = this.#try(() => {
      // Not one name for all: `bulkhead tls` runs this role a second time.
      const path = `${this.#dir}/${NEW}${Deno.pid}`;
      writeFile(path, JSON.stringify(kept));
      Deno.renameSync(path, `${this.#dir}/${domain}`);
      return true;
    });
    if (isKept) this.#isFailing = false;
  }

  /** Removes one. */
  forget(domain: string): void {
    if (!isDomain(domain)) return;
    this.#try(() => Deno.removeSync(`${this.#dir}/${domain}`));
  }

  #read(domain: string): Kept | undefined {
    const path = `${this.#dir}/${domain}`;
    const text = this.#try(() =>
      Deno.lstatSync(path).size > MOST_OCTETS ? "" : Deno.readTextFileSync(path)
    );
    try {
      const read = shape.safeParse(JSON.parse(text ?? ""));
      return read.success ? read.data : undefined;
    } catch {
      return undefined; // no JSON: a power cut, or somebody's hand
    }
  }

  #try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      if (!(error instanceof Error && "code" in error)) throw error;
      if (!this.#isFailing) this.#onFailing(error.message);
      this.#isFailing = true;
      return undefined;
    }
  }
}

/** Not by `Deno.writeTextFileSync`: that would chmod(2), which no role may. */
function writeFile(path: string, text: string): void {
  using file = Deno.openSync(path, {
    write: true,
    create: true,
    truncate: true,
    mode: 0o600,
  });
  const octets = new TextEncoder().encode(text);
  for (let at = 0; at < octets.length;) {
    at += file.writeSync(octets.subarray(at));
  }
}

/** A file's name in lower case that leads nowhere else. */
function isDomain(name: string): boolean {
  return domainShape.safeParse(name).success && !name.startsWith(".") &&
    !name.includes("[") && !name.includes(":") && name.length <= 253;
}
