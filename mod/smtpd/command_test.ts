import assert from "node:assert/strict";
import { type Command, parseCommand } from "./command.ts";

const mail = (
  reversePath: string,
  more: Partial<Command & { is: "mail" }> = {},
): Command => ({
  is: "mail",
  reversePath,
  sizeBytes: undefined,
  bodyType: "7bit",
  ...more,
});
const rcpt = (address: string): Command => ({
  is: "rcpt",
  path: { kind: "address", address },
});

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
    want: mail("a@b", { sizeBytes: 10, bodyType: "8bitmime" }),
  },
  { line: "MAIL FROM:<a@b>  body=7bit ", want: mail("a@b") },
  { line: "RCPT TO:<o'brien@b>", want: rcpt("o'brien@b") },
  { line: "RCPT TO:<@x,@y:a@b>", want: rcpt("a@b") },
  {
    line: "RCPT TO:<Postmaster>",
    want: { is: "rcpt", path: { kind: "postmaster" } },
  },
  {
    line: "RCPT TO:<${run{/bin/id}}@local>",
    want: rcpt("${run{/bin/id}}@local"),
  },
  { line: "DATA", want: { is: "data" } },
  { line: "DATA  ", want: { is: "data" } },
  { line: "NOOP with words", want: { is: "noop" } },
  { line: "VRFY me", want: { is: "vrfy" } },
  { line: "EXPN list", want: { is: "expn" } },
  { line: "HELP MAIL", want: { is: "help" } },
  { line: "STARTTLS", want: { is: "starttls" } },
  { line: "AUTH PLAIN AGEAYg==", want: { is: "auth" } },
  { line: "BDAT 10 LAST", want: { is: "foreign" } },
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
    "ETRN #',x''",
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
    "MAIL FROM:<a@b> BODY=BINARYMIME",
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
  ["not-ascii", ["MAIL FROM:<\xc3\xa9@b>", "RCPT TO:<a@\xc3\xa9>"]],
  ["unknown-parameter", [
    "MAIL FROM:<a@b> SMTPUTF8",
    "MAIL FROM:<a@b> AUTH=<x+0Ay>",
    "MAIL FROM:<a@b> RET=HDRS",
    "RCPT TO:<a@b> ORCPT=rfc822;x+0Ainjected",
    "RCPT TO:<a@b> NOTIFY=NEVER",
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

Deno.test("parseCommand takes linear time on bait", () => {
  for (
    const verb of [
      "EHLO ",
      "MAIL FROM:<",
      "MAIL FROM:<a@b> ",
      "RCPT TO:<a@",
      "VRFY ",
      "",
    ]
  ) {
    for (const filler of [" ", "a", ".", "=", "\t", "1", "a=1 ", "\\", '"']) {
      const from = performance.now();
      parseCommand(verb + filler.repeat(100_000 / filler.length));
      assert.ok(performance.now() - from < 50, verb + filler);
    }
  }
});
