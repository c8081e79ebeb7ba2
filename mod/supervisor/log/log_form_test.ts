import assert from "node:assert/strict";
import { type LogEnd, logForm } from "./log_form.ts";
import { type Severity, severityOf } from "./severity.ts";

const file: LogEnd = {
  isTerminal: false,
  place: "8:12",
  noColor: "",
  term: "xterm",
  journalStream: "",
};
const LINE = JSON.stringify({
  at: "2026-01-02T03:04:05.678Z",
  role: "queue.0",
  severity: "warning",
  event: "recipient-deferred",
  id: "1M7Z9SBRC14PN355",
  to: "eva@x.test",
  text: '4.4.1 "no"\u001b[31m answer',
  hosts: ["a"],
});
const TEXT = "queue.0 recipient-deferred id=1M7Z9SBRC14PN355 to=eva@x.test " +
  'text="4.4.1 \\"no\\"\\u001b[31m answer" hosts=["a"]';

const CASES: {
  name: string;
  format: "auto" | "json" | "text";
  end: Partial<LogEnd>;
  want: string | RegExp;
}[] = [
  { name: "a file", format: "auto", end: {}, want: LINE },
  {
    name: "a file, if text is wanted",
    format: "text",
    end: {},
    want: new RegExp(`^[0-9:]{8} warning queue.0`),
  },
  {
    name: "a terminal",
    format: "auto",
    end: { isTerminal: true },
    // deno-lint-ignore no-control-regex
    want: /\u001b\[33m.*recipient-deferred/,
  },
  {
    name: "a terminal without colour",
    format: "auto",
    end: { isTerminal: true, noColor: "1" },
    // deno-lint-ignore no-control-regex
    want: /^[^\x1b]*$/,
  },
  {
    name: "a dumb terminal",
    format: "auto",
    end: { isTerminal: true, term: "dumb" },
    // deno-lint-ignore no-control-regex
    want: /^[^\x1b]*$/,
  },
  {
    name: "a terminal, if JSON is wanted",
    format: "json",
    end: { isTerminal: true },
    want: LINE,
  },
  {
    name: "journald",
    format: "auto",
    end: { journalStream: "8:12" },
    want: `<4>${TEXT}`,
  },
  {
    name: "journald, if JSON is wanted",
    format: "json",
    end: { journalStream: "8:12" },
    want: `<4>${LINE}`,
  },
  {
    name: "a file below journald",
    format: "auto",
    end: { journalStream: "8:13" },
    want: LINE,
  },
];

for (const { name, format, end, want } of CASES) {
  Deno.test(`logForm() writes for ${name}`, () => {
    const got = logForm(format, { ...file, ...end })(LINE, "warning");
    if (typeof want === "string") assert.equal(got, want);
    else assert.match(got, want);
  });
}

Deno.test("logForm() never lets a line be two, or a terminal obey it", () => {
  const json = JSON.stringify({
    event: "x\ny",
    "na\nme": "a\nb",
    role: "r",
    u: "\u202e\u0085",
  });
  const end = { ...file, isTerminal: true, noColor: "1" };
  const text = logForm("auto", end)(json, "info");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f\u202e]/);
});

const SEVERITIES: [string, boolean, Severity][] = [
  ["message-accepted", false, "info"],
  ["recipient-deferred", false, "notice"],
  ["role-died", false, "error"],
  ["text", false, "warning"],
  ["message-accepted", true, "error"],
  ["never-heard-of", false, "info"],
];

for (const [event, isAlarm, want] of SEVERITIES) {
  Deno.test(`severityOf() is ${want} for ${event}${isAlarm ? ", an alarm" : ""}`, () => {
    assert.equal(severityOf(event, isAlarm), want);
  });
}
