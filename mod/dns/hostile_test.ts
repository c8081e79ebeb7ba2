/**
 * A signed internet whose every answer is bent on its way: nothing is ever
 * called secure that is not what was signed, nothing throws, all ends in time.
 */
import assert from "node:assert/strict";
import { decode, encode } from "./codec.ts";
import { partOf } from "./engine_fixture.ts";
import { engineOf } from "./engine.ts";
import { type Exchange, Exchanger } from "./exchange_io.ts";
import { mailHosts } from "./mail_hosts.ts";
import { hasNsd, withNsd } from "./nsd_fixture.ts";
import { ServerMemory } from "./server_memory.ts";
import { signedZones } from "./signed_zones_fixture.ts";
import { validator } from "./validate.ts";

const ROUNDS = 400;

/** Numbers that are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** Bends a few octets, cuts, or puts a piece of it elsewhere. */
function bent(octets: Uint8Array, draw: (below: number) => number): Uint8Array {
  const copy = octets.slice();
  switch (draw(4)) {
    case 0:
      return copy.subarray(0, draw(copy.length));
    case 1:
      copy.copyWithin(12 + draw(copy.length - 12), draw(copy.length));
      return copy;
  }
  for (let n = 1 + draw(4); n > 0; n--) {
    copy[2 + draw(copy.length - 2)] = draw(256);
  }
  return copy;
}

Deno.test({
  name: "engineOf() calls nothing secure that was bent on its way",
  ignore: !hasNsd,
  fn: async () => {
    const { zones, anchor } = signedZones();
    await withNsd({ zones }, async (port) => {
      const real = new Exchanger();
      const memory = new ServerMemory();
      const kept = new Map<string, Uint8Array>();
      let draw = numbers(1);
      const exchange: Exchange = async (server, ask) => {
        const key = `${ask.question.name} ${ask.question.type}`;
        let octets = kept.get(key);
        if (octets === undefined) {
          const got = await real.exchange(server, { ...ask, withinMs: 2_000 });
          assert.ok(got.kind === "message");
          octets = encode(got.message);
          kept.set(key, octets);
        }
        // Some come as they are, or hardly anything would go further.
        const decoded = decode(draw(8) > 0 ? octets : bent(octets, draw));
        return decoded.kind === "message"
          ? decoded
          : { kind: "broken", fault: decoded.fault };
      };
      const outcomes = new Map<string, number>();
      const began = performance.now();
      for (let round = 1; round <= ROUNDS; round++) {
        draw = numbers(round);
        const { lookups } = engineOf({
          part: partOf({
            port,
            resolve: round % 2 ? "recurse" : "forward",
            rootHints: ["127.0.0.1"],
            validate: true,
            trustAnchors: [anchor],
          }),
          exchanger: { exchange, memory },
          makeValidator: validator,
          onJudged: () => {},
          onStrips: () => {},
        });
        const hosts = await mailHosts("signed.test", lookups);
        const tlsa = await lookups.tlsa("_25._tcp.mx.signed.test");
        const nobody = await lookups.mx("nobody.test");
        if ("answer" in hosts && hosts.answer.security === "secure") {
          const [host] = hosts.answer.hosts;
          assert.equal(host!.name, "mx.signed.test");
          if (host!.security === "secure") {
            assert.deepEqual(host!.addresses, ["192.0.2.1"]);
          }
        }
        if (tlsa.kind === "records" && tlsa.security === "secure") {
          assert.deepEqual(tlsa.records.map((one) => one.data), ["00ff"]);
        }
        // There is a TLSA record, and nothing is unsigned.
        assert.ok(tlsa.kind !== "no-name" && tlsa.kind !== "no-data");
        assert.ok(!("security" in tlsa) || tlsa.security === "secure");
        assert.ok(!("security" in nobody) || nobody.kind === "no-name");
        const said = "answer" in hosts ? hosts.answer.security : hosts.refusal;
        outcomes.set(said, (outcomes.get(said) ?? 0) + 1);
      }
      const tookMs = performance.now() - began;
      assert.ok(tookMs < 60_000, `took ${tookMs} ms`);
      const told = JSON.stringify([...outcomes]);
      assert.ok(!outcomes.has("no-such-domain"), told);
      assert.ok(!outcomes.has("null-mx") && !outcomes.has("insecure"), told);
      assert.ok((outcomes.get("secure") ?? 0) > ROUNDS / 20, told);
      assert.ok((outcomes.get("bogus") ?? 0) > ROUNDS / 20, told);
    });
  },
});
