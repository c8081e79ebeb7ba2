/**
 * Sessions as a client may hold them, good and odd, made from a grammar: what
 * the mutations begin with.
 */
import type { Random } from "./random.ts";

/** What a client says, piece after piece; a reply is awaited behind each. */
export type Dialog = readonly string[];

const HELLOS = [
  "EHLO client.test",
  "HELO client.test",
  "EHLO [192.0.2.1]",
  "EHLO [IPv6:2001:db8::1]",
  "ehlo x",
  "EHLO __proto__",
  "EHLO b\u00c3\u00bccher.test",
];

const SENDERS = [
  "<>",
  "<a@client.test>",
  '<"a b"@client.test>',
  "<@one.test,@two.test:a@client.test>",
  "<a@[192.0.2.1]>",
  "<constructor@__proto__.test>",
  "<a@b\u00c3\u00bccher.test>",
];

const MAIL_PARAMETERS = [
  "",
  "",
  "",
  " SIZE=100",
  " SIZE=99999999999999999999",
  " BODY=8BITMIME",
  " BODY=7BIT",
  " BODY=BINARYMIME",
  " SMTPUTF8",
  " RET=HDRS ENVID=QQ314159",
  " REQUIRETLS",
  " XVERP",
  " XVERP=-=",
  " AUTH=<>",
  " AUTH=<x+0Ay>",
  " __proto__=1",
];

const RECIPIENTS = [
  "<me@home.test>",
  "<me@home.test>",
  "<you@home.test>",
  "<postmaster>",
  '<"me"@home.test>',
  "<nobody@home.test>",
  "<a@elsewhere.test>",
  "<a%elsewhere.test@home.test>",
  "<@home.test:a@elsewhere.test>",
  "<me@[127.0.0.1]>",
  "<\u00c3\u00bc@home.test>",
];

const RCPT_PARAMETERS = [
  "",
  "",
  "",
  " NOTIFY=NEVER",
  " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;me+40home.test",
  " ORCPT=rfc822;x+0Ainjected",
];

const ODD = [
  "NOOP",
  "NOOP anything at all",
  "RSET",
  "VRFY me",
  "EXPN list",
  "HELP",
  "HELP MAIL",
  "ETRN home.test",
  "ETRN #',x'",
  "AUTH PLAIN AGEAYg==",
  "AUTH LOGIN",
  "AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==",
  "AUTH PLAIN",
  "STARTTLS",
  "BDAT 0 LAST",
  "BDAT 99999999999999999999",
  "BDAT -1",
  "BDAT",
  "XCLIENT ADDR=192.0.2.9",
  "PROXY TCP4 192.0.2.9 192.0.2.8 1 25",
  "\r\n\r\n\0\r\nQUIT\n",
  "GET / HTTP/1.1",
  "TURN",
  "",
  " ",
];

const LINES = [
  "Subject: hello",
  "Received: from a by b; now",
  "From: <a@client.test>",
  "__proto__: x",
  "",
  "text",
  "..",
  "..dots",
  ". ",
  "x".repeat(1_200),
  "\u00e9\u0085\u00c2\u0085",
  "MAIL FROM:<smuggled@client.test>",
  "RCPT TO:<smuggled@home.test>",
  "DATA",
];

const LOGINS = [
  ["AUTH PLAIN AG1lQGhvbWUudGVzdAByaWdodA==\r\n"],
  ["AUTH PLAIN\r\n", "AG1lQGhvbWUudGVzdAByaWdodA==\r\n"],
  ["AUTH LOGIN\r\n", "bWVAaG9tZS50ZXN0\r\n", "cmlnaHQ=\r\n"],
  ["AUTH LOGIN bWVAaG9tZS50ZXN0\r\n", "cmlnaHQ=\r\n"],
  ["AUTH SCRAM-SHA-256 biwsbj1tZSxyPXJhbmRvbQ==\r\n", "Yz1iaXdz\r\n"],
  ["AUTH PLAIN\r\n", "*\r\n"],
];

/** What a client of submission says before anything else. */
export function login(random: Random): Dialog {
  const hello = "EHLO client.test\r\n";
  return [hello, "STARTTLS\r\n", hello, ...random.pick(LOGINS)];
}

/** Makes one dialog. */
export function dialog(random: Random): Dialog {
  // Mostly plain: who is refused early shows nothing of what comes later.
  const hello = random.onceIn(4) ? random.pick(HELLOS) : HELLOS[0]!;
  const said = [hello + "\r\n"];
  if (random.onceIn(6)) said.push("STARTTLS\r\n", hello + "\r\n");
  if (random.onceIn(8)) said.push(...random.pick(LOGINS));
  for (let mails = random.below(4); mails > 0; mails--) {
    if (random.onceIn(6)) said.push(random.pick(ODD) + "\r\n");
    said.push(...transaction(random));
  }
  if (random.onceIn(3)) said.push(random.pick(ODD) + "\r\n");
  if (!random.onceIn(3)) said.push("QUIT\r\n");
  return said;
}

function transaction(random: Random): string[] {
  const seldom = (of: readonly string[], plain: string) =>
    random.onceIn(3) ? random.pick(of) : plain;
  const sender = seldom(SENDERS, "<a@client.test>");
  const said = [`MAIL FROM:${sender}${seldom(MAIL_PARAMETERS, "")}\r\n`];
  for (let more = 1 + random.below(3); more > 0; more--) {
    const recipient = seldom(RECIPIENTS, "<me@home.test>");
    said.push(`RCPT TO:${recipient}${seldom(RCPT_PARAMETERS, "")}\r\n`);
    if (random.onceIn(12)) said.push(random.pick(ODD) + "\r\n");
  }
  if (random.onceIn(3)) return [...said, ...chunks(random)];
  return [...said, "DATA\r\n", content(random) + ".\r\n"];
}

function chunks(random: Random): string[] {
  const said: string[] = [];
  for (let more = random.below(3); more > 0; more--) {
    const octets = content(random);
    said.push(`BDAT ${octets.length}\r\n${octets}`);
  }
  const last = random.onceIn(3) ? "" : content(random);
  said.push(`BDAT ${last.length} LAST\r\n${last}`);
  return said;
}

function content(random: Random): string {
  let text = "";
  for (let more = random.below(6); more > 0; more--) {
    text += random.pick(LINES) + "\r\n";
  }
  return text;
}
