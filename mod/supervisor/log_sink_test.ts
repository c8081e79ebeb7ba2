import assert from "node:assert/strict";
import { MAX_LOG_LINE } from "../core/log.ts";
import { event, LogSink } from "./log_sink.ts";

const encoder = new TextEncoder();

/** Lines that come of octets, pushed in the given pieces. */
function sunk(...pieces: (string | Uint8Array)[]): Record<string, unknown>[] {
  const lines: string[] = [];
  const sink = new LogSink("smtpd.0", (line) => lines.push(line));
  for (const one of pieces) {
    sink.push(typeof one === "string" ? encoder.encode(one) : one);
  }
  sink.close();
  return lines.map((line) => {
    assert.ok(!line.includes("\n"), "one line is one line");
    const { at, severity, ...rest } = JSON.parse(line);
    assert.match(severity, /^(info|warning)$/);
    assert.match(at, /^\d{4}-\d\d-\d\dT/);
    return rest;
  });
}

const from = { role: "smtpd.0" };

Deno.test("LogSink puts on the role and the time itself", () => {
  assert.deepEqual(
    sunk('{"event":"hello","n":1,"role":"queue.0","at":"never"}\n'),
    [{ ...from, event: "hello", n: 1 }],
  );
});

for (
  const [name, line] of [
    ["twice", '{"event":"x","role":"a","role":"supervisor","at":1,"at":2}'],
    ["escaped", '{"event":"x","\\u0072ole":"supervisor","\\u0061t":1}'],
    ["as a prototype", '{"event":"x","__proto__":{"role":"queue.0"}}'],
    ["through toJSON", '{"event":"x","toJSON":"role","role":"queue.0"}'],
  ] as const
) {
  Deno.test(`LogSink drops a role's own name, given ${name}`, () => {
    const [line0] = sunk(line + "\n");
    assert.equal(line0!["role"], "smtpd.0");
    assert.equal(line0!["event"], "x");
  });
}

Deno.test("LogSink keeps what is not our JSON as text", () => {
  const garbage = [
    "error: Uncaught (in promise) x",
    "[1,2]",
    '"text"',
    "12",
    "null",
    '{"event":"x"',
    '{"event":"x"}{"role":"queue.0"}',
    '{"event":"x"}\r{"role":"queue.0"}',
    "\x1b[2J\0",
  ];
  assert.deepEqual(
    sunk(garbage.join("\n")),
    garbage.map((text) => ({ ...from, event: "text", text })),
  );
});

Deno.test("LogSink gives an event that is no string a name", () => {
  assert.deepEqual(sunk('{"event":{"a":1},"b":2}\n{}\n'), [
    { ...from, event: "text", b: 2 },
    { ...from, event: "text" },
  ]);
});

Deno.test("LogSink reads the same wherever the pipe cuts", () => {
  const long = `{"event":"long","pad":"${"y".repeat(MAX_LOG_LINE)}"}`;
  const bytes = encoder.encode(
    `{"event":"é","n":"\u{1f4e7}"}\ntrace\n  at x\n${long}\n{"event":"last"}`,
  );
  const whole = sunk(bytes);
  assert.deepEqual(whole, [
    { ...from, event: "é", n: "\u{1f4e7}" },
    { ...from, event: "text", text: "trace" },
    { ...from, event: "text", text: "  at x" },
    { ...from, event: "text", text: long.slice(0, MAX_LOG_LINE) },
    { ...from, event: "last" },
  ]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const got = sunk(bytes.subarray(0, cut), bytes.subarray(cut));
    assert.deepEqual(got, whole, `cut at ${cut}`);
  }
  const octets = Array.from(bytes, (octet) => new Uint8Array([octet]));
  assert.deepEqual(sunk(...octets), whole);
});

Deno.test("LogSink cuts an endless line and goes on after it", () => {
  const lines: string[] = [];
  const sink = new LogSink("smtpd.0", (line) => lines.push(line));
  const pad = new Uint8Array(65_536).fill(0x61);
  for (let n = 0; n < 200; n++) sink.push(pad);
  assert.equal(lines.length, 1);
  assert.ok(lines[0]!.length < MAX_LOG_LINE + 200);
  sink.push(encoder.encode('b\n{"event":"after"}\n'));
  assert.equal(lines.length, 2);
  assert.equal(JSON.parse(lines[1]!).event, "after");
});

Deno.test("LogSink replaces octets that are not UTF-8", () => {
  const bytes = new Uint8Array([0xff, 0x61, 0xc3, 0x0a, 0xe2, 0x82]);
  assert.deepEqual(sunk(bytes), [
    { ...from, event: "text", text: "\ufffda\ufffd" },
    { ...from, event: "text", text: "\ufffd" },
  ]);
});

Deno.test("LogSink counts and drops what comes too fast", () => {
  const from = performance.now();
  const got = sunk('{"event":"x"}\n'.repeat(10_000));
  const dropped = got.filter((one) => one["event"] === "log-dropped")
    .reduce((sum, one) => sum + Number(one["lines"]), 0);
  const passed = got.filter((one) => one["event"] === "x").length;
  assert.equal(passed + dropped, 10_000);
  const seconds = 1 + Math.ceil((performance.now() - from) / 1_000);
  assert.ok(passed >= 2_000 && passed <= 2_000 * seconds, `${passed} passed`);
});

Deno.test("LogSink takes a line of the deepest nesting", () => {
  const depth = (MAX_LOG_LINE - 20) / 2;
  const line = `{"event":"x","a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  assert.equal(sunk(line + "\n")[0]!["event"], "x");
});

Deno.test("event writes the supervisor's own lines", () => {
  const lines: string[] = [];
  event((line) => lines.push(line), "ready", { n: 1 });
  const { at, ...rest } = JSON.parse(lines[0]!);
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 5_000);
  assert.deepEqual(rest, {
    role: "supervisor",
    severity: "notice",
    event: "ready",
    n: 1,
  });
});
