/**
 * Facts made up for tests of the pages and for their laboratory: an ordinary
 * server, a large one, one whose mail was all written by an enemy, a new one,
 * and one where nobody answers.
 */
import type { Journey, Step } from "../../mod/journey/journey.ts";
import type { Facts, FlowSample, News } from "../news.ts";
import type { PageInput } from "../page.ts";
import type {
  ClientVerdict,
  Destination,
  ListedMessage,
  Sources,
} from "../sources.ts";

/** See the file's head. */
export const MOODS = ["calm", "large", "hostile", "fresh", "silent"] as const;
/** See {@link MOODS}. */
export type Mood = typeof MOODS[number];

/** The time that all of it is told at. */
export const NOW_MS = Date.UTC(2026, 10, 21, 3, 12, 40);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Text that does something wherever it is not escaped. */
export const EVIL: readonly string[] = [
  "<script>document.title='owned'</script>",
  "<img src=x onerror=document.title='owned'>",
  "\"'><svg onload=document.title='owned'>",
  "</title></textarea></noscript><iframe src=//evil.test>",
  "javascript:document.title='owned'",
  "&lt;b&gt; &#60;i&#62; ${1+1} {{7*7}}",
  "invoice\u202efdp.exe",
  "a\u2066b\u2069c\u200bd\u00ade",
  "\x1b[31mred\x07\x00\r\nSet-Cookie: x=1",
  "Z\u0361\u0362\u0363\u0364\u0365\u0366\u0367\u0368\u0369\u036a\u036b\u036calgo",
  "p\u0430ypal.test",
  "\ud800 half a pair",
  "W".repeat(900),
  "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
];

/** One of the evil texts. */
function evil(at: number): string {
  return EVIL[at % EVIL.length]!;
}

const NAMES = ["eva", "jan.novak", "office", "no-reply", "accounts", "lists"];
const DOMAINS = [
  ...["example.test", "partner.test", "bank.test", "lists.example.test"],
  ...["university-of-applied-sciences.example.test", "slow.test"],
];
const REASONS: readonly string[] = [
  "mx1.partner.test [192.0.2.10]: 450 4.7.1 Greylisted, try again in 5 minutes",
  "Cannot connect to mx.slow.test [198.51.100.4]: it does not answer",
  "mx.bank.test: its certificate does not match its TLSA records (DANE); mail waits and does not go with less",
  "",
];

/** Sources of a mood. */
export function sampleSources(mood: Mood): Sources {
  const isSilent = mood === "silent";
  const later = <T>(value: T) => Promise.resolve(isSilent ? undefined : value);
  const messages = messagesOf(mood);
  return {
    nowMs: () => NOW_MS,
    news: () => isSilent ? undefined : newsOf(mood),
    facts: () => isSilent ? undefined : factsOf(mood),
    flow: () => isSilent || mood === "fresh" ? [] : flowOf(mood),
    counts: () => later(countsOf(mood)),
    messages: ({ state, domain, after, limit }) => {
      const from = after === "" ? 0 : Number(after);
      const all = messages.filter((one) =>
        (state === "" || one.state === state) &&
        (domain === "" || one.to.some((to) => to.endsWith(`@${domain}`)))
      );
      const next = from + limit;
      return later({
        messages: all.slice(from, next),
        total: all.length,
        after: next < all.length ? String(next) : "",
      });
    },
    destinations: () => later(mood === "fresh" ? [] : destinationsOf(mood)),
    find: (words) =>
      later(
        mood === "fresh" || words === "nothing"
          ? []
          : messages.slice(0, 60).map((one) => ({
            queueId: one.queueId,
            atMs: one.arrivedMs,
            reversePath: one.reversePath,
            to: one.to,
            state: one.state,
          })),
      ),
    journey: (queueId) =>
      later(queueId.startsWith("0") ? null : journeyOf(mood, queueId)),
    clients: ({ client }) =>
      later({
        verdicts: mood === "fresh"
          ? []
          : verdictsOf(mood).filter((one) =>
            client === "" || one.client === client
          ),
        said: mood === "fresh" ? [] : [
          { network: "192.0.2.0/24", word: "deny", atMs: NOW_MS - 3 * DAY_MS },
          { network: "2001:db8:7::/48", word: "allow", atMs: NOW_MS - HOUR_MS },
        ],
      }),
  };
}

/** What a page is given, in a mood; signed in unless said otherwise. */
export function samplePage(
  mood: Mood,
  over: Partial<PageInput> = {},
): PageInput {
  return {
    sources: sampleSources(mood),
    session: { csrf: "the-token", by: "eva", untilMs: NOW_MS + HOUR_MS },
    query: new Map(),
    params: new Map(),
    here: "/",
    flash: "",
    needsSignIn: true,
    ...over,
  };
}

/** The same row of numbers each time: 0 to 1. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return x - Math.floor(x);
}

function idOf(at: number): string {
  return (0x19ab3f00c2d10000n + BigInt(at * 7_919)).toString(16).toUpperCase();
}

function messagesOf(mood: Mood): readonly ListedMessage[] {
  if (mood === "fresh" || mood === "silent") return [];
  const n = mood === "large" ? 2_000 : 14;
  const states = ["active", "deferred", "deferred", "hold", "incoming"];
  return Array.from({ length: n }, (_, at) => {
    const isEvil = mood === "hostile";
    const state = isEvil && at === 3 ? evil(0) : states[at % states.length]!;
    const to = Array.from(
      { length: 1 + at % 3 },
      (_, k) =>
        isEvil
          ? `${evil(at + k)}@${evil(at + k + 3)}`
          : `${NAMES[(at + k) % 6]}@${DOMAINS[(at + 2 * k) % 6]}`,
    );
    return {
      queueId: idOf(at),
      arrivedMs: NOW_MS - Math.round(at * at * 41_000 + 2_300),
      sizeBytes: Math.round(900 + noise(at) ** 6 * 24_000_000),
      reversePath: at % 7 === 6
        ? ""
        : isEvil
        ? evil(at + 1)
        : `${NAMES[at % 6]}@home.test`,
      recipients: to.length + (at % 5 === 4 ? 212 : 0),
      to,
      state,
      why: state === "deferred"
        ? isEvil ? evil(at) : REASONS[at % 3]!
        : state === "hold"
        ? "An access table says HOLD"
        : "",
      nextAttemptMs: state === "deferred" ? NOW_MS + at * 190_000 : 0,
    };
  });
}

function countsOf(mood: Mood) {
  const many = mood === "large" ? 1_000 : mood === "fresh" ? 0 : 1;
  return {
    byState: {
      incoming: 3 * many,
      active: 12 * many,
      deferred: 28 * many,
      hold: 3 * many,
      bounce: 0,
      corrupt: 0,
    },
    accepted: 18_231 * many,
    delivered: 20_412 * many,
    deferred: 31 * many,
    bounced: 57 * many,
    delays: { upTo: [], sumMs: 0 },
  };
}

function flowOf(mood: Mood): readonly FlowSample[] {
  const many = mood === "large" ? 900 : 1;
  return Array.from({ length: 60 }, (_, at) => {
    const wave = 8 + 6 * Math.sin(at / 9) + 5 * noise(at);
    const isStorm = at > 38 && at < 46;
    const delivered = Math.round(many * wave * 1.1 * noise(at + 99));
    return {
      atMs: NOW_MS - (60 - at) * MINUTE_MS,
      accepted: Math.round(many * wave),
      delivered,
      deferred: Math.round(many * (isStorm ? 6 : 1) * noise(at + 7)),
      bounced: noise(at + 3) > 0.9 ? many : 0,
      refused: Math.round(many * (isStorm ? 22 : 3) * noise(at + 11)),
      delayP50Ms: delivered === 0 ? 0 : Math.round(40 + 60 * noise(at + 5)),
      delayP95Ms: delivered === 0
        ? 0
        : Math.round((isStorm ? 90_000 : 900) * (0.4 + noise(at + 21))),
    };
  });
}

function newsOf(mood: Mood): News {
  const isBad = mood === "hostile";
  const roles = MANIFESTS.flatMap(([name], at) => {
    const n = name === "smtpd" ? 2 : 1;
    if (name === "sts" && mood === "fresh") return [];
    return Array.from({ length: n }, (_, k) => ({
      instance: `${name}.${k}`,
      state: isBad && name === "dns"
        ? "waiting"
        : name === "sts"
        ? "resting"
        : "ready",
      pid: isBad && name === "dns" ? null : 4_210 + 3 * at + k,
      restarts: isBad && at % 5 === 0 ? 3 : 0,
      upMs: isBad && at % 5 === 0 ? 41_000 : 3 * DAY_MS + 2 * HOUR_MS,
      memoryBytes: Math.round((9 + 14 * noise(at)) * 1_048_576),
      counters: {
        asks: Math.round(80_000 * noise(at)),
        answers: Math.round(90_000 * noise(at + 1)),
        ...(name === "smtpd" ? { sessions: 23_120, refused: 4_120 } : {}),
        ...(isBad ? { "<b>evil</b>": 1 } : {}),
      },
    }));
  });
  return {
    pid: 4_200,
    startedMs: NOW_MS - (mood === "fresh" ? 20_000 : 3 * DAY_MS + 2 * HOUR_MS),
    ready: true,
    hostname: isBad ? "mx.<b>home</b>.test" : "mx.home.test",
    version: "0.1.0",
    roles,
  };
}

/** Name, trust, whom it asks, job. */
const MANIFESTS: readonly (readonly [string, number, string, string])[] = [
  ["smtpd", 0, "resolve spool queue gate", "speaks SMTP with the world"],
  [
    "submission",
    0,
    "resolve spool queue gate auth",
    "takes mail from this server's own users",
  ],
  ["smtpc", 0, "dns dial sts", "hands messages to other mail servers"],
  ["dns", 0, "", "asks name servers, and checks what they sign"],
  ["sts", 0, "dns", "fetches the MTA-STS policies of other domains"],
  ["console", 1, "queue gate", "shows the server's state to a browser"],
  ["dial", 1, "", "opens IPv6 connections for smtpc"],
  ["resolve", 2, "", "says where mail for an address goes"],
  ["maildir", 2, "sync", "delivers into mailboxes"],
  [
    "gate",
    2,
    "dns resolve smtpc",
    "remembers clients: rates, lists, tables and verdicts",
  ],
  [
    "pickup",
    2,
    "resolve spool queue",
    "takes mail of programs on this machine",
  ],
  ["auth", 3, "", "checks passwords, which nobody else can read"],
  ["spool", 3, "shred", "keeps message contents, sealed, on disk"],
  ["shred", 3, "", "overwrites spent segments in place and reads them back"],
  ["sync", 3, "", "syncs the mail directory's file system for maildir"],
  [
    "queue",
    4,
    "resolve spool maildir smtpc dns",
    "keeps envelopes and keys, and decides what is delivered when",
  ],
];

function factsOf(mood: Mood): Facts {
  const isBad = mood === "hostile";
  const failed = isBad ? 2 : 0;
  return {
    manifests: MANIFESTS.map(([name, trust, asks, job]) => ({
      name,
      job: isBad ? `${job} ${evil(1)}` : job,
      trust,
      user: `bulkhead-${name}`,
      asks: asks === "" ? [] : asks.split(" "),
      answers: MANIFESTS.filter((one) => one[2].split(" ").includes(name))
        .map((one) => one[0]),
      listens: name === "smtpd" ? ["0.0.0.0:25", "[::]:25"] : [],
      reads: name === "queue" ? ["/var/lib/bulkhead/queue"] : [],
      writes: name === "queue" ? ["/var/lib/bulkhead/queue"] : [],
      connects: name === "smtpc" ? ["any IPv4 address, port 25"] : [],
      flags: name === "queue"
        ? [
          "--allow-read=/var/lib/bulkhead/queue,/var/lib/bulkhead/events",
          "--allow-write=/var/lib/bulkhead/queue,/var/lib/bulkhead/events",
        ]
        : [],
      walls: [
        `Its own user: bulkhead-${name}`,
        "Landlock: reads its own program and what is listed above, nothing else",
        "seccomp: starts no program, opens no raw socket, traces nobody",
        "No new privileges: no setuid program gives it any",
      ],
    })),
    drill: mood === "fresh" ? null : {
      atMs: NOW_MS - 2 * DAY_MS - 40 * MINUTE_MS,
      tookMs: 41_200,
      version: "0.1.0",
      acts: 612,
      denied: 612 - failed,
      byWall: { deno: 301, landlock: 204, seccomp: 71, user: 36 - failed },
      byRole: MANIFESTS.map(([role], at) => ({
        role,
        acts: 38 + at % 3,
        denied: 38 + at % 3 - (at < failed ? 1 : 0),
      })),
      succeeded: isBad ? [evil(0), `smtpd: read ${evil(12)}`] : [],
    },
    certificates: mood === "fresh" ? [] : [
      {
        use: "smtp",
        file: "/etc/bulkhead/certificate.pem",
        names: isBad ? [evil(1), evil(10)] : ["mx.home.test", "home.test"],
        issuer: isBad ? evil(2) : "Example Authority R3",
        isSelfSigned: false,
        notBeforeMs: NOW_MS - 60 * DAY_MS,
        notAfterMs: NOW_MS + (isBad ? 3 : 30) * DAY_MS,
      },
      {
        use: "console",
        file: "/var/lib/bulkhead/console/certificate.pem",
        names: ["localhost"],
        issuer: "localhost",
        isSelfSigned: true,
        notBeforeMs: NOW_MS - 60 * DAY_MS,
        notAfterMs: NOW_MS + 300 * DAY_MS,
      },
    ],
    erasure: mood === "fresh" ? [] : [
      {
        path: "/var/lib/bulkhead/spool",
        says: isBad
          ? evil(1)
          : "ext4 on a disk that writes in place: an overwrite reaches the same blocks, and what was there is gone",
      },
      {
        path: "/var/lib/bulkhead/queue",
        says:
          "ext4 on a disk that writes in place: an overwrite reaches the same blocks, and what was there is gone",
      },
    ],
    disks: [{
      path: "/var/lib/bulkhead",
      freeBytes: 62_000_000_000,
      allBytes: 128_000_000_000,
    }],
    care: mood === "fresh" ? [] : [
      {
        atMs: NOW_MS - 5 * HOUR_MS,
        what: "backup",
        says: isBad
          ? evil(0)
          : "/srv/backup/2026-11-20.tar: 14 messages, 2.1 MiB, read back and compared",
      },
      {
        atMs: NOW_MS - 9 * DAY_MS,
        what: "upgrade",
        says: "From 0.0.9 to 0.1.0; the self-test passed, nothing was lost",
      },
    ],
    warnings: isBad
      ? [evil(0), "dns: the name servers strip signatures", evil(12)]
      : mood === "large"
      ? [
        "9 GiB are free in /var/lib/bulkhead, enough for about 4 hours of mail as it comes now.",
      ]
      : [],
  };
}

function destinationsOf(mood: Mood): readonly Destination[] {
  const n = mood === "large" ? 400 : mood === "hostile" ? 14 : 6;
  const reached = ["dane", "verified", "encrypted", "clear"];
  return Array.from({ length: n }, (_, at) => {
    const name = mood === "hostile"
      ? evil(at)
      : `${n > 6 ? `d${at}.` : ""}${DOMAINS[at % 6]!}`;
    return {
      name,
      waiting: at % 4 === 1 ? 3 * at : 0,
      active: at % 3,
      deadUntilMs: at % 6 === 5 ? NOW_MS + 14 * MINUTE_MS : 0,
      last: at % 6 === 4 ? null : {
        atMs: NOW_MS - at * 71_000,
        host: mood === "hostile" ? evil(at + 2) : `mx1.${DOMAINS[at % 6]!}`,
        reached: mood === "hostile" && at === 0 ? evil(0) : reached[at % 4]!,
        tls: at % 4 === 3 ? "" : "TLSv1.3 TLS_AES_256_GCM_SHA384",
        certificate: at % 4 === 3
          ? ""
          : at % 4 === 0
          ? "matches TLSA 3 1 1 of _25._tcp.mx1.example.test"
          : "vouched for by Example Authority R3, good for 61 days",
        dns: {
          mx: at % 4 === 0 ? "secure" : "insecure",
          address: at % 4 === 0 ? "secure" : "insecure",
          tlsa: at % 4 === 0 ? "secure" : at === 2 ? "bogus" : "",
        },
        mtaSts: at % 4 === 1 ? "enforce; the host is one of its list" : "",
        outcome: mood === "hostile" ? evil(at) : "250 2.0.0 Ok: queued as 4F2A",
      },
    };
  });
}

function verdictsOf(mood: Mood): readonly ClientVerdict[] {
  const n = mood === "large" ? 500 : 9;
  const isEvil = mood === "hostile";
  return Array.from({ length: n }, (_, at) => ({
    atMs: NOW_MS - at * at * 9_000 - 4_000,
    client: at % 3 === 2 ? `2001:db8::${at + 1}` : `198.51.100.${at % 250}`,
    action: ["reject", "defer", "reject", "hold"][at % 4]!,
    shadow: at % 5 === 4,
    rule: isEvil
      ? evil(at)
      : ["dnsbl", "greylist", "pregreet", "access"][at % 4]!,
    evidence: isEvil ? evil(at + 1) : [
      "198.51.100.7 is in zen.example.test with 127.0.0.4, which weighs 3 of the 3 that refuse",
      "The first mail of this sender to this recipient from this network; it comes again in 5 minutes",
      "It spoke before the greeting was over",
      'It is in "screening.deny" (line 12): 198.51.100.0/24 HOLD',
    ][at % 4]!,
    reply: isEvil
      ? evil(at + 2)
      : "554 5.7.1 Service unavailable; client is listed",
    undo: isEvil
      ? evil(at + 3)
      : `bulkhead client allow 198.51.100.${at % 250}`,
    helo: isEvil ? evil(at) : "mail.spammer.test",
    sender: isEvil ? evil(at + 5) : at % 4 === 2 ? "" : "offers@spammer.test",
    recipient: isEvil ? evil(at + 6) : at % 4 === 2 ? "" : "me@home.test",
  }));
}

function journeyOf(mood: Mood, queueId: string): Journey {
  const from = NOW_MS - 3 * HOUR_MS;
  const isEvil = mood === "hostile";
  const say = (text: string, at: number) =>
    isEvil ? `${text} ${evil(at)}` : text;
  const attempts = mood === "large" ? 200 : 2;
  const steps: Step[] = [
    {
      atMs: from,
      kind: "handed-in",
      tone: "good",
      recipient: "",
      text: say(
        "eva@home.test handed it in by submission from 192.0.2.44, logged in, by TLS.",
        0,
      ),
      details: [
        "HELO laptop.home.test",
        "TLSv1.3 TLS_AES_128_GCM_SHA256",
        "412 KiB, 8-bit",
      ],
    },
    {
      atMs: from + 3,
      kind: "checked",
      tone: "good",
      recipient: "",
      text: say("Nothing was against it: the sender owns this address.", 1),
      details: [],
    },
    {
      atMs: from + 9,
      kind: "sealed",
      tone: "good",
      recipient: "",
      text: "It is on disk, sealed under a key of its own.",
      details: [],
    },
    ...Array.from({ length: attempts }, (_, at): Step => ({
      atMs: from + 40 + at * 31 * MINUTE_MS,
      kind: "attempt",
      tone: "waiting",
      recipient: isEvil ? evil(at) : "jan.novak@partner.test",
      text: say("mx1.partner.test put it off: it is greylisting us.", at),
      details: [
        "MX of partner.test, signed by DNSSEC: 10 mx1.partner.test, 20 mx2.partner.test",
        "mx1.partner.test [192.0.2.10]: TLSv1.3, certificate matches TLSA 3 1 1",
        isEvil
          ? evil(at + 7)
          : "RCPT TO: 450 4.7.1 <jan.novak@partner.test>: Recipient address rejected: Greylisted",
      ],
    })),
    {
      atMs: null,
      kind: "notice",
      tone: "plain",
      recipient: "",
      text: "The sender is told that it is late after 4 hours.",
      details: [],
    },
  ];
  return {
    queueId,
    isQueued: true,
    headline: say(
      "It waits: mx1.partner.test puts off mail of senders that it does not know yet, and takes it later.",
      6,
    ),
    tone: isEvil ? "bad" : "waiting",
    steps,
    next: say("It is tried again in 12 minutes, and then for 5 days.", 7),
    advice: [
      {
        text: say(
          "Wait: most servers that do this take it at the next try.",
          8,
        ),
        command: "",
      },
      {
        text: "Try it now, if you know that the other side is ready.",
        command: isEvil ? evil(8) : `bulkhead queue retry ${queueId}`,
      },
    ],
  };
}
