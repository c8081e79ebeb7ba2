/**
 * Configuration -> what every role is told, and what its manifest may turn
 * into rights. The one place that knows both the settings and the roles.
 */
import type { Route } from "../config/routing.ts";
import { hostPortText, isAddress, isLoopback } from "../config/names.ts";
import tls from "node:tls";
import type { Config } from "../config/settings.ts";
import type { RoleName } from "../ipc/call.ts";
import type { Mailbox } from "../core/shapes.ts";
import type { RoleManifest, Site } from "../walls/manifest.ts";
import type { GateFiles } from "./gate_files.ts";
import { type LocalUser, originOf } from "./local_users.ts";
import { MAX_SOCKET_PATH } from "./sockets.ts";
import type { ServerPlan } from "./supervisor.ts";

/** Paths below a home. */
export interface Paths {
  readonly home: string;
  readonly spoolDir: string;
  readonly spentDir: string;
  readonly queueDir: string;
  readonly dropDir: string;
  readonly eventsDir: string;
  readonly gateDir: string;
  readonly stsDir: string;
  readonly mailDir: string;
  readonly runDir: string;
  readonly tlsDir: string;
  readonly usersFile: string;
  readonly authDir: string;
  readonly passwordsFile: string;
}

/** Where everything lies below `home`. */
export function pathsOf(home: string): Paths {
  return {
    home,
    spoolDir: `${home}/spool/segments`,
    spentDir: `${home}/spool/spent`,
    queueDir: `${home}/queue`,
    dropDir: `${home}/drop`,
    eventsDir: `${home}/events`,
    gateDir: `${home}/gate`,
    stsDir: `${home}/sts`,
    mailDir: `${home}/mail`,
    runDir: runDirOf(home),
    tlsDir: `${home}/tls`,
    usersFile: `${home}/users`,
    authDir: `${home}/auth`,
    passwordsFile: `${home}/auth/passwords`,
  };
}

// The longest socket name: `submission.0-resolve.sock`.
const LONGEST_SOCKET = 25;

/**
 * The sockets' directory: `home/run`, or, because a Unix socket's path has
 * at most 107 octets, a short one elsewhere that is named for a long home.
 */
function runDirOf(home: string): string {
  const path = `${home}/run`;
  const length = new TextEncoder().encode(path).length;
  if (length + 1 + LONGEST_SOCKET <= MAX_SOCKET_PATH) return path;
  let hash = 0xcbf29ce484222325n;
  for (const octet of new TextEncoder().encode(home)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(octet)) * 0x100000001b3n);
  }
  const root = Deno.uid() === 0;
  return `${root ? "/run" : "/tmp"}/bulkhead-${Deno.uid()}-${
    hash.toString(16)
  }`;
}

/** What {@link planServer} needs beside the configuration. */
export interface PlanInputs {
  readonly config: Config;
  readonly mailboxes: readonly Mailbox[];
  /** PEM texts; null if TLS is off. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Name servers of the system. */
  readonly nameservers: readonly string[];
  readonly libc: string;
  /** True if the machine has an IPv6 address to connect from. */
  readonly hasIpv6: boolean;
  /** What an ext4 journal may keep of contents; see `mod/shred/eraser.ts`. */
  readonly journalBytes: number;
  /** PEM of authorities for outbound TLS beside the usual ones; or empty. */
  readonly ca: string;
  /** For `outbound.smarthost`; null if it has no login. */
  readonly smarthostPassword: string | null;
  /** Lists of networks and access tables. */
  readonly gateFiles: GateFiles;
  /** Users of this machine, for the trace of what they hand in. */
  readonly localUsers: readonly LocalUser[];
  readonly manifests: readonly RoleManifest[];
}

/** What {@link siteOf} needs of them. */
export type SiteInputs = Pick<
  PlanInputs,
  "config" | "nameservers" | "libc" | "hasIpv6"
>;

/** `[routes]`, and the one that `outbound.smarthost` is. */
export function routesOf({ routes, outbound }: Config): readonly Route[] {
  if (outbound.smarthost === null) return routes;
  // The login is smtpc's alone to know.
  const { host, port, protocol } = outbound.smarthost;
  const nextHop = { kind: "host", host, port, protocol } as const;
  return [...routes, { domain: "*", nextHop }];
}

function loginOf({ config, smarthostPassword: password }: PlanInputs) {
  const { smarthost } = config.outbound;
  if (smarthost === null || smarthost.user === null || password === null) {
    return null;
  }
  const { host, port, user } = smarthost;
  return { host, port, user, password };
}

/** The facts that manifests turn into rights. */
export function siteOf(inputs: SiteInputs): Site {
  const { config } = inputs;
  const paths = pathsOf(config.server.home);
  const hops = new Map<string, { host: string; port: number }>();
  const sockets = new Set<string>();
  for (const { nextHop } of routesOf(config)) {
    if (nextHop.kind === "unix") sockets.add(nextHop.path);
    if (nextHop.kind !== "host") continue;
    const { host, port } = nextHop;
    hops.set(`${host} ${port}`, { host, port });
    // A name's address is only known later: any, but at this port alone.
    if (/[a-z]/.test(host) && !host.includes(":")) {
      hops.set(`any ${port}`, { host: "any-ipv4", port });
    }
  }
  return {
    home: paths.home,
    spoolDir: paths.spoolDir,
    spentDir: paths.spentDir,
    queueDir: paths.queueDir,
    dropDir: paths.dropDir,
    eventsDir: paths.eventsDir,
    gateDir: paths.gateDir,
    stsDir: paths.stsDir,
    mailDir: paths.mailDir,
    authDir: paths.authDir,
    runDir: paths.runDir,
    nextHops: [...hops.values()],
    nextHopSockets: [...sockets],
    sources: [
      ...new Set([
        ...config.outbound.source,
        ...config.destinations.flatMap(({ source }) => source ?? []),
      ]),
    ],
    nameservers: nameserversOf(inputs),
    dnsPort: config.dns.port,
    dnsRecurses: mayRecurse(inputs),
    ipv6: config.outbound.ipv6 === "auto"
      ? inputs.hasIpv6
      : config.outbound.ipv6 === "on",
    outboundPort: config.outbound.port,
    mtaSts: config.outbound.mta_sts,
    stsPort: config.outbound.mta_sts_port,
    smtpdProcesses: config.smtp.processes || automaticProcesses(),
    libc: inputs.libc,
  };
}

// The disk, not smtpd, is the limit; but TLS and parsing want more than one.
function automaticProcesses(): number {
  return Math.max(
    1,
    Math.min(16, Math.ceil(navigator.hardwareConcurrency / 2)),
  );
}

// Logins must leave room for mail; four of them take 128 MiB.
function automaticHashes(): number {
  return Math.max(1, Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2)));
}

function nameserversOf(inputs: SiteInputs): readonly string[] {
  const configured = inputs.config.outbound.nameservers;
  return (configured.length > 0 ? configured : inputs.nameservers).slice(0, 8);
}

/** True if dns may come to walk the DNS from its root; see `dns.resolve`. */
function mayRecurse(inputs: SiteInputs): boolean {
  const { resolve, validate } = inputs.config.dns;
  return resolve === "recurse" ||
    (resolve === "auto" && (validate || nameserversOf(inputs).length === 0));
}

/** Reads the name servers out of a resolv.conf(5). */
export function parseResolvConf(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [word, address] = line.trim().split(/\s+/);
    // One with a zone (`fe80::1%eth0`) is no address that a wall can name.
    return word === "nameserver" && address !== undefined && isAddress(address)
      ? [address]
      : [];
  });
}

/** The certificate that a planned server shows, as PEM; null without TLS. */
export function certificateIn({ parts }: ServerPlan): string | null {
  const part = parts.get("smtpd") as
    | { readonly tls?: { readonly cert: string } | null }
    | undefined;
  return part?.tls?.cert ?? null;
}

/** True if /proc/net/if_inet6 names an address of global scope. */
export function hasGlobalIpv6(ifInet6: string): boolean {
  return ifInet6.split("\n").some((line) => line.split(/\s+/)[3] === "00");
}

/**
 * All authorities, where there are some beside the usual ones. smtpc cannot
 * name those itself: Deno asks for a right that its flags cannot say.
 */
function withUsualAuthorities(pem: string): string {
  return pem === "" ? "" : [...tls.rootCertificates, pem].join("\n");
}

/** The whole plan of a server. */
export function planServer(inputs: PlanInputs): ServerPlan {
  const { config } = inputs;
  const site = siteOf(inputs);
  const hostname = config.server.hostname;
  const smtpd = {
    hostname,
    maxMessageBytes: config.smtp.max_message_size,
    maxRecipients: config.smtp.max_recipients,
    hopLimit: config.smtp.hop_limit,
    tellsSubjectWords: config.queue.subject_words,
    commandWithinMs: config.smtp.command_timeout,
    messageWithinMs: config.smtp.message_timeout,
    sessionWithinMs: config.smtp.session_timeout,
    maxSessions: config.smtp.max_sessions,
    maxSessionsPerClient: config.smtp.max_sessions_per_client,
    minDataRate: config.smtp.min_data_rate,
    proxyFrom: [...config.smtp.proxy_from],
    xclientFrom: [...config.smtp.xclient_from],
    screening: {
      trusted: [...config.screening.trusted],
      hasTables: Object.values(config.access).some((one) => one.length > 0),
      shadow: config.screening.shadow,
      greetWaitMs: config.screening.greet_wait,
      greetAction: config.screening.greet_action,
      deepAction: config.screening.deep_action,
    },
    tls: inputs.tls,
  };
  const parts = new Map<RoleName, unknown>([
    ["smtpd", smtpd],
    ["submission", {
      ...smtpd,
      maxSessions: config.submission.max_sessions,
      hideClient: config.submission.hide_client,
      channelBinding: config.submission.channel_binding,
    }],
    ["pickup", {
      hostname,
      origin: originOf(config),
      dir: site.dropDir,
      maxMessageBytes: config.smtp.max_message_size,
      hopLimit: config.smtp.hop_limit,
      tellsSubjectWords: config.queue.subject_words,
      users: inputs.localUsers,
      allowed: config.submit.users,
    }],
    ["resolve", {
      hostname,
      localDomains: config.server.local_domains,
      mailboxes: inputs.mailboxes,
      aliases: config.aliases,
      recipientDelimiter: config.resolve.recipient_delimiter,
      postmaster: mailboxOf(config.server.postmaster),
      routes: routesOf(config),
      relayDomains: config.server.relay_domains,
      maxTargets: config.resolve.max_targets,
    }],
    ["spool", {
      dir: site.spoolDir,
      spentDir: site.spentDir,
      segmentBytes: config.spool.segment_size,
      readySegments: config.spool.ready_segments,
      maxBytes: config.spool.max_size,
      minFreeBytes: config.spool.min_free,
      journalBytes: inputs.journalBytes,
    }],
    ["shred", { dir: site.spentDir, journalBytes: inputs.journalBytes }],
    ["queue", {
      hostname,
      dir: site.queueDir,
      eventsDir: site.eventsDir,
      consoleOpen: config.console.open,
      firstRetryMs: config.queue.first_retry,
      maxRetryMs: config.queue.max_retry,
      expireMs: config.queue.expire,
      delayWarningMs: config.queue.delay_warning,
      maxJobs: config.queue.max_jobs,
      maxJobsPerDestination: config.queue.max_jobs_per_destination,
      destinations: [...config.destinations.values()].map(
        ({ name, maxSessions, intervalMs }) => ({
          name,
          maxSessions,
          intervalMs,
        }),
      ),
      maxActive: config.queue.max_active,
      maxMessages: config.queue.max_messages,
      keepEventsMs: config.queue.keep_events,
      maxEventsBytes: config.queue.max_events_size,
      subjectWords: config.queue.subject_words,
      forgetWithinMs: config.queue.forget_within,
      minFreeBytes: config.queue.min_free,
      tlsReports: !config.outbound.tls_reports ? null : {
        from: config.outbound.tls_report_from ?? `postmaster@${hostname}`,
        everyMs: config.outbound.tls_report_each,
      },
    }],
    ["gate", gatePartOf(inputs, site)],
    ["maildir", {
      hostname,
      mailDir: site.mailDir,
      spoolDir: site.spoolDir,
      mailboxes: inputs.mailboxes,
      syncfsFrom: config.maildir.syncfs_from,
    }],
    ["sync", { file: `${site.mailDir}/.sync`, libc: site.libc }],
    ["smtpc", {
      hostname,
      spoolDir: site.spoolDir,
      port: config.outbound.port,
      connectWithinMs: config.outbound.connect_timeout,
      replyWithinMs: config.outbound.reply_timeout,
      maxHosts: config.outbound.max_hosts,
      ipv6: site.ipv6,
      tls: config.outbound.tls,
      tlsExceptions: config.outbound.tls_exceptions,
      ca: withUsualAuthorities(inputs.ca),
      destinations: config.destinations.map((
        { name, tls, match, fingerprints, source },
      ) => ({ name, tls, match, fingerprints, source })),
      source: config.outbound.source,
      replyFilter: config.reply_filter,
      login: loginOf(inputs),
      mtaSts: site.mtaSts,
    }],
    ["dial", {
      libc: site.libc,
      connectWithinMs: config.outbound.connect_timeout,
      port: config.outbound.port,
      sources: site.sources.filter((one) => one.includes(":")),
    }],
    ["dns", {
      nameservers: site.nameservers,
      port: config.dns.port,
      withinMs: config.outbound.dns_timeout,
      resolve: config.dns.resolve,
      trustedServers: config.dns.trusted_servers,
      validate: config.dns.validate,
      trustAnchors: config.dns.trust_anchors,
      unsignedDomains: config.dns.unsigned_domains,
      rootHints: config.dns.root_hints,
      minTtlS: Math.floor(config.dns.min_ttl / 1_000),
      maxTtlS: Math.floor(config.dns.max_ttl / 1_000),
      maxNegativeTtlS: Math.floor(config.dns.max_negative_ttl / 1_000),
      cacheBytes: config.dns.cache_size,
    }],
    ["sts", {
      dir: site.stsDir,
      port: site.stsPort,
      ca: inputs.ca,
    }],
    ["auth", {
      file: pathsOf(site.home).passwordsFile,
      defaultDomain: config.server.local_domains[0] ?? hostname,
      hashesAtOnce: automaticHashes(),
    }],
    ["console", {
      hostname,
      hosts: consoleHosts(config),
      // A proxy has the TLS, and a browser names its origin.
      origins: config.console.hosts.map((host) => `https://${host}`),
      expireMs: config.queue.expire,
      isOpen: config.console.open,
      tls: config.console.tls ? inputs.tls : null,
      metrics: {
        isOpen: isForThisMachine(config),
        token: config.metrics.token ?? "",
      },
    }],
  ]);
  const listen = listenersOf(inputs);
  // A role without an address has no work: it is not started. Nor has auth
  // without submission, where alone anybody can log in.
  const hasSubmission = listen.has("submission") || listen.has("submissions");
  const manifests = inputs.manifests.filter((one) =>
    one.name === "auth"
      ? hasSubmission
      : one.name === "pickup"
      ? config.submit.enabled
      : one.listens.length === 0 || one.listens.some((name) => listen.has(name))
  );
  const restAfterMs = config.server.rest_after ?? 0;
  return { site, manifests, parts, listen, restAfterMs };
}

/** Addresses of each listening socket that there is to be. */
function listenersOf({ config, tls }: PlanInputs): ServerPlan["listen"] {
  const { smtp, submission, console: page } = config;
  const listen = new Map([["smtp", smtp.listen]]);
  // Nobody may log in in clear, so without TLS nobody could submit anything.
  if (tls !== null && submission.listen.length > 0) {
    listen.set("submission", submission.listen);
  }
  if (tls !== null && submission.tls_listen.length > 0) {
    listen.set("submissions", submission.tls_listen);
  }
  if (page.listen) listen.set("console", [page.listen]);
  return listen;
}

function gatePartOf({ config, gateFiles }: PlanInputs, site: Site) {
  const { screening, rates, greylist, verify } = config;
  return {
    dir: site.gateDir,
    consoleOpen: config.console.open,
    allow: screening.allow,
    deny: screening.deny,
    ...gateFiles,
    shadow: screening.shadow,
    denyAction: screening.deny_action,
    testsGreeting: screening.greet_wait > 0,
    dnsblSites: screening.dnsbl_sites,
    dnsblThreshold: screening.dnsbl_threshold,
    dnsblAllowThreshold: screening.dnsbl_allow_threshold,
    dnsblWithinMs: screening.dnsbl_timeout,
    dnsblAction: screening.dnsbl_action,
    greetPassesMs: screening.greet_passes_for,
    dnsblPassesMs: screening.dnsbl_passes_for,
    deepPassesMs: screening.deep_passes_for,
    maxClients: screening.max_clients,
    keepVerdictsMs: screening.keep_verdicts,
    maxVerdicts: screening.max_verdicts,
    rates: {
      unitMs: rates.unit,
      concurrency: rates.concurrency,
      connections: rates.connections,
      messages: rates.messages,
      recipients: rates.recipients,
      errors: rates.errors,
      authFailures: rates.auth_failures,
      tlsHandshakes: rates.tls_handshakes,
      ipv4Prefix: rates.ipv4_prefix,
      ipv6Prefix: rates.ipv6_prefix,
    },
    greylist: !greylist.enabled ? null : {
      delayMs: greylist.delay,
      windowMs: greylist.window,
      passesMs: greylist.passes_for,
      clientsPassAfter: greylist.clients_pass_after,
      ipv4Prefix: greylist.ipv4_prefix,
      ipv6Prefix: greylist.ipv6_prefix,
    },
    recipientDelimiter: config.resolve.recipient_delimiter,
    verify: !verify.recipients ? null : {
      positiveMs: verify.positive_for,
      negativeMs: verify.negative_for,
    },
  };
}

function mailboxOf(address: string | null): Mailbox | null {
  if (address === null) return null;
  const at = address.lastIndexOf("@");
  return { user: address.slice(0, at), domain: address.slice(at + 1) };
}

/** True if nobody but this machine reaches the console: no proxy, either. */
function isForThisMachine({ console: { listen, hosts } }: Config): boolean {
  return listen !== null && hosts.length === 0 &&
    isLoopback(listen.host);
}

/** As browsers write it: without the port that is usual for TLS. */
function namesAt(hostname: string, port: number): string[] {
  return [`${hostname}:${port}`, ...port === 443 ? [hostname] : []];
}

function consoleHosts(config: Config): string {
  const listen = config.console.listen;
  if (listen === null) return "";
  return [
    hostPortText(listen),
    `localhost:${listen.port}`,
    // A certificate has the server's name.
    ...config.console.tls ? namesAt(config.server.hostname, listen.port) : [],
    ...config.console.hosts,
  ].join(" ");
}
