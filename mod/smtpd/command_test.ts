import { leastMs } from "../core/least_time.ts";
import assert from "node:assert/strict";
import { octetText } from "../core/international.ts";
import {
  type MessageWishes,
  NO_RECIPIENT_WISHES,
  NO_WISHES,
} from "../core/shapes.ts";
import {
  type Command,
  type MailCommand,
  parseCommand,
  type RcptCommand,
} from "./command.ts";

const mail = (
  reversePath: string,
  more: Partial<MailCommand> = {},
): MailCommand => ({
  is: "mail",
  reversePath,
  sizeBytes: undefined,
  bodyType: "7bit",
  wishes: NO_WISHES,
  names: [],
  ...more,
});
const wishing = (
  name: MailCommand["names"][number],
  wishes: Partial<MessageWishes>,
): MailCommand =>
  mail("a@b", { wishes: { ...NO_WISHES, ...wishes }, names: [name] });
const rcpt = (
  address: string,
  more: Partial<RcptCommand> = {},
): RcptCommand => ({
  is: "rcpt",
  path: { kind: "address", address },
  wishes: NO_RECIPIENT_WISHES,
  names: [],
  ...more,
});
const notify = (...words: RcptCommand["wishes"]["notify"]): RcptCommand =>
  rcpt("a@b", { wishes: { notify: words, orcpt: "" }, names: ["NOTIFY"] });
const orcpt = (address: string): RcptCommand =>
  rcpt("a@b", { wishes: { notify: [], orcpt: address }, names: ["ORCPT"] });

const COMMANDS: { line: string; want: Command }[] = [
  { line: "EHLO mx.a.test", want: { is: "ehlo", helo: "mx.a.test" } },
  { line: "ehlo  mx.a.test  ", want: { is: "ehlo", helo: "mx.a.test" } },
  { line: "HELO [127.0.0.1]", want: { is: "helo", helo: "[127.0.0.1]" } },
  { line: "EHLO [IPv6:::1]", want: { is: "ehlo", helo: "[IPv6:::1]" } },
  { line: "EHLO __proto__", want: { is: "ehlo", helo: "__proto__" } },
  { line: "MAIL FROM:<>", want: mail("") },
  { line: "mail from:<a@B>", want: mail("a@b") },
  { line: "MAIL FROM: <a@b>", want: mail("a@b") },
  {
    line: "MAIL FROM:<a@b> SIZE=10 BODY=8BITMIME",
    want: mail("a@b", {
      sizeBytes: 10,
      bodyType: "8bitmime",
      names: ["SIZE", "BODY"],
    }),
  },
  {
    line: "MAIL FROM:<a@b>  body=7bit ",
    want: mail("a@b", { names: ["BODY"] }),
  },
  {
    line: "MAIL FROM:<a@b> BODY=BinaryMIME",
    want: mail("a@b", { bodyType: "binarymime", names: ["BODY"] }),
  },
  // RFC 3461 §4.3, §4.4.
  {
    line: "MAIL FROM:<a@b> RET=hdrs",
    want: wishing("RET", { ret: "hdrs" }),
  },
  {
    line: "MAIL FROM:<a@b> RET=FULL",
    want: wishing("RET", { ret: "full" }),
  },
  {
    line: "MAIL FROM:<a@b> ENVID=QQ+2B1+20x",
    want: wishing("ENVID", { envid: "QQ+1 x" }),
  },
  {
    line: `MAIL FROM:<a@b> ENVID=${"e".repeat(100)}`,
    want: wishing("ENVID", { envid: "e".repeat(100) }),
  },
  // RFC 8689 §2, RFC 6531 §3.4, RFC 4954 §5.
  {
    line: "MAIL FROM:<a@b> requiretls",
    want: wishing("REQUIRETLS", { requireTls: true }),
  },
  {
    line: "MAIL FROM:<a@b> SMTPUTF8",
    want: wishing("SMTPUTF8", { smtpUtf8: true }),
  },
  {
    line: "MAIL FROM:<a@b> AUTH=<>",
    want: mail("a@b", { names: ["AUTH"] }),
  },
  {
    line: "MAIL FROM:<a@b> AUTH=e+3Dmc2@b",
    want: mail("a@b", { names: ["AUTH"] }),
  },
  // Postfix's VERP_README.
  {
    line: "MAIL FROM:<a@b> XVERP",
    want: wishing("XVERP", { verp: "+=" }),
  },
  {
    line: "MAIL FROM:<a@b> xverp=-=",
    want: wishing("XVERP", { verp: "-=" }),
  },
  {
    line: "MAIL FROM:<a@b> XVERP===",
    want: wishing("XVERP", { verp: "==" }),
  },
  {
    line: octetText("MAIL FROM:<ü@bücher.test> SMTPUTF8"),
    want: {
      ...wishing("SMTPUTF8", { smtpUtf8: true }),
      ...{
        reversePath: "ü@xn--bcher-kva.test",
      },
    },
  },
  { line: "RCPT TO:<o'brien@b>", want: rcpt("o'brien@b") },
  { line: "RCPT TO:<@x,@y:a@b>", want: rcpt("a@b") },
  {
    line: "RCPT TO:<Postmaster>",
    want: rcpt("", { path: { kind: "postmaster" } }),
  },
  {
    line: "RCPT TO:<${run{/bin/id}}@local>",
    want: rcpt("${run{/bin/id}}@local"),
  },
  // RFC 3461 §4.1, §4.2.
  { line: "RCPT TO:<a@b> NOTIFY=never", want: notify("never") },
  {
    line: "RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY",
    want: notify("success", "failure", "delay"),
  },
  {
    line: "RCPT TO:<a@b> ORCPT=rfc822;c+2Bd@e.test",
    want: orcpt("rfc822;c+d@e.test"),
  },
  {
    line: "RCPT TO:<a@b> ORCPT=utf-8;\\x{FC}@e.test",
    want: orcpt("utf-8;ü@e.test"),
  },
  {
    line: "RCPT TO:<a@b> NOTIFY=DELAY ORCPT=rfc822;c@d",
    want: rcpt("a@b", {
      wishes: { notify: ["delay"], orcpt: "rfc822;c@d" },
      names: ["NOTIFY", "ORCPT"],
    }),
  },
  { line: "DATA", want: { is: "data" } },
  { line: "DATA  ", want: { is: "data" } },
  { line: "NOOP with words", want: { is: "noop" } },
  { line: "VRFY me", want: { is: "vrfy" } },
  { line: "EXPN list", want: { is: "expn" } },
  { line: "HELP MAIL", want: { is: "help" } },
  { line: "STARTTLS", want: { is: "starttls" } },
  {
    line: "AUTH plain AGEAYg==",
    want: { is: "auth", mechanism: "PLAIN", initial: "AGEAYg==" },
  },
  {
    line: "AUTH SCRAM-SHA-256",
    want: { is: "auth", mechanism: "SCRAM-SHA-256", initial: undefined },
  },
  {
    line: "AUTH EXTERNAL =",
    want: { is: "auth", mechanism: "EXTERNAL", initial: "=" },
  },
  { line: "BDAT 10", want: { is: "bdat", sizeBytes: 10, last: false } },
  { line: "bdat 0 last", want: { is: "bdat", sizeBytes: 0, last: true } },
  { line: "BDAT 010 LAST  ", want: { is: "bdat", sizeBytes: 10, last: true } },
  ...[
    "",
    " ",
    " x",
    " -1",
    " 1.5",
    " 1e3",
    " 0x10",
    " LAST",
    " 10 FIRST",
    " 10 LAST LAST",
    "  10",
    " 10  LAST",
    " 10LAST",
    ` ${"9".repeat(21)}`,
  ].map((rest) => ({
    line: `BDAT${rest}`,
    want: { is: "bad-bdat" } as const,
  })),
  {
    line: "ETRN A.Test",
    want: { is: "etrn", domain: "a.test", andBelow: false },
  },
  {
    line: "ETRN @a.test",
    want: { is: "etrn", domain: "a.test", andBelow: true },
  },
  { line: "ETRN #uucp", want: { is: "etrn", domain: "", andBelow: false } },
  { line: octetText("VRFY ü SMTPUTF8"), want: { is: "vrfy" } },
  { line: "GET / HTTP/1.1", want: { is: "foreign" } },
  { line: "PROXY TCP4 1.2.3.4 5.6.7.8 1 2", want: { is: "foreign" } },
];

for (const { line, want } of COMMANDS) {
  Deno.test(`parseCommand reads ${line}`, () => {
    assert.deepEqual(parseCommand(line), want);
  });
}

const FAULTS: [
  fault: (Command & { is: "faulty" })["fault"],
  lines: string[],
][] = [
  ["unknown-command", [
    "",
    " ",
    "XYZZY",
    "__proto__",
    "constructor",
    "MAILFROM:<a@b>",
    "DATA\tx",
    "\xff\xfe",
    "NOOP\x1b",
  ]],
  ["bad-helo", [
    "EHLO",
    "HELO ",
    "EHLO a b",
    "EHLO '); DROP TABLE--",
    "EHLO a(b)",
    "EHLO [1.2.3]",
    "EHLO [x]",
    "EHLO \x1b[2J",
    "EHLO \xe9",
    `EHLO ${"x".repeat(256)}`,
    "EHLO a\tb",
    "EHLO <script>",
  ]],
  ["syntax", [
    "MAIL",
    "MAIL TO:<a@b>",
    "MAIL FROM",
    "MAIL FROM <a@b>",
    "MAIL FROM :<a@b>",
    "RCPT",
    "RCPT FROM:<a@b>",
    "VRFY",
    "VRFY  ",
    "STARTTLS now",
    "DATA x",
    "QUIT now",
    "RSET x",
    "MAIL FROM:<a@b>SIZE=1",
    "MAIL FROM:<a@b> SIZE",
    "MAIL FROM:<a@b> SIZE=",
    "MAIL FROM:<a@b> SIZE=-1",
    "MAIL FROM:<a@b> SIZE=1x",
    "MAIL FROM:<a@b> SIZE=123456789012345678901",
    "MAIL FROM:<a@b> SIZE=1 SIZE=2",
    "MAIL FROM:<a@b> BODY=BINARY",
    "MAIL FROM:<a@b> BODY",
    "MAIL FROM:<a@b> SMTPUTF8=1",
    "MAIL FROM:<a@b> SMTPUTF8=",
    "MAIL FROM:<a@b> REQUIRETLS=YES",
    "MAIL FROM:<a@b> RET=BODY",
    "MAIL FROM:<a@b> RET",
    "MAIL FROM:<a@b> ENVID=",
    "MAIL FROM:<a@b> ENVID",
    "MAIL FROM:<a@b> ENVID=a+0Ab",
    "MAIL FROM:<a@b> ENVID=a+0D+0AX",
    "MAIL FROM:<a@b> ENVID=a+",
    "MAIL FROM:<a@b> ENVID=a=b",
    "MAIL FROM:<a@b> ENVID=\xc3\xbc SMTPUTF8",
    `MAIL FROM:<a@b> ENVID=${"e".repeat(101)}`,
    "MAIL FROM:<a@b> XVERP=",
    "MAIL FROM:<a@b> XVERP=+",
    "MAIL FROM:<a@b> XVERP=+=+",
    "MAIL FROM:<a@b> XVERP=ab",
    "MAIL FROM:<a@b> XVERP XVERP",
    "MAIL FROM:<a@b> AUTH=<x+0Ay>",
    "MAIL FROM:<a@b> AUTH=",
    "RCPT TO:<a@b> ORCPT=rfc822;x+0Ainjected",
    "RCPT TO:<a@b> ORCPT=rfc822",
    "RCPT TO:<a@b> ORCPT=rfc822;",
    "RCPT TO:<a@b> ORCPT=;a@b",
    "RCPT TO:<a@b> ORCPT=utf-8;\\x{0A}",
    "RCPT TO:<a@b> ORCPT=utf-8;\\x{D800}",
    `RCPT TO:<a@b> ORCPT=rfc822;${"o".repeat(494)}`,
    "RCPT TO:<a@b> NOTIFY",
    "RCPT TO:<a@b> NOTIFY=",
    "RCPT TO:<a@b> NOTIFY=NEVER,SUCCESS",
    "RCPT TO:<a@b> NOTIFY=SUCCESS,SUCCESS",
    "RCPT TO:<a@b> NOTIFY=SUCCESS,",
    "RCPT TO:<a@b> NOTIFY=ALWAYS",
    "RCPT TO:<a@b> NOTIFY=__proto__",
    "RCPT TO:<a@b> NOTIFY=DELAY NOTIFY=DELAY",
    "ETRN",
    "ETRN ",
    "ETRN a b",
    "ETRN #',x''",
    "ETRN #",
    "ETRN @",
    "ETRN @@a.test",
    "ETRN [192.0.2.1]",
    "ETRN \xc3\xbc.test",
    "AUTH",
    "AUTH ",
    "AUTH PLAIN A B",
    "AUTH PLAIN \x80",
    "AUTH PL@IN",
    `AUTH ${"A".repeat(21)}`,
    "MAIL FROM:<a@b> =x",
    "MAIL FROM:<a@b> __proto__=1",
    "MAIL FROM:<a@b> X=\x01",
    "MAIL FROM:<a@b> X==",
    "MAIL FROM:<a@b> (x)",
    "MAIL FROM:<a@b>\tSIZE=1",
    "RCPT TO:<a@b>,<c@d>",
  ]],
  ["bad-sender", [
    "MAIL FROM:a@b",
    "MAIL FROM:",
    "MAIL FROM:<a>",
    "MAIL FROM:<postmaster>",
    "MAIL FROM:<a@b",
    "MAIL FROM:<;sleep 66;>",
    "MAIL FROM:<a'||(select 1)--@x>",
    "MAIL FROM:<a@b\x1b>",
    "MAIL FROM:<\xc0\xaf@b> SMTPUTF8",
    "MAIL FROM:<\xff@b> SMTPUTF8",
    octetText("MAIL FROM:<a\u202e@b> SMTPUTF8"),
  ]],
  ["bad-recipient", [
    "RCPT TO:<>",
    "RCPT TO:a@b",
    "RCPT TO:<a>",
    "RCPT TO:<" + "<".repeat(900),
    "RCPT TO:<.@b>",
    "RCPT TO:<../../etc/x>",
    "RCPT TO:<a@b@c>",
  ]],
  ["not-ascii", [
    "MAIL FROM:<\xc3\xa9@b>",
    "RCPT TO:<a@\xc3\xa9>",
    'MAIL FROM:<"\xc3\xa9 SMTPUTF8 "@b>',
    "RCPT TO:<\xff@b>",
    "RCPT TO:<a@b> ORCPT=utf-8;\xc3\xa9@b",
    "VRFY \xc3\xa9",
    "VRFY \xc3\xa9SMTPUTF8",
  ]],
  ["unknown-parameter", [
    "MAIL FROM:<a@b> NOTIFY=NEVER",
    "MAIL FROM:<a@b> ORCPT=rfc822;a@b",
    "MAIL FROM:<a@b> BY=120;R",
    "MAIL FROM:<a@b> X=\xc3\xbc",
    "RCPT TO:<a@b> RET=HDRS",
    "RCPT TO:<a@b> SMTPUTF8",
    "RCPT TO:<a@b> SIZE=1",
    "MAIL FROM:<a@b> constructor=1",
  ]],
];

for (const [fault, lines] of FAULTS) {
  for (const line of lines) {
    Deno.test(`parseCommand says ${fault} of ${JSON.stringify(line.slice(0, 50))}`, () => {
      const command = parseCommand(line);
      assert.deepEqual(command, { is: "faulty", fault });
    });
  }
}

Deno.test("parseCommand reads UTF-8 in RCPT once it is allowed", () => {
  const line = octetText("RCPT TO:<ü@bücher.test> ORCPT=utf-8;ä@b");
  assert.deepEqual(
    parseCommand(line, true),
    rcpt("ü@xn--bcher-kva.test", {
      wishes: { notify: [], orcpt: "utf-8;ä@b" },
      names: ["ORCPT"],
    }),
  );
  assert.deepEqual(parseCommand(line), { is: "faulty", fault: "not-ascii" });
  for (const path of ["\xc0\xaf@b", "\xff@b", octetText("a\u200b@b")]) {
    assert.deepEqual(parseCommand(`RCPT TO:<${path}>`, true), {
      is: "faulty",
      fault: "bad-recipient",
    });
  }
});

Deno.test("parseCommand takes linear time on bait", () => {
  for (
    const verb of [
      "BDAT ",
      "ETRN @",
      "ETRN #",
      "AUTH PLAIN ",
      "AUTH ",
      "MAIL FROM:<a@b> SMTPUTF8 ENVID=",
      "MAIL FROM:<a@b> AUTH=",
      "RCPT TO:<a@b> ORCPT=utf-8;",
      "RCPT TO:<a@b> NOTIFY=",
      "EHLO ",
      "MAIL FROM:<",
      "MAIL FROM:<a@b> ",
      "RCPT TO:<a@",
      "VRFY ",
      "",
    ]
  ) {
    for (
      const filler of [
        ...[" ", "a", ".", "=", "\t", "1", "a=1 ", "\\", '"', "+41", ","],
        ...["\xc3\xbc", "\\x{41}", "SMTPUTF8 ", "xn--a."],
      ]
    ) {
      const line = verb + filler.repeat(100_000 / filler.length);
      const tookMs = leastMs(() => parseCommand(line), 50);
      assert.ok(tookMs < 50, verb + filler);
    }
  }
});
