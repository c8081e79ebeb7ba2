/** The lookups against a real nsd on a loopback port. */
import assert from "node:assert/strict";
import { lookupsOver } from "./lookup_io.ts";
import { mailHosts } from "./mail_hosts.ts";
import { hasNsd, withNsd } from "./nsd_fixture.ts";

const MANY = Array.from({ length: 150 }, (_, i) => `many MX ${i} h${i}`);
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
${MANY.join("\n")}
`;

const ZONES = { "example": ZONE, "broken.test": undefined };

Deno.test({
  name: "lookupsOver() tells absence from failure, as nsd reports them",
  ignore: !hasNsd,
  fn: () =>
    withNsd({ zones: ZONES }, async (port) => {
      const { mx, a } = lookupsOver([{ ipAddr: "127.0.0.1", port }], 3_000);
      const kinds: [string, Promise<{ kind: string }>][] = [
        ["records", mx("example")],
        ["records", mx("alias.example")],
        ["records", mx("many.example")],
        ["no-data", mx("onlya.example")],
        ["no-name", mx("nope.example")],
        ["no-name", a("dangling.example")],
        ["unclear", a("loop1.example")],
        ["unclear", mx("x.lame.example")],
        ["unclear", mx("broken.test")], // SERVFAIL
        ["unclear", mx("elsewhere.invalid")], // REFUSED
      ];
      for (const [i, [want, found]] of kinds.entries()) {
        assert.equal((await found).kind, want, `row ${i}`);
      }
      const many = await mx("many.example");
      assert.ok(many.kind === "records" && many.records.length === 150);
    }),
});

Deno.test({
  name: "mailHosts() answers from a real zone",
  ignore: !hasNsd,
  fn: () =>
    withNsd({ zones: ZONES }, async (port) => {
      const over = lookupsOver([{ ipAddr: "127.0.0.1", port }], 3_000);
      const verdict = await mailHosts("example", over);
      const hosts = "answer" in verdict ? verdict.answer.hosts : [];
      assert.deepEqual(
        hosts.map(({ name, preference, addresses }) => ({
          name,
          preference,
          addresses,
        })),
        [
          { name: "c.example", preference: 5, addresses: ["192.0.2.3"] },
          {
            name: "a.example",
            preference: 10,
            addresses: ["2001:db8::1", "192.0.2.1"],
          },
        ],
      );
      const refused = async (name: string) => {
        const verdict = await mailHosts(name, over);
        return "refusal" in verdict ? verdict.refusal : "answered";
      };
      assert.equal(await refused("nullmx.example"), "null-mx");
      assert.equal(await refused("nope.example"), "no-such-domain");
      assert.equal(await refused("broken.test"), "try-later");
    }),
});

Deno.test("lookupsOver() gives up on a mute server within its deadline and asks the next", async () => {
  // Holds both sockets and never answers.
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = tcp.addr as Deno.NetAddr;
  const mute = { ipAddr: "127.0.0.1", port };
  const before = performance.now();
  const found = await lookupsOver([mute, mute], 150).mx("example");
  const tookMs = performance.now() - before;
  assert.equal(found.kind, "unclear");
  assert.ok(tookMs < 1_500, `took ${tookMs} ms`);
  tcp.close();
});
