/**
 * Numbers, times and strangers' text as the pages write them. Pure; the text
 * comes back plain, and is escaped where it is put into a page.
 */
import { visible } from "../../mod/core/visible.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365.25 * DAY_MS;

/** Stands for a character that is invisible or would move its neighbours. */
export const MARK = "\ufffd";

/**
 * Text of a stranger, harmless to look at: what is invisible, turns the
 * direction of writing, or piles marks upon one letter is replaced or cut.
 */
export function plain(text: string): string {
  return visible(text, MARK)
    // Not in visible(): a terminal shows them as they are, a browser does not.
    .replace(
      /[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200d\u2060-\u2064\u3164\ufeff\uffa0\u{e0000}-\u{e007f}]/gu,
      MARK,
    )
    .replace(/(\p{M}{3})\p{M}+/gu, "$1");
}

/** At most `max` characters, the last of them an ellipsis if it was cut. */
export function cut(text: string, max: number): string {
  const letters = Array.from(text);
  return letters.length <= max
    ? text
    : `${letters.slice(0, max - 1).join("")}…`;
}

/**
 * What makes an address look like another: letters of two alphabets in one
 * label (`pаypal` with a Cyrillic `а`), or an encoded name.
 *
 * @returns A few words; empty if nothing does
 */
export function lookalike(text: string): string {
  const name = text.toLowerCase();
  for (const label of name.split(/[.@]/)) {
    const isLatin = /\p{Script=Latin}/u.test(label);
    if (isLatin && /\p{Script=Cyrillic}/u.test(label)) {
      return "mixes Latin and Cyrillic letters";
    }
    if (isLatin && /\p{Script=Greek}/u.test(label)) {
      return "mixes Latin and Greek letters";
    }
    if (label.startsWith("xn--")) return "an encoded international name";
  }
  return "";
}

/** `1 message`, `2 messages`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

/** With a thin space between thousands. */
export function number(n: number): string {
  const digits = String(Math.abs(Math.round(n)));
  let text = "";
  for (let at = 0; at < digits.length; at++) {
    if (at > 0 && (digits.length - at) % 3 === 0) text += "\u202f";
    text += digits[at];
  }
  return n < 0 ? `−${text}` : text;
}

/** `930 B`, `4.2 KiB`, `17 MiB`. */
export function octets(n: number): string {
  if (n < 1_024) return `${n} B`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = n / 1_024;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${
    units[unit]
  }`;
}

/** A duration in its largest two units: `3 min 20 s`. */
export function span(ms: number): string {
  const left = Math.max(0, ms);
  if (left < SECOND_MS) return `${Math.round(left)} ms`;
  if (left < 10 * SECOND_MS) return `${(left / SECOND_MS).toFixed(1)} s`;
  if (left < MINUTE_MS) return `${Math.floor(left / SECOND_MS)} s`;
  if (left < HOUR_MS) return two(left, [MINUTE_MS, "min", SECOND_MS, "s"]);
  if (left < DAY_MS) return two(left, [HOUR_MS, "h", MINUTE_MS, "min"]);
  if (left < 30 * DAY_MS) return two(left, [DAY_MS, "d", HOUR_MS, "h"]);
  if (left < 2 * YEAR_MS) return `${Math.floor(left / DAY_MS)} d`;
  return `${(left / YEAR_MS).toFixed(1)} years`;
}

function two(
  ms: number,
  [big, bigName, small, smallName]: [number, string, number, string],
): string {
  const more = Math.floor(ms % big / small);
  const first = `${Math.floor(ms / big)} ${bigName}`;
  return more === 0 ? first : `${first} ${more} ${smallName}`;
}

/** One unit is enough beside the exact time: `3 min ago`, `in 2 h`. */
export function since(atMs: number, nowMs: number): string {
  const away = Math.abs(nowMs - atMs);
  if (away < 1.5 * SECOND_MS) return "now";
  const [size, name] = away < MINUTE_MS
    ? [SECOND_MS, "s"] as const
    : away < HOUR_MS
    ? [MINUTE_MS, "min"] as const
    : away < 2 * DAY_MS
    ? [HOUR_MS, "h"] as const
    : away < 2 * YEAR_MS
    ? [DAY_MS, "d"] as const
    : [YEAR_MS, "years"] as const;
  const words = `${Math.floor(away / size)} ${name}`;
  return atMs <= nowMs ? `${words} ago` : `in ${words}`;
}

/** `2026-11-21 14:03:27`, in UTC, as the log has it. */
export function clock(atMs: number): string {
  const text = isoTime(atMs);
  return text === "" ? "unknown" : `${text.slice(0, 10)} ${text.slice(11, 19)}`;
}

/** `14:03`, in UTC. */
export function hourMinute(atMs: number): string {
  return isoTime(atMs).slice(11, 16);
}

/** For `datetime`; empty if there is no such time. */
export function isoTime(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/** Begins with a capital letter and ends with a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return ".!?".includes(first.at(-1)!) ? first : `${first}.`;
}
