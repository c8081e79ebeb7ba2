import assert from "node:assert/strict";
import { automatic } from "./automatic.ts";
import type { Ask, Exchange, Exchanged } from "./exchange_io.ts";
import { forwarding } from "./forward.ts";
import { type Question, TYPE } from "./message.ts";
import { FakeTime } from "./fake_time_fixture.ts";
import { response } from "./message_fixture.ts";
import { ServerMemory } from "./server_memory.ts";
import type { Sourced } from "./source.ts";

const A = { name: "a.test", type: TYPE.A };
type Said = Parameters<typeof response>[0] | "silent" | "broken";
const GOOD: Said = { answer: ["a.test. 60 A 1.2.3.4"] };

function forward(
  servers: Record<string, Said>,
  { trusted = [] as string[], withinMs = 10_000 } = {},
) {
  const asked: string[] = [];
  const asks: Ask[] = [];
  const memory = new ServerMemory();
  const exchange: Exchange = (server, ask) => {
    asked.push(server.address);
    asks.push(ask);
    const said = servers[server.address]!;
    if (said === "silent") memory.silent(server, performance.now());
    const got: Exchanged = said === "silent"
      ? { kind: "silent" }
      : said === "broken"
      ? { kind: "broken", fault: "too-many-records" }
      : {
        kind: "message",
        message: response({ question: ask.question, ...said }),
      };
    return Promise.resolve(got);
  };
  const source = forwarding({
    servers: Object.keys(servers).map((address) => ({ address, port: 53 })),
    trusted: new Set(trusted),
    exchange,
    memory,
    withinMs,
  });
  return { asked, asks, ask: () => source(A) };
}

const ROWS: {
  name: string;
  servers: Record<string, Said>;
  asked: string;
  want: string;
}[] = [
  {
    name: "the first that answers",
    servers: { one: GOOD, two: "silent" },
    asked: "one",
    want: "message",
  },
  {
    name: "the second when the first is silent",
    servers: { one: "silent", two: GOOD },
    asked: "one two",
    want: "message",
  },
  {
    name: "the second when the first fails",
    servers: { one: { rcode: 2 }, two: GOOD },
    asked: "one two",
    want: "message",
  },
  {
    name: "the second when the first refuses",
    servers: { one: { rcode: 5 }, two: GOOD },
    asked: "one two",
    want: "message",
  },
  {
    name: "the second when the first sends rubbish",
    servers: { one: "broken", two: GOOD },
    asked: "one two",
    want: "message",
  },
  {
    name: "the second when the first says no without a SOA",
    servers: { one: { rcode: 3 }, two: GOOD },
    asked: "one two",
    want: "message",
  },
  {
    name: "the second when the first answers another question",
    servers: {
      one: { question: { name: "x.test", type: 1 }, ...GOOD },
      two: GOOD,
    },
    asked: "one two",
    want: "message",
  },
  {
    name: "for a better no than the first's, the second",
    servers: { one: { rcode: 3 }, two: "silent" },
    asked: "one two",
    want: "message",
  },
  {
    name: "nobody twice who has failed",
    servers: { one: { rcode: 2 }, two: { rcode: 5 } },
    asked: "one two",
    want: "REFUSED",
  },
  {
    name: "the silent three times",
    servers: { one: "silent", two: { rcode: 2 } },
    asked: "one two one one",
    want: "SERVFAIL",
  },
  {
    name: "for a no with the SOA of another zone, the second",
    servers: {
      one: { rcode: 3, authority: ["other. 60 SOA a. b. 1 2 3 4 5"] },
      two: GOOD,
    },
    asked: "one two",
    want: "message",
  },
];

for (const { name, servers, asked, want } of ROWS) {
  Deno.test(`forwarding() asks ${name}`, async () => {
    const over = forward(servers);
    const got = await over.ask();
    assert.equal(got.kind === "message" ? "message" : got.status, want);
    assert.equal(over.asked.join(" "), asked);
  });
}

Deno.test("forwarding() asks a silent server last for a while", async () => {
  const over = forward({ one: "silent", two: GOOD });
  await over.ask();
  await over.ask();
  assert.equal(over.asked.join(" "), "one two two");
});

Deno.test("forwarding() asks with DO and CD, and those it trusts for their verdict", async () => {
  const over = forward({ one: "silent", two: GOOD }, { trusted: ["two"] });
  const got = await over.ask();
  assert.ok(got.kind === "message" && got.isBelieved);
  const [one, two] = over.asks;
  assert.ok(one!.dnssecOk && one!.checkingDisabled && !one!.wantsVerdict);
  assert.ok(two!.dnssecOk && !two!.checkingDisabled && two!.wantsVerdict);
  assert.ok(one!.recursionDesired && two!.recursionDesired);
});

Deno.test("forwarding() shares its time among tries", async () => {
  const over = forward({ one: "silent", two: "silent" }, { withinMs: 4_000 });
  await over.ask();
  const all = over.asks.map((ask) => Math.round(ask.withinMs));
  assert.deepEqual(all, [800, 800, 2_000, 2_000, 2_000, 2_000]);
});

const DNSKEY = "DNSKEY 257 3 8 AwEA";
// 16 octets of numbers, the signer's name (the root), and no signature.
const sig = (type: number) =>
  `RRSIG \\# 19 ${type.toString(16).padStart(4, "0")}${"00".repeat(17)}`;
type Answered = Parameters<typeof response>[0] | string;
const DENIED: Answered = { authority: [`. 60 ${sig(47)}`] };
/** What a forwarder that strips nothing says of the root. */
const ROOT: Record<string, Answered> = {
  " 48": { answer: [`. 60 ${DNSKEY}`, `. 60 ${sig(48)}`] },
  "com 43": DENIED,
  " 15": DENIED,
};
const STRIPS: {
  name: string;
  question: Question;
  got: Answered;
  /** Of the root; as of a good one, unless said. */
  root?: Record<string, Answered>;
  isBelieved?: boolean;
  /** Nobody lets us walk. */
  isBlocked?: boolean;
  want: boolean;
}[] = [
  {
    name: "the root's keys with signatures",
    question: { name: "", type: TYPE.DNSKEY },
    got: { answer: [`. 60 ${DNSKEY}`, `. 60 ${sig(48)}`] },
    want: false,
  },
  {
    name: "the root's keys without",
    question: { name: "", type: TYPE.DNSKEY },
    got: { answer: [`. 60 ${DNSKEY}`] },
    want: true,
  },
  {
    name: "the root's keys without, where the root cannot be asked itself,",
    question: { name: "", type: TYPE.DNSKEY },
    got: { answer: [`. 60 ${DNSKEY}`] },
    isBlocked: true,
    want: false,
  },
  {
    name: "no keys of the root",
    question: { name: "", type: TYPE.DNSKEY },
    got: { authority: [". 60 SOA a. b. 1 2 3 4 5"] },
    want: true,
  },
  {
    name: "REFUSED for the root's keys",
    question: { name: "", type: TYPE.DNSKEY },
    got: "REFUSED",
    want: true,
  },
  {
    name: "SERVFAIL for the root's keys",
    question: { name: "", type: TYPE.DNSKEY },
    got: "SERVFAIL",
    want: false,
  },
  {
    name: "REFUSED for another zone's keys",
    question: { name: "a.test", type: TYPE.DNSKEY },
    got: "REFUSED",
    want: false,
  },
  {
    name: "a DS without a signature, which may be its zone's fault,",
    question: { name: "a.test", type: TYPE.DS },
    got: { answer: ["a.test. 60 DS 1 13 2 abcd", `a.test. 60 ${sig(48)}`] },
    want: false,
  },
  {
    name: "a DS without a signature, where the root's keys come without, too,",
    question: { name: "a.test", type: TYPE.DS },
    got: { answer: ["a.test. 60 DS 1 13 2 abcd"] },
    root: { " 48": { answer: [`. 60 ${DNSKEY}`] } },
    want: true,
  },
  {
    name: "keys without signatures, which may be their zone's fault,",
    question: { name: "a.test", type: TYPE.DNSKEY },
    got: { answer: [`a.test. 60 ${DNSKEY}`] },
    want: false,
  },
  {
    name: "NOTIMP for a DS, where that is so of any,",
    question: { name: "a.test", type: TYPE.DS },
    got: "NOTIMP",
    root: { "com 43": "NOTIMP" },
    want: true,
  },
  {
    name: "no DS without proof, where nothing of the root is proven, either,",
    question: { name: "a.test", type: TYPE.DS },
    got: { authority: ["test. 60 SOA a. b. 1 2 3 4 5"] },
    root: { " 15": { authority: [". 60 SOA a. b. 1 2 3 4 5"] } },
    want: true,
  },
  {
    name: "no DS without proof, where the root's are proven,",
    question: { name: "a.test", type: TYPE.DS },
    got: { authority: ["test. 60 SOA a. b. 1 2 3 4 5"] },
    want: false,
  },
  {
    name: "a DS with one",
    question: { name: "a.test", type: TYPE.DS },
    got: { answer: ["a.test. 60 DS 1 13 2 abcd", `a.test. 60 ${sig(43)}`] },
    want: false,
  },
  {
    name: "an address without a signature",
    question: A,
    got: { answer: ["a.test. 60 A 1.2.3.4"] },
    want: false,
  },
  {
    name: "keys without signatures of one whose verdict is believed",
    question: { name: "", type: TYPE.DNSKEY },
    got: { answer: [`. 60 ${DNSKEY}`] },
    isBelieved: true,
    want: false,
  },
];

for (
  const { name, question, got, root = {}, isBlocked, isBelieved = false, want }
    of STRIPS
) {
  Deno.test(`automatic() takes ${name} for ${want ? "" : "not "}stripped`, async () => {
    const told: string[] = [];
    const sourced = (question: Question, got: Answered): Sourced =>
      typeof got === "string" ? { kind: "failed", status: got, why: "" } : {
        kind: "message",
        message: response({ question, ...got }),
        isBelieved,
      };
    const forwarded = sourced(question, got);
    const walked: Sourced = { kind: "failed", status: "walked", why: "" };
    const forwards: Question[] = [];
    const { source } = automatic({
      forward: (asked) => {
        forwards.push(asked);
        if (asked === question || asked === A || asked === OWN) {
          return Promise.resolve(forwarded);
        }
        const key = `${asked.name} ${asked.type}`;
        const said = key === keyOf(question) ? got : { ...ROOT, ...root }[key];
        return Promise.resolve(sourced(asked, said!));
      },
      recurse: (asked) =>
        Promise.resolve(
          keyOf(asked) === " 48" && asked !== question && !isBlocked
            ? sourced(asked, ROOT[" 48"]!)
            : walked,
        ),
      unsigned: [OWN.name],
      onStrips: (seen) => told.push(seen),
    });
    assert.equal(await source(question), want ? walked : forwarded);
    const before = forwards.length;
    assert.equal(await source(A), want ? walked : forwarded);
    assert.equal(forwards.length - before, want ? 0 : 1);
    assert.equal(await source(OWN), forwarded, "never walked");
    assert.equal(told.length, want ? 1 : 0);
  });
}

const OWN = { name: "own.test", type: TYPE.MX };
const keyOf = ({ name, type }: Question) => `${name} ${type}`;

Deno.test("automatic() looks at the root when a second opinion is asked for, once a minute", async () => {
  using time = new FakeTime();
  const forwards: string[] = [];
  const told: string[] = [];
  let root = ROOT;
  const { source, second, hasSwitched } = automatic({
    forward: (asked) => {
      forwards.push(keyOf(asked));
      const said = root[keyOf(asked)];
      return Promise.resolve(
        said === undefined || typeof said === "string"
          ? { kind: "failed", status: "SERVFAIL", why: "" }
          : {
            kind: "message",
            message: response({ question: asked, ...said }),
            isBelieved: false,
          },
      );
    },
    recurse: (asked) =>
      Promise.resolve(
        keyOf(asked) === " 48"
          ? { kind: "message", message: response({}), isBelieved: false }
          : { kind: "failed", status: "walked", why: "" },
      ),
    onStrips: (seen) => told.push(seen),
  });
  await Promise.all([second(A), second(A)]);
  await second(A);
  assert.deepEqual(forwards, [" 48", "com 43", " 15"]);
  root = { ...ROOT, " 15": { authority: [] } };
  time.advance(61_000);
  assert.equal(hasSwitched(), false);
  await second(A);
  assert.deepEqual(told, [
    "the MX records of the root: said not to be there, without proof",
  ]);
  const got = await source(A);
  assert.ok(got.kind === "failed" && got.status === "walked");
});

Deno.test("automatic() walks for a second opinion only if the root answers, which it asks once a minute", async () => {
  using time = new FakeTime();
  const failed: Sourced = { kind: "failed", status: "no answer", why: "" };
  let walked: string[] = [];
  let root: Sourced = failed;
  const { second } = automatic({
    forward: (asked) =>
      Promise.resolve({
        kind: "message",
        message: response({ question: asked, ...ROOT[keyOf(asked)] as object }),
        isBelieved: false,
      }),
    recurse: (asked) => {
      walked.push(keyOf(asked));
      return Promise.resolve(root);
    },
    onStrips: () => assert.fail("strips nothing"),
  });
  assert.equal(await second(A), failed);
  assert.equal(await second(A), failed);
  assert.deepEqual(walked, [" 48"]);
  walked = [];
  root = { kind: "message", message: response({}), isBelieved: false };
  time.advance(61_000);
  assert.equal((await second(A)).kind, "message");
  assert.equal((await second(A)).kind, "message");
  assert.deepEqual(walked, [" 48", "a.test 1", "a.test 1"]);
});
