/**
 * What a DNSBL or DNSWL says of a client, RFC 5782. Pure: the lookups are
 * parameters.
 */
import { visible } from "../core/visible.ts";
import type { AskedOf, Verdict } from "../ipc/call.ts";
import type { dnsContract } from "./dns_ipc.ts";
import { hostName } from "./name.ts";

/** What a lookup found; `silent` means no answer in time. */
export type Listing =
  | { readonly kind: "records"; readonly records: readonly string[] }
  | { readonly kind: "nothing" }
  | { readonly kind: "silent" };

/** The lookups needed here. They never throw. */
export interface Listings {
  a(name: string, withinMs: number): Promise<Listing>;
  txt(name: string, withinMs: number): Promise<Listing>;
}

type Listed = (typeof dnsContract.calls)["listed"];

/** Longest wait for words: the verdict does not hang on them. */
const WORDS_WITHIN_MS = 500;
/** Left for the answer's own way, so that it does not come too late. */
const SPARE_MS = 50;
const MAX_ADDRESSES = 20;
const MAX_TEXT = 200;

/** Answers `dns.listed`. */
export async function listed(
  ask: AskedOf<Listed>,
  listings: Listings,
): Promise<Verdict<Listed>> {
  const name = hostName(ask.name);
  if (name === undefined) return { refusal: "not-listed" };
  const startedMs = performance.now();
  const found = await listings.a(name, ask.withinMs);
  if (found.kind === "silent") return { refusal: "try-later" };
  if (found.kind === "nothing") return { refusal: "not-listed" };
  // Only now: most clients are in no list, and this is one question for each.
  const leftMs = ask.withinMs - SPARE_MS - (performance.now() - startedMs);
  const said: Listing = ask.words && leftMs > SPARE_MS
    ? await listings.txt(name, Math.min(WORDS_WITHIN_MS, leftMs))
    : { kind: "nothing" };
  return {
    answer: {
      addresses: found.records.slice(0, MAX_ADDRESSES),
      // What a list says goes into a reply: one line of printable ASCII.
      text: said.kind === "records"
        ? visible(said.records[0] ?? "", "?")
          .replace(/[^\x20-\x7e]/g, "?").slice(0, MAX_TEXT)
        : "",
    },
  };
}
