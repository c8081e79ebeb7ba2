/**
 * The one table of settings: what can be said in `bulkhead.toml`.
 *
 * Parser, defaults, `config doc`, `--help`, the file that `init` writes and
 * the type {@link Config} all come from here. Adding a setting is adding a
 * row. Bounds agree with the shapes in `mod/<role>/role.ts`, which the roles
 * check again for themselves.
 */
import {
  addresses,
  boolean,
  choice,
  dnsblSites,
  duration,
  filePath,
  integer,
  listenAddress,
  listenAddresses,
  mailDomains,
  networks,
  optional,
  orOff,
  paths,
  type Setting,
  size,
  sources,
  string,
  strings,
} from "./kinds.ts";
import { PROFILES } from "../dane/profile.ts";
import { replyFilter } from "./filter_rule.ts";
import { destinations } from "./destinations.ts";
import { foldAscii, isAddress, isDomainName, nameOrBelow } from "./names.ts";
import { trustAnchor } from "./trust_anchor.ts";
import { aliases, type Entries, routes } from "./routing.ts";
import { smarthost } from "./smarthost.ts";

/** Settings under one heading of the file. */
export interface Section<M> {
  readonly kind: "settings";
  readonly says: string;
  readonly settings: M;
}

function section<M extends Record<string, unknown>>(
  says: string,
  settings: M,
): Section<M> {
  return { kind: "settings", says, settings };
}

/**
 * What a test's failure leads to, in the words of Postfix's postscreen.
 *
 * - `ignore`: it is counted and logged, and nothing else
 * - `enforce`: the session goes on, and every recipient is refused
 * - `drop`: the client is refused at once and disconnected
 */
const ACTIONS = ["ignore", "enforce", "drop"] as const;

function action(says: string, standard: (typeof ACTIONS)[number]) {
  return choice({ says, default: standard, of: ACTIONS });
}

function lifetime(says: string, standard: string) {
  return duration({ says, default: standard, min: "1s", max: "365d" });
}

/** A limit per client and `rates.unit`. */
function rate(says: string, standard: number) {
  return integer({
    says: `${says} 0: no limit.`,
    default: standard,
    min: 1,
    max: 1_000_000,
    orZero: true,
  });
}

function prefix(says: string, bits: { default: number; max: number }) {
  return integer({ says, default: bits.default, min: 8, max: bits.max });
}

function accessTables(what: string) {
  return paths({
    says: `Tables asked about ${what}, in this order; the first entry that ` +
      "fits counts. A relative path starts at server.home.",
    default: [],
    example: ["access/deny"],
    min: 0,
    max: 8,
  });
}

/** Every setting, by section and key, in the order of the documentation. */
export const SECTIONS = {
  server: section("Who this server is and whose mail it takes.", {
    hostname: string({
      says:
        "This server's own name, as other servers see it: in the greeting, " +
        "in EHLO and in Received. It should be what the address's PTR record " +
        "says.",
      example: "mx.home.test",
      type: "domain",
      mustBe: 'a domain name such as "mx.home.test"',
      accept: domainName,
    }),
    local_domains: mailDomains({
      says:
        "Domains whose mail ends here: their mailboxes are those of the users " +
        "file, their other names those of [aliases].",
      example: ["home.test"],
      min: 1,
      max: 10_000,
      subdomains: false,
    }),
    postmaster: optional(string({
      says:
        "Who gets mail for postmaster and abuse of a local domain, or of this " +
        "host, when no mailbox or alias has that name (RFC 5321 §4.5.1, RFC " +
        "2142).",
      example: "me@home.test",
      inInit: true,
      type: "address",
      mustBe: 'the address of a mailbox such as "me@home.test"',
      accept: mailboxAddress,
    })),
    relay_domains: mailDomains({
      says:
        "Domains for which anybody may hand in mail, beside the local ones: " +
        "those that this server is a backup MX or a gateway for. A domain " +
        "does not include the ones below it; `.home.test` stands for those.",
      default: [],
      example: ["branch.test", ".branch.test"],
      min: 0,
      max: 10_000,
      subdomains: true,
    }),
    rest_after: orOff(duration({
      says: "A role that nobody asked anything for so long ends its process, " +
        "and gets a new one, within a fifth of a second, when somebody does: " +
        "it saves about 25 MB each. Those without which no mail is taken " +
        "never rest.",
      default: "5m",
      min: "1s",
      max: "7d",
    })),
    home: string({
      says: "Directory that holds everything: mail, spool, queue, users, " +
        "certificate. A relative path starts at the directory of this file.",
      default: ".",
      example: "/var/lib/bulkhead",
      type: "path",
      mustBe: "the path of a directory",
      accept: filePath,
    }),
  }),
  smtp: section("The SMTP server.", {
    listen: listenAddresses({
      says: "Where it listens. Ports below 1024 need a start as root.",
      default: ["127.0.0.1:2525"],
      example: ["0.0.0.0:25", "[::]:25"],
      inInit: true,
      min: 1,
      max: 8,
    }),
    processes: integer({
      says: "Processes that share the listening sockets; 0 is one for each " +
        "processor, up to 16.",
      default: 0,
      min: 1,
      max: 16,
      orZero: true,
    }),
    max_message_size: size({
      says: "Largest message taken (RFC 1870 SIZE).",
      default: "50MB",
      inInit: true,
      min: "1KiB",
      max: "4GiB",
    }),
    max_recipients: integer({
      says:
        "Most recipients in one transaction; RFC 5321 §4.5.3.1.8 asks for at " +
        "least 100.",
      default: 1_000,
      min: 100,
      max: 1_000,
    }),
    hop_limit: integer({
      says:
        "Received fields that a message may have; one with more is in a loop " +
        "and refused. RFC 5321 §6.3 advises 100; 50, as Postfix has it, ends " +
        "a loop of large mail sooner, and no real way is half as long.",
      default: 50,
      min: 10,
      max: 1_000,
    }),
    command_timeout: duration({
      says:
        "Whole time for one command line to arrive; RFC 5321 §4.5.3.2.7 asks " +
        "for at least 5 minutes.",
      default: "5m",
      min: "100ms",
      max: "1h",
    }),
    message_timeout: duration({
      says: "Whole time for one message to arrive.",
      default: "30m",
      min: "1s",
      max: "1d",
    }),
    session_timeout: duration({
      says: "Whole time for one session.",
      default: "2h",
      min: "1s",
      max: "1d",
    }),
    max_sessions: integer({
      says: "Most sessions at once in one process; a further one gets 421. A " +
        "client that is parked costs 6 to 8 kB of memory.",
      default: 10_000,
      min: 1,
      max: 20_000,
    }),
    max_sessions_per_client: integer({
      says: "Most sessions at once from one client address in one process. 0 " +
        "chooses: 50, or nine of ten if every address of smtp.listen is a " +
        "loopback address, because then most clients have the same one.",
      default: 0,
      min: 1,
      max: 20_000,
      orZero: true,
    }),
    min_data_rate: size({
      says:
        "Octets a second below which a message that is being sent uses up its " +
        "time: it has command_timeout to start with, and earns more with each " +
        "octet, up to command_timeout again. 0B switches this off.",
      default: "500B",
      min: "0B",
      max: "1MiB",
    }),
    proxy_from: networks({
      says:
        "Load balancers that say for whom they connect, by the PROXY protocol " +
        "(version 1 or 2). Whoever is listed must; from anybody else it is " +
        "not understood. A client that one cannot name counts as itself: as " +
        "trusted, if it is.",
      default: [],
      example: ["192.0.2.10"],
      min: 0,
      max: 100,
    }),
    xclient_from: networks({
      says:
        "Clients that may speak for others by XCLIENT. Whom they name is the " +
        "client from then on, for limits and screening, too.",
      default: [],
      example: ["192.0.2.11"],
      min: 0,
      max: 100,
    }),
  }),
  submission: section(
    "Where this server's own users hand in their mail, after a login inside " +
      "TLS (RFC 6409). What [smtp] says of sizes and times holds here too.",
    {
      listen: listenAddresses({
        says: "Where it listens for clients that use STARTTLS: port 587. " +
          "Without this and tls_listen, or without TLS, nobody can log in.",
        default: [],
        example: ["0.0.0.0:587", "[::]:587"],
        inInit: true,
        min: 0,
        max: 8,
      }),
      tls_listen: listenAddresses({
        says: "Where it speaks TLS from the first octet: port 465, which RFC " +
          "8314 prefers.",
        default: [],
        example: ["0.0.0.0:465", "[::]:465"],
        inInit: true,
        min: 0,
        max: 8,
      }),
      hide_client: boolean({
        says: "Whether Received leaves out the address and the name of the " +
          "user's machine.",
        default: false,
      }),
      channel_binding: boolean({
        says: "Whether SCRAM-SHA-256-PLUS is offered, which binds a login to " +
          "the certificate (tls-server-end-point, RFC 5929). A client that " +
          "knows only tls-exporter (RFC 9266) cannot log in by it: switch it " +
          "off if users have such.",
        default: true,
      }),
      max_sessions: integer({
        says: "Most sessions at once; a further one gets 421. One client " +
          "address may have as many as smtp.max_sessions_per_client says.",
        default: 1_000,
        min: 1,
        max: 20_000,
      }),
    },
  ),
  submit: section(
    "Mail of this machine's own users and programs, by the `sendmail` command.",
    {
      enabled: boolean({
        says: "Whether it is taken. If not, `sendmail` says so and fails.",
        default: true,
      }),
      origin: optional(string({
        says:
          "The domain of who submits, and of an address without one (cron " +
          "writes to `root`). Without it, the first of server.local_domains, " +
          "so that answers and bounces find somebody.",
        example: "home.test",
        type: "domain",
        mustBe: 'a domain name such as "home.test"',
        accept: domainName,
      })),
      users: strings({
        says:
          "Users of this machine who may submit, by name or number, and root. " +
          "Empty: everybody, under any sender's address, as always; the user " +
          "is in Received, in the log and in the history.",
        default: [],
        example: ["me", "www-data", "1000"],
        min: 0,
        max: 1_000,
        type: "list of users",
        mustBe: "the name or number of a user of this machine",
        accept: localUser,
      }),
    },
  ),
  tls: section("TLS for those who send to us.", {
    mode: choice({
      says:
        "Where the certificate comes from: self-signed is made at the first " +
        "start; files names your own; off offers no STARTTLS.",
      default: "self-signed",
      of: ["self-signed", "files", "off"],
      inInit: true,
    }),
    certificate: optional(string({
      says: "PEM file of the certificate and its chain, for mode files. A " +
        "relative path starts at server.home.",
      example: "/etc/letsencrypt/live/mx.home.test/fullchain.pem",
      inInit: true,
      type: "path",
      mustBe: "the path of a PEM file",
      accept: filePath,
    })),
    key: optional(string({
      says: "PEM file of the private key, for mode files.",
      example: "/etc/letsencrypt/live/mx.home.test/privkey.pem",
      inInit: true,
      type: "path",
      mustBe: "the path of a PEM file",
      accept: filePath,
    })),
  }),
  screening: section(
    "Tests that a client must pass before it is listened to. In each action, " +
      "ignore counts and logs and does nothing; enforce lets the session go " +
      "on and refuses every recipient; drop refuses the client at once.",
    {
      trusted: networks({
        says: "Clients that are not screened, not counted and not " +
          "greylisted. This permits them nothing else: who wants mail " +
          "relayed must log in.",
        default: ["127.0.0.0/8", "::1"],
        example: ["127.0.0.0/8", "::1", "192.0.2.0/24"],
        min: 0,
        max: 1_000,
      }),
      allow: networks({
        says: "Clients that are not tested, counted or greylisted; access " +
          "tables are asked about them. The narrowest network of " +
          "screening.allow and screening.deny counts, and " +
          "`bulkhead client allow|deny` goes before both.",
        default: [],
        example: ["198.51.100.0/24"],
        min: 0,
        max: 10_000,
      }),
      deny: networks({
        says: "Clients that are refused.",
        default: [],
        example: ["203.0.113.0/24"],
        min: 0,
        max: 10_000,
      }),
      allow_file: optional(string({
        says: "File with more of screening.allow: a network a line, # for a " +
          "comment. A relative path starts at server.home.",
        example: "access/allowed-clients",
        type: "path",
        mustBe: "the path of a file",
        accept: filePath,
      })),
      deny_file: optional(string({
        says: "File with more of screening.deny, 100,000 lines and more.",
        example: "access/denied-clients",
        type: "path",
        mustBe: "the path of a file",
        accept: filePath,
      })),
      shadow: boolean({
        says: "Makes every test, and lets every client pass: the log and " +
          "`bulkhead client list` say what would have been refused. For " +
          "rates and greylisting too; access tables are obeyed.",
        default: false,
      }),
      deny_action: action("What screening.deny leads to.", "enforce"),
      greet_wait: duration({
        says: "How long a client that is not known yet is kept waiting " +
          "after the first line of a greeting of two: who talks before the " +
          "second one is no mail server. Postfix waits 6 s. 0s: no wait and " +
          "no such test.",
        default: "3s",
        min: "0s",
        max: "30s",
      }),
      greet_action: action("What talking too early leads to.", "enforce"),
      dnsbl_sites: dnsblSites({
        says: "Lists of client addresses to ask, as Postfix's postscreen " +
          "writes them: `domain[=filter][*weight]`. The filter says which " +
          "answers count, with lists and ranges in brackets, and without " +
          "one all in 127.0.0.0/8 do but 127.255.255.*, by which lists " +
          "refuse to serve; the weight is 1 if not given, and a negative " +
          "one speaks for the client.",
        default: [],
        example: ["bl.home.test=127.0.0.[2..11]*3", "wl.home.test*-2"],
        min: 0,
        max: 50,
      }),
      dnsbl_threshold: integer({
        says: "Sum of weights from which on a client is refused.",
        default: 1,
        min: 1,
        max: 10_000,
      }),
      dnsbl_allow_threshold: integer({
        says: "Sum of weights at or below which a client passes all tests; " +
          "it is negative. 0: none does.",
        default: 0,
        min: -10_000,
        max: -1,
        orZero: true,
      }),
      dnsbl_timeout: duration({
        says: "What has not answered by then counts nothing. Lists are asked " +
          "while the client waits for the greeting, so up to " +
          "screening.greet_wait nothing is lost by it.",
        default: "3s",
        min: "100ms",
        max: "10s",
      }),
      dnsbl_action: action("What a sum that is too high leads to.", "enforce"),
      deep_action: action(
        "What it leads to when a client ends lines with a bare LF, speaks " +
          "HTTP or the like, or sends commands ahead of a reply it had to " +
          "wait for.",
        "enforce",
      ),
      greet_passes_for: lifetime(
        "How long a client that waited for the greeting is not tested again.",
        "1d",
      ),
      dnsbl_passes_for: lifetime(
        "How long a client that the lists let pass is not asked for again.",
        "1h",
      ),
      deep_passes_for: lifetime(
        "How long a client that passed the tests of its commands is not " +
          "tested again.",
        "30d",
      ),
      max_clients: integer({
        says: "Most clients remembered; beyond it those seen longest ago go. " +
          "One takes some 600 octets of memory.",
        default: 100_000,
        min: 100,
        max: 300_000,
      }),
      keep_verdicts: duration({
        says: "How long it is remembered whom a test, table or rate refused.",
        default: "30d",
        min: "1s",
        max: "365d",
      }),
      max_verdicts: integer({
        says: "Most of them; beyond it the oldest go.",
        default: 100_000,
        min: 100,
        max: 10_000_000,
      }),
    },
  ),
  rates: section(
    "How much one client may do. A client is one IPv4 address, or an IPv6 " +
      "network; who exceeds a limit is told to come again later.",
    {
      unit: duration({
        says: "The time that the limits are for.",
        default: "1m",
        min: "1s",
        max: "1d",
      }),
      concurrency: rate("Connections at once.", 50),
      connections: rate("Connections.", 300),
      messages: rate("Messages.", 600),
      recipients: rate("Recipients.", 6_000),
      errors: rate("Commands that were refused.", 300),
      auth_failures: rate("Log-ins that failed.", 10),
      tls_handshakes: rate("TLS handshakes.", 300),
      ipv4_prefix: prefix("Bits of an IPv4 address that make a client.", {
        default: 32,
        max: 32,
      }),
      ipv6_prefix: prefix("Bits of an IPv6 address that make a client.", {
        default: 64,
        max: 128,
      }),
    },
  ),
  greylist: section(
    "Greylisting: what a client sends for the first time from one sender to " +
      "one recipient is taken only when it comes again.",
    {
      enabled: boolean({ says: "Whether it is done.", default: false }),
      delay: duration({
        says: "A repetition before this is too early.",
        default: "5m",
        min: "1s",
        max: "1d",
      }),
      window: duration({
        says: "A repetition after this counts as the first one again.",
        default: "2d",
        min: "1m",
        max: "30d",
      }),
      passes_for: lifetime(
        "How long it is remembered that a sender and recipient passed; " +
          "each message renews it.",
        "35d",
      ),
      clients_pass_after: integer({
        says: "A client that came again so often is not greylisted any more. " +
          "0: every client always is.",
        default: 5,
        min: 1,
        max: 1_000,
        orZero: true,
      }),
      ipv4_prefix: prefix(
        "Bits of an IPv4 address that make a client: a large sender comes " +
          "again from a neighbouring address.",
        { default: 24, max: 32 },
      ),
      ipv6_prefix: prefix("The same for IPv6.", { default: 64, max: 128 }),
    },
  ),
  access: section(
    "Tables of clients and addresses and what to do with them, as in " +
      "Postfix's access(5): `pattern RESULT` on each line. See " +
      "mod/gate/README.md for the patterns, results and order.",
    {
      client: accessTables("a client's address"),
      helo: accessTables("what a client calls itself"),
      sender: accessTables("a message's sender"),
      recipient: accessTables("a recipient"),
    },
  ),
  verify: section(
    "Whether the next hop takes mail for an address, asked before it is " +
      "taken here.",
    {
      recipients: boolean({
        says: "Whether recipients whose mail goes on to another server are " +
          "asked for there.",
        default: false,
      }),
      positive_for: lifetime("How long a yes is remembered.", "31d"),
      negative_for: lifetime("How long a no is remembered.", "3h"),
    },
  ),
  resolve: section("Which mailbox an address is.", {
    recipient_delimiter: string({
      says: "Characters that each start an extension: with `+`, mail for " +
        "me+lists@home.test goes to me@home.test. The first one in the " +
        "address counts; an address that exists as written goes first. Empty " +
        "switches extensions off.",
      default: "+",
      example: "+-",
      inInit: true,
      bounds: "up to 8 of + - = _ . # ~ ^",
      mustBe: "up to 8 different characters of + - = _ . # ~ ^",
      accept: delimiters,
    }),
    max_targets: integer({
      says:
        "Most places that one recipient may go to after all aliases; one with " +
        "more is refused.",
      default: 1_000,
      min: 1,
      max: 1_000,
    }),
  }),
  aliases,
  routes,
  queue: section("Retries, limits and memory of the queue.", {
    first_retry: duration({
      says:
        "First retry after this; then the wait grows by half each time. RFC " +
        "5321 §4.5.4.1 advises 30 minutes or a variable wait; 5 minutes, as " +
        "Postfix has it, gets mail through greylisting without long delay.",
      default: "5m",
      min: "100ms",
      max: "1d",
    }),
    max_retry: duration({
      says: "The wait between retries grows no longer than this.",
      default: "4h",
      min: "100ms",
      max: "7d",
    }),
    expire: duration({
      says:
        "A message that is still not delivered after this is returned to its " +
        "sender; RFC 5321 §4.5.4.1 asks for at least 4 to 5 days.",
      default: "5d",
      inInit: true,
      min: "1s",
      max: "100d",
    }),
    delay_warning: duration({
      says:
        "The sender of a message that is not delivered after this is told so, " +
        'once: who asked for it, and our own users (RFC 3461 §4.1). "0s" ' +
        "tells nobody.",
      default: "4h",
      min: "0s",
      max: "100d",
    }),
    max_jobs: integer({
      says: "Most deliveries at once.",
      default: 100,
      min: 1,
      max: 2_000,
    }),
    max_jobs_per_destination: integer({
      says: "Most deliveries at once to one destination.",
      default: 20,
      min: 1,
      max: 2_000,
    }),
    max_active: integer({
      says: "Most messages that the scheduler holds in memory.",
      default: 20_000,
      min: 10,
      max: 1_000_000,
    }),
    max_messages: integer({
      says: "Most messages in the queue; beyond it new ones get 452.",
      default: 1_000_000,
      min: 10,
      max: 100_000_000,
    }),
    keep_events: duration({
      says: "How long the history of deliveries is kept: addresses, hosts, " +
        "replies and the lines of sessions, never content.",
      default: "30d",
      min: "1s",
      max: "365d",
    }),
    max_events_size: size({
      says: "Most disk space that the history's database uses; beyond it the " +
        "oldest goes first, whatever keep_events says.",
      default: "1GiB",
      min: "1MiB",
      max: "1TiB",
    }),
    subject_words: boolean({
      says: "Whether `bulkhead why` finds messages by words of their " +
        "subjects. Of each of the first 16 words 8 octets of a keyed digest " +
        "(HMAC-SHA-256) are kept with the history, and never the word.",
      default: true,
    }),
    forget_within: duration({
      says:
        "When a message is finished, its addresses are overwritten in the " +
        "queue's database and its write-ahead log within this time; so are " +
        "those of forgotten history.",
      default: "30s",
      min: "1s",
      max: "1d",
    }),
    min_free: size({
      says:
        "Disk space set aside beside the database, so that what became of a " +
        "message can be recorded when the disk is full. At most 16 MiB are " +
        "used.",
      default: "16MiB",
      min: "0B",
      max: "32TiB",
    }),
  }),
  spool: section("Where message contents wait, sealed.", {
    segment_size: size({
      says: "Size of one segment file.",
      default: "16MiB",
      min: "64KiB",
      max: "1GiB",
    }),
    ready_segments: integer({
      says: "Empty segments kept ready for writing.",
      default: 2,
      min: 1,
      max: 1_000,
    }),
    max_size: size({
      says:
        "All segments together grow no larger; beyond it new messages get 452.",
      default: "4GiB",
      inInit: true,
      min: "64KiB",
      max: "32TiB",
    }),
    min_free: size({
      says:
        "Free space on the spool's file system below which new messages get " +
        "452.",
      default: "64MB",
      min: "0B",
      max: "32TiB",
    }),
  }),
  maildir: section("Delivery into mailboxes.", {
    syncfs_from: integer({
      says:
        "From this many deliveries at once on, the file system is synced as a " +
        "whole instead of file by file.",
      default: 8,
      min: 2,
      max: 1_000,
    }),
  }),
  outbound: section("Sending to other servers.", {
    port: integer({
      says: "Port of MX hosts; another one than 25 only in a laboratory.",
      default: 25,
      min: 1,
      max: 65_535,
    }),
    connect_timeout: duration({
      says: "Whole time to open one connection.",
      default: "30s",
      min: "100ms",
      max: "10m",
    }),
    reply_timeout: duration({
      says:
        "Whole time for one reply of the other server; RFC 5321 §4.5.3.2 asks " +
        "for 2 to 10 minutes.",
      default: "5m",
      min: "100ms",
      max: "1h",
    }),
    max_hosts: integer({
      says: "Most hosts and addresses tried in one attempt.",
      default: 10,
      min: 1,
      max: 100,
    }),
    mta_sts: boolean({
      says: "Whether the MTA-STS policies (RFC 8461) of other domains are " +
        "asked for and obeyed, where they have no TLSA records. Off: the " +
        "role that fetches them is not started.",
      default: true,
    }),
    tls_reports: boolean({
      says:
        "Whether domains that ask for it (RFC 8460) get a report by mail, " +
        "once a day, of how TLS went with their servers. Off, because a report " +
        "must be signed by DKIM, which this server cannot do: without a " +
        "signature it is thrown away, unless another server signs what this " +
        "one sends.",
      default: false,
    }),
    tls_report_from: optional(string({
      says: "The address that reports come from; where there is none, " +
        "postmaster at server.hostname.",
      example: "tls-reports@home.test",
      type: "address",
      mustBe: 'an address such as "tls-reports@home.test"',
      accept: mailboxAddress,
    })),
    tls_report_each: duration({
      says: "The time that one report speaks of; another one than a day only " +
        "in a laboratory.",
      default: "1d",
      min: "1s",
      max: "1d",
    }),
    mta_sts_port: integer({
      says: "Port of the servers of MTA-STS policies; another one than 443 " +
        "only in a laboratory: then they may have loopback addresses, too.",
      default: 443,
      min: 1,
      max: 65_535,
    }),
    ipv6: choice({
      says:
        "Whether IPv6 addresses are tried: auto asks whether this machine has " +
        "one of its own beyond the loopback address.",
      default: "auto",
      of: ["auto", "on", "off"],
    }),
    tls: choice({
      says:
        "The TLS profile of all servers that mail is sent to. none: never TLS. " +
        "may: TLS if it is offered, with any certificate. encrypt: TLS or no " +
        "delivery, with any certificate. verify: with a certificate of a known " +
        "authority for the host's name. secure: the same for a name within the " +
        "recipients' domain. dane: what the destination publishes, TLSA records " +
        "(RFC 7672) or else an MTA-STS policy (RFC 8461); may where it " +
        "publishes neither. dane-only: TLSA records or no delivery. " +
        "[destinations] has others for one destination, and fingerprint too.",
      default: "dane",
      of: PROFILES.filter((one) => one !== "fingerprint"),
    }),
    tls_exceptions: strings({
      says: "Domains of recipients and names of hosts whose TLSA records or " +
        "MTA-STS policy are known to be broken: what they publish is not " +
        "looked at, and they are dealt with as may, but only where the " +
        "profile would be dane. `.remote.test` stands for all below it. There " +
        "is no list beside this one. `bulkhead tls` tells where it counts.",
      default: [],
      example: ["broken.test", ".broken.test"],
      min: 0,
      max: 1_000,
      type: "list of names",
      mustBe: 'a name such as "broken.test", or ".broken.test" for those ' +
        "below it",
      accept: nameOrBelow,
    }),
    ca_file: optional(string({
      says:
        "PEM file of certificate authorities that count beside the usual ones: " +
        "a company's own, or a laboratory's. A relative path starts at " +
        "server.home.",
      example: "/etc/bulkhead/authorities.pem",
      type: "path",
      mustBe: "the path of a PEM file",
      accept: filePath,
    })),
    source: sources({
      says: "Addresses of this machine to connect from, at most one IPv4 and " +
        "one IPv6 address; none leaves it to the system. [destinations] has " +
        "others for one destination.",
      default: [],
      example: ["192.0.2.25"],
      min: 0,
      max: 2,
    }),
    smarthost,
    smarthost_password_file: optional(string({
      says: "File whose first line is the password for outbound.smarthost, " +
        "which has none then. A relative path starts at server.home.",
      example: "/etc/bulkhead/smarthost-password",
      type: "path",
      mustBe: "the path of a file",
      accept: filePath,
    })),
    nameservers: addresses({
      says: "Name servers to ask, at port 53; none means those of " +
        "/etc/resolv.conf.",
      default: [],
      example: ["127.0.0.1"],
      min: 0,
      max: 8,
    }),
    dns_timeout: duration({
      says: "Whole time for one question to the name servers.",
      default: "10s",
      min: "100ms",
      max: "1m",
    }),
  }),
  destinations,
  reply_filter: replyFilter,
  dns: section(
    "Asking the DNS, and checking its signatures. Whom to ask is in " +
      "outbound.nameservers, how long in outbound.dns_timeout.",
    {
      resolve: choice({
        says:
          "How answers are found. forward: the name servers are asked. recurse: " +
          "the DNS is walked from its root, by IPv4. auto: the name servers " +
          "are asked until they are seen to strip signatures, or if there are " +
          "none, the DNS is walked. All but forward let the role dns send to " +
          "any IPv4 address at dns.port.",
        default: "auto",
        of: ["auto", "forward", "recurse"],
      }),
      validate: boolean({
        says:
          "Whether signatures (DNSSEC) are checked. Without it nothing is " +
          "secure: no TLSA record counts, and a forged answer is believed.",
        default: true,
      }),
      trusted_servers: addresses({
        says: "Name servers whose own verdict (the AD bit) is believed in " +
          "place of checking: only those on this machine, or behind a " +
          "protected connection.",
        default: [],
        example: ["127.0.0.1"],
        min: 0,
        max: 8,
      }),
      trust_anchors: strings({
        says: "DS records that chains of signatures begin at, beside the two " +
          "keys of the root that are built in; one for the root itself stands " +
          "in their place.",
        default: [],
        example: ["example.test. DS 12345 13 2 0123456789ABCDEF"],
        min: 0,
        max: 32,
        type: "list of DS records",
        mustBe: 'a DS record such as ". DS 20326 8 2 E06D44..."',
        accept: trustAnchor,
      }),
      unsigned_domains: mailDomains({
        says: "Domains of your own that the world's DNS knows nothing of, or " +
          "has other data for: what the name servers say of them, and of all " +
          "below, is taken unchecked and counts as insecure.",
        default: [],
        example: ["office.test"],
        min: 0,
        max: 100,
        subdomains: false,
      }),
      root_hints: strings({
        says: "IPv4 addresses of the root's name servers; none means those " +
          "that are built in.",
        default: [],
        example: ["198.41.0.4"],
        min: 0,
        max: 32,
        type: "list of IPv4 addresses",
        mustBe: 'an IPv4 address such as "198.41.0.4"',
        accept: (text) =>
          isAddress(text) && !text.includes(":") ? text : undefined,
      }),
      port: integer({
        says: "Port of name servers; another one than 53 only in a laboratory.",
        default: 53,
        min: 1,
        max: 65_535,
      }),
      min_ttl: duration({
        says: "Shortest time that an answer is kept, whatever it says itself.",
        default: "5s",
        min: "0s",
        max: "1h",
      }),
      max_ttl: duration({
        says: "Longest time that an answer is kept.",
        default: "1d",
        min: "1s",
        max: "7d",
      }),
      max_negative_ttl: duration({
        says: "Longest time that it is remembered that something is not there.",
        default: "15m",
        min: "1s",
        max: "1d",
      }),
      cache_size: size({
        says: "Memory for answers, estimated.",
        default: "16MiB",
        min: "64KiB",
        max: "64MiB",
      }),
    },
  ),
  console: section("The console: what a browser sees of the server.", {
    listen: orOff(listenAddress({
      says:
        "Where a browser reaches it; anything but a loopback address needs " +
        "console.tls. `bulkhead console` prints a link to sign in.",
      default: "127.0.0.1:2528",
      inInit: true,
    })),
    tls: boolean({
      says: "Whether it speaks TLS, with the certificate of `[tls]`.",
      default: false,
    }),
    open: boolean({
      says: "Whether everybody who reaches it sees everything: addresses, " +
        "clients, each message's journey. For a machine that one person " +
        "alone uses; else who is not signed in sees numbers. What changes " +
        "anything needs a sign-in all the same.",
      default: false,
    }),
    hosts: strings({
      says:
        "Further `host:port` values that a browser may address it by, beside " +
        "console.listen and localhost: for use behind a proxy.",
      default: [],
      example: ["status.home.test:443"],
      min: 0,
      max: 12,
      type: "list of host:port",
      mustBe: 'a host, with a port if not the usual one: "status.home.test"',
      accept: consoleHost,
    }),
  }),
  log: section("What `bulkhead serve` writes to standard error.", {
    format: choice({
      says: "JSON, an object a line, or text for people; `auto` is text on a " +
        "terminal and for journald, and JSON elsewhere. Comes into force at " +
        "the next start.",
      default: "auto",
      of: ["auto", "json", "text"],
    }),
  }),
  metrics: section(
    "What Prometheus reads at /metrics of the console: docs/metrics.md.",
    {
      token: optional(string({
        says: "Who asks for /metrics must show it as a bearer token. Without " +
          "one the page is open on a console of a loopback address that has " +
          "no console.hosts, and is not there on any other.",
        example: "b7Qm2x9TfKd0uVw4Zs1c",
        bounds: "16 to 200 printable characters",
        mustBe: "16 to 200 of ASCII's printable characters, without spaces",
        accept: metricsToken,
      })),
    },
  ),
  roles: section("Users that the processes run as, when started as root.", {
    user_prefix: string({
      says:
        "Each role runs as a user of its own: this, followed by the role's " +
        "name. `bulkhead init` makes them.",
      default: "bulkhead-",
      bounds: "1 to 20 of a-z 0-9 - _",
      mustBe: "1 to 20 of a-z, 0-9, - and _, a letter first",
      accept: (text) => /^[a-z][a-z0-9_-]{0,19}$/.test(text) ? text : undefined,
    }),
    uid_base: integer({
      says:
        "For systems whose user table cannot be written: each role gets a UID " +
        "from this one upwards, without an entry. 0 uses the user table.",
      default: 0,
      min: 1_000,
      max: 2_000_000_000,
      orZero: true,
    }),
  }),
};

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/**
 * The configuration, checked. Section and key as in the file; durations in
 * milliseconds, sizes in octets, paths absolute, names in lower case;
 * `aliases`, `routes` and `destinations` as lists.
 */
export type Config = {
  readonly [S in keyof typeof SECTIONS]: (typeof SECTIONS)[S] extends
    Entries<infer T> ? readonly T[]
    : (typeof SECTIONS)[S] extends Section<infer M>
      ? { readonly [K in keyof M]: ValueOf<M[K]> }
    : never;
};

/** A section of the table, whatever its settings. */
export type AnySection =
  | Section<Readonly<Record<string, Setting<unknown>>>>
  | Entries<unknown>;

/** The sections as a list, in their order. */
export const SECTION_LIST: readonly (readonly [string, AnySection])[] = Object
  .entries(SECTIONS);

function localUser(text: string): string | undefined {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text) ? text : undefined;
}

function domainName(text: string): string | undefined {
  const name = foldAscii(text);
  return isDomainName(name) ? name : undefined;
}

// A mailbox's name becomes a directory: the form of `mailbox` in shapes.ts.
function mailboxAddress(text: string): string | undefined {
  const folded = foldAscii(text);
  const at = folded.lastIndexOf("@");
  return /^[a-z0-9_][a-z0-9._-]{0,63}$/.test(
      folded.slice(0, Math.max(0, at)),
    ) &&
      isDomainName(folded.slice(at + 1))
    ? folded
    : undefined;
}

function delimiters(text: string): string | undefined {
  return /^[+=_.#~^-]{0,8}$/.test(text) && new Set(text).size === text.length
    ? text
    : undefined;
}

function metricsToken(text: string): string | undefined {
  const isPrintable = [...text].every((one) => one > " " && one <= "~");
  return isPrintable && text.length >= 16 && text.length <= 200
    ? text
    : undefined;
}

// The console's part holds them joined in 1,024 characters: 12 of 60 fit.
function consoleHost(text: string): string | undefined {
  const host = foldAscii(text);
  return host.length <= 60 && /^[a-z0-9.:[\]-]+$/.test(host) ? host : undefined;
}
