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

const MAX_ADDRESSES = 20;
const MAX_TEXT = 200;

/** Answers `dns.listed`. */
export async function listed(
  ask: AskedOf<Listed>,
  listings: Listings,
): Promise<Verdict<Listed>> {
  const name = hostName(ask.name);
  if (name === undefined) return { refusal: "not-listed" };
  const words = ask.words
    ? listings.txt(name, ask.withinMs)
    : Promise.resolve<Listing>({ kind: "nothing" });
  const found = await listings.a(name, ask.withinMs);
  if (found.kind === "silent") return { refusal: "try-later" };
  if (found.kind === "nothing") return { refusal: "not-listed" };
  const said = await words;
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
