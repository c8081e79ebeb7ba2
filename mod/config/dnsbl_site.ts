/**
 * One entry of `screening.dnsbl_sites`, in the syntax of Postfix's
 * postscreen: `domain[=filter][*weight]`. Pure; read when the configuration
 * is loaded, and again by the role that asks the lists.
 *
 * A filter is four numbers with dots between, and in place of each number
 * there may be a list in brackets, with `;` between numbers and `low..high`
 * ranges: `127.0.[0;1].[2..11]`. Without one, any address of 127.0.0.0/8
 * counts, which is where lists answer (RFC 5782 §2.1), but for 127.255.255.*,
 * by which large ones say that they do not serve the asker. Postfix counts
 * those too; a list whose domain was sold would then refuse the whole world.
 */
import { foldAscii, isDomainName } from "./names.ts";

/** Numbers from `low` to `high`, 0 to 255. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** One list and what its answers weigh. */
export interface DnsblSite {
  /** In lower case. */
  readonly domain: string;
  /** Four lists of ranges, or null if any listing counts. */
  readonly filter: readonly (readonly Range[])[] | null;
  /** -1,000 to 1,000; a negative one speaks for the client. */
  readonly weight: number;
  /** As it was written. */
  readonly text: string;
}

/** Longest entry. */
export const MAX_DNSBL_SITE = 400;
const MAX_WEIGHT = 1_000;

/**
 * Reads one entry.
 *
 * @returns The entry, or why it is none, worded to follow it
 */
export function parseDnsblSite(text: string): DnsblSite | { fault: string } {
  if (text.length > MAX_DNSBL_SITE) return { fault: "is too long" };
  const star = text.lastIndexOf("*");
  const weight = star < 0 ? 1 : parseWeight(text.slice(star + 1));
  if (weight === undefined) {
    return {
      fault: `has no whole number from -${MAX_WEIGHT} to ${MAX_WEIGHT} as ` +
        "its weight, after the *",
    };
  }
  const listed = star < 0 ? text : text.slice(0, star);
  const equals = listed.indexOf("=");
  const domain = foldAscii(equals < 0 ? listed : listed.slice(0, equals));
  if (!isDomainName(domain) || domain.length > 180) {
    return { fault: "does not begin with the list's domain" };
  }
  if (equals < 0) return { domain, filter: null, weight, text };
  const filter = parseFilter(listed.slice(equals + 1));
  return "fault" in filter
    ? filter
    : { domain, filter: filter.parts, weight, text };
}

/** True if an address, such as `127.0.0.4`, passes the entry's filter. */
export function passesFilter(site: DnsblSite, address: string): boolean {
  if (site.filter === null) {
    return address.startsWith("127.") && !address.startsWith("127.255.255.");
  }
  const parts = address.split(".");
  return parts.length === 4 && site.filter.every((ranges, at) => {
    const number = Number(parts[at]);
    return ranges.some(({ low, high }) => low <= number && number <= high);
  });
}

function parseWeight(text: string): number | undefined {
  const digits = text.startsWith("-") || text.startsWith("+")
    ? text.slice(1)
    : text;
  if (digits.length > 4 || !isNumber(digits)) return undefined;
  const weight = Number(text);
  return Math.abs(weight) <= MAX_WEIGHT ? weight : undefined;
}

/** A linear scan; a bracket ends at its own closing one. */
function parseFilter(
  text: string,
): { parts: (readonly Range[])[] } | { fault: string } {
  const parts: (readonly Range[])[] = [];
  let at = 0;
  while (true) {
    const isList = text[at] === "[";
    const end = isList ? text.indexOf("]", at) : numberEnd(text, at);
    if (end < 0) return { fault: "has a [ without its ] in the filter" };
    const inside = text.slice(isList ? at + 1 : at, end);
    const ranges = parseRanges(inside);
    if ("fault" in ranges) return ranges;
    parts.push(ranges.ranges);
    at = isList ? end + 1 : end;
    if (at === text.length) break;
    if (text[at] !== "." || parts.length === 4) {
      return { fault: "has a filter that is not d.d.d.d" };
    }
    at++;
  }
  return parts.length === 4 ? { parts } : {
    fault: `has a filter of ${parts.length} parts; four are needed, such as ` +
      "127.0.0.[2..11]",
  };
}

function parseRanges(text: string): { ranges: Range[] } | { fault: string } {
  const ranges: Range[] = [];
  for (const one of text.split(";")) {
    const dots = one.indexOf("..");
    const low = octet(dots < 0 ? one : one.slice(0, dots));
    const high = dots < 0 ? low : octet(one.slice(dots + 2));
    if (low === undefined || high === undefined) {
      return { fault: `has ${JSON.stringify(one)} for a number from 0 to 255` };
    }
    if (low > high) {
      return { fault: `has the range ${one} the wrong way round` };
    }
    ranges.push({ low, high });
  }
  return { ranges };
}

function octet(text: string): number | undefined {
  return text.length <= 3 && isNumber(text) && Number(text) <= 255
    ? Number(text)
    : undefined;
}

function isNumber(text: string): boolean {
  return text.length > 0 && numberEnd(text, 0) === text.length;
}

function numberEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at]! >= "0" && text[at]! <= "9") at++;
  return at;
}
