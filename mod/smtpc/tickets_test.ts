import assert from "node:assert/strict";
import { certificates, daneEe } from "./certified_fixture.ts";
import { type Options, run, withServer } from "./delivery_fixture.ts";
import { behave } from "./scripted_server.ts";
import { Tickets } from "./tickets.ts";

const PLACE = { sni: "mx.x.test", address: "192.0.2.1", port: 25 };

Deno.test("Tickets gives each once, for one place, and not for ever", () => {
  let now = 0;
  const tickets = new Tickets<string>(() => now);
  tickets.put(PLACE, "old");
  tickets.put(PLACE, "new");
  assert.equal(tickets.take({ ...PLACE, address: "192.0.2.2" }), undefined);
  assert.equal(tickets.take({ ...PLACE, sni: "other.test" }), undefined);
  assert.equal(tickets.take(PLACE), "new");
  assert.equal(tickets.take(PLACE), undefined);
  tickets.put(PLACE, "late");
  now = 600_001;
  assert.equal(tickets.take(PLACE), undefined);
});

Deno.test("Tickets keeps no more than it may", () => {
  const tickets = new Tickets<number>();
  for (let port = 1; port <= 600; port++) tickets.put({ ...PLACE, port }, port);
  assert.equal(tickets.take({ ...PLACE, port: 100 }), undefined);
  assert.equal(tickets.take({ ...PLACE, port: 101 }), 101);
});

const made = await certificates();
const NONE = "ab".repeat(32);

// One delivery leaves a ticket, another one with the same tickets follows.
const ROWS: {
  name: string;
  tls: "encrypt" | "verify" | "dane-only";
  /** Whether the second one has TLSA records that fit. */
  isRight?: boolean;
  /** Undefined where the server hears too little to tell. */
  isResumed?: boolean;
  /** True if a whole handshake follows a session that was taken up. */
  isAnew?: boolean;
  said: string;
}[] = [
  {
    name: "takes a session up again",
    tls: "encrypt",
    isResumed: true,
    said: "delivered 250 2.0.0",
  },
  {
    name: "judges by TLSA what it takes up",
    tls: "dane-only",
    isRight: true,
    isResumed: true,
    said: "delivered 250 2.0.0",
  },
  {
    name: "shakes hands anew where TLSA records forbid what it took up",
    tls: "dane-only",
    isRight: false,
    isResumed: true,
    isAnew: true,
    said: "temporary 451 4.7.5",
  },
  {
    name: "takes nothing up where an authority must vouch",
    tls: "verify",
    isResumed: false,
    said: "temporary 451 4.7.5",
  },
];

for (const { name, tls, isRight, isResumed, isAnew, said } of ROWS) {
  Deno.test({
    name: `deliver() ${name}`,
    ignore: made === undefined,
    async fn() {
      const tickets: NonNullable<Options["tickets"]> = new Tickets();
      const reused: boolean[] = [];
      await withServer(async (visit) => {
        visit.say("220 fake.test\r\n");
        await visit.line();
        visit.say("250-fake.test\r\n250 STARTTLS\r\n");
        await visit.line();
        reused.push(await visit.startTls(made!.good.context, "220 go\r\n"));
        await behave(visit, { greeting: "MUTE" });
      }, async ({ port }) => {
        const deliver = (
          profile: typeof tls,
          data?: string,
        ) =>
          run(port, {
            tickets,
            nextHop: { kind: "mx", domain: "x.test" },
            mxSecurity: "secure",
            hosts: [{
              name: "mx.x.test",
              preference: 1,
              addresses: ["127.0.0.1"],
              security: "secure",
              nameSecurity: "secure",
              canonical: "mx.x.test",
            }],
            part: { tls: profile, port },
            tlsa: () => {
              const right = daneEe(made!.good.x509);
              const record = { ...right, data: data ?? right.data };
              return Promise.resolve({
                kind: "answered",
                answer: { records: [record] },
              });
            },
          });
        const first = await deliver(tls === "verify" ? "encrypt" : tls);
        assert.equal(first.said, "delivered 250 2.0.0");
        const second = await deliver(tls, isRight === false ? NONE : undefined);
        assert.equal(second.said, said, second.attempt!.transcript.join("\n"));
      });
      if (isResumed !== undefined) {
        const whole = isAnew === true ? [false] : [];
        assert.deepEqual(reused, [false, isResumed, ...whole]);
      }
    },
  });
}
