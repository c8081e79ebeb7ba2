/** Trust anchors: where every chain of signatures begins, RFC 4033 §2. */
import { parseName } from "./labels.ts";
import type { Name } from "./message.ts";
import { type Ds, parseDs, readDs } from "./rdata.ts";

/** A DS record that is believed because the configuration says so. */
export interface Anchor {
  readonly zone: Name;
  readonly ds: Ds;
}

/**
 * An anchor as people write it: `. IN DS 20326 8 2 E06D...`, with a TTL or
 * without; without a name it is the root's.
 *
 * @returns undefined if it is none
 */
export function parseAnchor(text: string): Anchor | undefined {
  const data = parseDs(text);
  const [owner = "."] = text.trim().split(/[ \t]+/);
  // A tag in the place of the name: there is no name.
  const zone = parseName(/^[0-9]+$/.test(owner) ? "." : owner);
  const ds = data && readDs(data);
  return ds === undefined || zone === undefined ? undefined : { zone, ds };
}

/**
 * The root zone's keys as IANA publishes them
 * (https://data.iana.org/root-anchors/root-anchors.xml): the one in use since
 * 2018, and the one that follows it.
 */
export const ROOT_ANCHORS: readonly Anchor[] = [
  "20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d",
  "38696 8 2 683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16",
].map((text) => parseAnchor(text) as Anchor);
