import assert from "node:assert/strict";
import { type ReportFacts, reportJson, reportMail } from "./tls_report.ts";
import { addResult, type DayTally } from "./tls_tally.ts";

const DAY = 86_400_000;
const FROM = Date.UTC(2026, 10, 20);

const TALLY: DayTally = [
  {
    policy: "sts",
    lines: [
      "version: STSv1",
      "mode: testing",
      "mx: *.remote.test",
      "max_age: 1",
    ],
    successes: 5_326,
    failures: [
      {
        result: "certificate-expired",
        mxHost: "mx1.remote.test",
        ours: "2001:db8::1",
        theirs: "192.0.2.2",
        count: 100,
      },
      {
        result: "starttls-not-supported",
        mxHost: "",
        ours: "",
        theirs: "",
        count: 3,
      },
    ],
  },
  { policy: "no-policy-found", lines: [], successes: 1, failures: [] },
];

function facts(change: Partial<ReportFacts> = {}): ReportFacts {
  return {
    hostname: "mx.home.test",
    from: "postmaster@mx.home.test",
    domain: "remote.test",
    to: ["tls@remote.test", "a!b@other.test"],
    fromMs: FROM,
    untilMs: FROM + DAY,
    nowMs: FROM + DAY + 3_600_000,
    tally: TALLY,
    id: "0123456789ABCDEF",
    boundary: "0123456789abcdef0123456789abcdef",
    ...change,
  };
}

const WANT = {
  "organization-name": "mx.home.test",
  "date-range": {
    "start-datetime": "2026-11-20T00:00:00Z",
    "end-datetime": "2026-11-20T23:59:59Z",
  },
  "contact-info": "postmaster@mx.home.test",
  "report-id": `${FROM / 1_000}.remote.test@mx.home.test`,
  policies: [
    {
      policy: {
        "policy-type": "sts",
        "policy-string": [
          "version: STSv1",
          "mode: testing",
          "mx: *.remote.test",
          "max_age: 1",
        ],
        "policy-domain": "remote.test",
        "mx-host": ["*.remote.test"],
      },
      summary: {
        "total-successful-session-count": 5_326,
        "total-failure-session-count": 103,
      },
      "failure-details": [
        {
          "result-type": "certificate-expired",
          "sending-mta-ip": "2001:db8::1",
          "receiving-mx-hostname": "mx1.remote.test",
          "receiving-ip": "192.0.2.2",
          "failed-session-count": 100,
        },
        {
          "result-type": "starttls-not-supported",
          "failed-session-count": 3,
        },
      ],
    },
    {
      policy: {
        "policy-type": "no-policy-found",
        "policy-domain": "remote.test",
      },
      summary: {
        "total-successful-session-count": 1,
        "total-failure-session-count": 0,
      },
    },
  ],
};

Deno.test("reportJson() has the fields of RFC 8460 §4.4, and only those", () => {
  assert.deepEqual(JSON.parse(reportJson(facts())), WANT);
});

// Another's parser, as a receiver would have it.
const READER = `
import email, email.policy, gzip, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = list(mail.iter_parts())
print(json.dumps({
  "type": mail.get_content_type(), "report": mail.get_param("report-type"),
  "header": {k: str(mail[k]) for k in ("From", "To", "Subject", "Date",
    "TLS-Report-Domain", "TLS-Report-Submitter", "Auto-Submitted", "Message-ID")},
  "parts": [p.get_content_type() for p in parts],
  "file": parts[1].get_filename(),
  "defects": [str(d) for p in [mail, *parts] for d in p.defects],
  "text": parts[0].get_content(),
  "json": json.loads(gzip.decompress(parts[1].get_payload(decode=True))),
}))
`;

async function readByPython(mail: string) {
  const child = new Deno.Command("python3", {
    args: ["-c", READER],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(mail));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("reportMail() is a message that another program can read", async () => {
  // RFC 8460 §5.3; the file's name is that of §5.1.
  const { head, tail } = reportMail(facts());
  const got = await readByPython(head + tail);
  assert.deepEqual(got.defects, []);
  assert.equal(got.type, "multipart/report");
  assert.equal(got.report, "tlsrpt");
  assert.deepEqual(got.parts, ["text/plain", "application/tlsrpt+gzip"]);
  assert.equal(
    got.file,
    `mx.home.test!remote.test!${FROM / 1_000}!${(FROM + DAY) / 1_000 - 1}!` +
      "0123456789ABCDEF.json.gz",
  );
  assert.deepEqual(got.json, WANT);
  assert.match(
    got.text.replaceAll("\r\n", " "),
    /5327 sessions were as they should be, 103 were not/,
  );
  const { header } = got;
  assert.equal(header["TLS-Report-Domain"], "remote.test");
  assert.equal(header["TLS-Report-Submitter"], "mx.home.test");
  assert.equal(header["Auto-Submitted"], "auto-generated");
  assert.match(header["To"], /<?tls@remote.test>?, <?a!b@other.test>?/);
  assert.equal(
    header["Subject"],
    "Report Domain: remote.test Submitter: mx.home.test " +
      `Report-ID: <${WANT["report-id"]}>`,
  );
});

Deno.test("reportMail() fits the spool when all is as long as it can be", async () => {
  const tally: DayTally = [];
  const random = () => crypto.randomUUID().replaceAll("-", "");
  for (let n = 0; n < 20_000; n++) {
    addResult(tally, {
      policy: n % 2 === 0 ? "sts" : "tlsa",
      policyLines: Array.from({ length: 20 }, (_, i) => `${n % 7} ${i}`),
      domain: "remote.test",
      mxHost: `${random()}${random()}.${random()}${random()}.${random()}.test`,
      result: "validation-failure",
      ourAddress: "192.0.2.1",
      theirAddress: `192.0.2.${n % 256}`,
    });
  }
  const mail = reportMail(facts({ tally }));
  const got = await readByPython(mail.head + mail.tail);
  const counts = got.json.policies.map((
    { summary }: (typeof WANT)["policies"][number],
  ) => summary["total-failure-session-count"]);
  assert.equal(counts.reduce((a: number, b: number) => a + b, 0), 20_000);
  assert.ok(mail.head.length <= 65_536 && mail.tail.length <= 65_536);
  for (const line of (mail.head + mail.tail).split("\r\n")) {
    assert.ok(/^[\x20-\x7e]{0,998}$/.test(line), line);
  }
});
