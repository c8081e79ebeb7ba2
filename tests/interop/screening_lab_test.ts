/**
 * Screening with a real list of bad clients: nsd serves it, and scripted bots
 * and good clients come from addresses of their own. Not one bot gets as far
 * as its message, and no good client is lost.
 */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import net from "node:net";
import { hasNsd, withNsd } from "../../mod/dns/nsd_fixture.ts";
import { newFiles } from "../system/mailbox.ts";
import {
  delay,
  type Installation,
  IS_ROOT,
  server,
  until,
} from "../system/server_fixture.ts";

/** Where the lists are served; the role asks port 53, so this wants root. */
const LISTS = "127.0.53.1";
/** Somebody who never answers. */
const SILENT = "127.0.53.2";
const GREET_WAIT_MS = 400;
const EACH = 12;

/** A client that plays a script: what is awaited, what is said then. */
interface Script {
  readonly name: string;
  /** Its address is 127.`net`.1.N. */
  readonly net: number;
  /** What to say: at once, or when the text before it was heard. */
  readonly says: readonly (readonly [after: string | number, text: string])[];
}

const MAIL = "MAIL FROM:<s@remote.test>\r\n";
const RCPT = "RCPT TO:<me@home.test>\r\n";
const SPAM = "Subject: spam\r\n\r\nspam\r\n.\r\n";

/** Who must not get to its message. */
const BOTS: readonly Script[] = [
  {
    name: "talks at once",
    net: 1,
    says: [[0, "EHLO bot.test\r\n"], ["250 ", MAIL], ["250 ", RCPT], [
      "250 ",
      "DATA\r\n",
    ], ["354", SPAM]],
  },
  {
    name: "talks after the first line of the greeting",
    net: 2,
    says: [["220-", "HELO bot.test\r\n"], ["250 ", MAIL], ["250 ", RCPT], [
      "250 ",
      "DATA\r\n",
    ], ["354", SPAM]],
  },
  {
    name: "says everything in one go",
    net: 3,
    says: [["220 ", `EHLO bot.test\r\n${MAIL}${RCPT}DATA\r\n`], ["354", SPAM]],
  },
  {
    name: "is listed",
    net: 4,
    says: [["220 ", "EHLO bot.test\r\n"], ["250 ", MAIL], ["250 ", RCPT], [
      "250 ",
      "DATA\r\n",
    ], ["354", SPAM]],
  },
  {
    name: "speaks HTTP",
    net: 5,
    says: [
      ["220 ", "POST / HTTP/1.1\r\nHost: x\r\n\r\n"],
      [
        300,
        `EHLO bot.test\r\n`,
      ],
      ["250 ", MAIL + RCPT + "DATA\r\n"],
      ["354", SPAM],
    ],
  },
  {
    name: "ends lines with LF",
    net: 6,
    says: [
      ["220 ", "EHLO bot.test\n"],
      [200, "EHLO bot.test\r\n"],
      [
        "250 ",
        MAIL,
      ],
      ["250 ", RCPT],
      ["250 ", "DATA\r\n"],
      ["354", SPAM],
    ],
  },
  {
    name: "drips",
    net: 7,
    says: [
      ["220 ", "E"],
      ...Array.from("HLO bot.test", (c) => [400, c] as const),
      [400, "\r\n"],
      ["250 ", MAIL + RCPT + "DATA\r\n"],
      ["354", SPAM],
    ],
  },
];

/** Who must get through, twice. */
const GOOD: readonly Script[] = [
  { name: "is a patient stranger", net: 20, says: patient("good.test") },
  {
    name: "is on a list of good and on one of bad ones",
    net: 21,
    says: patient("fine.test"),
  },
];

function patient(name: string): Script["says"] {
  return [
    ["220 ", `EHLO ${name}\r\n`],
    ["250 ", MAIL + RCPT + "DATA\r\n"],
    ["354", "Subject: ham\r\n\r\nham\r\n.\r\n"],
    ["250 2.0.0", "QUIT\r\n"],
  ];
}

/** What became of a client. */
interface Fate {
  /** Everything it heard. */
  readonly heard: string;
  /** Until the last line of the greeting. */
  readonly greetedMs: number;
}

function play(port: number, script: Script, n: number): Promise<Fate> {
  const { promise, resolve } = Promise.withResolvers<Fate>();
  const began = performance.now();
  const localAddress = `127.${script.net}.1.${n + 1}`;
  const socket = net.connect({ host: "127.0.0.1", port, localAddress });
  let heard = "";
  let unread = "";
  let greetedMs = Infinity;
  let at = 0;
  const end = () => {
    clearTimeout(late);
    socket.destroy();
    resolve({ heard, greetedMs });
  };
  const late = setTimeout(end, 8_000);
  const next = () => {
    for (;;) {
      const step = script.says[at];
      if (step === undefined) return;
      const [after, text] = step;
      if (typeof after === "number") {
        at++;
        setTimeout(() => {
          socket.write(text);
          next();
        }, after);
        return;
      }
      const found = unread.indexOf(after);
      if (found < 0) return;
      at++;
      unread = unread.slice(found + after.length);
      socket.write(text);
    }
  };
  socket.on("data", (bytes: Uint8Array) => {
    const text = new TextDecoder().decode(bytes);
    heard += text;
    unread += text;
    if (greetedMs === Infinity && /^220 /m.test(heard)) {
      greetedMs = performance.now() - began;
    }
    next();
  });
  socket.on("end", end);
  socket.on("error", end);
  socket.on("connect", next);
  return promise;
}

function settings(nameserver: string): string {
  return `
[smtp]
processes = 2
command_timeout = "2s"
[screening]
trusted = ["127.0.0.1/32"]
greet_wait = "${GREET_WAIT_MS}ms"
dnsbl_timeout = "${GREET_WAIT_MS}ms"
dnsbl_sites = ["bad.lists.test=127.0.0.[2..11]*3", "worse.lists.test", "good.lists.test*-4", "dead.lists.test"]
dnsbl_threshold = 2
[outbound]
nameservers = ["${nameserver}"]
dns_timeout = "1s"
`;
}

/** The zone of the lists; it names clients by their address reversed. */
function lists(): string {
  const names = (which: number) =>
    Array.from({ length: EACH }, (_, n) => `${n + 1}.1.${which}.127`);
  const listed = (which: number, zone: string, answer: string) =>
    names(which).map((name) => `${name}.${zone} 60 IN A ${answer}\n`).join("");
  return "$ORIGIN lists.test.\n" +
    "@ 60 IN SOA ns.lists.test. x.lists.test. 1 60 60 60 60\n" +
    "@ 60 IN NS ns.lists.test.\nns 60 IN A 127.0.53.1\n" +
    listed(4, "bad", "127.0.0.2") + listed(21, "bad", "127.0.0.10") +
    // Not what the filter asks for: counts nothing.
    listed(20, "bad", "127.0.1.1") + listed(21, "good", "127.0.0.5");
}

Deno.test({
  name: "every bot is stopped before DATA, and every good client gets through",
  ignore: !hasNsd || !IS_ROOT,
  fn: async () => {
    await using made = await server({
      users: ["me"],
      settings: settings(LISTS),
    });
    const zones = { "lists.test": lists() };
    await withNsd({ zones, address: LISTS, port: 53 }, () => visit(made));
  },
});

async function visit(made: Installation): Promise<void> {
  const all = async (scripts: readonly Script[]) => {
    const fates = await Promise.all(
      scripts.flatMap((script) =>
        Array.from({ length: EACH }, async (_, n) => ({
          script,
          fate: await play(made.smtpPort, script, n),
        }))
      ),
    );
    return Map.groupBy(fates, ({ script }) => script);
  };
  const [bots, good] = await Promise.all([all(BOTS), all(GOOD)]);
  for (const [{ name }, fates] of bots) {
    const through = fates.filter(({ fate }) => /^354/m.test(fate.heard));
    assert.equal(through.length, 0, `${name}: ${through[0]?.fate.heard}`);
  }
  for (const [{ name }, fates] of good) {
    for (const { fate } of fates) {
      assert.match(fate.heard, /^250 2\.0\.0 Ok: queued/m, name + fate.heard);
      assert.ok(fate.greetedMs >= GREET_WAIT_MS - 50, `${fate.greetedMs}`);
    }
  }
  // Known now, they are not kept waiting.
  await delay(1_200);
  const again = await all(GOOD);
  const waited: number[] = [];
  for (const [{ name }, fates] of again) {
    for (const { fate } of fates) {
      assert.match(fate.heard, /^250 2\.0\.0 Ok: queued/m, name + fate.heard);
      waited.push(fate.greetedMs);
    }
  }
  waited.sort((a, b) => a - b);
  assert.ok(waited[waited.length >> 1]! < GREET_WAIT_MS / 2, `${waited}`);
  const wanted = 2 * GOOD.length * EACH;
  await until(
    `${wanted} messages`,
    () => newFiles(made.maildir("me")).length >= wanted,
  );
  assert.equal(newFiles(made.maildir("me")).length, wanted);
  tellLayers(made);
  for (const { instance, restarts } of await made.roles()) {
    assert.equal(restarts, 0, `${instance} was restarted`);
  }
}

/** Which layer stopped how many bots. */
function tellLayers(made: Installation): void {
  const clients = new Map<string, Set<unknown>>();
  for (const one of made.events()) {
    if (one.event !== "client-failed-test") continue;
    const rule = String(one.rule);
    clients.set(rule, (clients.get(rule) ?? new Set()).add(one.client));
  }
  const total = BOTS.length * EACH;
  for (const [rule, some] of clients) {
    const percent = (100 * some.size / total).toFixed(0);
    console.log(`${rule}: ${some.size} of ${total} bots (${percent} %)`);
  }
  for (const rule of ["pregreet", "dnsbl"]) {
    assert.ok(clients.has(rule), `${rule} found nobody`);
  }
}

Deno.test({
  name: "lists that never answer keep nobody waiting",
  ignore: !IS_ROOT,
  fn: async () => {
    // Takes questions, answers none.
    const deaf = dgram.createSocket("udp4");
    await new Promise<void>((bound) => deaf.bind(53, SILENT, bound));
    try {
      await using made = await server({
        users: ["me"],
        settings: settings(SILENT),
      });
      const fates = await Promise.all(
        Array.from(
          { length: EACH },
          (_, n) => play(made.smtpPort, GOOD[0]!, n),
        ),
      );
      for (const { heard, greetedMs } of fates) {
        assert.match(heard, /^250 2\.0\.0 Ok: queued/m, heard);
        assert.ok(greetedMs < GREET_WAIT_MS + 600, `${greetedMs} ms`);
      }
    } finally {
      deaf.close();
    }
  },
});
