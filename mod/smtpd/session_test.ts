import assert from "node:assert/strict";
import type { SmtpReply } from "../core/reply.ts";
import { parseCommand } from "./command.ts";
import { REPLIES } from "./replies.ts";
import {
  type Action,
  type Answer,
  type Effect,
  type MessageEnd,
  NEW_SESSION,
  type Question,
  type Rules,
  type Session,
} from "./session.ts";
import {
  MAX_ENVELOPE,
  MAX_ERRORS,
  MAX_JUNK,
  MAX_MAILS,
  step,
} from "./session_step.ts";

const RULES: Rules = {
  hostname: "mx.home.test",
  maxMessageBytes: 10_000,
  maxRecipients: 100,
  offersTls: true,
  takesLogins: false,
  endPoint: null,
};

/** Plays lines through a session; `unknown@...` and the like get that verdict. */
class Dialog {
  session: Session = NEW_SESSION;
  action: Action = { do: "nothing" };

  constructor(readonly rules: Rules = RULES) {}

  say(line: string, moreFollows = false): string {
    const utf8 = this.session.at === "mail" &&
      this.session.mail.wishes.smtpUtf8;
    const command = parseCommand(line, utf8);
    this.#step({ is: "command", command, moreFollows });
    while (this.action.do === "ask") {
      const { question } = this.action;
      const name = named(question).split("@")[0]!;
      const answer = ANSWERS.get(name) ?? granted("deliver");
      this.#step({ is: "answer", question, answer });
    }
    return this.#said();
  }

  end(end: MessageEnd): string {
    this.#step({ is: "message", end });
    return this.#said();
  }

  event(event: Parameters<typeof step>[1]): string {
    this.#step(event);
    return this.#said();
  }

  #step(event: Parameters<typeof step>[1]): void {
    [this.session, this.action] = step(this.session, event, this.rules);
  }

  #said(): string {
    const { action } = this;
    if (action.do === "skip-chunk") {
      const { code, enhanced } = action.reply;
      return `${code} ${enhanced} skip ${action.sizeBytes}`;
    }
    if (action.do !== "reply" && action.do !== "close") return action.do;
    const { code, enhanced } = action.reply;
    const said = enhanced === undefined ? `${code}` : `${code} ${enhanced}`;
    return action.do === "close" ? `${said} close` : said;
  }
}

function named(question: Question): string {
  switch (question.about) {
    case "sender":
      return question.mail.reversePath;
    case "recipient":
      return question.address;
    case "flush":
      return question.domain;
    case "login":
      throw new RangeError("nobody logs in here");
  }
}

const ANSWERS = new Map<string, Answer>([
  ["unknown", denied(REPLIES.unknownRecipient)],
  ["relay", denied(REPLIES.relayDenied)],
  ["loop", denied(REPLIES.aliasLoop)],
  ["later", denied(REPLIES.cannotResolve)],
  ["banned", denied(REPLIES.tooManyErrors, true)],
  ["foreign", denied(REPLIES.flushDenied)],
  ["held", granted("hold")],
  ["thrown", granted("discard")],
]);

function denied(reply: SmtpReply, closes = false): Answer {
  return { is: "denied", reply, closes };
}

function granted(effect: Effect): Answer {
  return { is: "granted", effect };
}

const HELLO = ["EHLO a.test", "250"] as const;
const MAIL = ["MAIL FROM:<s@a.test>", "250 2.1.0"] as const;
const RCPT = ["RCPT TO:<r@home.test>", "250 2.1.5"] as const;

// RFC 5321 §4.1.4 (order), §4.2.2 and §4.2.3 (codes).
const DIALOGS: { name: string; lines: (readonly [string, string])[] }[] = [
  {
    name: "takes a whole transaction",
    lines: [HELLO, MAIL, RCPT, ["DATA", "read-message"]],
  },
  {
    name: "wants a greeting before MAIL",
    lines: [[MAIL[0], "503 5.5.1"]],
  },
  {
    name: "wants MAIL before RCPT",
    lines: [HELLO, ["RCPT TO:<r@home.test>", "503 5.5.1"]],
  },
  {
    name: "wants MAIL before DATA",
    lines: [["DATA", "503 5.5.1"], HELLO, ["DATA", "503 5.5.1"]],
  },
  {
    name: "wants a recipient before DATA",
    lines: [HELLO, MAIL, ["RCPT TO:<unknown@home.test>", "550 5.1.1"], [
      "DATA",
      "554 5.5.1",
    ]],
  },
  {
    name: "refuses a second MAIL",
    lines: [HELLO, MAIL, ["MAIL FROM:<t@a.test>", "503 5.5.1"], RCPT],
  },
  {
    name: "forgets a transaction at RSET",
    lines: [
      HELLO,
      MAIL,
      RCPT,
      ["RSET", "250 2.0.0"],
      ["DATA", "503 5.5.1"],
      MAIL,
    ],
  },
  {
    name: "forgets a transaction at EHLO",
    lines: [HELLO, MAIL, RCPT, HELLO, ["DATA", "503 5.5.1"]],
  },
  {
    name: "takes RSET and NOOP before a greeting",
    lines: [
      ["RSET", "250 2.0.0"],
      ["NOOP", "250 2.0.0"],
      [MAIL[0], "503 5.5.1"],
    ],
  },
  {
    name: "takes the null sender and many recipients",
    lines: [HELLO, ["MAIL FROM:<>", "250 2.1.0"], RCPT, [
      "RCPT TO:<q@home.test>",
      "250 2.1.5",
    ]],
  },
  {
    name: "says each verdict",
    lines: [
      HELLO,
      MAIL,
      ["RCPT TO:<relay@x>", "554 5.7.1"],
      ["RCPT TO:<loop@x>", "451 4.3.5"],
      ["RCPT TO:<later@x>", "451 4.4.3"],
      ["RCPT TO:<unknown@x>", "550 5.1.1"],
    ],
  },
  {
    name: "checks SIZE at MAIL",
    lines: [HELLO, ["MAIL FROM:<a@b> SIZE=10001", "552 5.3.4"], [
      "MAIL FROM:<a@b> SIZE=99999999999999999999",
      "552 5.3.4",
    ], ["MAIL FROM:<a@b> SIZE=10000", "250 2.1.0"]],
  },
  {
    name: "leaks nothing by VRFY and EXPN",
    lines: [["VRFY r", "252 2.0.0"], ["VRFY unknown", "252 2.0.0"], [
      "EXPN r",
      "502 5.5.1",
    ]],
  },
  {
    name: "knows no AUTH",
    lines: [HELLO, ["AUTH PLAIN AGEAYg==", "502 5.5.1"]],
  },
  // RFC 3030 §2.
  {
    name: "reads chunks to the last",
    lines: [HELLO, MAIL, RCPT, ["BDAT 10", "read-chunk"], [
      "BDAT 0 LAST",
      "read-chunk",
    ]],
  },
  {
    name: "reads over chunks that belong to nothing",
    lines: [
      ["BDAT 1", "503 5.5.1 skip 1"],
      HELLO,
      ["BDAT 2 LAST", "503 5.5.1 skip 2"],
      MAIL,
      ["BDAT 0", "554 5.5.1 skip 0"],
      ["RCPT TO:<unknown@home.test>", "550 5.1.1"],
      ["BDAT 3 LAST", "554 5.5.1 skip 3"],
      RCPT,
      ["BDAT 4 LAST", "read-chunk"],
    ],
  },
  {
    name: "ends the transaction at the chunk that is too much",
    lines: [
      HELLO,
      MAIL,
      RCPT,
      ["BDAT 10000", "read-chunk"],
      ["BDAT 1", "552 5.3.4 skip 1"],
      ["BDAT 7", "503 5.5.1 skip 7"],
      ["BDAT 8 LAST", "503 5.5.1 skip 8"],
      MAIL,
      RCPT,
      ["BDAT 10000 LAST", "read-chunk"],
    ],
  },
  {
    name: "does not wait for a chunk that is far too large",
    lines: [HELLO, ["BDAT 20000", "503 5.5.1 skip 20000"], [
      "BDAT 20001 LAST",
      "421 4.3.4 close",
    ]],
  },
  {
    name: "closes at a BDAT without a size: what follows is no command",
    lines: [HELLO, MAIL, RCPT, ["BDAT LAST", "501 5.5.4 close"]],
  },
  {
    name: "takes nothing but chunks, RSET and QUIT between chunks",
    lines: [
      HELLO,
      MAIL,
      RCPT,
      ["BDAT 1", "read-chunk"],
      ["DATA", "503 5.5.1"],
      ["RCPT TO:<q@home.test>", "503 5.5.1"],
      ["MAIL FROM:<a@b>", "503 5.5.1"],
      ["NOOP", "250 2.0.0"],
      ["BDAT 1", "read-chunk"],
      ["RSET", "250 2.0.0"],
      ["BDAT 1 LAST", "503 5.5.1 skip 1"],
      ["DATA", "503 5.5.1"],
    ],
  },
  {
    name: "knows no BDAT after HELO",
    lines: [["HELO a.test", "250"], MAIL, RCPT, [
      "BDAT 5 LAST",
      "502 5.5.1 skip 5",
    ], ["DATA", "read-message"]],
  },
  // RFC 3030 §3.
  {
    name: "takes BINARYMIME by BDAT only",
    lines: [
      HELLO,
      ["MAIL FROM:<a@b> BODY=BINARYMIME", "250 2.1.0"],
      RCPT,
      ["DATA", "503 5.5.1"],
      ["BDAT 1 LAST", "read-chunk"],
    ],
  },
  // RFC 5321 §4.1.1.11.
  {
    name: "takes no parameter after HELO",
    lines: [
      ["HELO a.test", "250"],
      ["MAIL FROM:<a@b> SIZE=1", "555 5.5.4"],
      ["MAIL FROM:<a@b> BODY=8BITMIME", "555 5.5.4"],
      ["MAIL FROM:<\xc3\xbc@b> SMTPUTF8", "555 5.5.4"],
      MAIL,
      ["RCPT TO:<r@home.test> NOTIFY=NEVER", "555 5.5.4"],
      RCPT,
    ],
  },
  // RFC 6531 §3.4, §3.5.
  {
    name: "takes UTF-8 recipients after SMTPUTF8 only",
    lines: [
      HELLO,
      ["MAIL FROM:<\xc3\xbc@b>", "553 5.6.7"],
      MAIL,
      ["RCPT TO:<\xc3\xbc@b>", "553 5.6.7"],
      ["RSET", "250 2.0.0"],
      ["MAIL FROM:<\xc3\xbc@b> SMTPUTF8", "250 2.1.0"],
      ["RCPT TO:<\xc3\xbc@b>", "250 2.1.5"],
      ["RCPT TO:<\xc0\xaf@b>", "501 5.1.3"],
      ["RSET", "250 2.0.0"],
      MAIL,
      ["RCPT TO:<\xc3\xbc@b>", "553 5.6.7"],
    ],
  },
  // RFC 8689 §2.
  {
    name: "takes REQUIRETLS inside TLS only",
    lines: [HELLO, ["MAIL FROM:<a@b> REQUIRETLS", "530 5.7.4"], MAIL],
  },
  // RFC 1985 §5.
  {
    name: "obeys ETRN outside transactions",
    lines: [
      ["ETRN a.test", "503 5.5.1"],
      HELLO,
      ["ETRN a.test", "250 2.0.0"],
      ["ETRN @a.test", "250 2.0.0"],
      ["ETRN foreign", "459 4.7.1"],
      ["ETRN #queue", "459 4.7.1"],
      ["ETRN a b", "501 5.5.4"],
      MAIL,
      ["ETRN a.test", "503 5.5.1"],
      ["HELO a.test", "250"],
      ["ETRN a.test", "502 5.5.1"],
    ],
  },
  {
    name: "closes for a browser",
    lines: [["POST / HTTP/1.1", "502 5.5.1 close"]],
  },
  {
    name: "says HELP and QUIT",
    lines: [["HELP", "214 2.0.0"], ["QUIT", "221 2.0.0 close"]],
  },
  {
    name: "names syntax errors",
    lines: [
      ["EHLO", "501 5.5.4"],
      HELLO,
      ["XYZZY", "500 5.5.1"],
      ["MAIL FROM:<\xe9@a>", "553 5.6.7"],
      ["MAIL FROM:a", "501 5.1.7"],
      ["MAIL FROM:<a@b> X=1", "555 5.5.4"],
      MAIL,
      ["RCPT TO:<a@>", "501 5.1.3"],
    ],
  },
  {
    name: "refuses STARTTLS with an argument",
    lines: [HELLO, ["STARTTLS now", "501 5.5.4"], ["STARTTLS", "start-tls"]],
  },
];

for (const { name, lines } of DIALOGS) {
  Deno.test(`step ${name}`, () => {
    const dialog = new Dialog();
    for (const [line, want] of lines) {
      assert.equal(dialog.say(line), want, line);
    }
  });
}

Deno.test("step announces what RFC 5321 §4.1.1.1 lets a client use", () => {
  const dialog = new Dialog();
  dialog.say("EHLO a.test");
  assert.deepEqual(dialog.action, {
    do: "reply",
    reply: {
      code: 250,
      lines: [
        "mx.home.test",
        "PIPELINING",
        "SIZE 10000",
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "BINARYMIME",
        "DSN",
        "ETRN",
        "ENHANCEDSTATUSCODES",
        "LIMITS MAILMAX=10000 RCPTMAX=100",
        "STARTTLS",
        "HELP",
      ],
    },
  });
  dialog.say("HELO a.test");
  assert.deepEqual(dialog.action, {
    do: "reply",
    reply: { code: 250, lines: ["mx.home.test"] },
  });
});

Deno.test("step offers no STARTTLS without a certificate", () => {
  const dialog = new Dialog({ ...RULES, offersTls: false });
  dialog.say("EHLO a.test");
  assert.ok(!JSON.stringify(dialog.action).includes("STARTTLS"));
  assert.equal(dialog.say("STARTTLS"), "502 5.5.1");
});

Deno.test("step forgets everything at TLS and offers it once", () => {
  const dialog = new Dialog();
  for (const [line] of [HELLO, MAIL, RCPT]) dialog.say(line);
  assert.equal(dialog.say("STARTTLS"), "start-tls");
  assert.equal(dialog.event({ is: "secured" }), "nothing");
  assert.equal(dialog.say("RCPT TO:<r@home.test>"), "503 5.5.1");
  assert.equal(dialog.say("MAIL FROM:<s@a.test>"), "503 5.5.1");
  dialog.say("EHLO a.test");
  assert.ok(!JSON.stringify(dialog.action).includes("STARTTLS"));
  assert.ok(JSON.stringify(dialog.action).includes("REQUIRETLS"));
  assert.equal(dialog.say("STARTTLS"), "503 5.5.1");
  assert.equal(dialog.say("MAIL FROM:<a@b> REQUIRETLS"), "250 2.1.0");
  assert.ok(dialog.session.at === "mail");
  assert.equal(dialog.session.mail.wishes.requireTls, true);
  dialog.say("RSET");
  assert.equal(dialog.say(MAIL[0]), MAIL[1], "the session stays usable");
});

for (const line of ["STARTTLS", "DATA"]) {
  Deno.test(`step closes if more follows ${line}`, () => {
    const dialog = new Dialog();
    for (const [line] of [HELLO, MAIL, RCPT]) dialog.say(line);
    assert.equal(dialog.say(line, true), "554 5.5.0 close");
  });
}

Deno.test("step sends bare <postmaster> to our own", () => {
  const dialog = new Dialog();
  for (const line of [HELLO[0], MAIL[0], "RCPT TO:<PostMaster>"]) {
    dialog.say(line);
  }
  assert.ok(dialog.session.at === "mail");
  assert.deepEqual(dialog.session.mail.recipients, ["postmaster@mx.home.test"]);
});

Deno.test("step keeps a recipient once", () => {
  const dialog = new Dialog();
  for (const line of [HELLO[0], MAIL[0], RCPT[0], RCPT[0]]) dialog.say(line);
  assert.ok(dialog.session.at === "mail");
  assert.deepEqual(dialog.session.mail.recipients, ["r@home.test"]);
});

Deno.test("step says 452 beyond maxRecipients and keeps the first", () => {
  const dialog = new Dialog();
  dialog.say(HELLO[0]);
  dialog.say(MAIL[0]);
  const said: string[] = [];
  for (let i = 0; i <= 200; i++) {
    said.push(dialog.say(`RCPT TO:<r${i}@home.test>`));
  }
  assert.ok(said.slice(0, 100).every((reply) => reply === "250 2.1.5"));
  assert.ok(said.slice(100, 200).every((reply) => reply === "452 4.5.3"));
  assert.equal(said[200], "421 4.5.3 close");
  assert.ok(dialog.session.at === "mail");
  assert.equal(dialog.session.mail.recipients.length, 100);
});

Deno.test("step obeys no stranger's ETRN where one must log in", () => {
  const dialog = new Dialog({ ...RULES, takesLogins: true });
  dialog.say(HELLO[0]);
  assert.equal(dialog.say("ETRN a.test"), "530 5.7.0");
  assert.ok(dialog.session.login === undefined);
});

Deno.test("step keeps what each recipient's sender wished", () => {
  const dialog = new Dialog();
  for (
    const line of [
      HELLO[0],
      "MAIL FROM:<a@b> RET=HDRS ENVID=x",
      RCPT[0],
      "RCPT TO:<q@home.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;p@c",
    ]
  ) dialog.say(line);
  assert.ok(dialog.session.at === "mail");
  const { mail } = dialog.session;
  assert.deepEqual(mail.wishes, {
    envid: "x",
    ret: "hdrs",
    smtpUtf8: false,
    requireTls: false,
    verp: "",
  });
  assert.deepEqual(mail.recipients, ["r@home.test", "q@home.test"]);
  assert.deepEqual(mail.recipientWishes, [
    { notify: [], orcpt: "" },
    { notify: ["success", "delay"], orcpt: "rfc822;p@c" },
  ]);
});

Deno.test("step says 452 before an envelope is too large for its frame", () => {
  const dialog = new Dialog({ ...RULES, maxRecipients: 1_000 });
  dialog.say(HELLO[0]);
  dialog.say(MAIL[0]);
  const orcpt = "x".repeat(480);
  const said = new Set<string>();
  for (let i = 0; i < 1_000; i++) {
    said.add(dialog.say(`RCPT TO:<r${i}@home.test> ORCPT=rfc822;${orcpt}`));
  }
  assert.deepEqual([...said], ["250 2.1.5", "452 4.5.3"]);
  assert.ok(dialog.session.at === "mail");
  const { recipients, recipientWishes } = dialog.session.mail;
  assert.ok(recipients.length > 400);
  const { length } = JSON.stringify({ recipients, recipientWishes });
  assert.ok(length < MAX_ENVELOPE + 100, `${length}`);
});

Deno.test("step closes after MAILMAX messages, TLS or not", () => {
  const dialog = new Dialog();
  dialog.say(HELLO[0]);
  for (let i = 0; i < MAX_MAILS; i++) {
    assert.equal(dialog.say(MAIL[0]), MAIL[1]);
    dialog.say("RSET");
    if (i > 0) continue;
    dialog.event({ is: "secured" });
    dialog.say(HELLO[0]);
  }
  assert.equal(dialog.say(MAIL[0]), "421 4.7.0 close");
});

Deno.test("step goes on after a chunk, and says what came of the last", () => {
  const dialog = new Dialog();
  for (const line of [HELLO[0], MAIL[0], RCPT[0], "BDAT 5"]) dialog.say(line);
  assert.equal(dialog.event({ is: "chunk", sizeBytes: 5 }), "250 2.0.0");
  assert.equal(dialog.say("BDAT 0 LAST"), "read-chunk");
  const end = { is: "spoilt", why: "bare-lf" } as const;
  assert.equal(dialog.end(end), "550 5.6.11 close");
});

Deno.test("step says 451 of a chunk if no store opens, and forgets the mail", () => {
  const dialog = new Dialog();
  for (const line of [HELLO[0], MAIL[0], RCPT[0], "BDAT 5"]) dialog.say(line);
  assert.equal(dialog.event({ is: "no-store" }), "451 4.3.0");
  assert.equal(dialog.say("BDAT 5 LAST"), "503 5.5.1 skip 5");
});

Deno.test("step counts skipped chunks as errors, empty ones as junk", () => {
  const skipping = new Dialog();
  skipping.say(HELLO[0]);
  for (let i = 0; i < MAX_ERRORS; i++) {
    assert.equal(skipping.say("BDAT 1"), "503 5.5.1 skip 1");
  }
  assert.equal(skipping.say("BDAT 1"), "421 4.7.0 close");
  const empty = new Dialog();
  for (const line of [HELLO[0], MAIL[0], RCPT[0]]) empty.say(line);
  for (let i = 0; i < MAX_JUNK; i++) {
    assert.equal(empty.say("BDAT 0"), "read-chunk");
  }
  assert.equal(empty.say("BDAT 0"), "421 4.7.0 close");
});

Deno.test("step closes after too many errors", () => {
  const dialog = new Dialog();
  for (let i = 0; i < MAX_ERRORS; i++) {
    assert.equal(dialog.say("XYZZY"), "500 5.5.1");
  }
  assert.equal(dialog.say("XYZZY"), "421 4.7.0 close");
});

Deno.test("step counts faulty lines as errors", () => {
  const dialog = new Dialog();
  const fault = { is: "line-fault", fault: "bare-lf" } as const;
  for (let i = 0; i < MAX_ERRORS; i++) {
    assert.equal(dialog.event(fault), "500 5.5.2");
  }
  assert.equal(dialog.event(fault), "421 4.7.0 close");
});

for (
  const line of ["NOOP", "RSET", "VRFY x", "HELP", "EHLO a.test", "ETRN b"]
) {
  Deno.test(`step closes after too many ${line} without mail`, () => {
    const dialog = new Dialog();
    if (line.startsWith("ETRN")) {
      dialog.say(HELLO[0]);
      dialog.say(MAIL[0]);
      dialog.say(RCPT[0]);
      dialog.end({ is: "taken", queueId: "01KAJ2V7Z0ABCDEF" });
    }
    for (let i = 0; i < MAX_JUNK; i++) assert.match(dialog.say(line), /^2/);
    assert.equal(dialog.say(line), "421 4.7.0 close");
  });
}

Deno.test("step lets a busy client send NOOP between its mails", () => {
  const dialog = new Dialog();
  dialog.say(HELLO[0]);
  for (let i = 0; i < 3 * MAX_JUNK; i++) {
    assert.equal(dialog.say("RSET"), "250 2.0.0");
    assert.equal(dialog.say(MAIL[0]), MAIL[1]);
  }
});

const ENDS: [MessageEnd, string][] = [
  [{ is: "taken", queueId: "01KAJ2V7Z0ABCDEF" }, "250 2.0.0"],
  [{ is: "full" }, "452 4.3.1"],
  [{ is: "failed" }, "451 4.3.0"],
  [{ is: "too-large" }, "552 5.3.4"],
  [{ is: "loop" }, "554 5.4.6"],
  [{ is: "spoilt", why: "bare-lf" }, "550 5.6.11 close"],
  [{ is: "spoilt", why: "bare-cr" }, "550 5.6.11 close"],
  [{ is: "spoilt", why: "nul" }, "550 5.6.0 close"],
];

for (const [end, want] of ENDS) {
  Deno.test(`step says ${want} of a message that is ${JSON.stringify(end)}`, () => {
    const dialog = new Dialog();
    for (const line of [HELLO[0], MAIL[0], RCPT[0], "DATA"]) dialog.say(line);
    assert.equal(dialog.end(end), want);
    assert.equal(dialog.session.at, "ready", "the transaction is over");
  });
}

Deno.test("step says 451 if no store opens", () => {
  const dialog = new Dialog();
  for (const line of [HELLO[0], MAIL[0], RCPT[0], "DATA"]) dialog.say(line);
  assert.equal(dialog.event({ is: "no-store" }), "451 4.3.0");
});

const EFFECTS: { says: string[]; want: Effect }[] = [
  { says: ["MAIL FROM:<a@a.test>", "RCPT TO:<b@x>"], want: "deliver" },
  { says: ["MAIL FROM:<held@a.test>", "RCPT TO:<b@x>"], want: "hold" },
  { says: ["MAIL FROM:<a@a.test>", "RCPT TO:<held@x>"], want: "hold" },
  { says: ["MAIL FROM:<thrown@a.test>", "RCPT TO:<held@x>"], want: "discard" },
  {
    says: ["MAIL FROM:<held@a.test>", "RSET", ...[
      "MAIL FROM:<>",
      "RCPT TO:<b@x>",
    ]],
    want: "deliver",
  },
];

for (const { says, want } of EFFECTS) {
  Deno.test(`step() says ${want} after ${says.join(", ")}`, () => {
    const dialog = new Dialog();
    for (const line of ["EHLO a.test", ...says]) dialog.say(line);
    assert.equal(dialog.session.at, "mail");
    assert.equal(
      dialog.session.at === "mail" && dialog.session.mail.effect,
      want,
    );
  });
}

Deno.test("step() leaves a denied sender's session ready, and closes if told so", () => {
  const dialog = new Dialog();
  dialog.say("EHLO a.test");
  assert.equal(dialog.say("MAIL FROM:<later@a.test>"), "451 4.4.3");
  assert.equal(dialog.session.at, "ready");
  assert.equal(dialog.say("MAIL FROM:<banned@a.test>"), "421 4.7.0 close");
});

Deno.test("step() lets nobody ask for ever to send what is put off", () => {
  const dialog = new Dialog();
  dialog.say("EHLO a.test");
  for (let i = 0; i < MAX_JUNK - 1; i++) {
    assert.equal(dialog.say("MAIL FROM:<later@a.test>"), "451 4.4.3");
  }
  assert.match(dialog.say("MAIL FROM:<later@a.test>"), /^421 .* close$/);
});
