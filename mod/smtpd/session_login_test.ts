import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseCommand } from "./command.ts";
import {
  type Action,
  type Event,
  NEW_SESSION,
  type Rules,
  type Session,
} from "./session.ts";
import { MAX_JUNK, step } from "./session_step.ts";
import { MAX_LOGIN_FAILURES } from "./session_login.ts";

const RULES: Rules = {
  hostname: "mx.home.test",
  maxMessageBytes: 1_000_000,
  maxRecipients: 100,
  offersTls: true,
  takesLogins: true,
  endPoint: Uint8Array.of(1, 2, 3),
};
const ME = { domain: "home.test", user: "me" };

/** Plays a dialog; auth knows the password `right` alone, resolve agrees. */
class Dialog {
  session: Session;
  action: Action = { do: "nothing" };
  readonly asked: unknown[] = [];

  constructor(
    secured: boolean,
    readonly rules: Rules = RULES,
  ) {
    this.session = { ...NEW_SESSION, client: "192.0.2.1", secured };
  }

  /** Says a line, as what it is in this state. */
  say(line: string): string {
    const { at } = this.session;
    this.#step(
      at === "auth" ? { is: "response", line } : {
        is: "command",
        command: parseCommand(line),
        moreFollows: false,
      },
    );
    return this.#said();
  }

  event(event: Event): string {
    this.#step(event);
    return this.#said();
  }

  #step(event: Event): void {
    [this.session, this.action] = step(this.session, event, this.rules);
    if (this.action.do !== "ask") return;
    const { question } = this.action;
    if (question.about !== "login") {
      const answer = { is: "granted", effect: "deliver" } as const;
      return this.#step({ is: "answer", question, answer });
    }
    const { call, ask } = question.question;
    this.asked.push(ask);
    if (call !== "password") throw new Error("only passwords here");
    const reply = ask.password === "right"
      ? { kind: "answered", answer: { mailbox: ME, appPassword: "" } } as const
      : ask.password === "busy"
      ? { kind: "refused", refusal: "busy" } as const
      : { kind: "refused", refusal: "denied" } as const;
    const answer = { is: "login", answer: { call, reply } } as const;
    this.#step({ is: "answer", question, answer });
  }

  #said(): string {
    const { action } = this;
    if (action.do !== "reply" && action.do !== "close") return action.do;
    const { code, enhanced } = action.reply;
    const said = enhanced === undefined ? `${code}` : `${code} ${enhanced}`;
    return action.do === "close" ? `${said} close` : said;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

const plain = (password: string) =>
  `AUTH PLAIN ${base64(`\0me@home.test\0${password}`)}`;

// Each: [line, reply].
const DIALOGS: {
  name: string;
  secured?: boolean;
  rules?: Partial<Rules>;
  lines: [string, string][];
}[] = [
  {
    name: "is needed to send",
    lines: [
      ["EHLO a.test", "250"],
      ["MAIL FROM:<me@home.test>", "530 5.7.0"],
      [plain("right"), "235 2.7.0"],
      ["MAIL FROM:<me@home.test>", "250 2.1.0"],
      ["RCPT TO:<x@away.test>", "250 2.1.5"],
      ["DATA", "read-message"],
    ],
  },
  {
    name: "lasts over EHLO and RSET",
    lines: [
      ["EHLO a.test", "250"],
      [plain("right"), "235 2.7.0"],
      ["EHLO a.test", "250"],
      ["RSET", "250 2.0.0"],
      ["MAIL FROM:<me@home.test>", "250 2.1.0"],
    ],
  },
  {
    name: "comes in two lines",
    lines: [
      ["EHLO a.test", "250"],
      ["AUTH PLAIN", "334"],
      [base64("\0me@home.test\0right"), "235 2.7.0"],
    ],
  },
  {
    name: "comes in three lines, which are no commands",
    lines: [
      ["EHLO a.test", "250"],
      ["AUTH LOGIN", "334"],
      [base64("me@home.test"), "334"],
      ["QUIT", "535 5.7.8"], // base64 of three octets
      ["AUTH LOGIN", "334"],
      ["MAIL FROM:<>", "501 5.5.2"],
      ["NOOP", "250 2.0.0"],
    ],
  },
  {
    name: "is cancelled by *",
    lines: [
      ["EHLO a.test", "250"],
      ["AUTH LOGIN", "334"],
      ["*", "501 5.7.0"],
      [plain("right"), "235 2.7.0"],
    ],
  },
  {
    name: "happens once",
    lines: [
      ["EHLO a.test", "250"],
      [plain("right"), "235 2.7.0"],
      [plain("right"), "503 5.5.1"],
      ["MAIL FROM:<me@home.test>", "250 2.1.0"],
      [plain("right"), "503 5.5.1"],
    ],
  },
  {
    name: "does not happen before EHLO, or with an unknown mechanism",
    lines: [
      [plain("right"), "503 5.5.1"],
      ["EHLO a.test", "250"],
      ["AUTH CRAM-MD5", "504 5.5.4"],
      ["AUTH", "501 5.5.4"],
    ],
  },
  {
    name: "does not happen in clear",
    secured: false,
    lines: [
      ["EHLO a.test", "250"],
      [plain("right"), "538 5.7.11"],
      ["MAIL FROM:<me@home.test>", "530 5.7.0"],
    ],
  },
  {
    name: "does not happen where nobody can log in",
    rules: { takesLogins: false },
    lines: [
      ["EHLO a.test", "250"],
      [plain("right"), "502 5.5.1"],
      ["MAIL FROM:<me@home.test>", "250 2.1.0"],
    ],
  },
  {
    name: "may be tried again later, as often as one likes",
    lines: [
      ["EHLO a.test", "250"],
      ...Array.from(
        { length: MAX_LOGIN_FAILURES },
        (): [string, string] => [plain("busy"), "454 4.7.0"],
      ),
      [plain("right"), "235 2.7.0"],
    ],
  },
  {
    name: "that is wrong ends the session the third time",
    lines: [
      ["EHLO a.test", "250"],
      [plain("wrong"), "535 5.7.8"],
      ["EHLO a.test", "250"],
      [plain("wrong"), "535 5.7.8"],
      [plain("wrong"), "421 4.7.0 close"],
    ],
  },
];

for (const { name, secured = true, rules, lines } of DIALOGS) {
  Deno.test(`step() with a login that ${name}`, () => {
    const dialog = new Dialog(secured, { ...RULES, ...rules });
    for (const [line, want] of lines) {
      assert.equal(dialog.say(line), want, line);
    }
  });
}

Deno.test("step() offers AUTH where one can log in, until one has", () => {
  const offerOf = (dialog: Dialog) => {
    dialog.say("EHLO a.test");
    const { action } = dialog;
    assert.ok(action.do === "reply");
    return action.reply.lines.find((line) => line.startsWith("AUTH"));
  };
  const inside = new Dialog(true);
  assert.match(
    offerOf(inside)!,
    /^AUTH( (PLAIN|LOGIN|SCRAM-SHA-256|SCRAM-SHA-256-PLUS)){4}$/,
  );
  inside.say(plain("right"));
  assert.equal(offerOf(inside), undefined);
  assert.equal(offerOf(new Dialog(false)), undefined);
  const world = { ...RULES, takesLogins: false };
  assert.equal(offerOf(new Dialog(true, world)), undefined);
  const unbound = new Dialog(true, { ...RULES, endPoint: null });
  assert.doesNotMatch(offerOf(unbound)!, /PLUS/);
});

Deno.test("step() tells auth the client, and counts failures across STARTTLS", () => {
  const dialog = new Dialog(false);
  dialog.session = { ...dialog.session, loginFailures: 2 };
  dialog.say("EHLO a.test");
  assert.equal(dialog.say("STARTTLS"), "start-tls");
  assert.equal(dialog.event({ is: "secured" }), "nothing");
  dialog.say("EHLO a.test");
  assert.equal(dialog.say(plain("wrong")), "421 4.7.0 close");
  assert.deepEqual(dialog.asked, [
    { login: "me@home.test", password: "wrong", client: "192.0.2.1" },
  ]);
});

Deno.test("step() ends an exchange at a line that cannot be read", () => {
  const dialog = new Dialog(true);
  dialog.say("EHLO a.test");
  dialog.say("AUTH PLAIN");
  assert.equal(
    dialog.event({ is: "line-fault", fault: "too-long" }),
    "500 5.5.6",
  );
  dialog.say("AUTH PLAIN");
  assert.equal(dialog.event({ is: "line-fault", fault: "nul" }), "500 5.5.2");
  assert.equal(dialog.say("NOOP"), "250 2.0.0");
  assert.ok(dialog.session.login === undefined);
});

Deno.test("step() gives each login failure its reason, for the log alone", () => {
  const dialog = new Dialog(true);
  dialog.say("EHLO a.test");
  dialog.say(plain("wrong"));
  const { action } = dialog;
  assert.ok(action.do === "reply" && action.why === "denied");
});

Deno.test("step() lets nobody try for ever while auth is busy", () => {
  const dialog = new Dialog(true);
  dialog.say("EHLO a.test");
  for (let i = 0; i < MAX_JUNK - 1; i++) {
    assert.equal(dialog.say(plain("busy")), "454 4.7.0");
  }
  assert.match(dialog.say(plain("busy")), /^421 .* close$/);
});
