/**
 * `care.log` in the home: what was done for the installation (backups,
 * upgrades, restores), one JSON object a line, appended by the commands that
 * did it and shown on the console. Only whoever starts the server writes it.
 */
import fs from "node:fs";
import type { Facts } from "../../../web/news.ts";
import { wordsOf } from "../care/words.ts";
import { readOwn } from "./own_file_io.ts";

/** One thing that was done. */
export type CareEntry = Facts["care"][number];

/** Entries that are shown. */
const SHOWN = 20;
/** Octets at the file's end that are looked at for them. */
const LOOKED_AT = 65_536;

/** Where it lies. */
export function careFile(home: string): string {
  return `${home}/care.log`;
}

/**
 * Adds an entry. Synced, because an upgrade may be followed by a crash.
 *
 * @param entry `what` is one word, such as `backup`; `says` one sentence
 */
export function appendCare(home: string, entry: CareEntry): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = fs.constants;
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW;
  const fd = fs.openSync(careFile(home), flags, 0o600);
  try {
    const { atMs, what, says } = entry;
    const line = JSON.stringify({
      atMs,
      what: what.slice(0, 40),
      says: says.slice(0, 400),
    });
    fs.writeSync(fd, line + "\n");
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * The same, for a command that is done: that it cannot be noted, is told on
 * standard error and changes nothing.
 */
export function noteCare(home: string, what: string, says: string): void {
  try {
    appendCare(home, { atMs: Date.now(), what, says });
  } catch (error) {
    console.error(
      `bulkhead: ${careFile(home)} cannot be written: ${wordsOf(error)}`,
    );
  }
}

/** The last entries, newest first; a line that makes no sense is left out. */
export function readCare(home: string): CareEntry[] {
  const text = readOwn(careFile(home), LOOKED_AT) ?? "";
  return text.split("\n").flatMap(entryIn).slice(-SHOWN).reverse();
}

function entryIn(line: string): CareEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  if (typeof value !== "object" || value === null) return [];
  const { atMs, what, says } = value as Record<string, unknown>;
  const isEntry = typeof atMs === "number" && Number.isInteger(atMs) &&
    atMs >= 0 && atMs <= 2 ** 50 && typeof what === "string" &&
    typeof says === "string";
  return isEntry
    ? [{ atMs, what: what.slice(0, 40), says: says.slice(0, 400) }]
    : [];
}
