/** The parsers of what an administrator lists, on text of any kind. */
import assert from "node:assert/strict";
import { parseNetwork } from "../core/network.ts";
import { parseAccessTable } from "./access_table.ts";
import { parseDnsblSite } from "./dnsbl_site.ts";
import { parseNetworkList } from "./network_list.ts";

const PIECES = [
  ..."0129.:/[];*=-<>@ \t\n#",
  "127.0.0.",
  "2001:db8::",
  "..",
  "a.test",
  "REJECT",
  "OK",
  "4.7.1",
  "\u00e9",
  "\0",
  "__proto__",
];

/** Repeatable numbers in [0, below). */
function lots(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

Deno.test("the scanners take any text without throwing", () => {
  const lot = lots(7);
  for (let n = 0; n < 20_000; n++) {
    const text = Array.from(
      { length: lot(12) },
      () => PIECES[lot(PIECES.length)],
    ).join("");
    parseNetwork(text);
    parseNetworkList(text);
    parseDnsblSite(text);
    for (const kind of ["client", "helo", "sender", "recipient"] as const) {
      parseAccessTable(kind, text);
    }
  }
});

Deno.test("the scanners take long text in time that grows with its length", () => {
  const started = performance.now();
  for (const piece of PIECES) {
    const long = piece.repeat(100_000);
    parseNetwork(long);
    parseDnsblSite(long);
    parseNetworkList(long);
    parseAccessTable("sender", long);
  }
  const tookMs = performance.now() - started;
  assert.ok(tookMs < 10_000, `${tookMs} ms`);
});
