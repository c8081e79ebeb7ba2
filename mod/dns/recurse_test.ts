import assert from "node:assert/strict";
import type { Exchange } from "./exchange_io.ts";
import { type Message, type Question, TYPE } from "./message.ts";
import { response } from "./message_fixture.ts";
import { Recursion } from "./recurse.ts";
import { ServerMemory } from "./server_memory.ts";
import { dataText } from "./rdata.ts";

type Parts = Parameters<typeof response>[0];

/** What a server says to a question; undefined is silence. */
type Server = (question: Question) => Parts | undefined;

const AA: Parts = { isAuthoritative: true };
const soa = (zone: string) => `${zone} 60 SOA ns. hm. 1 2 3 4 30`;

/** Refers all below `zone` to servers with glue. */
function refer(zone: string, servers: Record<string, string>): Parts {
  return {
    authority: Object.keys(servers).map((ns) => `${zone}. 300 NS ${ns}.`),
    additional: Object.entries(servers).filter(([, at]) => at !== "")
      .map(([ns, at]) => `${ns}. 300 A ${at}`),
  };
}

const ROOT = "127.0.0.1";
const TEST = "127.0.0.2";
const A_TEST = "127.0.0.3";
const B_TEST = "127.0.0.4";

const world: Record<string, Server> = {
  [ROOT]: ({ name, type }) => {
    if (name === "test" && type === TYPE.DS) {
      return { ...AA, answer: ["test. 60 DS 1 13 2 abcd"] };
    }
    if (name.endsWith("test")) return refer("test", { "ns.test": TEST });
    if (name.endsWith("other")) return refer("other", { "ns.a.test": "" });
    return { ...AA, rcode: 3, authority: [soa(".")] };
  },
  [TEST]: ({ name, type }) => {
    if (name === "a.test" && type === TYPE.DS) {
      return { ...AA, answer: ["a.test. 60 DS 2 13 2 abcd"] };
    }
    if (name.endsWith("a.test")) {
      return refer("a.test", { "ns.a.test": A_TEST });
    }
    if (name.endsWith("b.test")) {
      return refer("b.test", { "ns.b.test": B_TEST, "ns.a.test": "" });
    }
    if (name.endsWith("up.test")) {
      return refer("test", { "ns.evil.test": TEST });
    }
    if (name.endsWith("private.test")) {
      return refer("private.test", { "ns.private.test": "127.0.0.99" });
    }
    if (name.endsWith("self.test")) {
      return refer("self.test", { "ns.self.test": "" });
    }
    if (name.endsWith("x.test")) return refer("x.test", { "ns.y.test": "" });
    if (name.endsWith("y.test")) return refer("y.test", { "ns.x.test": "" });
    return { ...AA, rcode: 3, authority: [soa("test.")] };
  },
  [A_TEST]: ({ name, type }) => {
    if (name === "ns.a.test" && type === TYPE.A) {
      return { ...AA, answer: [`ns.a.test. 60 A ${A_TEST}`] };
    }
    if (name === "www.a.test") {
      return {
        ...AA,
        answer: ["www.a.test. 60 A 192.0.2.1", "bank.b.test. 60 A 6.6.6.6"],
        authority: ["b.test. 60 NS ns.a.test."],
        additional: ["ns.b.test. 60 A 6.6.6.6"],
      };
    }
    if (name === "alias.a.test") {
      return {
        ...AA,
        answer: [
          "alias.a.test. 60 CNAME www.b.test.",
          "www.b.test. 60 A 6.6.6.6",
        ],
      };
    }
    if (name === "host.other") {
      return { ...AA, answer: ["host.other. 60 A 9.9.9.9"] };
    }
    if (name === "nosoa.a.test") return { ...AA, rcode: 3 };
    if (name === "cached.a.test") {
      return { answer: ["cached.a.test. 60 A 6.6.6.6"] };
    }
    if (name === "fails.a.test") return { rcode: 2 };
    return { ...AA, rcode: 3, authority: [soa("a.test.")] };
  },
  // Silent, so that the other server of b.test is needed.
  [B_TEST]: () => undefined,
};

function walk(
  servers: Record<string, Server> = world,
  { hints = [ROOT], withinMs = 5_000 } = {},
) {
  const asked: string[] = [];
  const memory = new ServerMemory();
  const exchange: Exchange = ({ address }, ask) => {
    asked.push(`${address} ${ask.question.name}`);
    assert.ok(!ask.recursionDesired);
    const parts = servers[address]?.(ask.question);
    return Promise.resolve(
      parts === undefined ? { kind: "silent" } : {
        kind: "message",
        message: response({ question: ask.question, ...parts }),
      },
    );
  };
  const recursion = new Recursion({
    hints,
    port: 53,
    exchange,
    memory,
    withinMs,
    random: () => 0.5,
  });
  const ask = async (name: string, type: number = TYPE.A) =>
    await recursion.source({ name, type });
  return { asked, ask };
}

function answersOf(message: Message): string[] {
  return message.answer.map((one) => `${one.name} ${dataText(one)}`);
}

const ROWS: { name: string; ask: [string, number?]; want: unknown }[] = [
  {
    name: "goes down to the zone, and takes nothing of others from it",
    ask: ["www.a.test"],
    want: ["www.a.test 192.0.2.1"],
  },
  {
    name: "leaves an alias's end to those whose it is",
    ask: ["alias.a.test"],
    want: ["alias.a.test www.b.test."],
  },
  {
    name: "asks the zone above for DS",
    ask: ["a.test", TYPE.DS],
    want: ["a.test 2 13 2 abcd"],
  },
  {
    name: "asks the root for a top-level zone's DS",
    ask: ["test", TYPE.DS],
    want: ["test 1 13 2 abcd"],
  },
  {
    name: "looks up a server that came without its address",
    ask: ["host.other"],
    want: ["host.other 9.9.9.9"],
  },
  { name: "takes a no with its SOA", ask: ["nope.a.test"], want: [] },
  { name: "takes the root's no", ask: ["nope.invalid"], want: [] },
  {
    name: "takes no no without a SOA",
    ask: ["nosoa.a.test"],
    want: "no answer",
  },
  {
    name: "takes nothing from a server without authority",
    ask: ["cached.a.test"],
    want: "no answer",
  },
  { name: "tells of a failure", ask: ["fails.a.test"], want: "SERVFAIL" },
  {
    name: "does not go up, nor around in a circle",
    ask: ["www.up.test"],
    want: "no answer",
  },
  {
    name: "does not look for a server below itself",
    ask: ["www.self.test"],
    want: "no answer",
  },
  {
    name: "does not look for two servers in each other's zones for ever",
    ask: ["www.x.test"],
    want: "no answer",
  },
];

for (const { name, ask, want } of ROWS) {
  Deno.test(`Recursion ${name}`, async () => {
    const { ask: put, asked } = walk();
    const got = await put(...ask);
    assert.deepEqual(
      got.kind === "message" ? answersOf(got.message) : got.status,
      want,
    );
    assert.ok(asked.length < 20, asked.join("\n"));
    if (got.kind === "message") assert.deepEqual(got.message.additional, []);
  });
}

Deno.test("Recursion remembers zones, and begins at the lowest", async () => {
  const { ask, asked } = walk();
  await ask("www.a.test");
  await ask("nope.a.test");
  assert.deepEqual(asked, [
    `${ROOT} www.a.test`,
    `${TEST} www.a.test`,
    `${A_TEST} www.a.test`,
    `${A_TEST} nope.a.test`,
  ]);
});

Deno.test("Recursion asks the next server when one is silent", async () => {
  const { ask, asked } = walk({
    ...world,
    [A_TEST]: ({ name, type }) =>
      name === "www.b.test"
        ? { ...AA, answer: ["www.b.test. 60 A 192.0.2.4"] }
        : world[A_TEST]!({ name, type }),
  });
  const got = await ask("www.b.test");
  assert.ok(got.kind === "message");
  assert.deepEqual(answersOf(got.message), ["www.b.test 192.0.2.4"]);
  assert.ok(asked.includes(`${B_TEST} www.b.test`));
});

Deno.test("Recursion begins once more from above when a zone has moved", async () => {
  let at = A_TEST;
  const servers: Record<string, Server> = {
    ...world,
    [TEST]: () => refer("a.test", { "ns.a.test": at }),
  };
  const { ask } = walk(servers);
  assert.equal((await ask("www.a.test")).kind, "message");
  at = "127.0.0.7";
  servers[at] = servers[A_TEST]!;
  delete servers[A_TEST];
  assert.equal((await ask("www.a.test")).kind, "message");
});

Deno.test("Recursion asks no private address but in a laboratory", async () => {
  const asked = async (hints: string[]) => {
    const walking = walk({ ...world, "198.41.0.4": world[ROOT]! }, { hints });
    await walking.ask("www.private.test");
    return walking.asked.map((one) => one.split(" ")[0]);
  };
  assert.deepEqual(await asked(["198.41.0.4"]), ["198.41.0.4"]);
  assert.ok((await asked([ROOT])).includes("127.0.0.99"));
});

Deno.test("Recursion asks 40 questions at most, whatever zones say", async () => {
  // Every zone has twenty servers, each of which lies in another such zone.
  let n = 0;
  const hostile: Server = ({ name }) =>
    refer(
      name.split(".").slice(-2).join("."),
      Object.fromEntries(
        Array.from({ length: 20 }, () => [`ns.zone${n++}.test`, ""]),
      ),
    );
  const { ask, asked } = walk({ [ROOT]: hostile });
  assert.equal((await ask("www.victim.test")).kind, "failed");
  assert.ok(asked.length <= 40, `${asked.length} questions`);
});

Deno.test("Recursion goes down ten referrals at most", async () => {
  const hostile: Server = ({ name }) => {
    depth++;
    return refer(name.split(".").slice(-depth).join("."), {
      [`ns.${depth}.test`]: ROOT,
    });
  };
  let depth = 0;
  const { ask, asked } = walk({ [ROOT]: hostile });
  const deep = Array.from({ length: 60 }, (_, i) => `l${i}`).join(".");
  assert.equal((await ask(deep)).kind, "failed");
  assert.ok(asked.length <= 12, `${asked.length} questions`);
});
