/**
 * Mail programs that others wrote hand in 500 messages, one by one and many
 * at once: all of them arrive, and every octet is as it was sent.
 */
import assert from "node:assert/strict";
import { filesIn, readDelivered } from "../system/mailbox.ts";
import { type Installation, run, server } from "../system/server_fixture.ts";
import { areInstalled } from "./peers.ts";

const PYTHON = "/usr/bin/python3";
const SWAKS = "/usr/bin/swaks";
const SOURCE = "/usr/sbin/smtp-source";

/** Messages that each program sends. */
const COUNTS = { python: 150, swaks: 50, source: 299 } as const;
/** And one for 200 recipients. */
const TOTAL = 500;

/** Digests of what must arrive, with how often. */
type Expected = Map<string, number>;

Deno.test({
  name: "500 messages of smtplib, swaks and smtp-source arrive as sent",
  ignore: !areInstalled("swaks_smtplib_test", PYTHON, SWAKS, SOURCE),
  fn: async () => {
    const many = Array.from({ length: 200 }, (_, n) => `user${n}`);
    await using made = await server({ users: ["me", "you", ...many] });
    const expected: Expected = new Map();
    const toMany = await bySmtplib(made, expected);
    await bySwaks(made, expected);
    await bySmtpSource(made, expected);

    const sent = [...expected.values()].reduce((sum, one) => sum + one, 1);
    assert.equal(sent, TOTAL);
    for (const path of await filesIn(made.maildir("me"), TOTAL - 1, 60_000)) {
      const { content } = readDelivered(path);
      const digest = await digestOf(content);
      const left = expected.get(digest) ?? 0;
      const start = new TextDecoder().decode(content.subarray(0, 200));
      assert.ok(left > 0, `nothing that was sent, or too often: ${start}`);
      expected.set(digest, left - 1);
    }
    for (const user of many) {
      const [path] = await filesIn(made.maildir(user), 1);
      assert.equal(await digestOf(readDelivered(path!).content), toMany, user);
    }
    for (const { instance, restarts } of await made.roles()) {
      assert.equal(restarts, 0, `${instance} was restarted`);
    }
    await made.stopCleanly();
  },
});

async function digestOf(octets: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    octets as Uint8Array<ArrayBuffer>,
  );
  return new Uint8Array(digest).toHex();
}

function expect(expected: Expected, digest: string): void {
  expected.set(digest, (expected.get(digest) ?? 0) + 1);
}

// Prints a digest a message, of its form with LF; the last one is that for
// 200 recipients.
const PROGRAM = `
import hashlib, random, smtplib, sys, threading
port, count = int(sys.argv[1]), int(sys.argv[2])
draw = random.Random(5321)

def lines(n):
    yield b"Subject: smtplib %d" % n
    yield b"X-Folded: one\\r\\n\\ttwo\\r\\n three"
    yield b""
    kind = n % 6
    if kind == 0:
        yield b"plain"
    elif kind == 1:
        yield from [b".", b"..", b"...", b".x", b"", b".", b"x."]
    elif kind == 2:
        octets = bytes(o for o in range(1, 256) if o not in (10, 13))
        yield from [octets, octets[::-1]]
    elif kind == 3:
        yield from [b"x" * 998, b"." + b"y" * 997, b"z" * 998]
    elif kind == 4:
        pass
    else:
        for _ in range(draw.randrange(400)):
            yield bytes(draw.choices(b". abc\\xe9\\x80", k=draw.randrange(300)))

def message(n):
    return b"".join(line + b"\\r\\n" for line in lines(n))

def told(octets):
    print(hashlib.sha256(octets.replace(b"\\r\\n", b"\\n")).hexdigest())

def send(batch):
    with smtplib.SMTP("127.0.0.1", port, "python.test", timeout=60) as smtp:
        for octets in batch:
            refused = smtp.sendmail("py@remote.test", ["me@home.test"], octets,
                                    ["BODY=8BITMIME"])
            assert not refused, refused

messages = [message(n) for n in range(count - 1)]
big = b"Subject: big\\r\\n\\r\\n" + b".0123456789 big \\xff\\r\\n" * 1_666_000
messages.append(big)
for octets in messages:
    told(octets)
threads = [threading.Thread(target=send, args=[messages[n::10]])
           for n in range(10)]
for thread in threads: thread.start()
for thread in threads: thread.join()

octets = message(1)
told(octets)
with smtplib.SMTP("127.0.0.1", port, "python.test", timeout=60) as smtp:
    to = ["user%d@home.test" % n for n in range(200)]
    assert not smtp.sendmail("py@remote.test", to, octets)
    try:
        smtp.sendmail("py@remote.test", ["nobody@home.test"], octets)
        raise SystemExit("nobody@home.test was accepted")
    except smtplib.SMTPRecipientsRefused as error:
        assert error.recipients["nobody@home.test"][0] == 550, error
`;

/** Returns the digest of the message for 200 recipients. */
async function bySmtplib(
  made: Installation,
  expected: Expected,
): Promise<string> {
  const { code, out, errors } = await run(PYTHON, [
    ...["-c", PROGRAM, `${made.smtpPort}`, `${COUNTS.python}`],
  ]);
  assert.equal(code, 0, errors);
  // An exception in a thread does not end Python.
  assert.equal(errors, "");
  const digests = out.trim().split("\n");
  assert.equal(digests.length, COUNTS.python + 1);
  const toMany = digests.pop()!;
  for (const digest of digests) expect(expected, digest);
  return toMany;
}

async function bySwaks(made: Installation, expected: Expected): Promise<void> {
  const kinds = [
    { text: "plain\n", args: [] },
    { text: ".\n..\n.x\n\n.\n.y\n", args: ["--pipeline"] },
    { text: "in TLS\n", args: ["--tls"] },
    {
      text: "in TLS, gr\u00fc\u00dfe \u{1f4ec}\n",
      args: ["--tls", "--pipeline"],
    },
    { text: "HELO\n", args: ["--protocol", "SMTP"] },
  ];
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < COUNTS.swaks; n = next++) {
      const { text, args } = kinds[n % kinds.length]!;
      const content = `Subject: swaks ${n}\nTo: me@home.test\n\n${text}`;
      const file = made.beside(`swaks-${n}`);
      await Deno.writeTextFile(file, content);
      const ran = await run(SWAKS, [
        ...["--server", `127.0.0.1:${made.smtpPort}`, "--helo", "swaks.test"],
        ...["--from", "swaks@remote.test", "--to", "me@home.test"],
        ...["--data", `@${file}`, ...args],
      ]);
      assert.equal(ran.code, 0, ran.out + ran.errors);
      // It ends the data with a line end of its own.
      expect(
        expected,
        await digestOf(new TextEncoder().encode(content + "\n")),
      );
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

async function bySmtpSource(
  made: Installation,
  expected: Expected,
): Promise<void> {
  const content = "Subject: smtp-source\nFrom: <source@remote.test>\n\n" +
    ".\n..\n.dots and \u00e9\n" + `${"x".repeat(70)}\n`.repeat(40);
  const file = made.beside("source");
  await Deno.writeTextFile(file, content);
  // It ends the data with a line end of its own, as swaks does.
  const digest = await digestOf(new TextEncoder().encode(content + "\n"));
  // 20 and 50 sessions at once; the third closes after every message.
  const rounds = [
    { count: 149, args: ["-s", "20"] },
    { count: 100, args: ["-s", "50"] },
    { count: 50, args: ["-s", "10", "-d"] },
  ];
  for (const { count, args } of rounds) {
    const ran = await run(SOURCE, [
      ...args,
      ...["-m", `${count}`, "-F", file, "-M", "source.test"],
      ...["-f", "source@remote.test", "-t", "me@home.test"],
      `127.0.0.1:${made.smtpPort}`,
    ]);
    assert.equal(ran.code, 0, ran.errors);
    assert.equal(ran.errors, "");
    for (let n = 0; n < count; n++) expect(expected, digest);
  }
  assert.equal(
    rounds.reduce((sum, { count }) => sum + count, 0),
    COUNTS.source,
  );
}
