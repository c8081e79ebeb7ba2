import assert from "node:assert/strict";
import type { Anchor } from "./anchors.ts";
import { follow } from "./follow.ts";
import {
  type Message,
  type Question,
  type ResourceRecord,
  TYPE,
} from "./message.ts";
import { record, response } from "./message_fixture.ts";
import { readDs } from "./rdata.ts";
import { readSignature } from "./rrsig.ts";
import {
  dsFor,
  makeKey,
  signZone,
  tagOf,
  type ZonePlan,
} from "./signer_fixture.ts";
import { validator } from "./validate.ts";

const NOW_S = 1_800_000_000;
const ROOT_KEY = makeKey(13);
const TEST_KEY = makeKey(15);
const SOA = "300 SOA ns.test. root.test. 1 2 3 4 60";

const TEST: ZonePlan = {
  name: "test",
  nowS: NOW_S,
  keys: [TEST_KEY],
  records: [
    record(`test. ${SOA}`),
    record("test. 300 NS ns.test."),
    record("mx.test. 300 A 192.0.2.1"),
    record("alias.test. 300 CNAME mx.test."),
    record("bare.test. 300 NS ns.test."),
  ],
};

const ROOT: ZonePlan = {
  name: "",
  nowS: NOW_S,
  keys: [ROOT_KEY],
  records: [record(`. ${SOA}`), record(". 300 NS ns.test.")],
};

const ANCHORS: readonly Anchor[] = [
  { zone: "", ds: readDs(dsFor("", ROOT_KEY).data)! },
];

interface World {
  readonly root?: Partial<ZonePlan>;
  readonly test?: Partial<ZonePlan>;
  /** Names of which nothing is to be heard, with their types. */
  readonly silent?: readonly string[];
  readonly nowS?: () => number;
  /** What becomes of answers on the way. */
  readonly onWay?: (message: Message) => Message;
}

/** Serves two zones from memory, as bare as can be. */
function world(
  {
    root = {},
    test = {},
    silent = [],
    nowS = () => NOW_S,
    onWay = (message) => message,
  }: World,
) {
  const delegation = [
    record("test. 300 NS ns.test."),
    dsFor("test", TEST_KEY),
  ];
  const all = [
    ...signZone({
      ...ROOT,
      records: [...ROOT.records, ...delegation],
      ...root,
    }),
    ...signZone({ ...TEST, ...test }),
    record("mx.bare.test. 300 A 192.0.2.9"),
  ];
  const asked: string[] = [];
  const fetch = (question: Question): Promise<Message | undefined> => {
    const what = `${question.name} ${question.type}`;
    asked.push(what);
    if (silent.includes(what)) return Promise.resolve(undefined);
    return Promise.resolve(onWay(answer(all, question)));
  };
  const validates = validator({ anchors: ANCHORS, fetch, nowS });
  return {
    asked,
    lookUp: (name: string, type: number) =>
      follow({ validator: validates, fetch }, { name, type }),
  };
}

function answer(all: readonly ResourceRecord[], question: Question): Message {
  const { name, type } = question;
  const ofType = (wanted: number) =>
    all.filter((one) =>
      one.name === name &&
      (one.type === wanted ||
        (one.type === TYPE.RRSIG &&
          readSignature(one.data)?.covered === wanted))
    );
  const found = ofType(type);
  const alias = ofType(TYPE.CNAME);
  if (found.length > 0) return { ...response({ question }), answer: found };
  if (alias.length > 0) return { ...response({ question }), answer: alias };
  // Every name's own NSEC and the SOA of `test`: enough for what is asked here.
  const authority = all.filter((one) =>
    [one.type, readSignature(one.data)?.covered].some((kind) =>
      (kind === TYPE.NSEC && one.name === name) ||
      (kind === TYPE.SOA && one.name === "test")
    )
  );
  return { ...response({ question }), authority };
}

const { A, TXT, MX, DNSKEY, DS } = TYPE;

Deno.test("validator() tells the chain from the anchor to a record", async () => {
  const found = await world({}).lookUp("mx.test", A);
  assert.equal(found.security, "secure");
  assert.equal(found.why, "");
  const root = tagOf(ROOT_KEY.data);
  const test = tagOf(TEST_KEY.data);
  assert.deepEqual(found.proof, [
    `. DNSKEY ${root} is a trust anchor`,
    `test DS ${test} signed by . key ${root}`,
    `test DNSKEY ${test} matches its DS and signs the zone's keys`,
    `mx.test A signed by test key ${test}`,
  ]);
  assert.equal(found.untilS, NOW_S + 300);
});

Deno.test("validator() tells of each step of an alias", async () => {
  const found = await world({}).lookUp("alias.test", A);
  assert.equal(found.security, "secure");
  assert.equal(found.canonical, "mx.test");
  assert.equal(found.proof.length, 5);
});

Deno.test("validator() tells what proves that there is nothing", async () => {
  const found = await world({}).lookUp("mx.test", TXT);
  assert.deepEqual(found.finding, { kind: "no-data" });
  assert.equal(found.proof.at(-1), "mx.test TXT proven absent by NSEC of test");
  assert.equal(found.untilS, NOW_S + 60);
});

const WAYS: { name: string; onWay: (message: Message) => Message }[] = [
  {
    name: "without its SOA",
    onWay: (message) => ({
      ...message,
      authority: message.authority.filter((one) =>
        one.type !== TYPE.SOA &&
        readSignature(one.data)?.covered !== TYPE.SOA
      ),
    }),
  },
  {
    name: "with junk beside it",
    onWay: (message) => ({
      ...message,
      answer: [...message.answer, record("x.other. 60 A 192.0.2.66")],
    }),
  },
];
for (const { name, onWay } of WAYS) {
  Deno.test(`validator() takes a proven no ${name} for one`, async () => {
    const found = await world({ onWay }).lookUp("mx.test", TXT);
    assert.equal(found.security, "secure");
    assert.deepEqual(found.finding, { kind: "no-data" });
  });
}

Deno.test("validator() tells that a zone is not signed", async () => {
  const found = await world({}).lookUp("mx.bare.test", A);
  assert.equal(found.security, "insecure");
  assert.equal(found.finding.kind, "records");
  assert.equal(found.why, "bare.test has no DS in test");
  assert.equal(
    found.proof.at(-1),
    "bare.test DS proven absent by NSEC of test",
  );
});

const expired: ZonePlan["tweak"] = (fields) =>
  fields.covered === A
    ? { ...fields, expirationS: NOW_S - 2 * 86_400 }
    : fields;

const FAULTS: {
  name: string;
  world: World;
  ask?: readonly [string, number];
  want: [string, string];
}[] = [
  {
    name: "an expired signature",
    world: { test: { tweak: expired } },
    want: ["bogus", "the signature of mx.test A expired 2027-01-13"],
  },
  {
    name: "no signature",
    world: {
      test: { tweak: (fields) => fields.covered === A ? undefined : fields },
    },
    want: ["bogus", "mx.test A has no signature"],
  },
  {
    name: "a key that the parent does not vouch for",
    world: { test: { keys: [makeKey(15)] } },
    want: ["bogus", "no test DNSKEY matches its DS"],
  },
  {
    name: "a root that is another one",
    world: { root: { keys: [makeKey(13)] } },
    want: ["bogus", "no . DNSKEY matches its DS"],
  },
  {
    name: "no answer about DS",
    world: { silent: [`test ${DS}`] },
    want: ["indeterminate", "no answer for test DS"],
  },
  {
    name: "no answer about keys",
    world: { silent: [`test ${DNSKEY}`] },
    want: ["indeterminate", "no answer for test DNSKEY"],
  },
  {
    name: "no answer at all",
    world: { silent: [`mx.test ${A}`] },
    want: ["indeterminate", "no answer for mx.test"],
  },
  {
    name: "a denial that proves nothing",
    world: {},
    ask: ["nowhere.test", MX],
    want: ["bogus", "nothing proves that nowhere.test has no DS"],
  },
];

for (const { name, world: given, ask, want } of FAULTS) {
  Deno.test(`validator() says in words what is wrong: ${name}`, async () => {
    const [asked, type] = ask ?? ["mx.test", A];
    const found = await world(given).lookUp(asked, type);
    assert.equal(found.security, want[0]);
    assert.deepEqual(found.finding, { kind: "nothing" });
    assert.equal(found.why, want[1]);
  });
}

Deno.test("validator() has no opinion where no anchor is", async () => {
  const fetch = () => Promise.resolve(undefined);
  const validates = validator({ anchors: [], fetch, nowS: () => NOW_S });
  const message = response({ answer: ["mx.test. 1 A 192.0.2.1"] });
  const got = await validates.judge({ name: "mx.test", type: A }, message);
  assert.equal(got.security, "indeterminate");
  assert.equal(got.why, "no trust anchor is above mx.test");
});

Deno.test("validator() asks once for what it needs, until that runs out", async () => {
  let nowS = NOW_S;
  const { lookUp, asked } = world({ nowS: () => nowS });
  await Promise.all([lookUp("mx.test", A), lookUp("alias.test", A)]);
  await lookUp("mx.test", A);
  const count = (what: string) => asked.filter((one) => one === what).length;
  for (const what of [` ${DNSKEY}`, `test ${DS}`, `test ${DNSKEY}`]) {
    assert.equal(count(what), 1, what);
  }
  nowS += 301;
  await lookUp("mx.test", A);
  assert.equal(count(`test ${DS}`), 2);
});

Deno.test("validator() looks at a broken zone again after half a minute", async () => {
  let nowS = NOW_S;
  const { lookUp, asked } = world({
    test: { keys: [makeKey(15)] },
    nowS: () => nowS,
  });
  await lookUp("mx.test", A);
  await lookUp("mx.test", A);
  const count = () => asked.filter((one) => one === `test ${DNSKEY}`).length;
  assert.equal(count(), 1);
  nowS += 31;
  await lookUp("mx.test", A);
  assert.equal(count(), 2);
});

Deno.test("validator() forgets zones by what they weigh", async () => {
  // A hundred keys of four kilobits: what one DNSKEY message holds.
  const heavy = Array.from({ length: 99 }, (_, n): ResourceRecord => {
    const data = new Uint8Array(520).fill(0xc3);
    data.set([1, 0, 3, 8, 3, 1, 0, 1, 0xc3, n]);
    return { name: "", type: DNSKEY, ttl: 300, data };
  });
  const names = Array.from({ length: 100 }, (_, n) => `z${n}`);
  const zones = new Map(names.map((name) => [
    name,
    signZone({
      ...TEST,
      name,
      records: [
        ...heavy.map((one) => ({ ...one, name })),
        record(`${name}. ${SOA}`),
        record(`${name}. 300 A 192.0.2.1`),
      ],
    }),
  ]));
  const root = signZone({
    ...ROOT,
    records: [...ROOT.records, ...names.map((name) => dsFor(name, TEST_KEY))],
  });
  const asked: string[] = [];
  const fetch = ({ name, type }: Question): Promise<Message> => {
    asked.push(`${name} ${type}`);
    const from = type === DS || name === "" ? root : zones.get(name)!;
    const answer = from.filter((one) =>
      one.name === name &&
      (one.type === type ||
        (one.type === TYPE.RRSIG && readSignature(one.data)?.covered === type))
    );
    return Promise.resolve({
      ...response({ question: { name, type } }),
      answer,
    });
  };
  const { judge } = validator({ anchors: ANCHORS, fetch, nowS: () => NOW_S });
  const isSecure = async (name: string) => {
    const question = { name, type: A };
    return (await judge(question, await fetch(question))).security === "secure";
  };
  for (const name of names) assert.ok(await isSecure(name));
  const count = (name: string) =>
    asked.filter((one) => one === `${name} ${DNSKEY}`).length;
  assert.ok(await isSecure("z99") && await isSecure("z0"));
  assert.deepEqual([count("z99"), count("z0")], [1, 2]);
});
