/**
 * A real Postfix with everything of its own: configuration, queue, port, log.
 * Its master wants to be root.
 */
import assert from "node:assert/strict";
import { freePort, run, until } from "../system/server_fixture.ts";
import { areInstalled } from "./peers.ts";

const POSTFIX = "/usr/sbin/postfix";
// Whoever owns the mail; any number that is not below 100 will do.
const MAIL_UID = 5_000;

/** True if Postfix is installed and may be started. */
export function canRunPostfix(test: string): boolean {
  if (!areInstalled(test, POSTFIX, "/etc/postfix/master.cf")) return false;
  if (Deno.uid() === 0) return true;
  console.log(`${test}: skipped, Postfix must be started as root`);
  return false;
}

/** A running Postfix. */
export interface Postfix {
  readonly port: number;
  /** Where everything for `remote.test` lands. */
  readonly maildir: string;
  readonly log: () => string;
}

/** What a Postfix is like. */
export interface PostfixOptions {
  /** Gets what is for nobody here. */
  readonly relayhost?: string;
  /** 127.0.0.1 if not said. */
  readonly addresses?: readonly string[];
  /** Any that is free, if not said. */
  readonly port?: number;
  /** PEM; without it there is no TLS. */
  readonly certificate?: { readonly chain: string; readonly key: string };
  /** Domains beside remote.test. */
  readonly domains?: readonly string[];
}

/**
 * Runs Postfix while `body` uses it: it takes mail from loopback, delivers
 * all of remote.test into one Maildir, and gives the rest to `relayhost`.
 */
export async function withPostfix(
  options: PostfixOptions,
  body: (postfix: Postfix) => Promise<void>,
): Promise<void> {
  const { addresses = ["127.0.0.1"], port = freePort(), certificate } = options;
  const dir = await Deno.makeTempDir({
    dir: "/tmp",
    prefix: "bulkhead-postfix-",
  });
  await Deno.chmod(dir, 0o755);
  for (const name of ["etc", "spool", "data", "mail"]) {
    await Deno.mkdir(`${dir}/${name}`);
  }
  await run("chown", ["postfix", `${dir}/data`]);
  await Deno.chown(`${dir}/mail`, MAIL_UID, MAIL_UID);
  await Deno.writeTextFile(`${dir}/etc/main.cf`, settings(dir, options));
  if (certificate !== undefined) {
    await Deno.writeTextFile(`${dir}/chain.pem`, certificate.chain);
    await Deno.writeTextFile(`${dir}/key.pem`, certificate.key);
  }
  await Deno.writeTextFile(
    `${dir}/etc/master.cf`,
    await services(addresses, port),
  );
  const log = () => {
    try {
      return Deno.readTextFileSync(`${dir}/log`);
    } catch {
      return "no log";
    }
  };
  const command = (word: string) => run(POSTFIX, ["-c", `${dir}/etc`, word]);
  try {
    const started = await command("start");
    assert.equal(started.code, 0, started.errors + log());
    await until("Postfix's greeting", async () => {
      try {
        (await Deno.connect({ port, hostname: addresses[0]! })).close();
        return true;
      } catch {
        return false;
      }
    });
    await body({ port, maildir: `${dir}/mail/box`, log });
  } catch (error) {
    console.log(log());
    throw error;
  } finally {
    await command("stop");
    await Deno.remove(dir, { recursive: true });
  }
}

function settings(
  dir: string,
  { relayhost = "", certificate, domains = [] }: PostfixOptions,
): string {
  return `
compatibility_level = 3.6
queue_directory = ${dir}/spool
data_directory = ${dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${dir}/log
maillog_file_prefixes = ${dir}
myhostname = postfix.remote.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
biff = no
disable_dns_lookups = yes
smtp_host_lookup = native
local_header_rewrite_clients =
smtpd_tls_security_level = ${certificate === undefined ? "none" : "may"}
smtpd_tls_cert_file = ${certificate === undefined ? "" : `${dir}/chain.pem`}
smtpd_tls_key_file = ${certificate === undefined ? "" : `${dir}/key.pem`}
smtpd_tls_loglevel = 1
smtp_tls_security_level = may
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = ${["remote.test", ...domains].join(", ")}
virtual_mailbox_maps = static:box/
virtual_mailbox_base = ${dir}/mail
virtual_uid_maps = static:${MAIL_UID}
virtual_gid_maps = static:${MAIL_UID}
virtual_mailbox_limit = 0
virtual_minimum_uid = 100
relayhost = ${relayhost}
`;
}

/** Debian's services, not chrooted, on our addresses and port. */
async function services(
  addresses: readonly string[],
  port: number,
): Promise<string> {
  const lines = (await Deno.readTextFile("/etc/postfix/master.cf")).split("\n");
  return lines.flatMap((line) => {
    const words = line.trim().split(/\s+/);
    if (!/^[a-z]/.test(line) || words.length < 8) return [line];
    words[4] = "n";
    return words[0] === "smtp" && words[1] === "inet"
      ? addresses.map((address) =>
        [`${address}:${port}`, ...words.slice(1)].join(" ")
      )
      : [words.join(" ")];
  }).join("\n");
}
