/**
 * Names of delivered files, unique without asking anybody, as maildir(5) has
 * them:
 *
 *     <seconds>.M<micros>P<pid>Q<counter>R<random>B<job>.<host>,S=<octets>
 *
 * `B` is ours: the queue id and the recipient's number in the message. By it
 * a delivery that is asked for again, because nobody heard how it ended, finds
 * the file that it made; see `earlier.ts`.
 *
 * `S=` is what Dovecot and Courier read instead of calling stat(2) on the
 * file; it is known, and added, only when all is written.
 */

// Files of a version that did not name the job may still lie in `tmp`.
const OWN_NAME =
  /^(\d{1,12})\.M\d{1,6}P\d{1,10}Q\d{1,16}R[0-9a-f]{16}(?:B([0-9A-Z]{16}-\d{1,10}))?\./;

// NAME_MAX is 255. The rest of a name takes at most 120, and a reader adds the
// flags, of which Dovecot has up to 26 keywords and six more.
const MAX_HOST = 96;

/** Names what one recipient of one message gets: the same however often. */
export function jobName(queueId: string, ordinal: number): string {
  return `${queueId}-${ordinal}`;
}

/** What a name of ours, in whatever directory, tells. */
export interface Told {
  /** {@link jobName}. */
  readonly job: string;
  /** When the delivery began, since the epoch. */
  readonly seconds: number;
}

/** Reads a name that {@link FileNames} made; flags may stand behind it. */
export function readName(name: string): Told | undefined {
  const found = name.length <= 255 ? OWN_NAME.exec(name) : null;
  const job = found?.[2];
  return job === undefined ? undefined : { job, seconds: Number(found![1]) };
}

/** True if `name` is one that {@link FileNames} makes, with or without `S=`. */
export function isOwnName(name: string): boolean {
  return name.length <= 255 && OWN_NAME.test(name);
}

/** Makes names that no other delivery has, before or after. */
export class FileNames {
  readonly #head: string;
  readonly #random: string;
  readonly #host: string;
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
    this.#head = `P${options.pid ?? Deno.pid}Q`;
    this.#random = `R${hex(random)}B`;
    this.#host = escapeHost(options.hostname);
  }

  /** The next name for a job, without `S=`: the file's name in `tmp`. */
  next(job: string, nowMs: number = Date.now()): string {
    const seconds = Math.floor(nowMs / 1_000);
    const micros = Math.floor((nowMs - seconds * 1_000) * 1_000);
    this.#counter++;
    return `${seconds}.M${micros}${this.#head}${this.#counter}` +
      `${this.#random}${job}.${this.#host}`;
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
