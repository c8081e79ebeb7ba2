import assert from "node:assert/strict";
import { HeaderRepair } from "./header_repair.ts";

const FACTS = {
  date: "Fri, 21 Nov 2025 02:10:05 +0000",
  messageId: "01KAJ2V7Z0ABCDEF@mx.home.test",
  from: "me@home.test",
};
const DATE = `Date: ${FACTS.date}\r\n`;
const FROM = "From: <me@home.test>\r\n";
const ID = `Message-ID: <${FACTS.messageId}>\r\n`;
const ALL = DATE + FROM + ID;
/** A block that lacks nothing. */
const WHOLE = "Date: x\r\nFrom: <a@b>\r\nMessage-Id: <1@b>\r\n";

/** Repairs octets that come in the given pieces. */
function repaired(pieces: readonly Uint8Array[]): string {
  let all = "";
  const repair = new HeaderRepair(FACTS, (piece) => {
    all += Buffer.from(piece).toString("latin1");
  });
  for (const piece of pieces) repair.push(piece);
  repair.end();
  return all;
}

const REPAIRS: { name: string; message: string; want: string }[] = [
  { name: "a whole header block", message: `${WHOLE}\r\nhi\r\n`, want: "=" },
  {
    name: "a block that lacks all three",
    message: "Subject: x\r\n\r\nhi\r\n",
    want: `Subject: x\r\n${ALL}\r\nhi\r\n`,
  },
  {
    name: "a block that lacks one",
    message: "DATE: x\r\nmessage-id: <1@b>\r\n\r\n",
    want: `DATE: x\r\nmessage-id: <1@b>\r\n${FROM}\r\n`,
  },
  {
    name: "needed fields that are empty, or have white space before the colon",
    message: "Date:\r\nFrom \t: a@b\r\nMessage-ID:\r\n\r\n",
    want: "=",
  },
  {
    name: "names that only begin or end like a needed one",
    message: "Dates: x\r\nX-From: y\r\nMessage-IDs: z\r\nDat: x\r\n\r\n",
    want: `Dates: x\r\nX-From: y\r\nMessage-IDs: z\r\nDat: x\r\n${ALL}\r\n`,
  },
  {
    name: "needed fields that stand in the body or in a folded line",
    message: "A: b\r\n Date: x\r\n\r\nFrom: a@b\r\nMessage-ID: <x@y>\r\n",
    want: `A: b\r\n Date: x\r\n${ALL}\r\nFrom: a@b\r\nMessage-ID: <x@y>\r\n`,
  },
  {
    name: "a Bcc",
    message: `${WHOLE}Bcc: you@home.test\r\nTo: z@b\r\n\r\nBcc: stays\r\n`,
    want: `${WHOLE}To: z@b\r\n\r\nBcc: stays\r\n`,
  },
  {
    name: "a Bcc below the first line of a mailbox file",
    message: `From me Fri Nov 21\r\nBcc: a@b\r\n${WHOLE}\r\nFrom x\r\n`,
    want: `X-Mailbox-Line: From me Fri Nov 21\r\n${WHOLE}\r\nFrom x\r\n`,
  },
  {
    name: "a Bcc below the quoted first line of a mailbox file",
    message: `>From me\r\nBcc: a@b\r\n${WHOLE}\r\nhi\r\n`,
    want: `X-Mailbox-Line: >From me\r\n${WHOLE}\r\nhi\r\n`,
  },
  {
    name: "a first line that only begins like that of a mailbox file",
    message: "Frome me\r\nhi\r\n",
    want: `${ALL}\r\nFrome me\r\nhi\r\n`,
  },
  {
    name: "a Bcc that goes on for lines, and is the first field",
    message: `BCC: a@b,\r\n c@d,\r\n\te@f\r\n \r\n${WHOLE}\r\nhi\r\n`,
    want: `${WHOLE}\r\nhi\r\n`,
  },
  {
    name: "several of Bcc and Resent-Bcc, side by side and at the end",
    message:
      `bcc: a@b\r\nBcc : c@d\r\n${WHOLE}X: y\r\n z\r\nResent-Bcc: e@f\r\n g\r\nBcc:\r\n\r\n`,
    want: `${WHOLE}X: y\r\n z\r\n\r\n`,
  },
  {
    name: "names that look like Bcc",
    message: `${WHOLE}Bccc: a\r\nXBcc: b\r\nResent-Bcc-X: c\r\nBc: d\r\n\r\n`,
    want: "=",
  },
  {
    name: "a Bcc and nothing else",
    message: "Bcc: a@b\r\n c@d\r\n",
    want: ALL,
  },
  {
    name: "a message without any header block",
    message: "Hello,\r\n\r\nBcc: is my friend\r\n",
    want: `${ALL}\r\nHello,\r\n\r\nBcc: is my friend\r\n`,
  },
  {
    name: "a first line with a space before its colon's word",
    message: "see you at 10:30\r\nDate: x\r\n",
    want: `${ALL}\r\nsee you at 10:30\r\nDate: x\r\n`,
  },
  {
    name: "a first line that is folded",
    message: " Date: x\r\n\r\n",
    want: `${ALL}\r\n Date: x\r\n\r\n`,
  },
  {
    name: "a first line that begins with a colon",
    message: ": x\r\n",
    want: `${ALL}\r\n: x\r\n`,
  },
  {
    name: "a first line that is 8-bit",
    message: "Gr\xc3\xbc\xc3\x9fe: x\r\n",
    want: `${ALL}\r\nGr\xc3\xbc\xc3\x9fe: x\r\n`,
  },
  {
    name: "an empty header block",
    message: "\r\nDate: x\r\n",
    want: `${ALL}\r\nDate: x\r\n`,
  },
  { name: "an empty message", message: "", want: `${ALL}\r\n` },
  {
    name: "a header block that is the whole message",
    message: "Subject: x\r\n",
    want: `Subject: x\r\n${ALL}`,
  },
  {
    name: "a header block that ends in the midst of a line (BDAT)",
    message: "Subject: x",
    want: `Subject: x\r\n${ALL}`,
  },
  {
    name: "a header block that ends in the midst of a name (BDAT)",
    message: "Bcc: x\r\nSub",
    want: `Sub\r\n${ALL}`,
  },
  {
    name: "a line that is no field, and a Bcc behind it",
    message: `${WHOLE}this is no field\r\nBcc: a@b\r\n\r\nhi\r\n`,
    want: `${WHOLE}this is no field\r\n\r\nhi\r\n`,
  },
  {
    name: "8-bit octets in names and values",
    message:
      `${WHOLE}Subject: \xe4\xff\r\nBc\xe7: x\r\nBcc: \xe4@b\r\n\r\n\xff`,
    want: `${WHOLE}Subject: \xe4\xff\r\nBc\xe7: x\r\n\r\n\xff`,
  },
  {
    name: "a CR that begins a line and is alone",
    message: `${WHOLE}\rBcc: x\r\nBcc: y\r\n\r\n`,
    want: `${WHOLE}\rBcc: x\r\n\r\n`,
  },
];

for (const { name, message, want } of REPAIRS) {
  Deno.test(`HeaderRepair mends ${name}, wherever TCP cuts it`, () => {
    const bytes = Buffer.from(message, "latin1");
    const result = want === "=" ? message : want;
    assert.equal(repaired([...bytes].map((one) => Uint8Array.of(one))), result);
    for (let a = 0; a <= bytes.length; a++) {
      for (let b = a; b <= bytes.length; b++) {
        const pieces = [bytes.subarray(0, a), bytes.subarray(a, b)];
        const got = repaired([...pieces, bytes.subarray(b)]);
        assert.equal(got, result, `cut at octets ${a} and ${b}`);
      }
    }
  });
}

Deno.test("HeaderRepair takes no name for a field's that fills a line", () => {
  const longest = "x".repeat(998);
  const field = Buffer.from(`${longest}: y\r\n\r\n`);
  assert.equal(repaired([field]), `${longest}: y\r\n${ALL}\r\n`);
  const junk = Buffer.from(`${longest}x: y\r\n\r\n`);
  assert.equal(repaired([junk]), `${ALL}\r\n${longest}x: y\r\n\r\n`);
});

Deno.test("HeaderRepair passes a body on uncopied, piece by piece", () => {
  const got: Uint8Array[] = [];
  const repair = new HeaderRepair(FACTS, (piece) => got.push(piece));
  repair.push(Buffer.from(`${WHOLE}\r\n`));
  got.length = 0;
  const piece = new Uint8Array(65_536).fill(0x61);
  for (let n = 0; n < 10; n++) repair.push(piece);
  repair.end();
  assert.equal(got.length, 10);
  for (const one of got) assert.equal(one.buffer, piece.buffer);
});

Deno.test("HeaderRepair cuts a long header block only where it removes", () => {
  const got: Uint8Array[] = [];
  const repair = new HeaderRepair(FACTS, (piece) => got.push(piece));
  const lines = "X-Y: z\r\n zz\r\n".repeat(5_000);
  repair.push(Buffer.from(`${lines}Bcc: a@b\r\n${lines}`));
  assert.deepEqual(got.map((one) => one.length), [lines.length, lines.length]);
});
