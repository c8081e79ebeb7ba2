/**
 * A real Dovecot on a loopback port, and Python's imaplib to ask it.
 *
 * It runs in a directory of its own, all of it as the one user that owns the
 * mail, and serves `%d/%n` below a mail directory.
 */
import assert from "node:assert/strict";

import { freePorts } from "../system/server_fixture.ts";

const DOVECOT = "/usr/sbin/dovecot";
const PYTHON = "/usr/bin/python3";
const PASSWORD = "secret";

/** True if both programs are installed. */
export const hasDovecot = [DOVECOT, PYTHON].every((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** What the IMAP client reports of one message. */
export interface Fetched {
  /** RFC822.SIZE */
  readonly size: number;
  /** In base64. */
  readonly octets: string;
}

/** A user who may read the mail. */
export interface Reader {
  readonly name: string;
  readonly group: string;
}

/** Runs Dovecot in `dir`, as `reader`, while `body` talks to it. */
export async function withDovecot(
  options: {
    dir: string;
    mailDir: string;
    reader: Reader;
    /** Takes mail by LMTP at `dir/lmtp.sock` and at the port behind IMAP's. */
    lmtp?: boolean;
  },
  body: (port: number) => Promise<void>,
): Promise<void> {
  const { dir, mailDir, reader, lmtp = false } = options;
  const port = freePorts();
  await Deno.mkdir(`${dir}/home`);
  await Deno.writeTextFile(
    `${dir}/conf`,
    configuration({ dir, mailDir, reader, port }) +
      (lmtp ? lmtpConfiguration({ dir, port: port + 1 }) : ""),
  );
  await Deno.writeTextFile(`${dir}/log`, "");
  const isRoot = Deno.uid() === 0;
  if (isRoot) {
    await say("chown", "-R", `${reader.name}:${reader.group}`, dir);
  }
  const child = new Deno.Command(DOVECOT, {
    args: ["-F", "-c", `${dir}/conf`],
    cwd: dir,
    stdout: "null",
    stderr: "null",
    ...(isRoot
      ? {
        uid: Number(await say("id", "-u", reader.name)),
        gid: Number(await say("id", "-g", reader.name)),
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
  const said = await Deno.readTextFile(`${dir}/log`);
  assert.doesNotMatch(said, /Error: |Panic: |Fatal: |imap\(.*Warning: /);
}

/** Runs a program that must succeed; returns what it printed. */
export async function say(
  command: string,
  ...args: string[]
): Promise<string> {
  const { stdout, success } = await new Deno.Command(command, { args })
    .output();
  assert.ok(success, `${command} ${args.join(" ")}`);
  return new TextDecoder().decode(stdout).trim();
}

function configuration(
  options: { dir: string; mailDir: string; reader: Reader; port: number },
): string {
  const { dir, mailDir, reader, port } = options;
  return `
base_dir = ${dir}/run
state_dir = ${dir}/state
instance_name = bulkhead-interop
protocols = imap
listen = 127.0.0.1
log_path = ${dir}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = ${reader.name}
default_internal_group = ${reader.group}
default_login_user = ${reader.name}
first_valid_uid = 1
mail_location = maildir:${mailDir}/%d/%n
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${reader.name} gid=${reader.group} home=${dir}/home/%n
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

function lmtpConfiguration(
  { dir, port }: { dir: string; port: number },
): string {
  return `
protocols = imap lmtp
postmaster_address = postmaster@remote.test
hostname = dovecot.remote.test
lmtp_save_to_detail_mailbox = no
service lmtp {
  unix_listener ${dir}/lmtp.sock {
    mode = 0666
  }
  inet_listener lmtp {
    port = ${port}
  }
}
`;
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
imap.login(sys.argv[3], sys.argv[2])
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

/** Reads a whole INBOX with Python's imaplib. */
export async function fetchAll(
  port: number,
  user = "me@home.test",
): Promise<Fetched[]> {
  return JSON.parse(
    await say(PYTHON, "-c", CLIENT, `${port}`, PASSWORD, user),
  );
}
