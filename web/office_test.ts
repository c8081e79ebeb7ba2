/** What queue and gate answer, in words; and what goes with each ask. */
import assert from "node:assert/strict";
import type { Reply } from "../mod/ipc/call.ts";
import { officeOf } from "./office_io.ts";
import { sourcesFor } from "./sources_io.ts";

type AnyReply = Reply<never> | { kind: "answered"; answer: unknown };

/** Two edges that answer as they are told, and what they were asked. */
function edges(replies: Readonly<Record<string, AnyReply>>) {
  const asked: [string, unknown][] = [];
  const edge = (role: string) => ({
    ask: (name: string, ask: unknown) => {
      asked.push([`${role}.${name}`, ask]);
      return Promise.resolve(
        replies[`${role}.${name}`] ?? { kind: "failed", why: "a test" },
      );
    },
  });
  const queue = edge("queue") as unknown as Parameters<typeof officeOf>[0];
  const gate = edge("gate") as unknown as Parameters<typeof officeOf>[1];
  return { asked, queue, gate, office: officeOf(queue, gate) };
}

const refused = (refusal: string) =>
  ({ kind: "refused", refusal }) as unknown as AnyReply;

const ANSWER = {
  isOver: true,
  messages: 0,
  recipients: 0,
  unchanged: 0,
  waiting: 0,
  missing: [],
  missingCount: 0,
};

const ID = "0123456789ABCDEF";

const ORDERS: readonly { reply: AnyReply; words: RegExp; isOver?: true }[] = [
  {
    reply: {
      kind: "answered",
      answer: { ...ANSWER, messages: 1, recipients: 2 },
    },
    words: /is held: 2 recipients/,
  },
  {
    reply: { kind: "answered", answer: { ...ANSWER, missingCount: 1 } },
    words: /not in the queue/,
  },
  {
    reply: {
      kind: "answered",
      answer: { ...ANSWER, isOver: false, waiting: 1 },
    },
    words: /being delivered at this moment/,
  },
  { reply: { kind: "answered", answer: ANSWER }, words: /nothing to do/ },
  { reply: refused("busy"), words: /Nothing was done/ },
  { reply: refused("unhealthy"), words: /disk/ },
  { reply: refused("no-grant"), words: /Nothing was done/, isOver: true },
  { reply: { kind: "failed", why: "x" }, words: /may or may not/ },
];

Deno.test("officeOf() words what came of an order", async () => {
  for (const { reply, words, isOver } of ORDERS) {
    const { office, asked } = edges({ "queue.order": reply });
    const done = await office.messages("g", "hold", [ID]);
    assert.match(done.words, words);
    assert.equal(done.isOver, isOver);
    assert.deepEqual(asked, [["queue.order", {
      grant: "g",
      action: "hold",
      ids: [ID],
      domain: "",
    }]]);
  }
});

Deno.test("officeOf() says once what came of an order for many", async () => {
  const answer = {
    ...ANSWER,
    messages: 7,
    recipients: 9,
    unchanged: 1,
    waiting: 1,
    missing: [ID],
    missingCount: 1,
  };
  const { office, asked } = edges({
    "queue.order": { kind: "answered", answer },
  });
  const ids = Array.from({ length: 10 }, (_, i) => `0123456789ABCDE${i}`);
  const { words } = await office.messages("g", "hold", ids);
  assert.equal(
    words,
    "7 messages are held: 9 recipients. 1 message is being delivered at this " +
      "moment: the turn comes when that has ended. 1 message is not in the " +
      "queue any more. There was nothing to do for 1 message.",
  );
  assert.equal(asked.length, 1);
});

Deno.test("officeOf() wakes the gate before a grant is made, and shows it the grant", async () => {
  const answer = { grant: "g", by: "eva", untilMs: 5 };
  const { office, asked } = edges({
    "queue.signIn": { kind: "answered", answer },
  });
  assert.deepEqual(await office.signIn("t"), answer);
  assert.deepEqual(asked, [
    ["gate.stay", { grant: "" }],
    ["queue.signIn", { ticket: "t" }],
    ["gate.stay", { grant: "g" }],
  ]);
});

Deno.test("officeOf() says why a ticket is not good", async () => {
  const rows = [
    [refused("used"), /used already/],
    [refused("expired"), /too old/],
    [refused("invalid"), /no ticket/],
    [{ kind: "failed", why: "x" }, /does not answer/],
  ] as const;
  for (const [reply, words] of rows) {
    const { office } = edges({ "queue.signIn": reply });
    const done = await office.signIn("t".repeat(5_000));
    assert.match("words" in done ? done.words : "", words);
  }
});

Deno.test("officeOf() signs out at queue and gate", async () => {
  const { office, asked } = edges({ "queue.signOut": refused("no-grant") });
  assert.match((await office.signOut("g", true)).words, /not every role/);
  assert.deepEqual(asked, [
    ["queue.signOut", { grant: "g", everywhere: true }],
    ["gate.signOut", { grant: "g", everywhere: true }],
  ]);
});

Deno.test("sourcesFor() asks with the visitor's grant, and gives nothing for a refusal", async () => {
  const no = refused("no-grant");
  const { queue, gate, asked } = edges({
    "queue.messages": no,
    "queue.destinations": no,
    "queue.find": no,
    "queue.story": no,
    "gate.clients": no,
  });
  let over = 0;
  const sources = sourcesFor(
    {
      queue,
      gate,
      news: () => undefined,
      facts: () => undefined,
      flow: () => [],
      expireMs: () => 1_000,
    },
    "g",
    () => over++,
  );
  const filter = { state: "", domain: "", after: "", limit: 5 };
  const all = await Promise.all([
    sources.messages(filter),
    sources.destinations(),
    sources.find(" a  b "),
    sources.journey(ID),
    sources.clients({ client: "x".repeat(500) }),
  ]);
  assert.deepEqual(all, [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(over, 5, "each said that it is over");
  for (const [name, ask] of asked) {
    assert.equal((ask as { grant?: string }).grant, "g", name);
  }
  const found = asked.find(([name]) => name === "queue.find");
  assert.deepEqual((found?.[1] as { words: string[] }).words, ["a", "b"]);
});

Deno.test("sourcesFor() asks nothing that the queue would not understand", async () => {
  const { queue, gate, asked } = edges({});
  const sources = sourcesFor({
    queue,
    gate,
    news: () => undefined,
    facts: () => undefined,
    flow: () => [],
    expireMs: () => 1_000,
  }, "g");
  const filter = { state: "", domain: "", after: "", limit: 5 };
  const long = "x".repeat(300);
  for (const over of [{ state: long }, { domain: long }, { after: long }]) {
    const found = await sources.messages({ ...filter, ...over });
    assert.deepEqual(found?.messages, []);
  }
  assert.deepEqual(asked, []);
});
