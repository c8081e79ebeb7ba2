import assert from "node:assert/strict";
import { adviceFor } from "./notice_advice.ts";

const ROWS: [enhanced: string, want: RegExp][] = [
  ["5.1.1", /^Look how the address is spelt/],
  ["5.1.2", /behind the @/],
  ["5.1.10", /behind the @/],
  ["5.2.2", /mailbox is full/],
  ["5.3.4", /more than is taken/],
  ["5.4.6", /in a circle.*postmaster@remote\.test/],
  ["4.4.7", /Send it again if it still matters/],
  ["5.6.7", /beyond ASCII/],
  ["5.6.3", /plainer text/],
  ["5.7.10", /asked for protection/],
  ["5.7.30", /asked for protection/],
  ["5.7.1", /does not want.*postmaster@remote\.test/],
  ["5.0.0", /can tell you more.*postmaster@remote\.test/],
  ["5.9.9", /can tell you more/],
  ["", /can tell you more/],
];

Deno.test("adviceFor() says what the sender can do, for every status code there is", () => {
  for (const [enhanced, want] of ROWS) {
    assert.match(adviceFor(enhanced, "postmaster@remote.test"), want, enhanced);
  }
});
