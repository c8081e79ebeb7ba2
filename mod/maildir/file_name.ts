/**
 * Names of delivered files, unique without asking anybody, as maildir(5) has
 * them:
 *
 *     <seconds>.M<micros>P<pid>Q<counter>R<random>.<hostname>,S=<octets>
 *
 * `S=` is what Dovecot and Courier read instead of calling stat(2) on the
 * file; it is known, and added, only when all is written.
 */

const OWN_NAME = /^\d{1,12}\.M\d{1,6}P\d{1,10}Q\d{1,16}R[0-9a-f]{16}\./;

// NAME_MAX is 255; the rest of a name takes at most 100.
const MAX_HOST = 128;

/** True if `name` is one that {@link FileNames} makes, with or without `S=`. */
export function isOwnName(name: string): boolean {
  return name.length <= 255 && OWN_NAME.test(name);
}

/** Makes names that no other delivery has, before or after. */
export class FileNames {
  readonly #tail: string;
  #counter = 0;

  /**
   * @param random Eight octets, drawn once a process. With the counter they
   * make names unique even if the clock is set back and the pid comes again,
   * which is why rename(2) into `new` can overwrite nothing.
   */
  constructor(options: {
    hostname: string;
    pid?: number;
    random?: Uint8Array;
  }) {
    const random = options.random ?? crypto.getRandomValues(new Uint8Array(8));
    this.#tail = `R${hex(random)}.${escapeHost(options.hostname)}`;
    this.#head = `P${options.pid ?? Deno.pid}Q`;
  }
  readonly #head: string;

  /** The next name, without `S=`: the file's name in `tmp`. */
  next(nowMs: number = Date.now()): string {
    const seconds = Math.floor(nowMs / 1_000);
    const micros = Math.floor((nowMs - seconds * 1_000) * 1_000);
    this.#counter++;
    return `${seconds}.M${micros}${this.#head}${this.#counter}${this.#tail}`;
  }
}

/** The file's name in `new`. */
export function withSize(name: string, sizeBytes: number): string {
  return `${name},S=${sizeBytes}`;
}

// maildir(5): `/` becomes \057 and `:` becomes \072. So does whatever else a
// reader might take for the end of the name, such as `,`.
function escapeHost(hostname: string): string {
  let escaped = "";
  for (const octet of new TextEncoder().encode(hostname)) {
    const character = String.fromCharCode(octet);
    escaped += /[A-Za-z0-9._-]/.test(character)
      ? character
      : "\\" + octet.toString(8).padStart(3, "0");
    if (escaped.length > MAX_HOST - 4) break;
  }
  return escaped;
}

function hex(octets: Uint8Array): string {
  return Array.from(octets, (o) => o.toString(16).padStart(2, "0")).join("");
}
