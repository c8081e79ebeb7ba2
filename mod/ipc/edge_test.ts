// Edges over real Unix sockets: the asker listens, answerers plug in.
import assert from "node:assert/strict";
import net from "node:net";
import { call, contract } from "./call.ts";
import { Edge, MAX_REPEATS } from "./edge.ts";
import { encodeFrame } from "./frames.ts";
import { plugIn } from "./plug.ts";
import { int, object, text } from "./schema.ts";

const calls = contract("queue", {
  who: call({
    from: ["smtpd"],
    withinMs: 2_000,
    ask: object({}),
    answer: object({ name: text({ max: 20 }), asker: text({ max: 20 }) }),
    refuses: [],
    repeatable: true,
  }),
  once: call({
    from: ["smtpd"],
    withinMs: 2_000,
    ask: object({}),
    answer: object({}),
    refuses: [],
  }),
  soon: call({
    from: ["smtpd"],
    withinMs: 50,
    ask: object({}),
    answer: object({}),
    refuses: [],
    repeatable: true,
  }),
  store: call({
    from: ["smtpd"],
    withinMs: 5_000,
    ask: object({}),
    answer: object({ octets: int({ min: 0, max: 2 ** 40 }) }),
    refuses: [],
    streams: true,
  }),
});

/** What one answerer under test was asked. */
interface Answerer {
  asked: number;
  aborts: number;
  gone: string[];
  rest(): Promise<void>;
  close(): void;
}

function answerer(
  name: string,
  path: string,
  options: { silent?: boolean } = {},
): Answerer {
  const never = new Promise<never>(() => {});
  const self: Answerer = {
    asked: 0,
    aborts: 0,
    gone: [],
    rest: () => Promise.resolve(),
    close: () => {},
  };
  const plugs = plugIn({
    contract: calls,
    sockets: [{ role: "smtpd", instance: "smtpd.0", path }],
    handlers: {
      who: (_ask, asker) => {
        self.asked++;
        return options.silent ? never : { answer: { name, asker } };
      },
      once: () => {
        self.asked++;
        return options.silent ? never : { answer: {} };
      },
      soon: () => never,
      store: () => {
        const { promise, resolve } = Promise.withResolvers<
          { answer: { octets: number } }
        >();
        let octets = 0;
        const sink = {
          chunk: (bytes: Uint8Array) => void (octets += bytes.length),
          end: () => resolve({ answer: { octets } }),
          abort: () => void self.aborts++,
        };
        return { sink, verdict: promise };
      },
    },
    onGone: (instance) => self.gone.push(instance),
  });
  self.close = plugs.close;
  self.rest = () => plugs.rest();
  return self;
}

/** Waits until `claim` holds; fails after twenty seconds. */
async function until(claim: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !claim();) {
    assert.ok(Date.now() < end, `waited too long for ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Runs `body` with a path for a socket; closes what it opened. */
function withEdge(
  body: (given: {
    path: string;
    edge: Edge<typeof calls.calls>;
    closing: <T extends { close(): unknown }>(one: T) => T;
  }) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const dir = await Deno.makeTempDir();
    const opened: { close(): unknown }[] = [];
    const closing = <T extends { close(): unknown }>(one: T) => {
      opened.push(one);
      return one;
    };
    const path = `${dir}/edge.sock`;
    const edge = new Edge(calls, { path });
    try {
      await body({ path, edge, closing });
    } finally {
      for (const one of opened.reverse()) one.close();
      edge.close();
      await Deno.remove(dir, { recursive: true });
      // "close" events come in a later turn.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
}

Deno.test(
  "Edge asks whoever is plugged in, and waits while nobody is",
  withEdge(async ({ path, edge, closing }) => {
    const early = edge.ask("who", {});
    let plugged = 0;
    edge.onPlugged = () => plugged++;
    assert.equal(edge.answerers, 0);
    closing(answerer("a", path));
    assert.deepEqual(await early, {
      kind: "answered",
      answer: { name: "a", asker: "smtpd.0" },
    });
    assert.equal(edge.answerers, 1);
    assert.equal(plugged, 1);
  }),
);

Deno.test(
  "Edge fails asks when nobody plugs in within their time limit",
  withEdge(async ({ edge }) => {
    const from = performance.now();
    const replies = await Promise.all([
      edge.ask("soon", {}),
      edge.stream("store", {}, 50),
    ]);
    assert.deepEqual(replies, [
      { kind: "failed", why: "queue is not there" },
      undefined,
    ]);
    assert.ok(performance.now() - from < 1_000);
  }),
);

Deno.test(
  "Edge fails an ask within its time limit, waiting included",
  withEdge(async ({ path, edge, closing }) => {
    closing(answerer("a", path));
    await until(() => edge.answerers === 1);
    const reply = await edge.ask("soon", {});
    assert.equal(reply.kind, "failed");
  }),
);

Deno.test(
  "Edge shares asks among several answerers, the idle one first",
  withEdge(async ({ path, edge, closing }) => {
    const a = closing(answerer("a", path, { silent: true }));
    const b = closing(answerer("b", path, { silent: true }));
    const c = closing(answerer("c", path, { silent: true }));
    await until(() => edge.answerers === 3);
    const replies = Array.from({ length: 30 }, () => edge.ask("once", {}));
    await until(() => a.asked + b.asked + c.asked === 30);
    assert.deepEqual([a.asked, b.asked, c.asked], [10, 10, 10]);
    edge.close();
    for (const reply of await Promise.all(replies)) {
      assert.equal(reply.kind, "failed");
    }
  }),
);

Deno.test(
  "Edge repeats a repeatable ask when its answerer dies, and only such",
  withEdge(async ({ path, edge, closing }) => {
    const dying = answerer("dying", path, { silent: true });
    await until(() => edge.answerers === 1);
    const who = edge.ask("who", {});
    const once = edge.ask("once", {});
    await until(() => dying.asked === 2);
    dying.close();
    const next = closing(answerer("next", path));
    assert.deepEqual(await who, {
      kind: "answered",
      answer: { name: "next", asker: "smtpd.0" },
    });
    assert.deepEqual(await once, {
      kind: "failed",
      why: "the answerer is gone",
    });
    assert.equal(next.asked, 1);
  }),
);

Deno.test(
  "Edge does not repeat an ask that every answerer dies of",
  withEdge(async ({ path, edge }) => {
    let reply: unknown;
    let asked = 0;
    edge.ask("who", {}).then((one) => reply = one);
    for (let n = 0; n < 10 && reply === undefined; n++) {
      const dying = answerer("dying", path, { silent: true });
      await until(() => dying.asked === 1 || reply !== undefined);
      asked += dying.asked;
      dying.close();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(asked, 1 + MAX_REPEATS);
    assert.deepEqual(reply, { kind: "failed", why: "the answerer is gone" });
  }),
);

Deno.test(
  "plugIn comes back when the asker died, and says so once",
  withEdge(async ({ path, edge, closing }) => {
    const one = closing(answerer("one", path));
    await until(() => edge.answerers === 1);
    assert.equal((await edge.ask("once", {})).kind, "answered");
    edge.close();
    await until(() => one.gone.length > 0);
    assert.equal(one.gone[0], "smtpd.0");
    await Deno.remove(path).catch(() => {});
    const successor = closing(new Edge(calls, { path }));
    assert.equal((await successor.ask("who", {})).kind, "answered");
    assert.equal(one.asked, 2);
  }),
);

Deno.test(
  "Edge streams octets with pushback, many streams on one channel",
  withEdge(async ({ path, edge, closing }) => {
    closing(answerer("a", path));
    const warnings: string[] = [];
    const warned = (warning: Error) => warnings.push(String(warning));
    process.on("warning", warned);
    await Promise.all(Array.from({ length: 25 }, async (_, n) => {
      const stream = (await edge.stream("store", {}))!;
      for (let i = 0; i < 20; i++) await stream.write(new Uint8Array(50_000));
      await stream.write(new Uint8Array(n));
      assert.deepEqual(await stream.end(), {
        kind: "answered",
        answer: { octets: 1_000_000 + n },
      });
    }));
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off("warning", warned);
    assert.deepEqual(warnings, [], "no listener for each stream");
  }),
);

Deno.test(
  "plugIn aborts the streams of an asker that dies, once each",
  withEdge(async ({ path, edge, closing }) => {
    const one = closing(answerer("one", path));
    const streams = [
      (await edge.stream("store", {}))!,
      (await edge.stream("store", {}))!,
    ];
    for (const stream of streams) await stream.write(new Uint8Array(9));
    streams[0]!.abort();
    await until(() => one.aborts === 1);
    edge.close();
    await until(() => one.gone.length > 0);
    assert.equal(one.aborts, 2);
    assert.equal((await streams[1]!.reply).kind, "failed");
  }),
);

Deno.test(
  "Edge drops an answerer that breaks the contract, and turns to the next",
  withEdge(async ({ path, edge, closing }) => {
    const broken = new Promise<void>((resolve) => {
      const socket = net.connect({ path });
      socket.write(encodeFrame("here", 0));
      socket.once("data", () => socket.write(encodeFrame("control", 1, "{}")));
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    });
    await until(() => edge.answerers === 1);
    const from = performance.now();
    const asks = [edge.ask("who", {}), edge.ask("who", {})];
    await broken;
    assert.equal(edge.answerers, 0);
    closing(answerer("good", path));
    for (const reply of await Promise.all(asks)) {
      assert.equal(reply.kind, "answered");
    }
    assert.ok(performance.now() - from < 1_000, "the role was never blocked");
  }),
);

Deno.test(
  "plugIn drops an asker that breaks the contract, and comes back later",
  withEdge(async ({ path, edge, closing }) => {
    const one = closing(answerer("one", path));
    await until(() => edge.answerers === 1);
    edge.close();
    await Deno.remove(path).catch(() => {});
    let connections = 0;
    const hostile = closing(
      net.createServer((socket) => {
        connections++;
        socket.on("error", () => {});
        socket.write(encodeFrame("ask", 1, '["__proto__",{}]'));
      }),
    );
    hostile.listen(path);
    await until(() => connections === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(connections, 1, "not at once again");
    await until(() => connections === 2);
    assert.equal(one.asked, 0);
  }),
);

Deno.test(
  "plugIn reads no further asks from an asker that reads no answers",
  withEdge(async ({ path, edge, closing }) => {
    edge.close();
    await Deno.remove(path).catch(() => {});
    let deaf: net.Socket | undefined;
    const hostile = closing(net.createServer((socket) => {
      deaf = socket;
      socket.on("error", () => {});
      socket.pause();
    }));
    hostile.listen(path);
    const one = closing(answerer("one", path));
    await until(() => deaf !== undefined);
    const ask = encodeFrame("ask", 1, '["who",{}]');
    const many = new Uint8Array(ask.length * 1_000);
    for (let at = 0; at < many.length; at += ask.length) many.set(ask, at);
    for (let i = 0; i < 100; i++) deaf!.write(many);
    let before = -1;
    while (before < one.asked || before === 0) {
      before = one.asked;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(before < 50_000, `${before} answers wait in memory`);
    deaf!.on("data", () => {});
    deaf!.resume();
    await until(() => one.asked === 100_000);
    deaf!.destroy();
  }),
);

Deno.test("Edge loses no ask, repeatable or not, to an answerer that goes to rest", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/edge.sock`;
  let serving: Answerer | undefined;
  let woken = 0;
  const wake = () => {
    if (serving !== undefined) return;
    woken++;
    serving = answerer(`life ${woken}`, path);
  };
  const edge = new Edge(calls, { path }, { rests: true, wake });
  try {
    assert.ok(edge.isResting);
    let asking = true;
    let answered = 0;
    const askers = Array.from({ length: 8 }, async () => {
      while (asking) {
        const reply = await edge.ask("once", {});
        assert.deepEqual(reply, { kind: "answered", answer: {} });
        answered++;
      }
    });
    for (let lives = 0; lives < 20; lives++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const resting = serving;
      serving = undefined;
      await resting?.rest();
    }
    asking = false;
    wake();
    await Promise.all(askers);
    assert.ok(woken >= 10, `woken ${woken} times`);
    assert.ok(answered > 100, `answered ${answered}`);
  } finally {
    serving?.close();
    edge.close();
    await Deno.remove(dir, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

Deno.test(
  "Plugs.rest() answers what was asked before",
  withEdge(async ({ path, edge, closing }) => {
    const one = closing(answerer("a", path));
    await until(() => edge.answerers === 1);
    const stream = (await edge.stream("store", {}))!;
    await stream.write(new Uint8Array(100));
    const isOver = one.rest();
    await until(() => edge.answerers === 0);
    assert.ok(edge.isResting);
    await stream.write(new Uint8Array(23));
    assert.deepEqual(await stream.end(), {
      kind: "answered",
      answer: { octets: 123 },
    });
    await isOver;
    assert.equal(one.aborts, 0);
  }),
);

Deno.test(
  "Edge asks nothing on a channel that comes only to say that it rests",
  withEdge(async ({ path, edge, closing }) => {
    const early = edge.ask("once", {});
    const stale = net.connect({ path });
    stale.on("error", () => {});
    const both = [encodeFrame("here", 0), encodeFrame("rest", 0)];
    stale.write(new Uint8Array(both.flatMap((frame) => [...frame])));
    await new Promise((done) => stale.once("close", done));
    assert.ok(edge.isResting);
    closing(answerer("a", path));
    assert.deepEqual(await early, { kind: "answered", answer: {} });
  }),
);

Deno.test("Edge says again that it wants whom its ask waits for", async () => {
  const path = await Deno.makeTempFile();
  await Deno.remove(path);
  let serving: Answerer | undefined;
  let wishes = 0;
  const wake = () => {
    // The first crosses the answerer's own word that it goes to rest.
    if (++wishes === 2) serving = answerer("a", path);
  };
  const edge = new Edge(calls, { path }, { rests: true, wake });
  try {
    const reply = await edge.ask("once", {});
    assert.deepEqual(reply, { kind: "answered", answer: {} });
  } finally {
    serving?.close();
    edge.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

Deno.test("Plugs.rest() tells an asker that was started a moment ago", async () => {
  const path = await Deno.makeTempFile();
  await Deno.remove(path);
  const before = new Edge(calls, { path });
  const one = answerer("a", path);
  await until(() => before.answerers === 1);
  before.close();
  await until(() => one.gone.length === 1); // and it waits to connect again
  const after = new Edge(calls, { path });
  try {
    const isOver = one.rest();
    await after.settled(1_000);
    await until(() => after.isResting);
    await isOver;
  } finally {
    after.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});
