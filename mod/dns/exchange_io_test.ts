/** One server asked, against scripted servers on the loopback. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { encode } from "./codec.ts";
import { type Ask, type Exchanged, Exchanger } from "./exchange_io.ts";
import { TYPE } from "./message.ts";
import { response } from "./message_fixture.ts";
import {
  type Came,
  reply,
  type Script,
  type Scripted,
  withScripted,
} from "./name_server_fixture.ts";

const NAME = "some.long.name.example";
const RIGHT = `${NAME}. 60 A 192.0.2.1`;
const WRONG = `${NAME}. 60 A 192.0.2.66`;

function ask(over: Partial<Ask> = {}): Ask {
  return {
    question: { name: NAME, type: TYPE.A },
    recursionDesired: true,
    checkingDisabled: true,
    dnssecOk: true,
    withinMs: 400,
    ...over,
  };
}

/** What came, in a word: an address, or the kind of failure. */
function said(got: Exchanged): string {
  if (got.kind !== "message") {
    return got.kind === "broken" ? got.fault : got.kind;
  }
  const { answer, rcode } = got.message;
  return answer.length > 0 ? [...answer[0]!.data].join(".") : `rcode ${rcode}`;
}

const right = (came: Came) => reply(came, { answer: [RIGHT] });
const wrong = (came: Came) => reply(came, { answer: [WRONG] });

/** With the question's letters in lower case. */
function lowered(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let at = 12; octets[at]! > 0; at++) {
    if (octets[at]! >= 0x41) octets[at]! |= 0x20;
  }
  return octets;
}

/** Bends octets, which are then sent before the right answer. */
function forged(bend: (octets: Uint8Array<ArrayBuffer>) => Uint8Array): Script {
  return (came) =>
    came.by === "tcp" ? [right(came)] : [bend(wrong(came)), right(came)];
}

const TRUNCATED = (came: Came) => reply(came, { isTruncated: true });

const ROWS: { name: string; script: Script; want: string; by?: string }[] = [
  {
    name: "an answer",
    script: (came) => [right(came)],
    want: "192.0.2.1",
    by: "udp",
  },
  {
    name: "the right answer behind one with another id",
    script: forged((octets) => {
      octets[0]! ^= 1;
      return octets;
    }),
    want: "192.0.2.1",
    by: "udp",
  },
  {
    name: "the right answer behind one to another question",
    script: (came) => [
      reply(came, {
        question: { name: "other.long.name.example", type: TYPE.A },
        answer: [WRONG],
      }),
      right(came),
    ],
    want: "192.0.2.1",
    by: "udp",
  },
  {
    name: "the right answer behind one of another type",
    script: (came) => [
      reply(came, { question: { name: NAME, type: TYPE.MX }, answer: [WRONG] }),
      right(came),
    ],
    want: "192.0.2.1",
    by: "udp",
  },
  {
    name: "the right answer behind a question",
    script: forged((octets) => {
      octets[2]! &= 0x7f;
      return octets;
    }),
    want: "192.0.2.1",
    by: "udp",
  },
  {
    name: "the right answer behind half a header",
    script: forged((octets) => octets.subarray(0, 7)),
    want: "192.0.2.1",
    by: "udp",
  },
  {
    name: "what TCP says when the letters' case was guessed wrong",
    script: forged(lowered),
    want: "192.0.2.1",
    by: "udp tcp",
  },
  {
    name: "what TCP says when many guess",
    script: (came) =>
      came.by === "tcp" ? [right(came)] : Array.from({ length: 30 }, (_, i) => {
        const octets = wrong(came);
        octets[1]! ^= 1 + i;
        return octets;
      }),
    want: "192.0.2.1",
    by: "udp tcp",
  },
  {
    name: "what TCP says when UDP's answer is truncated",
    script: (came) => came.by === "tcp" ? [right(came)] : [TRUNCATED(came)],
    want: "192.0.2.1",
    by: "udp tcp",
  },
  {
    name: "nothing when TCP's answer is truncated, too",
    script: (came) => [TRUNCATED(came)],
    want: "rcode 0",
    by: "udp tcp",
  },
  {
    name: "nothing when TCP's answer is to another question",
    script: (came) =>
      came.by === "udp" ? [TRUNCATED(came)] : [
        reply(came, {
          question: { name: "x.example", type: TYPE.A },
          answer: [WRONG],
        }),
      ],
    want: "other-question",
    by: "udp tcp",
  },
  {
    name: "silence as silence",
    script: () => [],
    want: "silent",
    by: "udp",
  },
  {
    name: "101 records as too many",
    script: (came) => [
      came.by === "udp" ? TRUNCATED(came) : reply(came, {
        answer: Array.from(
          { length: 101 },
          (_, i) => `${NAME}. 60 A 10.0.0.${i}`,
        ),
      }),
    ],
    want: "too-many-records",
    by: "udp tcp",
  },
  {
    name: "64 KiB of one answer",
    script: (came) => [
      came.by === "udp" ? TRUNCATED(came) : reply(came, {
        answer: [
          RIGHT,
          `${NAME}. 60 TYPE65280 \\# 65000 ${"00".repeat(65_000)}`,
        ],
      }),
    ],
    want: "192.0.2.1",
    by: "udp tcp",
  },
  {
    name: "an answer cut in the middle as short",
    script: (came) => [right(came).subarray(0, -2)],
    want: "short",
    by: "udp",
  },
  {
    name: "an answer without EDNS of a server that does not know it",
    script: (
      came,
    ) => [
      came.message.edns
        ? reply(came, { rcode: 1, edns: undefined })
        : right(came),
    ],
    want: "192.0.2.1",
    by: "udp udp",
  },
  {
    name: "FORMERR without a question from such a server",
    script: (came) => [
      came.message.edns
        ? encode(response({ id: came.message.id, rcode: 1 }))
        : right(came),
    ],
    want: "192.0.2.1",
    by: "udp udp",
  },
  {
    name: "FORMERR of a server that says nothing else",
    script: (came) => [reply(came, { rcode: 1, edns: undefined })],
    want: "rcode 1",
    by: "udp udp",
  },
];

for (const { name, script, want, by } of ROWS) {
  Deno.test(`Exchanger takes ${name}`, () =>
    withScripted(script, async (server) => {
      const got = await new Exchanger().exchange(server, ask());
      assert.equal(said(got), want);
      if (by) assert.equal(server.came.map((one) => one.by).join(" "), by);
    }));
}

Deno.test("Exchanger asks each question with its own port, id and case", () =>
  withScripted((came) => [right(came)], async (server) => {
    const exchanger = new Exchanger();
    for (let n = 0; n < 8; n++) await exchanger.exchange(server, ask());
    const heads = server.came.map(({ octets }) => octets.slice(0, 40).toHex());
    assert.equal(new Set(heads).size, 8);
    const names = server.came.map(({ octets }) => octets.slice(12, 35).toHex());
    assert.ok(new Set(names).size > 4, "the case hardly changes");
    const { message } = server.came[0]!;
    assert.deepEqual(message.edns, { size: 1_232, dnssecOk: true });
    assert.ok(message.recursionDesired && message.checkingDisabled);
  }));

Deno.test("Exchanger takes nothing from another port or address", () =>
  withScripted(() => [], async (server) => {
    const others = ["127.0.0.1", "127.0.0.2"].map((address) => {
      const socket = createSocket("udp4");
      return { address, socket };
    });
    for (const { address, socket } of others) {
      await new Promise<void>((then) =>
        socket.bind(address === "127.0.0.1" ? 0 : server.port, address, then)
      );
    }
    // Ports of the asker cannot be read off from here: all likely ones.
    const asking = new Exchanger().exchange(server, ask({ withinMs: 600 }));
    await new Promise((then) => setTimeout(then, 100));
    const came = server.came[0]!;
    const port = await askersPort();
    for (const { socket } of others) {
      socket.send(wrong(came), port, "127.0.0.1");
    }
    assert.equal(said(await asking), "silent");
    for (const { socket } of others) socket.close();
  }));

/** The one UDP port of this process that is bound to all addresses. */
async function askersPort(): Promise<number> {
  const table = await Deno.readTextFile("/proc/net/udp");
  const own = new Set<string>();
  for await (const { name } of Deno.readDir("/proc/self/fd")) {
    const target = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "");
    own.add(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "");
  }
  for (const line of table.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [address, port] = (fields[1] ?? "").split(":");
    if (address === "00000000" && own.has(fields[9] ?? "-")) {
      return parseInt(port!, 16);
    }
  }
  return assert.fail("no socket of the asker");
}

Deno.test("Exchanger remembers a server that loses the case of letters", () => {
  const lower: Script = (came) => [lowered(right(came))];
  return withScripted(lower, async (server) => {
    const exchanger = new Exchanger();
    for (let n = 0; n < 3; n++) {
      assert.equal(said(await exchanger.exchange(server, ask())), "192.0.2.1");
    }
    const ways = server.came.map((one) => one.by).join(" ");
    assert.equal(ways, "udp tcp udp udp");
  });
});

Deno.test("Exchanger takes such a server's word without TCP, too", () => {
  const lower: Script = (came) => [lowered(right(came))];
  return withScripted(lower, async (server) => {
    const got = await new Exchanger().exchange(server, ask());
    assert.equal(said(got), "192.0.2.1");
  }, { tcp: false });
});

Deno.test("Exchanger goes over to TCP for good when UDP is lost", () => {
  const script: Script = (came) => came.by === "tcp" ? [right(came)] : [];
  return withScripted(script, async (server) => {
    const exchanger = new Exchanger();
    const quick = ask({ withinMs: 150 });
    const got: string[] = [];
    for (let n = 0; n < 5; n++) {
      got.push(said(await exchanger.exchange(server, quick)));
    }
    assert.deepEqual(got, [
      "silent",
      "silent",
      "192.0.2.1",
      "192.0.2.1",
      "192.0.2.1",
    ]);
    const ways = server.came.map((one) => one.by).join(" ");
    assert.equal(ways, "udp udp udp tcp tcp tcp");
  });
});

Deno.test("Exchanger keeps its time when TCP drips", () => {
  const script: Script = (came) => came.by === "udp" ? [TRUNCATED(came)] : [];
  return withScripted(script, async (server) => {
    const before = performance.now();
    const got = await new Exchanger().exchange(server, ask({ withinMs: 200 }));
    assert.equal(said(got), "silent");
    assert.ok(performance.now() - before < 1_000);
  });
});

Deno.test("Exchanger has 300 questions under way at most, and all are answered", () =>
  withScripted((came) => [right(came)], async (server: Scripted) => {
    const exchanger = new Exchanger();
    const all = await Promise.all(
      Array.from(
        { length: 400 },
        () => exchanger.exchange(server, ask({ withinMs: 5_000 })),
      ),
    );
    assert.ok(all.every((one) => said(one) === "192.0.2.1"));
  }));

Deno.test("Exchanger asks about others although a forwarder is silent about hundreds of one domain's names", async () => {
  const exchanger = new Exchanger();
  const isEvil = (name: string) => name.endsWith("evil.test");
  await withScripted(
    (came) => isEvil(came.question.name) ? [] : [right(came)],
    async (server) => {
      const waiting = Array.from({ length: 400 }, (_, n) => {
        const question = { name: `h${n}.evil.test`, type: TYPE.A };
        return exchanger.exchange(server, ask({ question }));
      });
      assert.equal(
        said(await exchanger.exchange(server, ask())),
        "192.0.2.1",
      );
      for (const got of await Promise.all(waiting)) {
        assert.equal(got.kind, "silent");
      }
    },
  );
});

Deno.test("Exchanger asks others although one server is silent to hundreds", async () => {
  const exchanger = new Exchanger();
  await withScripted(() => [], async (mute) => {
    await withScripted((came) => [right(came)], async (server) => {
      const walking = ask({ recursionDesired: false });
      const waiting = Array.from(
        { length: 400 },
        () => exchanger.exchange(mute, walking),
      );
      assert.equal(
        said(await exchanger.exchange(server, walking)),
        "192.0.2.1",
      );
      for (const got of await Promise.all(waiting)) {
        assert.equal(got.kind, "silent");
      }
      assert.ok(mute.came.length <= 60, `${mute.came.length}`);
    });
  });
});
