import assert from "node:assert/strict";
import net from "node:net";
import { meetsScript, type Options, run } from "./delivery_fixture.ts";
import { behave, Visit } from "./scripted_server.ts";

// RFC 2033: a server's replies after the final dot, one a recipient.
const LMTP = { LHLO: "250-fake.test\r\n250-PIPELINING\r\n250 8BITMIME" };

async function meetsLmtp(
  answers: Record<string, string | string[]>,
  last: string,
  options: Options = {},
) {
  const server = net.createServer((socket) => {
    const visit = new Visit(socket);
    // `.` is answered with all the final replies at once, octet for octet.
    behave(visit, { ...LMTP, ...answers, ".": last });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as net.AddressInfo;
  const ran = await run(port, {
    ...options,
    nextHop: { kind: "host", host: "127.0.0.1", port, protocol: "lmtp" },
  });
  await new Promise<void>((done) => server.close(() => done()));
  return ran;
}

const FINALS: {
  name: string;
  answers?: Record<string, string | string[]>;
  last: string;
  want: string;
}[] = [
  {
    name: "believes each reply of its own recipient",
    last: "250 2.0.0 ok\r\n552 5.2.2 full",
    want: "delivered 250 2.0.0, permanent 552 5.2.2",
  },
  {
    name: "counts only recipients that were taken",
    answers: { RCPT: ["550 5.1.1 who", "250 ok"] },
    last: "250 2.0.0 ok",
    want: "permanent 550 5.1.1, delivered 250 2.0.0",
  },
  {
    name: "puts off a recipient without a reply",
    last: "250 2.0.0 ok\r\nCLOSE",
    want: "delivered 250 2.0.0, temporary 451 4.4.2",
  },
  {
    name: "puts off those behind a 421",
    last: "250 2.0.0 ok\r\n421 4.3.2 bye",
    want: "delivered 250 2.0.0, temporary 421 4.3.2",
  },
];

for (const { name, answers, last, want } of FINALS) {
  Deno.test(`deliver() by LMTP ${name}`, async () => {
    const { said } = await meetsLmtp(answers ?? {}, last, {
      part: { replyWithinMs: 200 },
    });
    assert.equal(said, want);
  });
}

Deno.test("deliver() by LMTP believes no reply too many", async () => {
  // The session is not used again, and what was said is not for the next mail.
  const { said } = await meetsLmtp(
    {},
    "250 2.0.0 ok\r\n250 2.0.0 ok\r\n250 2.0.0 ok",
  );
  assert.equal(said, "delivered 250 2.0.0");
});

Deno.test("deliver() by LMTP bounces nobody for a refusal that came early", async () => {
  const big = "x".repeat(998) + "\r\n";
  const { said } = await meetsScript(async (visit) => {
    visit.say("220 fake.test\r\n");
    for (
      const text of ["250 fake.test", "250 ok", "250 ok", "250 ok", "354 go"]
    ) {
      await visit.line();
      visit.say(`${text}\r\n`);
    }
    visit.say("552 5.2.2 full\r\n");
    visit.pause();
    await visit.gone();
  }, {
    content: function* () {
      for (let i = 0; i < 200; i++) {
        yield new TextEncoder().encode(big.repeat(64));
      }
    },
    sizeBytes: 12_800_000,
    protocol: "lmtp",
  });
  assert.equal(said, "temporary 452 4.2.2");
});

Deno.test("deliver() by LMTP reaches a Unix socket, and tells nobody its path", async () => {
  const dir = Deno.makeTempDirSync();
  const path = `${dir}/lmtp.sock`;
  const heard = { lines: [] as string[], messages: [] as string[] };
  const server = net.createServer((socket) => {
    behave(new Visit(socket), { ...LMTP, ".": "250 a\r\n250 b" }, heard);
  });
  await new Promise<void>((done) => server.listen(path, done));
  const nextHop = { kind: "unix", path } as const;
  const { said, attempt } = await run(0, { nextHop });
  assert.equal(said, "delivered 250 2.0.0");
  assert.equal(heard.lines[0], "LHLO us.test");
  assert.equal(heard.messages.length, 1);
  assert.equal(attempt?.host, "localhost");
  await new Promise<void>((done) => server.close(() => done()));

  const gone = await run(0, { nextHop });
  assert.equal(gone.said, "temporary 451 4.4.1");
  assert.ok(!gone.outcomes?.some(({ text }) => text.includes(dir)));
  Deno.removeSync(dir, { recursive: true });
});
