/**
 * Published holes and hostile inputs, each with what shows that it does not
 * work here: a test's name or a dialog's title. The lists are those of
 * `cve-regressions`, `hostile-limits` and the server's part of
 * `starttls-and-reply-injection`.
 */

/** Where it is shown. */
export interface Evidence {
  readonly file: string;
  /** Stands in the file. */
  readonly name: string;
}

/** One attack. */
export interface AttackCase {
  readonly id: string;
  /** What shows it, or why there is nothing to show. */
  readonly shownBy: readonly Evidence[] | string;
}

/** All of them. */
export const ATTACK_CASES: readonly AttackCase[] = [
  // cve-regressions
  {
    id: "osmtpd-7247",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2020-7247: a sender that is a shell command",
    }, {
      file: "tests/attack/programs_test.ts",
      name: "no role runs a program",
    }],
  },
  {
    id: "osmtpd-8794",
    shownBy: [{
      file: "mod/smtpc/reply_test.ts",
      name: "ReplyReader stays dead after malformed text",
    }, {
      file: "mod/smtpc/deliver_test.ts",
      name: "deliver() neutralises what a reply says",
    }],
  },
  {
    id: "osmtpd-62875",
    shownBy: [{
      file: "tests/attack/hostile_clients_test.ts",
      name: "stands what anybody may do to its unix sockets",
    }],
  },
  {
    id: "osmtpd-2015",
    shownBy: "there is no directory into which users drop mail",
  },
  {
    id: "exim-10149",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2019-10149: a recipient that wants to be expanded",
    }, { file: "tests/dialogs/data.txt", name: "== a loop is found" }],
  },
  {
    id: "exim-28026",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2020-28026: a line break in ORCPT",
    }],
  },
  {
    id: "exim-28021",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2020-28021: a line break in AUTH=",
    }],
  },
  {
    id: "exim-28020",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "a million RCPT",
    }, {
      file: "tests/attack/hostile_floods_test.ts",
      name: "a million header fields",
    }, {
      file: "tests/attack/hostile_floods_test.ts",
      name: "a header field of",
    }],
  },
  {
    id: "exim-28018",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== CVE-2020-28018: clear text put into a session inside TLS",
    }, {
      file: "tests/dialogs/starttls.txt",
      name:
        "== CVE-2020-28018: half a command inside TLS, the other half in clear",
    }],
  },
  {
    id: "exim-bdata",
    shownBy: [
      {
        file: "tests/dialogs/chunking.txt",
        name: "== BDAT behind the last chunk",
      },
      { file: "tests/dialogs/chunking.txt", name: "== DATA behind BDAT" },
      {
        file: "tests/dialogs/chunking.txt",
        name: "== CVE-2020-28019: a chunk before MAIL is read and never runs",
      },
      {
        file: "tests/dialogs/chunking.txt",
        name: "== CVE-2017-16944: a negative size",
      },
      {
        file: "tests/dialogs/chunking.txt",
        name: "== a size of 2^64 and a few commands",
      },
    ],
  },
  {
    id: "exim-16928",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2019-16928: a very long EHLO",
    }],
  },
  {
    id: "exim-6789",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2018-6789: base64 that is none, where there is no AUTH",
    }, {
      file: "tests/dialogs/submission.txt",
      name: "== PLAIN that is no base64",
    }, {
      file: "tests/attack/login_timing_test.ts",
      name: "takes as long for nobody",
    }],
  },
  {
    id: "exim-42117",
    shownBy: [{
      file: "tests/dialogs/session.txt",
      name: "== a PROXY line from a stranger is no command",
    }, {
      file: "tests/dialogs/session.txt",
      name: "== a PROXY line of version 2 from a stranger is no command",
    }, {
      file: "tests/dialogs/session.txt",
      name: "== a PROXY line without end",
    }],
  },
  {
    id: "exim-sqlite",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2025-26794: statements in ETRN",
    }, {
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2025-26794: statements in addresses",
    }],
  },
  {
    id: "exim-51766",
    shownBy: [{
      file: "tests/attack/smuggling_test.ts",
      name: "takes no second message",
    }, {
      file: "tests/attack/smuggling_system_test.ts",
      name: "nothing that goes out has a second message",
    }],
  },
  {
    id: "postfix-0411",
    shownBy: [{ file: "mod/smtpd/starttls_test.ts", name: "CVE-2011-0411" }],
  },
  {
    id: "postfix-2026",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "a command line without an end",
    }, {
      file: "tests/dialogs/chunking.txt",
      name: "== a chunk far over the limit",
    }],
  },
  {
    id: "sendmail-prescan",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2003-0161: brackets without end",
    }, {
      file: "tests/attack/bait_test.ts",
      name: "no field of 100,000 octets",
    }],
  },
  {
    id: "sendmail-race",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2006-0058: the connection is cut at many points",
    }, {
      file: "tests/attack/hostile_floods_test.ts",
      name: "leaves nothing of sessions that are cut off",
    }],
  },
  {
    id: "haraka-nodemailer-proto",
    shownBy: [{
      file: "tests/attack/bait_test.ts",
      name: "for a name like others",
    }],
  },
  {
    id: "nodemailer-group",
    shownBy: [{ file: "tests/attack/bait_test.ts", name: '"g:"' }],
  },
  {
    id: "nodemailer-13033",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== CVE-2025-13033: an address within an address",
    }],
  },
  {
    id: "nodemailer-crlf",
    shownBy: [{
      file: "tests/dialogs/smuggling.txt",
      name: "== RCPT with a line break within",
    }, {
      file: "mod/smtpc/probe_test.ts",
      name: "probe() writes no address that would be a parameter",
    }, { file: "mod/smtpc/path_test.ts", name: "isSendable() rejects" }],
  },
  {
    id: "terada-smtpinj",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== MBSD 2015: an address that is broken by its own length",
    }],
  },
  {
    id: "deno-panic",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== every octet from 0x80 as a command",
    }, {
      file: "tests/dialogs/injection.txt",
      name: "== every control octet in an address",
    }, {
      file: "tests/attack/fuzz_test.ts",
      name: "holds under mutated sessions",
    }],
  },
  {
    id: "maildir-path",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== a path out of the mail directory",
    }, {
      file: "tests/dialogs/injection.txt",
      name: "== a path out of the mail directory, through a catch-all",
    }],
  },
  {
    id: "log-inject",
    shownBy: [{
      file: "tests/dialogs/injection.txt",
      name: "== escapes for a terminal or a web page",
    }, {
      file: "mod/core/visible_test.ts",
      name: "visible() replaces controls",
    }, {
      file: "web/app_test.ts",
      name: "consoleApp escapes what came through the mail",
    }],
  },
  // starttls-and-reply-injection
  {
    id: "inject-noop",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== a command behind STARTTLS is not carried into TLS: NOOP",
    }],
  },
  {
    id: "inject-mail",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name:
        "== a command behind STARTTLS is not carried into TLS: a whole envelope",
    }],
  },
  {
    id: "inject-auth",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== a command behind STARTTLS is not carried into TLS: AUTH",
    }],
  },
  {
    id: "inject-partial",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name:
        "== a command behind STARTTLS is not carried into TLS: a part of one",
    }, {
      file: "tests/attack/handshake_test.ts",
      name: "joins no command across its border",
    }],
  },
  {
    id: "inject-lf",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== a bare LF behind STARTTLS",
    }],
  },
  {
    id: "inject-tls-record",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== a ClientHello behind STARTTLS in one segment",
    }],
  },
  {
    id: "param",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== STARTTLS with an argument",
    }],
  },
  {
    id: "twice",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== STARTTLS inside TLS",
    }],
  },
  {
    id: "state-reset",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== STARTTLS within a transaction",
    }, {
      file: "mod/smtpd/starttls_test.ts",
      name: "forgets all that was said before",
    }],
  },
  {
    id: "auth-before",
    shownBy: [{
      file: "tests/dialogs/submission.txt",
      name: "== AUTH in clear text",
    }],
  },
  {
    id: "ehlo-after",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== STARTTLS is not announced inside TLS",
    }],
  },
  {
    id: "silent",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== nothing where a handshake should be",
    }],
  },
  {
    id: "garbage",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== a megabyte of noise where a handshake should be",
    }],
  },
  {
    id: "renegotiation",
    shownBy: [{
      file: "tests/attack/handshake_test.ts",
      name: "renegotiates with nobody",
    }],
  },
  {
    id: "drip-hello",
    shownBy: [{
      file: "tests/dialogs/starttls.txt",
      name: "== a handshake drop by drop has one deadline",
    }],
  },
  // hostile-limits
  {
    id: "line-endless",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "a command line without an end",
    }],
  },
  {
    id: "line-endless-data",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "a body line of",
    }],
  },
  {
    id: "line-999",
    shownBy: [{
      file: "tests/dialogs/data.txt",
      name: "== a text line over 1,000 octets is passed or refused, never cut",
    }],
  },
  {
    id: "rcpt-1e6",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "a million RCPT",
    }, {
      file: "tests/dialogs/limits.txt",
      name: "== one recipient too many is for the next message",
    }],
  },
  {
    id: "rcpt-dup",
    shownBy: [{
      file: "tests/dialogs/limits.txt",
      name: "== recipients without end",
    }, {
      file: "tests/dialogs/addresses.txt",
      name: "== the same recipient three times is one recipient",
    }],
  },
  {
    id: "header-huge",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "a header field of",
    }],
  },
  {
    id: "header-count",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "a million header fields",
    }],
  },
  {
    id: "received-51",
    shownBy: [{ file: "tests/dialogs/data.txt", name: "== a loop is found" }],
  },
  {
    id: "self-loop",
    shownBy: [{
      file: "mod/smtpc/deliver_test.ts",
      name: "deliver() sees a mail loop in a greeting with our name",
    }, { file: "tests/dialogs/data.txt", name: "== a loop is found" }],
  },
  {
    id: "mime-depth",
    shownBy: "nothing here parses MIME; the message passes as octets",
  },
  {
    id: "mime-boundary",
    shownBy: "nothing here parses MIME; the message passes as octets",
  },
  {
    id: "zip-bomb",
    shownBy: "nothing here unpacks anything; the message passes as octets",
  },
  {
    id: "noop-flood",
    shownBy: [{
      file: "tests/attack/hostile_clients_test.ts",
      name: "NOOP, RSET and VRFY end after 100",
    }],
  },
  {
    id: "error-flood",
    shownBy: [{
      file: "tests/attack/hostile_clients_test.ts",
      name: "faults after 20",
    }],
  },
  {
    id: "slow-cmd",
    shownBy: [{
      file: "tests/attack/hostile_clients_test.ts",
      name: '"a command", "a message"',
    }],
  },
  {
    id: "slow-data",
    shownBy: [{
      file: "tests/attack/hostile_clients_test.ts",
      name: '"a command", "a message"',
    }, { file: "mod/smtpd/data_rate_test.ts", name: "Deno.test" }],
  },
  {
    id: "conn-flood",
    shownBy: [{
      file: "tests/attack/hostile_clients_test.ts",
      name: "connections from one address",
    }, {
      file: "tests/attack/hostile_floods_test.ts",
      name: "parks idle clients",
    }, {
      file: "mod/smtpd/emfile_test.ts",
      name: "accepts again after it ran out of open files",
    }],
  },
  {
    id: "half-open",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "leaves nothing of sessions that are cut off",
    }, {
      file: "tests/attack/found_test.ts",
      name: "a FIN while the spool is asked",
    }],
  },
  {
    id: "dot-no-reply-read",
    shownBy: [{
      file: "tests/attack/hostile_clients_test.ts",
      name: "who reads no reply is cut off",
    }],
  },
  {
    id: "pipelining-blast",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "10 MB of commands from who reads no reply",
    }],
  },
  {
    id: "early-talker",
    shownBy: [{
      file: "tests/dialogs/session.txt",
      name: "== a whole message before the greeting is no message",
    }],
  },
  {
    id: "null-bytes",
    shownBy: [{
      file: "tests/dialogs/smuggling.txt",
      name: "== a NUL anywhere in a message",
    }, { file: "tests/dialogs/smuggling.txt", name: "== NUL in a command" }],
  },
  {
    id: "bare-cr",
    shownBy: [{
      file: "tests/dialogs/smuggling.txt",
      name: "== a bare CR anywhere in a message",
    }, {
      file: "tests/attack/smuggling_system_test.ts",
      name: "nothing that goes out",
    }],
  },
  {
    id: "utf8-invalid",
    shownBy: [{
      file: "tests/dialogs/smtputf8.txt",
      name: "== octets that are no UTF-8",
    }, {
      file: "tests/dialogs/addresses.txt",
      name: "== octets beyond ASCII without SMTPUTF8",
    }],
  },
  {
    id: "punycode-mix",
    shownBy: [{
      file: "tests/dialogs/smtputf8.txt",
      name: "== full width letters are ours or nobody's, never another's",
    }, {
      file: "tests/dialogs/smtputf8.txt",
      name: "== letters that only look like ours",
    }],
  },
  {
    id: "dns-giant",
    shownBy: [{
      file: "mod/dns/mail_hosts_test.ts",
      name: "addresses() leaves room for both families within its bound",
    }, {
      file: "mod/smtpc/route_test.ts",
      name: "isLoopback() sees through every notation",
    }],
  },
  {
    id: "dns-rebind",
    shownBy:
      "the client connects to the addresses that it was given, and asks for none again",
  },
  {
    id: "dsn-backscatter",
    shownBy: [{
      file: "tests/dialogs/session.txt",
      name: "== DATA when every RCPT was refused",
    }],
  },
  {
    id: "dsn-of-dsn",
    shownBy: [{
      file: "mod/queue/queue_test.ts",
      name: "one notice for all that failed in a round, and none for it",
    }, {
      file: "mod/queue/notice_test.ts",
      name: "refuses to answer the empty reverse-path",
    }],
  },
  {
    id: "dsn-huge",
    shownBy: [
      { file: "mod/queue/dsn_test.ts", name: "a header for RET=HDRS" },
      {
        file: "mod/queue/notice_test.ts",
        name: "speaks of as many recipients as fit",
      },
    ],
  },
  {
    id: "dsn-inject",
    shownBy: [{
      file: "mod/queue/notice_test.ts",
      name: "composeNotice makes what python",
    }],
  },
  {
    id: "vrfy",
    shownBy: [{
      file: "tests/attack/strangers_test.ts",
      name: "says the same of everybody to VRFY and EXPN",
    }],
  },
  {
    id: "relay",
    shownBy: [{
      file: "tests/attack/strangers_test.ts",
      name: "relays for nobody over",
    }],
  },
  {
    id: "redos",
    shownBy: [{
      file: "tests/attack/bait_test.ts",
      name: "no field of 100,000 octets",
    }],
  },
  {
    id: "map-collision",
    shownBy: [{
      file: "mod/smtpd/known_recipients_test.ts",
      name: "Deno.test",
    }],
  },
  {
    id: "string-max",
    shownBy: [{
      file: "tests/attack/hostile_floods_test.ts",
      name: "a body line of",
    }, {
      file: "tests/attack/hostile_floods_test.ts",
      name: "a command line without an end",
    }],
  },
];
