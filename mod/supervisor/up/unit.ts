/**
 * The service's file for systemd and for OpenRC. The supervisor builds the
 * roles' walls itself, each tighter than any of this; the unit's are around
 * all of them, and around the supervisor.
 */

/** What both files say. */
export interface ServiceFacts {
  /** The command and its first arguments, absolute. */
  readonly command: readonly string[];
  readonly configPath: string;
  readonly home: string;
  /** Where the one file unpacks, if the administrator chose (`BULKHEAD_RUNTIME`). */
  readonly runtimePlace: string | null;
}

/** Where it unpacks else; see scripts/compile/launcher.sh. */
const RUNTIME_PLACES = [
  "/usr/local/lib/bulkhead",
  "/var/lib/bulkhead-runtime",
] as const;

/** Where systemd looks for what administrators made. */
export const UNIT_PATH = "/etc/systemd/system/bulkhead.service";
/** Where OpenRC does. */
export const OPENRC_PATH = "/etc/init.d/bulkhead";

/**
 * What the supervisor does with each capability; everything else is given up
 * before it starts.
 */
const CAPABILITIES = [
  "CAP_NET_BIND_SERVICE", // ports 25, 465, 587
  "CAP_SETUID", // a user of its own for each role
  "CAP_SETGID",
  "CAP_SETPCAP", // to take the rest from them
  "CAP_CHOWN", // the home's tree and the roles' sockets
  "CAP_FOWNER",
  "CAP_DAC_OVERRIDE", // files of roles that only they may read
  "CAP_KILL", // roles are other users
  "CAP_SYS_PTRACE", // how much memory a role has: none lets itself be read
  "CAP_SYS_RESOURCE", // limits of open files
  "CAP_SYS_ADMIN", // the mount namespace before a home below a closed directory
] as const;

/** The systemd unit. */
export function unitText(
  { command, configPath, home, runtimePlace }: ServiceFacts,
): string {
  const places = runtimePlace === null ? RUNTIME_PLACES : [runtimePlace];
  const environment = runtimePlace === null
    ? ""
    : `Environment=${unitWord(`BULKHEAD_RUNTIME=${runtimePlace}`)}\n`;
  return `# Made by bulkhead up. Changed, it is yours: up and down keep it.
[Unit]
Description=Bulkhead mail server
After=network-online.target nss-lookup.target time-sync.target
Wants=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
# Users of roles that a new program has and an older one had not: outside of
# the walls below, and passed over where it fails.
ExecStartPre=-+${
    [...command, "upgrade", "--users", "--config", configPath].map(unitWord)
      .join(" ")
  }
ExecStart=${
    [...command, "serve", "--config", configPath].map(unitWord).join(" ")
  }
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5s
# Wrong usage, no permission, a faulty configuration: no start mends those.
RestartPreventExitStatus=64 77 78
# The supervisor ends its roles itself, in less than ten seconds.
KillMode=mixed
TimeoutStopSec=30s
LimitNOFILE=65536
LimitCORE=0
OOMPolicy=continue

CapabilityBoundingSet=${CAPABILITIES.join(" ")}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${unitWord(home)}
# A new program unpacks itself here, and removes an old one.
ReadWritePaths=${places.map((one) => unitWord(`-${one}`)).join(" ")}
${environment}ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
# Not MemoryDenyWriteExecute: the runtime compiles while it runs. Not
# RestrictNamespaces, RestrictSUIDSGID: the home's tree has a set-group-ID bit.

[Install]
WantedBy=multi-user.target
`;
}

/** A word of a unit file: quoted, with systemd's specifiers and `$` escaped. */
export function unitWord(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(plain)
    ? plain
    : `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The OpenRC script. */
export function openrcText(
  { command, configPath, runtimePlace }: ServiceFacts,
): string {
  const [program, ...args] = [...command, "serve", "--config", configPath];
  return `#!/sbin/openrc-run
# Made by bulkhead up. Changed, it is yours: up and down keep it.
name="Bulkhead mail server"
supervisor=supervise-daemon
command=${shellWord(program!)}
command_args=${shellWord(args.map(shellWord).join(" "))}
error_log=/var/log/bulkhead.log
respawn_delay=5
rc_ulimit="-n 65536"
${
    runtimePlace === null
      ? ""
      : `export BULKHEAD_RUNTIME=${shellWord(runtimePlace)}\n`
  }extra_started_commands="reload"

depend() {
	need net
	after dns clock
	provide mta
}

reload() {
	supervise-daemon bulkhead --signal HUP
}
`;
}

/** A word for a POSIX shell. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command `bulkhead` where the program is a checkout and not one file:
 * also by the names of the links that lead to it.
 *
 * @param cache Where Deno keeps what the checkout imports: a service has no
 * home directory to look in
 */
export function wrapperText(
  command: readonly string[],
  cache: string,
): string {
  return `#!/bin/sh
# Made by bulkhead up.
case \${0##*/} in
  sendmail | mailq | newaliases) set -- "\${0##*/}" "$@" ;;
esac
DENO_DIR=\${DENO_DIR:-${shellWord(cache)}}
export DENO_DIR
exec ${command.map(shellWord).join(" ")} "$@"
`;
}
