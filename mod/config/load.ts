/**
 * Reads the configuration file's text into a {@link Config}, or says
 * everything that is wrong with it: one fault a mistake, each with its line.
 *
 * Run by the supervisor and the command line, before any socket is opened. A
 * library: it opens no file. The text is an administrator's, but the parser
 * holds to the rules for hostile text all the same: bounded, and no key of it
 * is ever used as a property name of an ordinary object.
 */
import { dirname, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { CONTRADICTIONS } from "./contradictions.ts";
import { keyLines, type LineOf } from "./key_lines.ts";
import { type Read, type Setting, shown } from "./kinds.ts";
import { foldAscii, isAddress, isLoopback } from "./names.ts";
import type { Entries } from "./routing.ts";
import { type Config, SECTION_LIST } from "./settings.ts";
import { suggest } from "./suggest.ts";

/** Largest configuration file, in octets. */
export const MAX_CONFIG_OCTETS = 1_048_576;

/** Most faults that are told of at once. */
export const MAX_FAULTS = 100;

/** One mistake. */
export interface Fault {
  /** From 1; where the key is, or where it should be. */
  readonly line: number;
  /** Dotted key; empty if the fault is one of the whole file. */
  readonly key: string;
  /** What is wrong and what to do, worded to follow the key. */
  readonly message: string;
}

/** What became of a text. */
export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Reads and checks a configuration.
 *
 * @param text Content of the file
 * @param path Where the file lies; relative paths in it start there
 */
export function loadConfig(text: string, path: string): Loaded {
  const parsed = parseToml(text);
  if (!parsed.ok) return { ok: false, faults: [parsed.fault] };
  const reading = new Reading(keyLines(text));
  const raw = parsed.table;
  const values = new Map<string, unknown>();
  for (const [name, section] of SECTION_LIST) {
    const table = reading.table(raw, name);
    values.set(
      name,
      section.kind === "entries"
        ? reading.entries(name, section, table)
        : reading.settings(name, section.settings, table),
    );
  }
  reading.unknownSections(raw);
  // Readings with faults lack values; a rule that would need them is skipped.
  const config = Object.fromEntries(values) as unknown as Config;
  reading.contradictions(config);
  const faults = reading.faults();
  return faults.length > 0
    ? { ok: false, faults }
    : { ok: true, config: settle(config, path) };
}

/** A fault as one line: `bulkhead.toml:12: smtp.listen must be ...`. */
export function faultText(path: string, fault: Fault): string {
  const key = fault.key === "" ? "" : `${fault.key} `;
  return `${path}:${fault.line}: ${key}${fault.message}`;
}

type Table = Readonly<Record<string, unknown>>;

function parseToml(
  text: string,
): { ok: true; table: Table } | { ok: false; fault: Fault } {
  if (new TextEncoder().encode(text).length > MAX_CONFIG_OCTETS) {
    const message = `The file is larger than ${MAX_CONFIG_OCTETS} octets`;
    return { ok: false, fault: { line: 1, key: "", message } };
  }
  try {
    return { ok: true, table: parse(text, { maxDepth: 8 }) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The lines that follow draw the place; line and column say it too.
    const what = error.message.split("\n")[0]!
      .replace("Invalid TOML document: ", "");
    const message = `This is no TOML at column ${error.column}: ${what}`;
    return { ok: false, fault: { line: error.line, key: "", message } };
  }
}

/** One pass over a file: what was found so far. */
class Reading {
  readonly #lineOf: LineOf;
  readonly #faults: Fault[] = [];
  /** Dotted keys without a usable value. */
  readonly #unread = new Set<string>();
  /** Keys of free sections, by {@link foldedKey}, as the file has them. */
  readonly #asWritten = new Map<string, string>();

  constructor(lineOf: LineOf) {
    this.#lineOf = lineOf;
  }

  /** The faults in the order of their lines, at most {@link MAX_FAULTS}. */
  faults(): Fault[] {
    const sorted = this.#faults.sort((one, other) => one.line - other.line);
    if (sorted.length <= MAX_FAULTS) return sorted;
    const message = `and ${sorted.length - MAX_FAULTS} more faults`;
    const line = sorted[MAX_FAULTS]!.line;
    return [...sorted.slice(0, MAX_FAULTS), { line, key: "", message }];
  }

  /** The raw section, empty if it is missing; undefined if it is no section. */
  table(raw: Table, name: string): Table | undefined {
    if (!Object.hasOwn(raw, name)) return {};
    const table = raw[name];
    if (isTable(table)) return table;
    this.#fault(
      [name],
      Array.isArray(table)
        ? `is one section: write [${name}], with single brackets`
        : `is a section: write [${name}] on a line of its own; it is ` +
          shown(table),
    );
    return undefined;
  }

  settings(
    section: string,
    settings: Readonly<Record<string, Setting<unknown>>>,
    table: Table | undefined,
  ): object {
    if (table === undefined) {
      for (const key of Object.keys(settings)) {
        this.#unread.add(`${section}.${key}`);
      }
      return {};
    }
    for (const key of Object.keys(table)) {
      if (Object.hasOwn(settings, key)) continue;
      this.#unknown([section, key], Object.keys(settings));
    }
    const values = Object.entries(settings).flatMap(([key, setting]) => {
      const read = this.#setting([section, key], setting, table);
      return read.ok ? [[key, read.value] as const] : [];
    });
    return Object.fromEntries(values);
  }

  #setting(
    path: readonly [section: string, key: string],
    setting: Setting<unknown>,
    table: Table,
  ): Read<unknown> {
    const given = Object.hasOwn(table, path[1]);
    if (!given && setting.need === "optional") return { ok: true, value: null };
    if (!given && setting.need === "required") {
      const example = JSON.stringify(setting.example);
      const message = `is missing: write ${path[1]} = ${example}, with your ` +
        `own value, under [${path[0]}]`;
      return this.#unreadable(path, message);
    }
    const read = setting.read(given ? table[path[1]] : setting.default);
    return read.ok ? read : this.#unreadable(path, read.message);
  }

  entries<T>(
    section: string,
    kind: Entries<T>,
    table: Table | undefined,
  ): T[] {
    if (table === undefined) return [];
    const names = Object.keys(table);
    if (names.length > kind.max) {
      this.#fault([section], `has more than ${kind.max} entries`);
      return [];
    }
    const values: T[] = [];
    for (const name of names) {
      const folded = foldedKey(section, name);
      const twin = this.#asWritten.get(folded);
      if (twin === undefined) this.#asWritten.set(folded, name);
      const read = kind.read(name, table[name]);
      if (!read.ok) this.#fault([section, name], read.message);
      else if (twin === undefined) values.push(read.value);
      else this.#fault([section, name], `is the same as ${shown(twin)}`);
    }
    return values;
  }

  unknownSections(raw: Table): void {
    const known = new Map(SECTION_LIST);
    for (const name of Object.keys(raw)) {
      if (!known.has(name)) this.#unknown([name], [...known.keys()]);
    }
  }

  contradictions(config: Config): void {
    for (const rule of CONTRADICTIONS) {
      if (rule.needs.some((key) => this.#unread.has(key))) continue;
      for (
        const { path: [section = "", key = ""], message } of rule.find(config)
      ) {
        // Keys of free sections were folded; the file has them as written.
        const written = this.#asWritten.get(foldedKey(section, key)) ?? key;
        this.#fault([section, written], message);
      }
    }
  }

  #fault(path: readonly string[], message: string): void {
    const key = path.map(keyText).join(".");
    this.#faults.push({ line: this.#lineOf(path), key, message });
  }

  #unreadable(path: readonly string[], message: string) {
    this.#fault(path, message);
    this.#unread.add(path.join("."));
    return { ok: false as const, message };
  }

  #unknown(path: readonly string[], siblings: readonly string[]): void {
    const key = path.at(-1)!;
    const near = suggest(key, siblings);
    const meant = near === undefined
      ? elsewhere(key)
      : [...path.slice(0, -1), near].join(".");
    const hint = meant === undefined
      ? "`bulkhead config doc` lists all that exist"
      : `did you mean ${meant}?`;
    const what = path.length === 1 ? "section or setting" : "setting";
    this.#fault(path, `is no ${what}: ${hint}`);
  }
}

/** The setting of that name in another section, if there is just one. */
function elsewhere(key: string): string | undefined {
  const places = SECTION_LIST.flatMap(([name, section]) =>
    section.kind === "settings" && Object.hasOwn(section.settings, key)
      ? [`${name}.${key}`]
      : []
  );
  return places.length === 1 ? places[0] : undefined;
}

function foldedKey(section: string, key: string): string {
  return `${section}\0${foldAscii(key)}`;
}

function keyText(key: string): string {
  const cut = key.length > 80 ? key.slice(0, 80) + "…" : key;
  return /^[A-Za-z0-9_-]+$/.test(cut) ? cut : JSON.stringify(cut);
}

function isTable(raw: unknown): raw is Table {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw) &&
    !(raw instanceof Date);
}

/** What needs more than one value to be known: paths, and the automatic limit. */
function settle(config: Config, path: string): Config {
  const { server, smtp, tls, screening, access, outbound } = config;
  const home = resolve(dirname(resolve(path)), server.home);
  const inHome = (file: string | null) =>
    file === null ? null : resolve(home, file);
  return {
    ...config,
    server: { ...server, home },
    smtp: { ...smtp, max_sessions_per_client: sessionsPerClient(smtp) },
    tls: { ...tls, certificate: inHome(tls.certificate), key: inHome(tls.key) },
    outbound: {
      ...outbound,
      ca_file: inHome(outbound.ca_file),
      smarthost_password_file: inHome(outbound.smarthost_password_file),
    },
    screening: {
      ...screening,
      allow_file: inHome(screening.allow_file),
      deny_file: inHome(screening.deny_file),
    },
    access: {
      client: access.client.map((file) => resolve(home, file)),
      helo: access.helo.map((file) => resolve(home, file)),
      sender: access.sender.map((file) => resolve(home, file)),
      recipient: access.recipient.map((file) => resolve(home, file)),
    },
  };
}

function sessionsPerClient(smtp: Config["smtp"]): number {
  if (smtp.max_sessions_per_client > 0) return smtp.max_sessions_per_client;
  const alone = smtp.listen.every(({ host }) =>
    isAddress(host) && isLoopback(host)
  );
  const most = alone ? Math.ceil(0.9 * smtp.max_sessions) : 50;
  return Math.min(most, smtp.max_sessions);
}
