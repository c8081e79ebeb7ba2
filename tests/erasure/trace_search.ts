/**
 * Looks for every trace of marked messages on an image, and counts by kind
 * what it finds.
 */
import { Buffer } from "node:buffer";
import type { DiskImage } from "./disk_image.ts";
import { type Marked, type MarkKind } from "./marked_mail.ts";
import { formsOf, type Hit, type Pattern } from "./pattern_search.ts";
import type { Question } from "./search_worker.ts";
import { type DiskMap, surroundings } from "./whereabouts.ts";

/** What may be found: `sealed` is ciphertext, the others should never be. */
export const TRACE_KINDS = [
  "content",
  "header",
  "address",
  "key",
  "sealed",
] as const satisfies readonly (MarkKind | "key" | "sealed")[];
/** One of them. */
export type TraceKind = (typeof TRACE_KINDS)[number];

/** What is looked for. */
export interface Wanted {
  readonly mail: readonly Marked[];
  readonly keys: readonly Uint8Array[];
  /** Samples of sealed records. */
  readonly sealed: readonly Uint8Array[];
}

interface Meaning {
  readonly kind: TraceKind;
  /** Number of the secret among all secrets. */
  readonly secret: number;
  /** 0 is "as it is"; else one of the encodings. */
  readonly form: number;
}

/** What was found on an image. */
export class Traces {
  readonly #hits: readonly Hit<Meaning>[];
  /** How many secrets of each kind were looked for. */
  readonly #wanted: Readonly<Record<TraceKind, number>>;

  private constructor(
    hits: readonly Hit<Meaning>[],
    wanted: Readonly<Record<TraceKind, number>>,
  ) {
    this.#hits = hits;
    this.#wanted = wanted;
  }

  /** Searches the image as it lies on its device. */
  static async on(image: DiskImage, wanted: Wanted): Promise<Traces> {
    const counts = { content: 0, header: 0, address: 0, key: 0, sealed: 0 };
    const patterns: Pattern<Meaning>[] = [];
    let secret = 0;
    const want = (kind: TraceKind, octets: Uint8Array) => {
      counts[kind]++;
      secret++;
      const forms = kind === "sealed" ? [octets] : formsOf(octets);
      for (const [form, octets] of forms.entries()) {
        patterns.push({ octets, means: { kind, secret, form } });
      }
    };
    for (const { kind, text } of wanted.mail.flatMap(({ marks }) => marks)) {
      want(kind, Uint8Array.from(Buffer.from(text)));
    }
    for (const key of wanted.keys) want("key", key);
    for (const sample of wanted.sealed) want("sealed", sample);
    const hits = await searched({ file: image.file, patterns });
    return new Traces(hits, counts);
  }

  /** Different secrets found, of those looked for. */
  found(kind: TraceKind): number {
    const of = this.#hits.filter(({ means }) => means.kind === kind);
    return new Set(of.map(({ means }) => means.secret)).size;
  }

  /** Different secrets looked for. */
  wanted(kind: TraceKind): number {
    return this.#wanted[kind];
  }

  /** True if no secret of these kinds was found. */
  hasNone(kinds: readonly TraceKind[]): boolean {
    return kinds.every((kind) => this.found(kind) === 0);
  }

  /** `content 0/60, header 0/60, ...` */
  toString(): string {
    return TRACE_KINDS.map((kind) =>
      `${kind} ${this.found(kind)}/${this.wanted(kind)}`
    ).join(", ");
  }

  /**
   * Where all hits lie, one line a place, by the files that have them or had
   * them when one of the maps was drawn.
   */
  whereabouts(image: DiskImage, maps: readonly DiskMap[]): string[] {
    const places = new Map<string, { count: number; first: number }>();
    for (const { means, offset } of this.#hits) {
      const owners = maps.map((map) =>
        `${map.when} ${fileOf(map.at(offset) ?? "free or metadata")}`
      );
      const form = means.form === 0 ? "" : ` (form ${means.form})`;
      const place = [`${means.kind}${form}`, ...owners].join(", ");
      const known = places.get(place);
      if (known === undefined) places.set(place, { count: 1, first: offset });
      else known.count++;
    }
    return [...places].map(([place, { count, first }]) => {
      const owners = maps.map((map) => `${map.when} ${map.at(first) ?? "-"}`);
      return `${count} x ${place}; first at ${first} (${owners.join(", ")}): ` +
        surroundings(image, first);
    });
  }
}

function searched(question: Question<Meaning>): Promise<Hit<Meaning>[]> {
  const url = new URL("./search_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  return new Promise<Hit<Meaning>[]>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`Cannot search ${question.file}: ${event.message}`));
    };
    worker.postMessage(question);
  }).finally(() => worker.terminate());
}

/** Segments by kind and not by name: there may be hundreds. */
function fileOf(place: string): string {
  return place.replace(/ @\d+$/, "").replace(/[0-9a-f]{16}/, "*");
}
