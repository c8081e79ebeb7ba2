/**
 * Never two messages out of one, whatever stands in it and however TCP or
 * chunks cut it. `deno task prove smuggling` tries longer sequences.
 */
import assert from "node:assert/strict";
import { report, sized } from "../crash/proof.ts";
import { attack } from "./attacked_session.ts";
import {
  carrier,
  endsTruly,
  PLACES,
  sequences,
  smuggles,
  throughChunks,
  throughData,
  TOKENS,
} from "./smuggling.ts";

/** Longest sequences that are tried, in tokens. */
const LONGEST = sized({ small: 4, full: 5 });
/** Longest that are also cut at every octet. */
const LONGEST_CUT = sized({ small: 3, full: 4 });
const LONGEST_CHUNKS = sized({ small: 3, full: 4 });

for (const place of PLACES) {
  Deno.test(`Connection takes no second message at the ${place}`, async () => {
    let tried = 0;
    for (let length = 1; length <= LONGEST; length++) {
      for (const sequence of sequences(length)) {
        if (endsTruly(sequence, place)) continue;
        const whole = carrier(sequence, place);
        assert.equal(await smuggles(throughData([whole])), undefined);
        tried++;
      }
    }
    report(`${tried} sequences of up to ${LONGEST} at the ${place}: none`);
  });

  Deno.test(`Connection takes none at the ${place}, wherever TCP cuts it`, async () => {
    let tried = 0;
    for (let length = 1; length <= LONGEST_CUT; length++) {
      for (const sequence of sequences(length)) {
        if (endsTruly(sequence, place)) continue;
        for (const pieces of cuts(sequence, carrier(sequence, place))) {
          assert.equal(await smuggles(throughData(pieces)), undefined);
          tried++;
        }
      }
    }
    report(`${tried} cuts through sequences at the ${place}: none`);
  });
}

Deno.test("Connection takes no second message out of chunks", async () => {
  let tried = 0;
  for (let length = 1; length <= LONGEST_CHUNKS; length++) {
    for (const sequence of sequences(length)) {
      const whole = carrier(sequence, "middle");
      for (const pieces of [[whole], ...cuts(sequence, whole)]) {
        assert.equal(await smuggles(throughChunks(pieces)), undefined);
        tried++;
      }
    }
  }
  report(`${tried} sequences in chunks, at every border of two: none`);
});

Deno.test("attack() takes a carrier that is clean, as one message", async () => {
  for (const sequence of ["\x0b", " .\r\n", "..", "\xc2\x85.\xc2\x85"]) {
    const whole = carrier(sequence, "middle");
    const { accepted } = await attack(throughData([whole]));
    assert.equal(accepted.length, 1, JSON.stringify(sequence));
  }
});

Deno.test("sequences() makes every one there is, once", () => {
  const all = [...sequences(3)];
  assert.equal(all.length, TOKENS.length ** 3);
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.includes("\n.\n") && all.includes("\r.\r"));
});

Deno.test("endsTruly() knows CRLF.CRLF, and where a message begins", () => {
  assert.equal(endsTruly("\r\n.\r\n", "middle"), true);
  assert.equal(endsTruly(".\r\n", "middle"), false);
  assert.equal(endsTruly(".\r\n", "start"), true);
  assert.equal(endsTruly("\r\n.", "end"), true);
  assert.equal(endsTruly("\n.\r\n", "middle"), false);
});

/** Every cut in two that touches the sequence. */
function* cuts(sequence: string, whole: string): Generator<string[]> {
  const from = whole.indexOf(sequence);
  for (let at = from; at <= from + sequence.length; at++) {
    yield [whole.slice(0, at), whole.slice(at)];
  }
}
