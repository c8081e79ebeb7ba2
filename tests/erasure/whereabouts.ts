/**
 * Says whose octets lie at an offset of an image: the file that has them, or
 * had them when the map was drawn, or the file system's journal.
 */
import { Buffer } from "node:buffer";
import { run } from "../system/server_fixture.ts";
import type { DiskImage } from "./disk_image.ts";

interface Extent {
  /** In the image. */
  readonly from: number;
  readonly to: number;
  readonly path: string;
  /** Offset in the file. */
  readonly at: number;
}

const JOURNALS = new WeakMap<DiskImage, Extent[]>();

/** Where every file of a mounted image lay at one moment. */
export class DiskMap {
  /** When it was drawn: in the words of the report. */
  readonly when: string;
  readonly #extents: readonly Extent[];

  private constructor(when: string, extents: readonly Extent[]) {
    this.when = when;
    this.#extents = extents;
  }

  /** Draws it; the image must be mounted. */
  static async draw(image: DiskImage, when: string): Promise<DiskMap> {
    const physical = image.kind === "btrfs"
      ? await btrfsChunks(image.file)
      : (address: number) => address;
    const { out } = await run("find", [
      ...[image.mountPoint, "-xdev", "-type", "f", "-size", "+0"],
      ...["-exec", "filefrag", "-v", "-b1", "{}", ";"],
    ]);
    const extents = out.split("\nFilesystem type").flatMap((part) =>
      extentsOf(part, image.mountPoint, physical)
    );
    // Of a mounted image it cannot always be read.
    const journal = await journalOf(image);
    if (journal.length > 0) JOURNALS.set(image, journal);
    return new DiskMap(when, extents.concat(JOURNALS.get(image) ?? []));
  }

  /** `path @offset`, or undefined where no file lay. */
  at(offset: number): string | undefined {
    const found = this.#extents.find(({ from, to }) =>
      from <= offset && offset < to
    );
    if (found === undefined) return undefined;
    return `${found.path} @${found.at + offset - found.from}`;
  }
}

/** A hit's surroundings, as far as they can be read. */
export function surroundings(image: DiskImage, offset: number): string {
  using file = Deno.openSync(image.file);
  const from = Math.max(0, offset - 40);
  file.seekSync(from, Deno.SeekMode.Start);
  const octets = new Uint8Array(120);
  file.readSync(octets);
  return Buffer.from(octets).toString("latin1").replace(/[^ -~]/g, ".");
}

// "   0:        0..    4095:  34816..   38911:   4096:             last,eof"
const EXTENT = /^\s*\d+:\s*(\d+)\.\.\s*(\d+):\s*(\d+)\.\.\s*(\d+):/gm;

function extentsOf(
  part: string,
  root: string,
  physical: (address: number) => number,
): Extent[] {
  const name = /^File size of (.*) is \d+ /m.exec(part)?.[1];
  if (name === undefined) return [];
  const path = name.slice(root.length + 1);
  return [...part.matchAll(EXTENT)].map(([, logical, , first, last]) => {
    const from = physical(Number(first));
    const length = Number(last) + 1 - Number(first);
    return { from, to: from + length, path, at: Number(logical) };
  });
}

/** Turns btrfs's own addresses into offsets on the device. */
async function btrfsChunks(
  file: string,
): Promise<(address: number) => number> {
  const { out } = await run("btrfs", [
    ...["inspect-internal", "dump-tree", "-t", "chunk", file],
  ]);
  const chunks = out.split("CHUNK_ITEM ").slice(1).flatMap((text) => {
    const start = Number(/^(\d+)\)/.exec(text)?.[1]);
    const length = Number(/length (\d+)/.exec(text)?.[1]);
    const offset = Number(/stripe 0 devid 1 offset (\d+)/.exec(text)?.[1]);
    return [{ start, length, offset }];
  });
  return (address) => {
    const chunk = chunks.find(({ start, length }) =>
      start <= address && address < start + length
    );
    return chunk === undefined ? -1 : address - chunk.start + chunk.offset;
  };
}

async function journalOf(image: DiskImage): Promise<Extent[]> {
  if (image.kind === "btrfs") return [];
  const journal = (from: number, to: number): Extent => ({
    from,
    to,
    path: "(journal)",
    at: 0,
  });
  if (image.kind === "xfs") {
    const { out } = await run("xfs_db", [
      ...["-r", "-c", "sb 0", "-c"],
      "p logstart logblocks agblocks agblklog blocksize",
      image.file,
    ]);
    const value = (name: string) =>
      Number(new RegExp(`^${name} = (\\d+)`, "m").exec(out)?.[1]);
    const group = 2 ** value("agblklog");
    const block = Math.floor(value("logstart") / group) * value("agblocks") +
      value("logstart") % group;
    const from = block * value("blocksize");
    return [journal(from, from + value("logblocks") * value("blocksize"))];
  }
  const { out } = await run("debugfs", ["-R", "ex <8>", image.file]);
  // " 0/ 0   1/  1     0 -  4095  1024 -  5119   4096"
  const block = 4_096;
  return [...out.matchAll(/(\d+) - +(\d+) +(\d+) - +(\d+) +\d+\s*$/gm)]
    .map(([, , , first, last]) =>
      journal(Number(first) * block, (Number(last) + 1) * block)
    );
}
