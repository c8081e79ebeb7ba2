/** Lookups against a real nsd on a loopback port, as a forwarder would be. */
import assert from "node:assert/strict";
import { engine } from "./engine_fixture.ts";
import { listed } from "./listed.ts";
import { Exchanger } from "./exchange_io.ts";
import { mailHosts } from "./mail_hosts.ts";
import { type Message, type Question, TYPE } from "./message.ts";
import { reply, type Script, withScripted } from "./name_server_fixture.ts";
import { hasNsd, withNsd } from "./nsd_fixture.ts";
import { recordText } from "./rdata.ts";
import { signedZones } from "./signed_zones_fixture.ts";

const MANY = (count: number) =>
  Array.from({ length: count }, (_, i) => `many${count} MX ${i} h${i}`);
const ZONE = `$ORIGIN example.
$TTL 60
@ SOA ns hm 1 3600 600 86400 60
@ NS ns
@ MX 10 a
@ MX 5 c
ns A 127.0.0.1
a A 192.0.2.1
a AAAA 2001:db8::1
c A 192.0.2.3
nullmx MX 0 .
onlya A 192.0.2.9
alias CNAME example.
dangling CNAME nothere
loop1 CNAME loop2
loop2 CNAME loop1
lame NS nowhere.invalid.
below DNAME example.
_25._tcp.a TLSA 3 1 1 00ff
text TXT "v=STSv1; " "id=1"
${MANY(100).join("\n")}
${MANY(101).join("\n")}
`;

const LIST = `$ORIGIN bl.test.
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
const ZONES = { "example": ZONE, "bl.test": LIST, "broken.test": undefined };

Deno.test({
  name: "engineOf() answers from a real name server",
  ignore: !hasNsd,
  fn: (t) =>
    withNsd({ zones: ZONES }, async (port) => {
      const { lookups, listings, resolver } = engine({ port });
      const { mx, a, tlsa, txt } = lookups;

      await t.step("telling absence from failure", async () => {
        const kinds: [string, Promise<{ kind: string }>][] = [
          ["records", mx("example")],
          ["records", mx("alias.example")],
          ["records", a("c.below.example")],
          ["records", mx("many100.example")],
          ["records", tlsa("_25._tcp.a.example")],
          ["no-data", mx("onlya.example")],
          ["no-data", txt("a.example")],
          ["no-name", mx("nope.example")],
          ["no-name", a("dangling.example")],
          ["unclear", mx("many101.example")],
          ["unclear", a("loop1.example")],
          ["unclear", mx("x.lame.example")],
          ["unclear", mx("broken.test")], // SERVFAIL
          ["unclear", mx("elsewhere.invalid")], // REFUSED
        ];
        for (const [i, [want, found]] of kinds.entries()) {
          assert.equal((await found).kind, want, `row ${i}`);
        }
        const text = await txt("text.example");
        assert.ok(text.kind === "records");
        assert.deepEqual(text.records, ["v=STSv1; id=1"]);
        const alias = await mx("alias.example");
        assert.ok(alias.kind === "records" && alias.canonical === "example");
      });

      await t.step("with the mail hosts of a zone", async () => {
        const verdict = await mailHosts("example", lookups);
        const hosts = "answer" in verdict ? verdict.answer.hosts : [];
        assert.deepEqual(
          hosts.map(({ name, preference, addresses }) =>
            [name, preference, ...addresses].join(" ")
          ),
          ["c.example 5 192.0.2.3", "a.example 10 2001:db8::1 192.0.2.1"],
        );
        const refused = async (name: string) => {
          const verdict = await mailHosts(name, lookups);
          return "refusal" in verdict ? verdict.refusal : "answered";
        };
        assert.equal(await refused("nullmx.example"), "null-mx");
        assert.equal(await refused("nope.example"), "no-such-domain");
        assert.equal(await refused("broken.test"), "try-later");
      });

      await t.step("with why there is no answer", async () => {
        const said = async (name: string) =>
          (await resolver.explain({ name, type: 15 })).failure?.status;
        assert.equal(await said("broken.test"), "SERVFAIL");
        assert.equal(await said("elsewhere.invalid"), "REFUSED");
        assert.equal(await said("example"), undefined);
        const many = await resolver.explain({
          name: "many101.example",
          type: 15,
        });
        assert.match(many.failure!.why, /too-many-records/);
      });

      await t.step("with a list's addresses and words", async () => {
        const ask = (client: string) =>
          listed(
            { name: `${client}.bl.test`, withinMs: 2_000, words: true },
            listings,
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
      });
    }),
});

Deno.test("engineOf() gives up on mute servers within its time", async () => {
  // Holds both sockets and never answers.
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = tcp.addr as Deno.NetAddr;
  const { lookups, listings } = engine({
    nameservers: ["127.0.0.1", "127.0.0.2"],
    port,
    withinMs: 200,
  });
  const before = performance.now();
  const [found, list] = await Promise.all([
    lookups.mx("example"),
    listings.a("x.bl.test", 200),
  ]);
  const tookMs = performance.now() - before;
  assert.equal(found.kind, "unclear");
  assert.equal(list.kind, "silent");
  assert.ok(tookMs < 1_500, `took ${tookMs} ms`);
  const again = performance.now();
  assert.equal((await lookups.mx("example")).kind, "unclear");
  assert.ok(performance.now() - again < 50, "asked anew");
  tcp.close();
});

Deno.test({
  name: "engineOf() walks from the root when forwarders strip signatures",
  ignore: !hasNsd,
  fn: async (t) => {
    const { zones, anchor } = signedZones();
    await withNsd({ zones }, async (port) => {
      // Asks nsd, and takes out what proves anything.
      const upstream = new Exchanger();
      const strip = async (question: Question) => {
        const got = await upstream.exchange({ address: "127.0.0.1", port }, {
          question,
          recursionDesired: true,
          checkingDisabled: true,
          dnssecOk: false,
          withinMs: 1_000,
        });
        return got.kind === "message" ? got.message : undefined;
      };
      const stripped = new Map<string, Message>();
      for (
        const [name, type] of [
          ["", TYPE.DNSKEY],
          ["signed.test", TYPE.MX],
        ] as const
      ) {
        const message = await strip({ name, type });
        if (message) stripped.set(`${name} ${type}`, message);
      }
      const forwarder: Script = (came) => {
        const { name, type } = came.question;
        const message = stripped.get(`${name} ${type}`);
        const { answer = [] } = message ?? {};
        return [
          reply(came, {
            answer: answer.filter((one) => one.type === type)
              .map((one) => recordText(one).replace(" IN", "")),
            authority: [". 60 SOA ns. hm. 1 2 3 4 5"],
          }),
        ];
      };
      await withScripted(forwarder, async (server) => {
        const told: string[] = [];
        const { lookups, resolver } = engine({
          nameservers: [server.address],
          port,
          resolve: "auto",
          validate: true,
          trustAnchors: [anchor],
          rootHints: ["127.0.0.1"],
        }, { onStrips: (seen) => told.push(seen) });
        await t.step("says so once, and finds out all the same", async () => {
          const mx = await lookups.mx("signed.test");
          assert.ok(mx.kind === "records" && mx.security === "secure");
          const tlsa = await lookups.tlsa("_25._tcp.mx.signed.test");
          assert.ok(tlsa.kind === "records" && tlsa.security === "secure");
          assert.deepEqual(told, [
            "the keys of the root: came without signatures",
          ]);
        });
        await t.step("shows the chain", async () => {
          const { found } = await resolver.explain({
            name: "mx.signed.test",
            type: TYPE.A,
          });
          assert.equal(found.security, "secure");
          assert.ok(found.proof.length >= 4, found.proof.join("\n"));
        });
        await t.step("proves what is not there", async () => {
          const none = await lookups.tlsa("_25._tcp.signed.test");
          assert.ok(none.kind === "no-name" && none.security === "secure");
          const no = await lookups.mx("other.test");
          assert.ok(no.kind === "no-name" && no.security === "secure");
        });
      }, { address: "127.0.0.2", port });
    });
  },
});
