/**
 * The kinds of values that a setting may have. Each kind knows how to read
 * what smol-toml gives for it, how to say what is wrong, and how to describe
 * itself; `settings.ts` is written with them.
 *
 * A default is kept as it would be written in the file and read like one, so
 * a default out of its own bounds cannot exist.
 */
import { parseDnsblSite } from "./dnsbl_site.ts";
import { durationMs, durationText, sizeBytes, sizeText } from "./quantities.ts";
import { networkText, parseAddress, parseNetwork } from "../core/network.ts";
import {
  foldAscii,
  type HostPort,
  hostPort,
  isAddress,
  isMailDomain,
} from "./names.ts";

/** A value as it can be written in the file. */
export type Written =
  | string
  | number
  | boolean
  | readonly string[]
  | WrittenTable;

/** A table on one line. */
export interface WrittenTable {
  readonly [key: string]: string | number | boolean | readonly string[];
}

/** A value, or what is wrong with it, worded to follow the setting's name. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

/** One setting: a row of the table. */
export interface Setting<T> {
  /** Its kind in a word or two, for the documentation. */
  readonly type: string;
  /** Its bounds in words; empty if the type says it all. */
  readonly bounds: string;
  /** What it does, in one sentence or two. */
  readonly says: string;
  /** `required` has no default; `optional` is null if not given. */
  readonly need: "required" | "optional" | "defaulted";
  /** The default, as one would write it. */
  readonly default: Written | undefined;
  readonly example: Written | undefined;
  /** True if the file that `init` writes mentions it even when not given. */
  readonly inInit: boolean;
  /** Reads a raw TOML value. */
  read(raw: unknown): Read<T>;
}

/** What every row says of itself. */
export interface Row<W extends Written = Written> {
  says: string;
  /** Without one the setting is required; see also {@link optional}. */
  default?: W;
  example?: W;
  inInit?: boolean;
}

/** Turns a required setting into one that is null if not given. */
export function optional<T>(setting: Setting<T>): Setting<T | null> {
  return { ...setting, need: "optional" };
}

/** Turns a setting into one that the empty string switches off (null). */
export function orOff<T>(setting: Setting<T>): Setting<T | null> {
  return {
    ...setting,
    bounds: setting.bounds === ""
      ? "empty: off"
      : `${setting.bounds}; empty: off`,
    read: (raw) => raw === "" ? good(null) : setting.read(raw),
  };
}

/** A string, normalised and judged by `accept`, which gives undefined to refuse. */
export function string(
  row: Row<string> & {
    type?: string;
    bounds?: string;
    /** What it must be, as in "must be ...". */
    mustBe: string;
    accept(text: string): string | undefined;
  },
): Setting<string> {
  return build(row, {
    type: row.type ?? "string",
    bounds: row.bounds ?? "",
    read: (raw) => readString(raw, row.mustBe, row.accept),
  });
}

/** One of a few words. */
export function choice<const W extends string>(
  row: Row<W> & { of: readonly W[] },
): Setting<W> {
  const words = row.of.map((word) => `"${word}"`).join(", ");
  return build(row, {
    type: "choice",
    bounds: words,
    read: (raw) => {
      const word = row.of.find((one) => one === raw);
      return word === undefined
        ? bad(`must be one of ${words}; it is ${shown(raw)}`)
        : good(word);
    },
  });
}

/** true or false. */
export function boolean(row: Row<boolean>): Setting<boolean> {
  return build(row, {
    type: "boolean",
    bounds: "",
    read: (raw) =>
      typeof raw === "boolean"
        ? good(raw)
        : bad(`must be true or false, without quotes; it is ${shown(raw)}`),
  });
}

/** A whole number in [min, max]. */
export function integer(
  row: Row<number> & { min: number; max: number; orZero?: boolean },
): Setting<number> {
  const bounds = `${row.orZero ? "0, or " : ""}${row.min} to ${row.max}`;
  return build(row, {
    type: "integer",
    bounds,
    read: (raw) => {
      if (typeof raw !== "number" || !Number.isInteger(raw)) {
        return bad(
          `must be a whole number, without quotes; it is ${shown(raw)}`,
        );
      }
      if (row.orZero && raw === 0) return good(raw);
      return raw < row.min || raw > row.max
        ? bad(`must be ${bounds}; it is ${raw}`)
        : good(raw);
    },
  });
}

/** A time, read as milliseconds, in [min, max] (written like the value). */
export function duration(
  row: Row<string> & { min: string; max: string },
): Setting<number> {
  return quantity(row, {
    type: "duration",
    parse: (raw) => typeof raw === "string" ? durationMs(raw) : undefined,
    print: durationText,
    mustBe: 'a duration such as "30s", "5m", "4h" or "5d"',
  });
}

/** A size, read as octets, in [min, max] (written like the value). */
export function size(
  row: Row<string> & { min: string; max: string },
): Setting<number> {
  return quantity(row, {
    type: "size",
    parse: (raw) =>
      typeof raw === "string"
        ? sizeBytes(raw)
        : typeof raw === "number" && Number.isSafeInteger(raw) && raw >= 0
        ? raw
        : undefined,
    print: sizeText,
    mustBe: 'a size such as "50MB", "1GiB" or plain octets',
  });
}

/** An address and port to listen on: an IP address, never a name. */
export function listenAddress(row: Row<string>): Setting<HostPort> {
  return build(row, {
    type: "address:port",
    bounds: "",
    read: readListenAddress,
  });
}

/** Several of them. */
export function listenAddresses(
  row: Row<readonly string[]> & { min: number; max: number },
): Setting<readonly HostPort[]> {
  return list(row, {
    type: "list of address:port",
    item: readListenAddress,
    same: (one) => `${one.host} ${one.port}`,
  });
}

/** Strings, each normalised and judged as in {@link string}; none twice. */
export function strings(
  row: Row<readonly string[]> & {
    min: number;
    max: number;
    type: string;
    mustBe: string;
    accept(text: string): string | undefined;
  },
): Setting<readonly string[]> {
  return list(row, {
    type: row.type,
    item: (raw) => readString(raw, row.mustBe, row.accept),
    same: (one) => one,
  });
}

/** Domains (names or address literals), in lower case; none twice. */
export function mailDomains(
  row: Row<readonly string[]> & {
    min: number;
    max: number;
    /** True if `.home.test` may stand for all below `home.test`. */
    subdomains: boolean;
  },
): Setting<readonly string[]> {
  return strings({
    ...row,
    type: "list of domains",
    mustBe: 'a domain such as "home.test" (not ASCII? write it as xn--...)',
    accept: (text) => {
      const domain = foldAscii(text);
      const name = row.subdomains && domain.startsWith(".")
        ? domain.slice(1)
        : domain;
      return isMailDomain(name) ? domain : undefined;
    },
  });
}

/** IP addresses; none twice. */
export function addresses(
  row: Row<readonly string[]> & { min: number; max: number },
): Setting<readonly string[]> {
  return strings({
    ...row,
    type: "list of IP addresses",
    mustBe: 'an IP address such as "192.0.2.53" or "2001:db8::53"',
    accept: (text) => isAddress(text) ? foldAscii(text) : undefined,
  });
}

/** Addresses of this machine to connect from; none twice. */
export function sources(
  row: Row<readonly string[]> & { min: number; max: number },
): Setting<readonly string[]> {
  return strings({
    ...row,
    type: "list of IP addresses",
    mustBe: "an IP address of this machine, and of one host alone, such as " +
      '"192.0.2.25" or "2001:db8::25"',
    accept: (text) => isOneHost(text) ? foldAscii(text) : undefined,
  });
}

/**
 * False for addresses that nobody can connect from: unspecified ones,
 * multicast, broadcast, IPv4 written as IPv6, and link-local IPv6, which would
 * need a zone.
 */
function isOneHost(text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined || address.value === 0n) return false;
  if (address.family === 4) {
    return !text.includes(":") && address.value >> 28n < 14n;
  }
  return address.value >> 120n !== 0xffn && address.value >> 118n !== 0x3fan;
}

/** Networks as `ADDRESS/BITS`, or single addresses; none twice. */
export function networks(
  row: Row<readonly string[]> & { min: number; max: number },
): Setting<readonly string[]> {
  return list(row, {
    type: "list of networks",
    item: (raw) => {
      const read = typeof raw === "string" ? parseNetwork(raw) : undefined;
      if (read === undefined) {
        return bad(`must be a string; it is ${shown(raw)}`);
      }
      return "fault" in read
        ? bad(`(${shown(raw)}) ${read.fault}`)
        : good(networkText(read));
    },
    same: (one) => one,
  });
}

/** Entries of `screening.dnsbl_sites`, as they were written; none twice. */
export function dnsblSites(
  row: Row<readonly string[]> & { min: number; max: number },
): Setting<readonly string[]> {
  return list(row, {
    type: "list of domain[=filter][*weight]",
    item: (raw) => {
      const read = typeof raw === "string" ? parseDnsblSite(raw) : undefined;
      if (read === undefined) {
        return bad(`must be a string; it is ${shown(raw)}`);
      }
      return "fault" in read
        ? bad(`(${shown(raw)}) ${read.fault}`)
        : good(read.text);
    },
    same: (one) => one,
  });
}

/** Paths of files; none twice. */
export function paths(
  row: Row<readonly string[]> & { min: number; max: number },
): Setting<readonly string[]> {
  return strings({
    ...row,
    type: "list of paths",
    mustBe: "the path of a file",
    accept: filePath,
  });
}

/** A path, or undefined if it cannot be one. */
export function filePath(text: string): string | undefined {
  return text.length > 0 && text.length <= 3_000 && !text.includes("\0")
    ? text
    : undefined;
}

/** A raw value in a few words, for a message. */
export function shown(raw: unknown): string {
  switch (typeof raw) {
    case "string":
      return JSON.stringify(raw.length > 60 ? raw.slice(0, 60) + "…" : raw);
    case "number":
    case "bigint":
      return `the number ${raw}`;
    case "boolean":
      return String(raw);
    default:
      if (Array.isArray(raw)) return "a list";
      return raw instanceof Date ? "a date" : "a table";
  }
}

/** A good {@link Read}. */
export function good<T>(value: T): Read<T> {
  return { ok: true, value };
}

/** A bad {@link Read}. */
export function bad(message: string): { ok: false; message: string } {
  return { ok: false, message };
}

function build<T>(
  row: Row,
  kind: Pick<Setting<T>, "type" | "bounds" | "read">,
): Setting<T> {
  return {
    ...kind,
    says: row.says,
    default: row.default,
    example: row.example,
    need: row.default === undefined ? "required" : "defaulted",
    inInit: row.inInit ?? false,
  };
}

function quantity(
  row: Row<string> & { min: string; max: string },
  kind: {
    type: string;
    mustBe: string;
    parse(raw: unknown): number | undefined;
    print(value: number): string;
  },
): Setting<number> {
  const [min, max] = [kind.parse(row.min)!, kind.parse(row.max)!];
  const bounds = `${row.min} to ${row.max}`;
  return build(row, {
    type: kind.type,
    bounds,
    read: (raw) => {
      const value = kind.parse(raw);
      if (value === undefined) {
        return bad(`must be ${kind.mustBe}; it is ${shown(raw)}`);
      }
      return value < min || value > max
        ? bad(`must be ${bounds}; it is ${kind.print(value)}`)
        : good(value);
    },
  });
}

function list<T>(
  row: Row<readonly string[]> & { min: number; max: number },
  kind: { type: string; item(raw: unknown): Read<T>; same(one: T): string },
): Setting<readonly T[]> {
  return build(row, {
    type: kind.type,
    bounds: `${row.min} to ${row.max} entries`,
    read: (raw) => {
      if (!Array.isArray(raw)) {
        return bad(
          `must be a list, in square brackets; it is ${shown(raw)}`,
        );
      }
      if (raw.length < row.min || raw.length > row.max) {
        return bad(
          `must have ${row.min} to ${row.max} entries; it has ${raw.length}`,
        );
      }
      return readItems(raw, kind);
    },
  });
}

function readItems<T>(
  raws: readonly unknown[],
  kind: { item(raw: unknown): Read<T>; same(one: T): string },
): Read<readonly T[]> {
  const values: T[] = [];
  const seen = new Set<string>();
  for (const [at, raw] of raws.entries()) {
    const item = kind.item(raw);
    if (!item.ok) return bad(`entry ${at + 1} ${item.message}`);
    const same = kind.same(item.value);
    if (seen.has(same)) return bad(`names ${shown(raw)} twice: remove one`);
    seen.add(same);
    values.push(item.value);
  }
  return good(values);
}

function readString(
  raw: unknown,
  mustBe: string,
  accept: (text: string) => string | undefined,
): Read<string> {
  const value = typeof raw === "string" ? accept(raw) : undefined;
  return value === undefined
    ? bad(`must be ${mustBe}; it is ${shown(raw)}`)
    : good(value);
}

function readListenAddress(raw: unknown): Read<HostPort> {
  const value = typeof raw === "string" ? hostPort(raw) : undefined;
  return value === undefined || !isAddress(value.host)
    ? bad(
      'must be an IP address and a port such as "0.0.0.0:25" or "[::]:25"; ' +
        `it is ${shown(raw)}`,
    )
    : good(value);
}
