/**
 * Headers of a tar archive, as POSIX.1-1988 has them (ustar), with GNU's ways
 * for what does not fit: a number in base 256, and a name of more than 100
 * octets as an entry of its own before. Pure. What we write, every tar reads;
 * we read what we wrote, and a repacking by GNU tar or bsdtar.
 */

/** Octets of a block. */
export const BLOCK = 512;

/** An entry's facts. */
export interface TarEntry {
  /** Relative, of plain steps; without a slash at the end. */
  readonly path: string;
  readonly kind: "file" | "directory";
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeS: number;
}

/** What a header block says. */
export type TarHeader =
  | TarEntry
  /** The next entry's name stands in so many octets. */
  | { readonly kind: "long-name"; readonly size: number }
  /** Of no interest to us: so many octets follow. */
  | { readonly kind: "other"; readonly size: number }
  | { readonly kind: "end" };

/** An archive that is none. */
export class BadTar extends Error {
  override name = "BadTar";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Octets that fill the last block of so many. */
export function padding(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

/** The header of an entry, with its name before it if that is long. */
export function headerOf(entry: TarEntry): Uint8Array<ArrayBuffer> {
  const path = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const name = encoder.encode(path);
  if (name.length <= 100) return block(entry, name);
  const long = block(
    { ...entry, kind: "file", size: name.length + 1, mode: 0o600 },
    encoder.encode("././@LongLink"),
    "L",
  );
  const body = new Uint8Array(name.length + 1 + padding(name.length + 1));
  body.set(name);
  return joined([long, body, block(entry, name.subarray(0, 100))]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function block(
  entry: TarEntry,
  name: Uint8Array,
  type = entry.kind === "directory" ? "5" : "0",
): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(BLOCK);
  octets.set(name, 0);
  putNumber(octets, 100, 8, entry.mode);
  putNumber(octets, 108, 8, entry.uid);
  putNumber(octets, 116, 8, entry.gid);
  putNumber(octets, 124, 12, entry.kind === "directory" ? 0 : entry.size);
  putNumber(octets, 136, 12, Math.max(0, Math.floor(entry.mtimeS)));
  octets.fill(0x20, 148, 156); // the sum is over blanks here
  octets[156] = type.charCodeAt(0);
  octets.set(encoder.encode("ustar\x0000"), 257);
  const sum = octets.reduce((all, one) => all + one, 0);
  octets.set(encoder.encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return octets;
}

function putNumber(
  octets: Uint8Array,
  at: number,
  width: number,
  value: number,
): void {
  const text = value.toString(8);
  if (text.length < width) {
    octets.set(encoder.encode(`${text.padStart(width - 1, "0")}\0`), at);
    return;
  }
  let rest = BigInt(value);
  for (let i = width - 1; i > 0; i--) {
    octets[at + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  octets[at] = 0x80;
}

/**
 * Reads a header block.
 *
 * @throws {BadTar} If it is none
 */
export function readHeader(octets: Uint8Array): TarHeader {
  if (octets.every((one) => one === 0)) return { kind: "end" };
  const told = textAt(octets, 148, 8).trim();
  const blanked = octets.slice();
  blanked.fill(0x20, 148, 156);
  const sum = blanked.reduce((all, one) => all + one, 0);
  if (!/^[0-7]+$/.test(told) || parseInt(told, 8) !== sum) {
    throw new BadTar("this is no tar archive, or a damaged one");
  }
  const size = numberAt(octets, 124, 12);
  const type = String.fromCharCode(octets[156]!);
  switch (type) {
    case "L":
      return { kind: "long-name", size };
    case "0":
    case "\0":
    case "5":
      break;
    case "1":
    case "2":
    case "3":
    case "4":
    case "6":
      throw new BadTar(
        `it holds ${textAt(octets, 0, 100)}, a link or a device`,
      );
    default:
      return { kind: "other", size };
  }
  const isUstar = textAt(octets, 257, 5) === "ustar";
  const prefix = isUstar ? textAt(octets, 345, 155) : "";
  const name = textAt(octets, 0, 100);
  return {
    path: cleanPath(prefix === "" ? name : `${prefix}/${name}`),
    kind: type === "5" ? "directory" : "file",
    size: type === "5" ? 0 : size,
    mode: numberAt(octets, 100, 8) & 0o7777,
    uid: numberAt(octets, 108, 8),
    gid: numberAt(octets, 116, 8),
    mtimeS: numberAt(octets, 136, 12),
  };
}

/** The name that a long-name entry holds. */
export function longName(octets: Uint8Array): string {
  return cleanPath(textAt(octets, 0, octets.length));
}

function cleanPath(name: string): string {
  const path = name.startsWith("./") ? name.slice(2) : name;
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

function textAt(octets: Uint8Array, at: number, width: number): string {
  const field = octets.subarray(at, at + width);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

function numberAt(octets: Uint8Array, at: number, width: number): number {
  if ((octets[at]! & 0x80) !== 0) {
    let value = 0n;
    for (let i = 1; i < width; i++) {
      value = value << 8n | BigInt(octets[at + i]!);
    }
    if (value > 2n ** 52n) throw new BadTar("a number is too large");
    return Number(value);
  }
  const text = textAt(octets, at, width).trim();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw new BadTar("a number is none");
  return parseInt(text, 8);
}
