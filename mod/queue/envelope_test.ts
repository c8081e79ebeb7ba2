import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ownOutcome } from "../core/outcome.ts";
import type { MessageWishes, RecipientWishes } from "../core/shapes.ts";
import { listQueue } from "./inspect.ts";
import { orderAndAwait } from "./inspect_orders.ts";
import {
  copyOf,
  FakeEdges,
  laboratory,
  newAsk,
  storyOf,
  until,
} from "./laboratory.ts";
import { newOrder } from "./order_ipc.ts";
import { orderNames } from "./orders_io.ts";
import { openDatabase } from "./database_io.ts";
import { Store } from "./store_io.ts";

const NOT_NOW = ownOutcome("temporary", 451, "4.3.0", "not now");

const WISHES: MessageWishes = {
  envid: "QQ314159",
  ret: "hdrs",
  smtpUtf8: true,
  requireTls: true,
  verp: "-=",
};
const RECIPIENT_WISHES: RecipientWishes[] = [
  { notify: ["success", "delay"], orcpt: "rfc822;Bob@home.test" },
  { notify: [], orcpt: "" },
];
const SLOW = { firstRetryMs: 600_000, maxRetryMs: 600_000 };

Deno.test("Queue keeps what was asked for a message and its recipients, over a restart", async () => {
  const ask = newAsk(["bob@home.test", "amy@home.test", "bob@home.test"], {
    wishes: WISHES,
    recipientWishes: [...RECIPIENT_WISHES, { notify: ["never"], orcpt: "" }],
    bodyType: "binarymime",
  });
  ask.client.login = "me@home.test";
  let dir = "";
  {
    await using lab = laboratory({ change: SLOW });
    lab.fake.deliver = () => NOT_NOW;
    await lab.send(ask);
    await until(
      "deferred",
      () => listQueue(lab.dir)[0]?.recipients[1]?.attempts === 1,
    );
    dir = lab.dir;
  }
  const store = new Store(openDatabase(dir), { add: () => {} });
  const message = store.load(store.byId(ask.queueId)!, Date.now());
  store.close();
  assert.deepEqual(message.wishes, WISHES);
  assert.equal(message.bodyType, "binarymime");
  assert.deepEqual(
    message.recipients.map(({ address, wishes }) => ({ address, wishes })),
    [
      { address: "bob@home.test", wishes: RECIPIENT_WISHES[0] },
      { address: "amy@home.test", wishes: RECIPIENT_WISHES[1] },
    ],
  );
  const db = new DatabaseSync(`${dir}/queue.db`, { readOnly: true });
  const row = db.prepare("SELECT client_login FROM messages").get();
  db.close();
  assert.equal(row?.["client_login"], "me@home.test");
});

Deno.test("Queue delivers nothing that is on hold before it is released, not even after a crash or a restart", async () => {
  const fake = new FakeEdges();
  const ask = newAsk(["bob@home.test", "amy@home.test"], { hold: true });
  let crashed = "";
  {
    await using lab = laboratory({ fake });
    await lab.send(ask);
    crashed = copyOf(lab.dir);
    await until("parked", () => listQueue(lab.dir)[0]?.state === "queued");
    assert.deepEqual(
      listQueue(lab.dir)[0]?.recipients.map(({ state }) => state),
      ["hold", "hold"],
    );
    assert.equal(lab.queue.counts().byState.hold, 2);
  }
  for (const dir of [crashed, copyOf(crashed)]) {
    await using lab = laboratory({ dir, fake });
    await until("parked", () => listQueue(dir)[0]?.state === "queued");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(fake.asked.length, 0);
    assert.equal(lab.queue.counts().byState.hold, 2);
  }
  await using lab = laboratory({ dir: crashed, fake });
  const order = newOrder("release", { ids: [ask.queueId] });
  assert.equal((await orderAndAwait(crashed, order))?.recipients, 2);
  await until("released", () => fake.released.length === 1);
  assert.deepEqual(fake.asked[0]?.addresses, ask.recipients);
  await until("no order", () => orderNames(crashed).length === 0);
  const story = await storyOf(lab, ask.queueId, 3);
  assert.deepEqual(
    story.map(({ what }) => what),
    ["released", "delivered", "delivered"],
  );
});

const FLUSHES: {
  name: string;
  ask: { domain: string; andBelow: boolean };
  want: string[];
}[] = [
  {
    name: "a domain alone",
    ask: { domain: "b.test", andBelow: false },
    want: ["one@b.test", "two@b.test"],
  },
  {
    name: "a domain and those below",
    ask: { domain: "b.test", andBelow: true },
    want: ["four@x.b.test", "one@b.test", "two@b.test"],
  },
  {
    name: "a domain that is not relayed for",
    ask: { domain: "a.test", andBelow: false },
    want: [],
  },
  {
    name: "a domain so long that it has no address",
    ask: { domain: `${"a".repeat(250)}.test`, andBelow: true },
    want: [],
  },
  {
    name: "a domain that nothing waits for",
    ask: { domain: "test", andBelow: false },
    want: [],
  },
];

Deno.test("Queue.flush() tries the deferred recipients of a domain now, and says how many", async () => {
  await Promise.all(FLUSHES.map(async ({ name, ask, want }) => {
    await using lab = laboratory({ change: SLOW });
    const { fake } = lab;
    fake.deliver = () => NOT_NOW;
    const relayed = ["postmaster@b.test", "postmaster@test"];
    const hosts = ["one@b.test", "four@x.b.test", "six@bb.test"];
    for (const address of [...hosts, ...relayed]) {
      fake.routes.set(address, [FakeEdges.remote(address, address)]);
    }
    await lab.send(newAsk(["one@b.test", "three@a.test"]));
    await lab.send(newAsk(["two@b.test"]));
    await lab.send(newAsk(["four@x.b.test", "six@bb.test", "b.test@a.test"]));
    await until(
      "all deferred",
      () =>
        listQueue(lab.dir).every(({ recipients }) =>
          recipients.every(({ attempts }) => attempts === 1)
        ),
      10_000,
    );
    const before = fake.asked.length;
    fake.deliver = () => ownOutcome("delivered", 250, "2.0.0", "ok");
    assert.equal(await lab.queue.flush(ask), want.length, name);
    const tried = () =>
      fake.asked.slice(before).flatMap((one) => one.addresses);
    await until("tried", () => tried().length >= want.length);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(tried().sort(), want, name);
  }));
});
