/** Lists in the DNS, as a real nsd on a loopback port serves them. */
import assert from "node:assert/strict";
import { listed } from "./listed.ts";
import { listingsOver } from "./listing_io.ts";
import { hasNsd, withNsd } from "./nsd_fixture.ts";

const ZONE = `$ORIGIN bl.test.
$TTL 60
@ SOA ns hm 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
2.0.0.127 A 127.0.0.2
2.0.0.127 A 127.0.0.10
2.0.0.127 TXT "https://bl.test/?" "127.0.0.2"
3.0.0.127 A 127.0.0.3
4.0.0.127 TXT "words without an address"
`;

Deno.test({
  name: "listingsOver() asks a real list for addresses and words",
  ignore: !hasNsd,
  fn: () =>
    withNsd({ zones: { "bl.test": ZONE } }, async (port) => {
      const over = listingsOver([{ ipAddr: "127.0.0.1", port }]);
      const ask = (client: string) =>
        listed(
          { name: `${client}.bl.test`, withinMs: 2_000, words: true },
          over,
        );
      const two = await ask("2.0.0.127");
      assert.ok("answer" in two);
      assert.deepEqual([...two.answer.addresses].sort(), [
        "127.0.0.10",
        "127.0.0.2",
      ]);
      assert.equal(two.answer.text, "https://bl.test/?127.0.0.2");
      assert.deepEqual(await ask("3.0.0.127"), {
        answer: { addresses: ["127.0.0.3"], text: "" },
      });
      assert.deepEqual(await ask("4.0.0.127"), { refusal: "not-listed" });
      assert.deepEqual(await ask("9.0.0.127"), { refusal: "not-listed" });
    }),
});

Deno.test("listingsOver() gives each server its share of the time", async () => {
  // Holds its socket and never answers.
  const mute = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = {
    ipAddr: "127.0.0.1",
    port: (mute.addr as Deno.NetAddr).port,
  };
  const before = performance.now();
  const found = await listingsOver([server, server]).a("x.bl.test", 200);
  assert.equal(found.kind, "silent");
  assert.ok(performance.now() - before < 1_500);
  mute.close();
});
