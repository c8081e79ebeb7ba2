import assert from "node:assert/strict";
import { composeNotice, type Failed, type NoticeFacts } from "./notice.ts";
import { field, printable } from "./notice_text.ts";

const FAILED: Failed = {
  address: "bob@remote.test",
  original: "team@home.test",
  code: 550,
  enhanced: "5.1.1",
  text: "No such user",
  host: "mail.remote.test",
};

const FACTS: NoticeFacts = {
  hostname: "mx.home.test",
  noticeId: "0123456789ABCDEF",
  queueId: "FEDCBA9876543210",
  reversePath: "alice@home.test",
  arrivedMs: Date.UTC(2026, 10, 21, 2, 3, 4),
  nowMs: Date.UTC(2026, 10, 21, 3, 3, 4),
  is8bit: false,
  quotes: true,
  boundary: "b".repeat(32),
  failed: [FAILED],
};

const QUOTE = "From: Alice <alice@home.test>\r\nSubject: hello\r\n";

// Python's strict policy raises on any defect; it prints what it understood.
const READER = `
import sys, json
from email import message_from_bytes, policy
m = message_from_bytes(sys.stdin.buffer.read(), policy=policy.strict)
def walk(p):
    if p.defects: raise SystemExit("defects: %r" % p.defects)
    for h, v in p.items():
        if getattr(v, "defects", None): raise SystemExit("%s: %r" % (h, v.defects))
    if p.is_multipart():
        for q in p.get_payload(): walk(q)
walk(m)
parts = m.get_payload()
print(json.dumps({
  "type": m.get_content_type(), "report": m.get_param("report-type"),
  "to": m["To"], "auto": m["Auto-Submitted"], "headers": m.keys(),
  "parts": [p.get_content_type() for p in parts],
  "text": parts[0].get_content(),
  "groups": [list(map(list, g.items())) for g in parts[1].get_payload()],
  "quoted": parts[2].get_payload(),
}))
`;

interface Read {
  type: string;
  report: string;
  to: string;
  auto: string;
  headers: string[];
  parts: string[];
  text: string;
  groups: [string, string][][];
  quoted: string;
}

/** What python3's email module makes of it, with its strict policy. */
async function readByPython(message: string): Promise<Read> {
  const child = new Deno.Command("python3", {
    args: ["-c", READER],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(message));
  await writer.close();
  const { stdout, stderr, success } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("composeNotice makes what python's strict parser reads as a report", async () => {
  const { head, tail, told } = composeNotice(FACTS);
  assert.equal(told, 1);
  const read = await readByPython(head + QUOTE + tail);
  assert.equal(read.type, "multipart/report");
  assert.equal(read.report, "delivery-status");
  assert.equal(read.auto, "auto-replied");
  assert.match(read.to, /^<?alice@home.test>?$/);
  assert.deepEqual(read.parts, [
    "text/plain",
    "message/delivery-status",
    "text/rfc822-headers",
  ]);
  assert.match(read.text, /mail\.remote\.test said: 550 5\.1\.1 No such user/);
  assert.deepEqual(read.groups, [
    [
      ["Reporting-MTA", "dns; mx.home.test"],
      ["X-Bulkhead-Queue-ID", "FEDCBA9876543210"],
      ["Arrival-Date", "Sat, 21 Nov 2026 02:03:04 +0000"],
    ],
    [
      ["Original-Recipient", "rfc822; team@home.test"],
      ["Final-Recipient", "rfc822; bob@remote.test"],
      ["Action", "failed"],
      ["Status", "5.1.1"],
      ["Remote-MTA", "dns; mail.remote.test"],
      ["Diagnostic-Code", "smtp; 550 5.1.1 No such user"],
    ],
  ]);
  assert.match(read.quoted, /^From: Alice/);
});

const HOSTILE: { name: string; text: string }[] = [
  { name: "CRLF and a header", text: "x\r\nBcc: victim@x.test\r\n\r\nhi" },
  { name: "a delimiter", text: `\r\n--${"b".repeat(32)}--\r\n` },
  { name: "NUL and other controls", text: "a\0b\x1b[2J\x7f\x85\u2028c" },
  { name: "one long word", text: "w".repeat(500) },
  { name: "500 characters beyond ASCII", text: "\u{1F600}".repeat(250) },
  { name: "only spaces", text: " \t ".repeat(100) },
  { name: "nothing", text: "" },
];

for (const { name, text } of HOSTILE) {
  Deno.test(`composeNotice stays whole when a host says ${name}`, async () => {
    const failed: Failed = { ...FAILED, text, host: text, original: text };
    const { head, tail } = composeNotice({ ...FACTS, failed: [failed] });
    assert.match(head, /^[\x20-\x7e\r\n]*$/);
    assert.doesNotMatch(head, /[^\r]\n|\r[^\n]/);
    for (const line of head.split("\r\n")) assert.ok(line.length < 998);
    const read = await readByPython(head + QUOTE + tail);
    assert.equal(read.headers.includes("Bcc"), false);
    assert.equal(read.parts.length, 3);
    assert.equal(read.groups.length, 2);
  });
}

Deno.test("composeNotice speaks of as many recipients as fit, and says how many", async () => {
  const failed = Array.from({ length: 1_000 }, (_, i) => ({
    ...FAILED,
    address: `user${i}@remote.test`,
    text: "t".repeat(400),
  }));
  const { head, tail, told } = composeNotice({ ...FACTS, failed });
  assert.ok(told > 10 && told < 1_000);
  assert.ok(head.length <= 65_536);
  const read = await readByPython(head + QUOTE + tail);
  assert.equal(read.groups.length, told + 1);
});

Deno.test("composeNotice refuses to answer the empty reverse-path", () => {
  assert.throws(
    () => composeNotice({ ...FACTS, reversePath: "" }),
    RangeError,
  );
});

Deno.test("field folds at spaces and keeps one line under 78 octets", () => {
  const folded = field("Diagnostic-Code", "smtp; " + "word ".repeat(60));
  for (const line of folded.trimEnd().split("\r\n")) {
    assert.ok(line.length <= 78, line);
  }
  assert.equal(
    folded.replaceAll("\r\n ", " ").trimEnd(),
    "Diagnostic-Code: smtp; " + "word ".repeat(60).trimEnd(),
  );
});

Deno.test("printable keeps ASCII and escapes the rest", () => {
  assert.equal(printable("a \t\r\n b\0c é"), "a b c \\x{E9}");
});
