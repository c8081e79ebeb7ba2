import assert from "node:assert/strict";
import { composeNotice } from "./notice.ts";
import type { NoticeFacts, Reported } from "./notice_facts.ts";
import { field, printable } from "./notice_text.ts";

const FAILED: Reported = {
  action: "failed",
  address: "bob@remote.test",
  original: "team@home.test",
  orcpt: "",
  enhanced: "5.1.1",
  text: "No such user",
  host: "mail.remote.test",
  said: "550 No such user",
  account: "mail.remote.test answered: 550 No such user",
  lastMs: Date.UTC(2026, 10, 21, 3, 3, 0),
};

const FACTS: NoticeFacts = {
  hostname: "mx.home.test",
  noticeId: "0123456789ABCDEF",
  queueId: "FEDCBA9876543210",
  reversePath: "alice@home.test",
  arrivedMs: Date.UTC(2026, 10, 21, 2, 3, 4),
  nowMs: Date.UTC(2026, 10, 21, 3, 3, 4),
  retryUntilMs: Date.UTC(2026, 10, 26, 2, 3, 4),
  is8bit: false,
  envid: "",
  isGlobal: false,
  quotes: "header",
  boundary: "b".repeat(32),
  reported: [FAILED],
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
  assert.match(read.text, /mail\.remote\.test answered: 550 No such user\r?\n/);
  assert.match(read.text, /Look how the address is spelt/);
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
      ["Diagnostic-Code", "smtp; 550 No such user"],
      ["Last-Attempt-Date", "Sat, 21 Nov 2026 03:03:00 +0000"],
    ],
  ]);
  assert.match(read.quoted, /^From: Alice/);
});

Deno.test("composeNotice names a host that is known by address only by its literal", () => {
  for (
    const [host, want] of [
      ["192.0.2.1", "dns; [192.0.2.1]"],
      ["2001:db8::1", "dns; [IPv6:2001:db8::1]"],
    ] as const
  ) {
    const { head } = composeNotice({
      ...FACTS,
      reported: [{ ...FAILED, host }],
    });
    assert.ok(head.includes(`\r\nRemote-MTA: ${want}\r\n`), host);
  }
});

Deno.test("composeNotice tells of success with the actions of RFC 3464, and by the sender's own names", async () => {
  const said: Reported = {
    ...FAILED,
    action: "relayed",
    orcpt: "rfc822;Bob@home.test",
    enhanced: "2.0.0",
    text: "queued",
    said: "250 2.0.0 queued",
    account: "mail.remote.test answered: 250 2.0.0 queued",
  };
  const ours = { ...said, host: "", said: "", original: "", orcpt: "" };
  const { head, tail } = composeNotice({
    ...FACTS,
    envid: "QQ 314",
    reported: [
      said,
      { ...ours, action: "delivered" },
      { ...ours, action: "expanded" },
    ],
  });
  const read = await readByPython(head + QUOTE + tail);
  assert.match(head, /\r\nSubject: Your message was passed on\r\n/);
  const inMailbox = composeNotice({
    ...FACTS,
    reported: [{ ...ours, action: "delivered" }],
  });
  assert.match(inMailbox.head, /\nSubject: Your message was delivered\r\n/);
  assert.deepEqual(read.groups[0]![0], ["Original-Envelope-Id", "QQ 314"]);
  assert.deepEqual(read.groups.slice(1), [
    [
      ["Original-Recipient", "rfc822;Bob@home.test"],
      ["Final-Recipient", "rfc822; bob@remote.test"],
      ["Action", "relayed"],
      ["Status", "2.0.0"],
      ["Remote-MTA", "dns; mail.remote.test"],
      ["Diagnostic-Code", "smtp; 250 2.0.0 queued"],
      ["Last-Attempt-Date", "Sat, 21 Nov 2026 03:03:00 +0000"],
    ],
    [
      ["Final-Recipient", "rfc822; bob@remote.test"],
      ["Action", "delivered"],
      ["Status", "2.0.0"],
      ["Last-Attempt-Date", "Sat, 21 Nov 2026 03:03:00 +0000"],
      ["Final-Log-ID", "FEDCBA9876543210"],
    ],
    [
      ["Final-Recipient", "rfc822; bob@remote.test"],
      ["Action", "expanded"],
      ["Status", "2.0.0"],
      ["Last-Attempt-Date", "Sat, 21 Nov 2026 03:03:00 +0000"],
      ["Final-Log-ID", "FEDCBA9876543210"],
    ],
  ]);
  assert.match(read.text, /mail\.remote\.test\s+has\s+taken it/);
});

Deno.test("composeNotice returns a whole message as one", () => {
  const { head, tail } = composeNotice({ ...FACTS, quotes: "message" });
  const message = QUOTE + "\r\nbody\r\n";
  assert.match(head, /\r\nContent-Type: message\/rfc822\r\n\r\n$/);
  assert.match(head + message + tail, /\r\n\r\nbody\r\n\r\n--b{32}--\r\n$/);
});

Deno.test("composeNotice speaks UTF-8 in the types of RFC 6533 of a message that needed SMTPUTF8", () => {
  const { head } = composeNotice({
    ...FACTS,
    isGlobal: true,
    reversePath: "jürgen@home.test",
    reported: [{
      ...FAILED,
      address: "бо+б@remote.test",
      original: "a\u2028b\u{1F600}@home.test",
      said: "550 5.1.1 nö",
    }],
  });
  for (
    const line of [
      "To: <jürgen@home.test>",
      "Content-Type: text/plain; charset=utf-8",
      "<бо+б@remote.test> (you wrote to a\\x{2028}b\u{1F600}@home.test)",
      "Content-Type: message/global-delivery-status",
      "Final-Recipient: utf-8; бо\\x{2B}б@remote.test",
      "Diagnostic-Code: smtp; 550 5.1.1 n\\x{F6}",
      "Content-Type: message/global-headers",
      "Content-Transfer-Encoding: 8bit",
    ]
  ) assert.ok(head.includes(`${line}\r\n`), `${line}\n\n${head}`);
});

Deno.test("composeNotice stays ASCII about an address beyond it when the message did not need SMTPUTF8", () => {
  const { head } = composeNotice({
    ...FACTS,
    reported: [{ ...FAILED, address: "jürgen@remote.test" }],
  });
  assert.match(head, /^[\x20-\x7e\r\n]*$/);
  assert.ok(
    head.includes("Final-Recipient: utf-8; j\\x{FC}rgen@remote.test\r\n"),
  );
});

Deno.test("composeNotice tells of a delay what happens next, in one notice however many wait", async () => {
  const late: Reported = {
    ...FAILED,
    action: "delayed",
    enhanced: "4.4.1",
    text: "connection refused",
    said: "",
    account: "mail.remote.test [192.0.2.1]: connection refused",
  };
  const reported = Array.from({ length: 1_000 }, () => late);
  const { head, tail, told } = composeNotice({ ...FACTS, reported });
  const read = await readByPython(head + QUOTE + tail);
  assert.match(head, /\r\nSubject: Your message is delayed\r\n/);
  assert.deepEqual(read.groups[1]!.slice(2), [
    ["Action", "delayed"],
    ["Status", "4.4.1"],
    ["Diagnostic-Code", "x-bulkhead; connection refused"],
    ["Last-Attempt-Date", "Sat, 21 Nov 2026 03:03:00 +0000"],
    ["Will-Retry-Until", "Thu, 26 Nov 2026 02:03:04 +0000"],
  ]);
  const text = read.text.replace(/\s+/g, " ");
  assert.match(text, /tried again until Thu, 26 Nov 2026 02:03:04 \+0000/);
  assert.match(text, /\[192\.0\.2\.1\]: connection refused/);
  assert.doesNotMatch(text, /Look how/);
  assert.ok(text.includes(`${1_000 - told} more recipients of it wait, too.`));
});

Deno.test("composeNotice says what is ours in our name, and where nobody answered that nobody did", async () => {
  const reported: Reported[] = [
    { ...FAILED, host: "", said: "", account: "Our server says: no" },
    { ...FAILED, said: "", text: "connection lost" },
  ];
  const { head, tail } = composeNotice({ ...FACTS, reported });
  const { groups } = await readByPython(head + QUOTE + tail);
  const names = groups.slice(1).map((group) => group.map(([name]) => name));
  assert.deepEqual(names[0]!.slice(2), [
    "Action",
    "Status",
    "Diagnostic-Code",
    "Last-Attempt-Date",
    "Final-Log-ID",
  ]);
  assert.equal(names[1]!.includes("Remote-MTA"), false);
  assert.deepEqual(groups[2]![4], [
    "Diagnostic-Code",
    "x-bulkhead; connection lost",
  ]);
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
    const failed: Reported = {
      ...FAILED,
      text,
      said: text,
      account: text,
      host: text,
      original: text,
      orcpt: text,
    };
    const { head, tail } = composeNotice({
      ...FACTS,
      envid: text,
      reported: [failed],
    });
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
  const reported = Array.from({ length: 1_000 }, (_, i) => ({
    ...FAILED,
    address: `user${i}@remote.test`,
    said: "t".repeat(400),
  }));
  const { head, tail, told } = composeNotice({ ...FACTS, reported });
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
