/**
 * A real Dovecot reads what our delivery writes: it lists the messages, says
 * their sizes without complaint about `S=`, and gives every octet back.
 *
 * Dovecot runs in a directory of its own, on a loopback port, as an ordinary
 * user. If it or python3 is not installed, this test fails.
 */
import assert from "node:assert/strict";
import {
  allAtOnce,
  type Durability,
  fileByFile,
} from "../../mod/maildir/durability.ts";
import {
  contentOf,
  deliveryTo,
  toolsOn,
} from "../../mod/maildir/fake_delivery.ts";
import { realMailFiles } from "../../mod/maildir/mail_files_io.ts";
import { runRound } from "../../mod/maildir/round.ts";

const DOVECOT = "/usr/sbin/dovecot";
const PYTHON = "/usr/bin/python3";
const PASSWORD = "secret";
const HEAD = "Return-Path: <sender@remote.test>\r\n" +
  "Delivered-To: me@home.test\r\n";

const MESSAGES: { name: string; wire: string; want?: string }[] = [
  { name: "plain", wire: "Subject: plain\r\n\r\nHello\r\n" },
  { name: "no text", wire: "Subject: no text\r\n\r\n" },
  { name: "no last line end", wire: "Subject: open\r\n\r\nHello" },
  { name: "dots", wire: "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n" },
  {
    name: "8-bit",
    wire: "Subject: gr\u00fc\u00dfe\r\n\r\n\u20ac \u{1f4ec}\r\n",
  },
  {
    name: "folded header",
    wire: "Subject: a\r\n b\r\n\tc\r\nX: y\r\n\r\nFrom here\r\n>From\r\n",
  },
  {
    name: "former Return-Path",
    wire: "A: b\r\nReturn-Path:\r\n <x@y>\r\nC: d\r\n\r\nReturn-Path: z\r\n",
    want: "A: b\r\nC: d\r\n\r\nReturn-Path: z\r\n",
  },
  {
    name: "MIME",
    wire: "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n" +
      "\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n" +
      "--b--\r\n",
  },
  {
    name: "big",
    wire: "Subject: big\r\n\r\n" + `${"x".repeat(76)}\r\n`.repeat(60_000),
  },
];

/** What the IMAP client reports of one message. */
interface Fetched {
  readonly size: number;
  readonly octets: string;
}

Deno.test("Dovecot lists and reads delivered mail, octet by octet", async () => {
  const dir = await Deno.makeTempDir({
    dir: "/tmp",
    prefix: "bulkhead-dovecot-",
  });
  try {
    const mailDir = `${dir}/mail`;
    await Deno.mkdir(mailDir);
    const peer = { sync: () => Promise.resolve("unknown" as const) };
    await deliverAll(mailDir, fileByFile(realMailFiles));
    await deliverAll(mailDir, allAtOnce(realMailFiles, peer));
    await withDovecot(dir, async (port) => {
      const fetched = await fetchAll(port);
      const got = fetched.map((one) => fromBase64(one.octets)).sort();
      const want = [...MESSAGES, ...MESSAGES]
        .map(({ wire, want }) => HEAD + (want ?? wire)).sort();
      assert.equal(got.length, want.length);
      got.forEach((text, at) => assert.ok(text === want[at], `${at}`));
      for (const one of fetched) {
        assert.equal(one.size, fromBase64Octets(one.octets).length);
      }
      // Dovecot has moved all to `cur`; what comes now must be new to it.
      await deliverAll(mailDir, fileByFile(realMailFiles));
      await giveAway(dir);
      assert.equal((await fetchAll(port)).length, 3 * MESSAGES.length);
    });
    const said = await Deno.readTextFile(`${dir}/log`);
    assert.doesNotMatch(said, /Error: |Panic: |Fatal: |imap\(.*Warning: /);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Delivers every message to me@home.test. */
async function deliverAll(mailDir: string, way: Durability): Promise<void> {
  for (const { name, wire } of MESSAGES) {
    const tools = toolsOn(realMailFiles, mailDir, contentOf(wire, 1_000));
    const [came] = await runRound([deliveryTo("me")], tools, way);
    assert.ok(came!.kind === "done");
    assert.equal(came!.outcomes[0]!.kind, "delivered", name);
  }
}

/** The user that Dovecot runs as: ourselves, or nobody if we are root. */
async function readerUser(): Promise<{ name: string; group: string }> {
  if (Deno.uid() === 0) return { name: "nobody", group: "nogroup" };
  return { name: await say("id", "-un"), group: await say("id", "-gn") };
}

async function say(command: string, ...args: string[]): Promise<string> {
  const { stdout, success } = await new Deno.Command(command, { args })
    .output();
  assert.ok(success, `${command} ${args.join(" ")}`);
  return new TextDecoder().decode(stdout).trim();
}

/** Makes everything under `dir` the reader's. */
async function giveAway(dir: string): Promise<void> {
  const { name, group } = await readerUser();
  await say("chown", "-R", `${name}:${group}`, dir);
}

/** Runs Dovecot on `dir`/mail while `body` talks to it. */
async function withDovecot(
  dir: string,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const user = await readerUser();
  const port = freePort();
  await Deno.mkdir(`${dir}/home`);
  await Deno.writeTextFile(`${dir}/conf`, configuration(dir, user, port));
  await Deno.writeTextFile(`${dir}/log`, "");
  await giveAway(dir);
  const isRoot = Deno.uid() === 0;
  const child = new Deno.Command(DOVECOT, {
    args: ["-F", "-c", `${dir}/conf`],
    cwd: dir,
    stdout: "null",
    stderr: "null",
    ...(isRoot
      ? {
        uid: Number(await say("id", "-u", user.name)),
        gid: Number(await say("id", "-g", user.name)),
      }
      : {}),
  }).spawn();
  try {
    await listening(port, dir);
    await body(port);
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

function configuration(
  dir: string,
  user: { name: string; group: string },
  port: number,
): string {
  return `
base_dir = ${dir}/run
state_dir = ${dir}/state
instance_name = bulkhead-interop
protocols = imap
listen = 127.0.0.1
log_path = ${dir}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = ${user.name}
default_internal_group = ${user.group}
default_login_user = ${user.name}
first_valid_uid = 1
mail_location = maildir:${dir}/mail/%d/%n
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${user.name} gid=${user.group} home=${dir}/home/%n
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Waits until Dovecot takes connections, 20 s at most. */
async function listening(port: number, dir: string): Promise<void> {
  const until = Date.now() + 20_000;
  while (Date.now() < until) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  assert.fail(`Dovecot does not start: ${Deno.readTextFileSync(`${dir}/log`)}`);
}

const CLIENT = `
import base64, imaplib, json, re, sys
imap = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]), timeout=30)
imap.login("me@home.test", sys.argv[2])
assert any(b"INBOX" in line for line in imap.list()[1])
imap.select("INBOX")
found = []
for uid in imap.uid("SEARCH", "ALL")[1][0].split():
    parts = imap.uid("FETCH", uid, "(RFC822.SIZE BODY.PEEK[])")[1]
    size = int(re.search(rb"RFC822.SIZE (\\d+)", parts[0][0]).group(1))
    octets = base64.b64encode(parts[0][1]).decode()
    found.append({"size": size, "octets": octets})
imap.logout()
print(json.dumps(found))
`;

/** Reads the whole INBOX with Python's imaplib. */
async function fetchAll(port: number): Promise<Fetched[]> {
  return JSON.parse(await say(PYTHON, "-c", CLIENT, `${port}`, PASSWORD));
}

function fromBase64Octets(text: string): Uint8Array {
  return Uint8Array.fromBase64(text);
}

function fromBase64(text: string): string {
  return new TextDecoder().decode(fromBase64Octets(text));
}
