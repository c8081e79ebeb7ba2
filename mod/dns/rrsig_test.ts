import assert from "node:assert/strict";
import { Budget } from "./budget.ts";
import { readKey } from "./keys.ts";
import { type ResourceRecord, TYPE } from "./message.ts";
import { record } from "./message_fixture.ts";
import { type Checks, pickRrset, verifyRrset } from "./rrsig.ts";
import {
  makeKey,
  type SignatureFields,
  signatureOf,
} from "./signer_fixture.ts";

const NOW_S = 1_800_000_000;
const DAY_S = 86_400;
const HOUR_S = 3_600;
const MAKER = makeKey(13);
const KEY = readKey({
  name: "test",
  type: TYPE.DNSKEY,
  ttl: 1,
  data: MAKER.data,
})!;
const RECORD = record("mx.test. 300 A 192.0.2.1");

function fields(over: Partial<SignatureFields>): SignatureFields {
  return {
    owner: "mx.test",
    covered: TYPE.A,
    labels: 2,
    originalTtl: 300,
    inceptionS: NOW_S - DAY_S,
    expirationS: NOW_S + DAY_S,
    signer: "test",
    key: MAKER,
    ...over,
  };
}

function checks(over: Partial<Checks> = {}): Checks {
  return {
    by: { zone: "test", keys: [KEY] },
    nowS: NOW_S,
    budget: new Budget(),
    ...over,
  };
}

function verify(section: readonly ResourceRecord[], given = checks()) {
  const rrset = pickRrset(section, { name: RECORD.name, type: TYPE.A })!;
  return verifyRrset(rrset, given);
}

// RFC 4034 §3.1.5, RFC 1982: seconds are compared around the end of 32 bits.
const TIMES: {
  name: string;
  nowS: number;
  inceptionS: number;
  expirationS: number;
  want: string;
}[] = [
  {
    name: "within",
    nowS: 1_000,
    inceptionS: 999,
    expirationS: 1_001,
    want: "",
  },
  {
    name: "at both ends",
    nowS: 1_000,
    inceptionS: 1_000,
    expirationS: 1_000,
    want: "",
  },
  {
    name: "late by a tenth of its life",
    nowS: NOW_S,
    inceptionS: NOW_S - 11 * HOUR_S * 2,
    expirationS: NOW_S - 2 * HOUR_S,
    want: "",
  },
  {
    name: "later than a tenth of its life",
    nowS: NOW_S,
    inceptionS: NOW_S - 11 * HOUR_S * 2,
    expirationS: NOW_S - 2 * HOUR_S - 10,
    want: "the signature of mx.test A expired 2027-01-15",
  },
  {
    name: "early by an hour, however short its life",
    nowS: NOW_S,
    inceptionS: NOW_S + HOUR_S,
    expirationS: NOW_S + HOUR_S + 1,
    want: "",
  },
  {
    name: "early by more than an hour",
    nowS: NOW_S,
    inceptionS: NOW_S + HOUR_S + 1,
    expirationS: NOW_S + 2 * HOUR_S,
    want: "the signature of mx.test A is not valid before 2027-01-15",
  },
  {
    name: "late by a day, after a long life",
    nowS: NOW_S,
    inceptionS: NOW_S - 100 * DAY_S,
    expirationS: NOW_S - DAY_S,
    want: "",
  },
  {
    name: "late by more than a day, after a long life",
    nowS: NOW_S,
    inceptionS: NOW_S - 100 * DAY_S,
    expirationS: NOW_S - DAY_S - 1,
    want: "the signature of mx.test A expired 2027-01-14",
  },
  {
    name: "over the end of 32 bits",
    nowS: 2 ** 32 - 5,
    inceptionS: 2 ** 32 - 10,
    expirationS: 5,
    want: "",
  },
  {
    name: "over the end of 32 bits, now behind it",
    nowS: 2 ** 32 + 5,
    inceptionS: 2 ** 32 - 10,
    expirationS: 10,
    want: "",
  },
  {
    name: "expired, and the next begins behind the end of 32 bits",
    nowS: 2 ** 32 + 5_000,
    inceptionS: 2 ** 32 - 10,
    expirationS: 10,
    want: "the signature of mx.test A expired 2106-02-07",
  },
];

for (const { name, nowS, inceptionS, expirationS, want } of TIMES) {
  Deno.test(`verifyRrset() looks at times: ${name}`, () => {
    const signature = signatureOf(
      [RECORD],
      fields({ inceptionS, expirationS }),
    );
    const got = verify([RECORD, signature], checks({ nowS }));
    assert.equal(got.ok ? "" : got.why, want);
  });
}

Deno.test("verifyRrset() cuts the TTL to the original one and to the end", () => {
  const long = { ...RECORD, ttl: 9_000 };
  const ttl = (section: ResourceRecord[]) => {
    const got = verify(section);
    return got.ok ? [got.ttl, got.untilS - NOW_S] : got.why;
  };
  assert.deepEqual(ttl([long, signatureOf([RECORD], fields({}))]), [300, 300]);
  const short = signatureOf([RECORD], fields({ expirationS: NOW_S + 20 }));
  assert.deepEqual(ttl([long, short]), [20, 20]);
  const low = { ...RECORD, ttl: 3 };
  assert.deepEqual(ttl([low, signatureOf([RECORD], fields({}))]), [3, 3]);
});

Deno.test("verifyRrset() says which wildcard records were made from", () => {
  const signature = signatureOf([RECORD], fields({ labels: 1 }));
  const got = verify([RECORD, signature]);
  assert.equal(got.ok && got.encloser, "test");
});

Deno.test("verifyRrset() takes an asterisk's own records for what they are", () => {
  const star = record("*.test. 300 A 192.0.2.1");
  const signature = signatureOf(
    [star],
    fields({ owner: "*.test", labels: 1 }),
  );
  const rrset = pickRrset([star, signature], { name: "*.test", type: TYPE.A })!;
  const got = verifyRrset(rrset, checks());
  assert.equal(got.ok && got.encloser, undefined);
});

Deno.test("verifyRrset() tries no more than eight signatures", () => {
  const good = signatureOf([RECORD], fields({}));
  const wrong = { ...good, data: good.data.with(-1, good.data.at(-1)! ^ 1) };
  const lies = Array.from({ length: 8 }, () => wrong);
  assert.ok(verify([RECORD, ...lies.slice(1), good]).ok);
  const got = verify([RECORD, ...lies, good]);
  assert.equal(
    got.ok || got.why,
    "mx.test A has too many signatures that are wrong",
  );
});

Deno.test("verifyRrset() stops when a judgement has cost enough", () => {
  const budget = new Budget();
  const section = [RECORD, signatureOf([RECORD], fields({}))];
  let good = 0;
  while (good < 1_000 && verify(section, checks({ budget })).ok) good++;
  assert.equal(good, 16);
});
