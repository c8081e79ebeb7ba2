/**
 * Exim and OpenSMTPD, unpacked and not installed: their packages exclude
 * Postfix. Both have paths and users compiled in, so each runs in a mount
 * namespace of its own, where those are there; nothing outside changes.
 */
import assert from "node:assert/strict";
import { freePort, run, until } from "../system/server_fixture.ts";
import { areInstalled } from "./peers.ts";

const UNPACKED = "/var/tmp/bulkhead-peers";
const EXIM = `${UNPACKED}/exim/usr/sbin/exim4`;
const OPENSMTPD = `${UNPACKED}/opensmtpd/usr/sbin/smtpd`;
/** Users that they want, and numbers that nobody has. */
const USERS = [["Debian-exim", 8_101], ["opensmtpd", 8_102], [
  "opensmtpq",
  8_103,
]] as const;

/** True if both are unpacked and may be started. */
export function canRunUnpacked(test: string): boolean {
  if (!areInstalled(test, EXIM, OPENSMTPD)) return false;
  if (Deno.uid() === 0) return true;
  console.log(`${test}: skipped, mount namespaces want root`);
  return false;
}

/** A directory for one of them, with its user table; removed at the end. */
export class PeerDir implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one. */
  static async make(): Promise<PeerDir> {
    const path = await Deno.makeTempDir({
      dir: "/tmp",
      prefix: "bulkhead-peer-",
    });
    await Deno.chmod(path, 0o755);
    for (const file of ["passwd", "group"]) {
      const more = USERS.map(([name, id]) =>
        file === "passwd"
          ? `${name}:x:${id}:${id}::/nonexistent:/bin/false\n`
          : `${name}:x:${id}:\n`
      );
      const table = await Deno.readTextFile(`/etc/${file}`);
      await Deno.writeTextFile(`${path}/${file}`, table + more.join(""));
    }
    return new PeerDir(path);
  }

  /** A command line that runs `line` with the mounts that it needs. */
  inside(mounts: readonly string[], line: string): string[] {
    const all = [
      "mount --make-rprivate /",
      `mount --bind ${this.path}/passwd /etc/passwd`,
      `mount --bind ${this.path}/group /etc/group`,
      ...mounts,
    ];
    return ["-m", "sh", "-ec", [...all, `exec ${line}`].join("\n")];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** An Exim that gives everything to a port of 127.0.0.1. */
export async function eximSend(
  port: number,
  mail: { from: string; to: string[]; content: string },
): Promise<void> {
  await using dir = await PeerDir.make();
  for (const name of ["spool", "log"]) {
    await Deno.mkdir(`${dir.path}/${name}`);
    await Deno.chown(`${dir.path}/${name}`, USERS[0][1], USERS[0][1]);
  }
  await Deno.writeTextFile(`${dir.path}/conf`, eximConf(dir.path, port));
  await Deno.writeTextFile(`${dir.path}/mail`, mail.content);
  const words = [
    ...[EXIM, "-C", `${dir.path}/conf`, "-odf", "-i"],
    ...["-f", `'${mail.from}'`],
    ...mail.to.map((one) => `'${one}'`),
    ...["<", `${dir.path}/mail`],
  ];
  const ran = await run("unshare", dir.inside([], words.join(" ")));
  assert.equal(ran.code, 0, ran.errors);
  const log = await Deno.readTextFile(`${dir.path}/log/mainlog`);
  assert.match(log, /Completed/, log);
  // K: it was sent by BDAT.
  assert.match(log, /^.* => .* K( |$)/m, log);
}

function eximConf(dir: string, port: number): string {
  return `
exim_path = ${EXIM}
primary_hostname = exim.remote.test
spool_directory = ${dir}/spool
log_file_path = ${dir}/log/%slog
keep_environment =
host_lookup =
never_users =
untrusted_set_sender = *
local_from_check = false
begin routers
all:
  driver = manualroute
  transport = out
  route_list = * 127.0.0.1 byname
  self = send
begin transports
out:
  driver = smtp
  port = ${port}
  allow_localhost
  hosts_try_fastopen =
  hosts_try_chunking = *
  tls_verify_certificates =
  tls_try_verify_hosts =
begin retry
* * F,2h,15m
`;
}

/** Runs an OpenSMTPD that relays everything to a port of 127.0.0.1. */
export async function withOpenSmtpd(
  relayPort: number,
  body: (port: number) => Promise<void>,
): Promise<void> {
  await using dir = await PeerDir.make();
  const port = freePort();
  await Deno.writeTextFile(
    `${dir.path}/conf`,
    `listen on 127.0.0.1 port ${port} hostname osmtpd.remote.test
action "out" relay host "smtp://127.0.0.1:${relayPort}" helo osmtpd.remote.test
match from any for any action "out"
`,
  );
  const mounts = [
    "mount -t tmpfs none /var/spool",
    "mkdir -m 711 /var/spool/smtpd",
    "mount -t tmpfs none /var/lib",
    "mkdir -p /var/lib/opensmtpd/empty",
    `mount --bind ${UNPACKED}/opensmtpd/usr/libexec /usr/libexec`,
    "mount -t tmpfs none /run",
    `echo osmtpd.remote.test > ${dir.path}/mailname`,
  ];
  const child = new Deno.Command("unshare", {
    args: dir.inside(mounts, `${OPENSMTPD} -d -f ${dir.path}/conf`),
    env: {
      LD_LIBRARY_PATH: `${UNPACKED}/opensmtpd/usr/lib/x86_64-linux-gnu:` +
        `${UNPACKED}/opensmtpd/usr/lib/aarch64-linux-gnu`,
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await until("OpenSMTPD's greeting", async () => {
      try {
        (await Deno.connect({ port, hostname: "127.0.0.1" })).close();
        return true;
      } catch {
        return false;
      }
    });
    await body(port);
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}
