import assert from "node:assert/strict";
import { encodeQuestion, type Question, readAbsence, TYPE } from "./wire.ts";

const QUESTION: Question = { id: 0x1234, name: "d.example", type: "MX" };

/** Builds an answer; records are [type] with a root owner and empty data. */
function answer(options: {
  id?: number;
  flags?: number;
  name?: string;
  answers?: number[];
  authority?: number[];
}): Uint8Array {
  const query = encodeQuestion({
    ...QUESTION,
    name: options.name ?? QUESTION.name,
  });
  const record = (type: number) => [0, 0, type, 0, 1, 0, 0, 0, 60, 0, 0];
  const answers = options.answers ?? [];
  const authority = options.authority ?? [];
  const bytes = Uint8Array.from([
    ...query,
    ...answers.flatMap(record),
    ...authority.flatMap(record),
  ]);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, options.id ?? QUESTION.id);
  view.setUint16(2, options.flags ?? 0x8180);
  view.setUint16(6, answers.length);
  view.setUint16(8, authority.length);
  return bytes;
}

const SOA = 6, NS = 2, CNAME = 5;
const READINGS: { name: string; message: Uint8Array; want: string }[] = [
  {
    name: "NXDOMAIN",
    message: answer({ flags: 0x8183, authority: [SOA] }),
    want: "no-name",
  },
  { name: "NODATA", message: answer({ authority: [SOA] }), want: "no-data" },
  {
    name: "NODATA behind a CNAME",
    message: answer({ answers: [CNAME], authority: [SOA] }),
    want: "no-data",
  },
  {
    name: "the question in another case",
    message: answer({ name: "D.EXAMPLE", authority: [SOA] }),
    want: "no-data",
  },
  {
    name: "SERVFAIL",
    message: answer({ flags: 0x8182, authority: [SOA] }),
    want: "unclear",
  },
  {
    name: "REFUSED",
    message: answer({ flags: 0x8185 }),
    want: "unclear",
  },
  {
    name: "a referral", // RFC 2308 §2.2
    message: answer({ authority: [NS] }),
    want: "unclear",
  },
  {
    name: "half a CNAME chain",
    message: answer({ answers: [CNAME] }),
    want: "unclear",
  },
  {
    name: "an answer that has the record",
    message: answer({ answers: [TYPE.MX], authority: [SOA] }),
    want: "unclear",
  },
  {
    name: "a truncated answer",
    message: answer({ flags: 0x8380, authority: [SOA] }),
    want: "unclear",
  },
  {
    name: "a question instead of an answer",
    message: answer({ flags: 0x0103, authority: [SOA] }),
    want: "unclear",
  },
  {
    name: "another id",
    message: answer({ id: 1, flags: 0x8183 }),
    want: "unclear",
  },
  {
    name: "another name",
    message: answer({ name: "e.example", flags: 0x8183 }),
    want: "unclear",
  },
];

for (const { name, message, want } of READINGS) {
  Deno.test(`readAbsence() reads ${name} as ${want}`, () => {
    assert.equal(readAbsence(message, QUESTION), want);
  });
}

Deno.test("readAbsence() proves nothing from a message cut anywhere", () => {
  const whole = answer({ answers: [CNAME], authority: [SOA] });
  for (let cut = 0; cut < whole.length; cut++) {
    assert.equal(readAbsence(whole.subarray(0, cut), QUESTION), "unclear");
  }
});

Deno.test("readAbsence() survives every change of one octet", () => {
  const whole = answer({ answers: [CNAME], authority: [SOA] });
  for (let at = 0; at < whole.length; at++) {
    for (const octet of [0, 0x3f, 0x40, 0xc0, 0xff]) {
      const bent = whole.slice();
      bent[at] = octet;
      readAbsence(bent, QUESTION); // must neither throw nor loop
    }
  }
});
