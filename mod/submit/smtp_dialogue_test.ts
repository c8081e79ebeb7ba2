import assert from "node:assert/strict";
import { Dialogue } from "./smtp_dialogue.ts";

interface Sent {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly content: string;
}

function play(input: string, cut = input.length, fails = false) {
  const replies: string[] = [];
  const sent: Sent[] = [];
  let aborted = 0;
  const dialogue = new Dialogue({
    hostname: "mx.home.test",
    origin: "home.test",
    maxMessageBytes: 1_000,
    maxRecipients: 2,
    hopLimit: 3,
    reply: (lines) =>
      replies.push(
        ...lines.split("\n").map((line) => line.replace(/\r$/, "")),
      ),
    open: () => {
      if (fails) throw new Error("disk full");
      let content = "";
      return {
        get sizeBytes() {
          return content.length;
        },
        write: (octets: Uint8Array) =>
          void (content += new TextDecoder().decode(octets)),
        abort: () => void aborted++,
        content: () => content,
      } as never;
    },
    commit: (writer, envelope) => {
      const { content } = writer as unknown as { content(): string };
      sent.push({ ...envelope, content: content() });
      return "ID";
    },
  });
  const octets = new TextEncoder().encode(input);
  dialogue.push(octets.subarray(0, cut));
  dialogue.push(octets.subarray(cut));
  dialogue.end();
  return {
    codes: replies.map((one) => one.slice(0, 3)).join(" "),
    sent,
    aborted,
  };
}

const HELLO = "EHLO a\nMAIL FROM:<me>\nRCPT TO:<you@x.test>\nDATA\n";
const TO_DATA = "220 250 250 250 250 250 250 250 354";

const DIALOGUES: {
  name: string;
  input: string;
  codes: string;
  sent?: Sent[];
}[] = [
  {
    name: "takes a message, with LF or CRLF and doubled dots",
    input: `${HELLO}Subject: x\r\n\n..\n.a\n.\r\nQUIT\r\n`,
    codes: `${TO_DATA} 250 221`,
    sent: [{
      sender: "me@home.test",
      recipients: ["you@x.test"],
      content: "Subject: x\r\n\n.\na\n",
    }],
  },
  {
    name: "sends nothing that has no end",
    input: `${HELLO}x\n`,
    codes: TO_DATA,
  },
  {
    name: "wants the order of RFC 5321 §4.1.4",
    input: "MAIL FROM:<>\nHELO a\nRCPT TO:<b>\nDATA\nMAIL FROM:<>\nDATA\n",
    codes: "220 503 250 503 503 250 503",
  },
  {
    name: "refuses what it does not know",
    input: `HELO a\nXYZ\nMAIL FROM:<a@b> FOO=1\nMAIL FROM:<a@b c>\n`,
    codes: "220 250 500 555 501",
  },
  {
    name: "refuses a line that is too long, and goes on",
    input: `${"x".repeat(5_000)}\nNOOP\n`,
    codes: "220 500 250",
  },
  {
    name: "counts recipients",
    input: "HELO a\nMAIL FROM:<>\n" + "RCPT TO:<b>\n".repeat(3),
    codes: "220 250 250 250 250 452",
  },
  {
    name: "refuses a message that is too large, at its end",
    input: `${HELLO}${"x".repeat(9_000)}\n.\nNOOP\n`,
    codes: `${TO_DATA} 552 250`,
  },
  {
    name: "refuses a message that goes in circles",
    input: `${HELLO}${"Received: x\n".repeat(4)}.\n`,
    codes: `${TO_DATA} 554`,
  },
  {
    name: "says nothing after QUIT",
    input: "QUIT\nNOOP\n",
    codes: "220 221",
  },
];

for (const { name, input, codes, sent = [] } of DIALOGUES) {
  Deno.test(`Dialogue ${name}, wherever it is cut`, () => {
    const step = Math.max(1, Math.floor(input.length / 200));
    for (let cut = 0; cut <= input.length; cut += step) {
      const got = play(input, cut);
      assert.equal(got.codes, codes, `at ${cut}`);
      assert.deepEqual(got.sent, sent);
    }
  });
}

Deno.test("Dialogue says 452 when nothing can be written", () => {
  assert.equal(play(HELLO, 0, true).codes, TO_DATA.replace("354", "452"));
});
