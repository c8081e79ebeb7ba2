// Every kind of notice, read by another program: Python's email with its strict
// policy, which raises on any defect. RFC 3464, RFC 6522, RFC 6533.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { composeNotice } from "./notice.ts";
import type { NoticeFacts, Reported } from "./notice_facts.ts";

// Reads messages, each in base64 on a line; prints what it understood of each.
const READER = `
import base64, json, sys
from email import message_from_bytes, policy
def check(part):
    assert not part.defects, part.defects
    for value in part.values():
        assert not getattr(value, "defects", None), (value, value.defects)
for line in sys.stdin:
    m = message_from_bytes(base64.b64decode(line), policy=policy.strict)
    # What is quoted is somebody else's, faults and all.
    for part in [m] + m.get_payload(): check(part)
    text, status, quoted = m.get_payload()
    fields = status.get_payload()
    if status.get_content_subtype() == "global-delivery-status":
        # Which it takes for one message; its groups are the same.
        octets = b"\\n".join(bytes(status).splitlines())
        groups = octets.split(b"\\n\\n")[1:]
        fields = [message_from_bytes(g, policy=policy.SMTPUTF8)
                  for g in groups if g.strip()]
    print(json.dumps({
      "type": m.get_content_type(), "report": m.get_param("report-type"),
      "encodings": [p["Content-Transfer-Encoding"] for p in [m] + m.get_payload()],
      "parts": [p.get_content_type() for p in m.iter_parts()],
      "groups": [[k for k in g.keys()] for g in fields],
      "actions": [str(g["Action"]) for g in fields[1:]],
      "auto": m["Auto-Submitted"], "text": text.get_content(),
    }))
`;

interface Read {
  readonly type: string;
  readonly report: string;
  readonly encodings: readonly (string | null)[];
  readonly parts: readonly string[];
  readonly groups: readonly (readonly string[])[];
  readonly actions: readonly string[];
  readonly auto: string;
  readonly text: string;
}

async function readAll(messages: readonly Uint8Array[]): Promise<Read[]> {
  const child = new Deno.Command("python3", {
    args: ["-c", READER],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = messages.map((one) => Buffer.from(one).toString("base64"));
  const output = child.output();
  const writer = child.stdin.getWriter();
  // A reader that gave up says why on its standard error.
  await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"))
    .then(() => writer.close()).catch(() => {});
  const { stdout, stderr, success } = await output;
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
}

const SAID: Omit<Reported, "action"> = {
  address: "bob@remote.test",
  original: "",
  orcpt: "rfc822;Bob@remote.test",
  enhanced: "4.2.0",
  text: "later",
  host: "mx.remote.test",
  said: "450 4.2.0 later",
  account: "mx.remote.test [192.0.2.1] (asked without TLS) answered: 450 later",
  lastMs: Date.UTC(2026, 10, 21, 3, 3, 0),
};
const OURS = { ...SAID, host: "", said: "", account: "Our server says: no" };

const KINDS: { name: string; reported: Reported }[] = [
  { name: "failed", reported: { ...SAID, action: "failed" } },
  { name: "failed here", reported: { ...OURS, action: "failed" } },
  { name: "delayed", reported: { ...SAID, action: "delayed" } },
  {
    name: "delayed, untried",
    reported: { ...OURS, action: "delayed", lastMs: 0 },
  },
  { name: "delivered", reported: { ...OURS, action: "delivered" } },
  { name: "relayed", reported: { ...SAID, action: "relayed" } },
  { name: "expanded", reported: { ...OURS, action: "expanded" } },
];

const QUOTES = [
  { quotes: "message", octets: "From: a@b.test\r\n\r\nhi\r\n" },
  {
    quotes: "message",
    octets: "Subject: gr\u00fc\u00dfe\r\n\r\nhi \u00e9\r\n",
  },
  { quotes: "header", octets: "From: a@b.test\r\nSubject: x\r\n" },
  { quotes: "header", octets: "Subject: gr\u00fc\u00dfe\r\n" },
  { quotes: "nothing", octets: "" },
] as const;

/** Fields that a recipient's group must and may have, RFC 3464 §2.3. */
const MUST = ["Final-Recipient", "Action", "Status"];
const MAY = [
  ...MUST,
  "Original-Recipient",
  "Remote-MTA",
  "Diagnostic-Code",
  "Last-Attempt-Date",
  "Final-Log-ID",
  "Will-Retry-Until",
];

function corpus() {
  return KINDS.flatMap(({ name, reported }) =>
    QUOTES.flatMap(({ quotes, octets }) =>
      [false, true].map((isGlobal) => {
        const is8bit = /[^\0-\x7f]/.test(octets);
        const address = isGlobal ? "j\u00fcrgen@remote.test" : reported.address;
        const facts: NoticeFacts = {
          hostname: "mx.home.test",
          noticeId: "0123456789ABCDEF",
          queueId: "FEDCBA9876543210",
          // Python has no addresses beyond ASCII in headers.
          reversePath: "anne@home.test",
          envid: "E 1",
          arrivedMs: Date.UTC(2026, 10, 21, 2, 3, 4),
          nowMs: Date.UTC(2026, 10, 21, 3, 3, 4),
          retryUntilMs: Date.UTC(2026, 10, 26, 2, 3, 4),
          is8bit,
          isGlobal,
          quotes,
          boundary: "b".repeat(32),
          reported: [{ ...reported, address }],
        };
        const { head, tail } = composeNotice(facts);
        const wire = Buffer.concat([
          Buffer.from(head),
          // As it came, in one octet each: nobody knows its charset.
          Buffer.from(octets, isGlobal ? "utf8" : "latin1"),
          Buffer.from(tail),
        ]);
        return { name: `${name}, ${quotes}, ${isGlobal}`, facts, wire };
      })
    )
  );
}

Deno.test("composeNotice makes every kind of notice so that a strict reader finds no fault", async () => {
  const all = corpus();
  const read = await readAll(all.map(({ wire }) => wire));
  assert.equal(read.length, all.length);
  read.forEach((one, n) => {
    const { name, facts } = all[n]!;
    const { isGlobal, is8bit, quotes, reported } = facts;
    const { action } = reported[0]!;
    assert.equal(one.type, "multipart/report", name);
    assert.equal(one.report, "delivery-status", name);
    assert.equal(one.auto, "auto-replied", name);
    assert.deepEqual(one.actions, [action], name);
    const whole = isGlobal ? "message/global" : "message/rfc822";
    const header = isGlobal ? "message/global-headers" : "text/rfc822-headers";
    assert.deepEqual(one.parts, [
      "text/plain",
      isGlobal ? "message/global-delivery-status" : "message/delivery-status",
      quotes === "message" ? whole : header,
    ], name);
    // What is not 7-bit says so, and the whole says so if one of its parts does.
    const isLabelled = one.encodings.map((encoding) => encoding === "8bit");
    assert.deepEqual(
      isLabelled,
      [isGlobal || is8bit, isGlobal, isGlobal, isGlobal || is8bit],
      name,
    );
    const [about, group] = one.groups;
    assert.deepEqual(about, [
      "Original-Envelope-Id",
      "Reporting-MTA",
      "X-Bulkhead-Queue-ID",
      "Arrival-Date",
    ], name);
    for (const field of MUST) assert.ok(group!.includes(field), name);
    for (const field of group!) assert.ok(MAY.includes(field), name);
    assert.equal(
      group!.includes("Will-Retry-Until"),
      action === "delayed",
      name,
    );
    assert.equal(group!.includes("Remote-MTA"), reported[0]!.said !== "", name);
    assert.equal(/What you can do/.test(one.text), action === "failed", name);
  });
});
