/**
 * A Postfix of its own beside the machine's: own configuration, queue and
 * data, one listener on the loopback, local delivery by virtual(8) into one
 * Maildir. Set up to be fast: no delay at intake, many processes, nothing that
 * asks DNS, no chroot, logging by postlogd(8) into a file.
 */
import { makeCertificate } from "../../mod/supervisor/certificate.ts";
import { attempt, run, until } from "./command.ts";
import {
  answers,
  BOX_DOMAIN,
  drainDomain,
  DRAINS,
  FAN_DOMAINS,
  fanDomain,
  fanHost,
  type Ground,
  RELAY_DOMAIN,
  type Server,
} from "./server.ts";

/** Owner of the mailbox: any number without an account. */
const MAIL_UID = 5_000;

/** Starts it. */
export async function startPostfix(ground: Ground): Promise<Server> {
  const { dir, port, group } = ground;
  const config = `${dir}/etc`;
  const box = `${dir}/mail/box`;
  for (const one of ["etc", "spool", "data", "mail"]) {
    Deno.mkdirSync(`${dir}/${one}`, { recursive: true });
  }
  for (const one of ["", "/new", "/cur", "/tmp"]) {
    Deno.mkdirSync(`${box}${one}`, { mode: 0o700 });
    Deno.chownSync(`${box}${one}`, MAIL_UID, MAIL_UID);
  }
  const defaults = await compiledIn();
  await run(["chown", defaults.get("mail_owner")!, `${dir}/data`]);
  const { cert, key } = makeCertificate("mx.bench.test", Date.now());
  Deno.writeTextFileSync(`${config}/cert.pem`, cert);
  Deno.writeTextFileSync(`${config}/key.pem`, key, { mode: 0o600 });
  Deno.writeTextFileSync(`${config}/main.cf`, mainCf(ground, defaults));
  Deno.writeTextFileSync(`${config}/master.cf`, masterCf(port));

  const log = `${dir}/start.log`;
  const server: Server = {
    name: "postfix",
    says: `Postfix ${defaults.get("mail_version")}`,
    port,
    doors: { plain: port, tls: port + 1, screened: port + 2 },
    box: `${box}/new`,
    group,
    partOf: (args) => args[0]?.split("/").at(-1) ?? "",
    flush: async () => void await run(["postqueue", "-c", config, "-f"]),
    stop: async () => void await attempt(["postfix", "-c", config, "stop"]),
  };
  const starter = group.start(["postfix", "-c", config, "start"], log);
  await starter.status;
  const isUp = await until(() => answers(port), { withinMs: 15_000 });
  if (!isUp) {
    throw new Error(`Cannot start Postfix: ${Deno.readTextFileSync(log)}`);
  }
  const pidFile = `${dir}/spool/pid/master.pid`;
  group.adopt(Number(Deno.readTextFileSync(pidFile)));
  return server;
}

/** Settings that depend on how Postfix was built. */
async function compiledIn(): Promise<Map<string, string>> {
  const names = [
    "command_directory",
    "daemon_directory",
    "mail_owner",
    "setgid_group",
    "mail_version",
  ];
  const lines = (await run(["postconf", "-d", ...names])).split("\n");
  return new Map(lines.map((line) => {
    const at = line.indexOf(" =");
    return [line.slice(0, at), line.slice(at + 2).trim()];
  }));
}

function mainCf(ground: Ground, defaults: Map<string, string>): string {
  const { dir } = ground;
  const built = [
    "command_directory",
    "daemon_directory",
    "mail_owner",
    "setgid_group",
  ].map((name) => `${name} = ${defaults.get(name)}`);
  return `${built.join("\n")}
compatibility_level = 3.6
queue_directory = ${dir}/spool
data_directory = ${dir}/data
maillog_file = ${dir}/mail.log
maillog_file_prefixes = ${dir}
myhostname = mx.bench.test
mydestination =
mynetworks = 127.0.0.1/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
biff = no
smtpd_peername_lookup = no
smtp_host_lookup = native
disable_dns_lookups = yes
smtpd_tls_security_level = none
smtpd_tls_cert_file = ${dir}/etc/cert.pem
smtpd_tls_key_file = ${dir}/etc/key.pem
postscreen_access_list =
postscreen_greet_wait = 1s
postscreen_cache_map = btree:${dir}/data/postscreen_cache
smtp_tls_security_level = none
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
message_size_limit = 52428800
virtual_mailbox_domains = ${BOX_DOMAIN}
virtual_mailbox_maps = static:box/
virtual_mailbox_base = ${dir}/mail
virtual_mailbox_limit = 0
virtual_minimum_uid = 100
virtual_uid_maps = static:${MAIL_UID}
virtual_gid_maps = static:${MAIL_UID}
transport_maps = inline:{${transports(ground).join(", ")}}
${DRAINS.map(drainLimits).join("\n")}
default_process_limit = 400
in_flow_delay = 0s
`;
}

/** Pairs of transport(5). */
function transports({ sinkPort, fanPort, drainPort }: Ground): string[] {
  const all = [`${RELAY_DOMAIN}=smtp:[127.0.0.1]:${sinkPort}`];
  for (let n = 1; n <= FAN_DOMAINS; n++) {
    all.push(`${fanDomain(n)}=smtp:[${fanHost(n)}]:${fanPort}`);
  }
  DRAINS.forEach((atOnce, i) =>
    all.push(
      `${drainDomain(atOnce)}=drain${atOnce}:[127.0.0.1]:${drainPort + i}`,
    )
  );
  return all;
}

function drainLimits(atOnce: number): string {
  const name = `drain${atOnce}`;
  return `${name}_destination_concurrency_limit = ${atOnce}
${name}_initial_destination_concurrency = ${Math.min(5, atOnce)}`;
}

/** Services as master(5) wants them: name, type, private, wakeup, limit. */
function masterCf(port: number): string {
  const rows: [string, string, string, string, string, string][] = [
    [`127.0.0.1:${port}`, "inet", "n", "-", "-", "smtpd"],
    [
      ...[`127.0.0.1:${port + 1}`, "inet", "n", "-", "-"] as const,
      "smtpd -o smtpd_tls_security_level=may",
    ],
    [`127.0.0.1:${port + 2}`, "inet", "n", "-", "1", "postscreen"],
    ["smtpd", "pass", "-", "-", "-", "smtpd"],
    ["dnsblog", "unix", "-", "-", "0", "dnsblog"],
    ["tlsproxy", "unix", "-", "-", "0", "tlsproxy"],
    ["pickup", "unix", "n", "60", "1", "pickup"],
    ["cleanup", "unix", "n", "-", "0", "cleanup"],
    ["qmgr", "unix", "n", "300", "1", "qmgr"],
    ["tlsmgr", "unix", "-", "1000?", "1", "tlsmgr"],
    ["rewrite", "unix", "-", "-", "-", "trivial-rewrite"],
    ["bounce", "unix", "-", "-", "0", "bounce"],
    ["defer", "unix", "-", "-", "0", "bounce"],
    ["trace", "unix", "-", "-", "0", "bounce"],
    ["verify", "unix", "-", "-", "1", "verify"],
    ["flush", "unix", "n", "1000?", "0", "flush"],
    ["proxymap", "unix", "-", "-", "-", "proxymap"],
    ["proxywrite", "unix", "-", "-", "1", "proxymap"],
    ["smtp", "unix", "-", "-", "-", "smtp"],
    ["relay", "unix", "-", "-", "-", "smtp"],
    ...DRAINS.map((
      atOnce,
    ): [string, string, string, string, string, string] => [
      `drain${atOnce}`,
      "unix",
      "-",
      "-",
      "-",
      "smtp",
    ]),
    ["showq", "unix", "n", "-", "-", "showq"],
    ["error", "unix", "-", "-", "-", "error"],
    ["retry", "unix", "-", "-", "-", "error"],
    ["discard", "unix", "-", "-", "-", "discard"],
    ["local", "unix", "-", "-", "-", "local"],
    ["virtual", "unix", "-", "-", "-", "virtual"],
    ["lmtp", "unix", "-", "-", "-", "lmtp"],
    ["anvil", "unix", "-", "-", "1", "anvil"],
    ["scache", "unix", "-", "-", "1", "scache"],
    ["postlog", "unix-dgram", "n", "-", "1", "postlogd"],
  ];
  // local(8) and virtual(8) must not be unprivileged: they change users.
  const own = new Set(["local", "virtual"]);
  return rows.map(([name, type, isPrivate, wakeup, limit, command]) =>
    [
      ...[name, type, isPrivate, own.has(name) ? "n" : "-", "n", wakeup],
      ...[limit, command],
    ].join(" ") + "\n"
  ).join("");
}
