// RFC 3461: who is told what, and what is passed on.
import assert from "node:assert/strict";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import {
  type NextHop,
  NO_WISHES,
  type RecipientWishes,
} from "../core/shapes.ts";
import { openDatabase } from "./database_io.ts";
import { wholeHost } from "./event.ts";
import {
  copyOf,
  FakeEdges,
  laboratory,
  LOGIN,
  newAsk,
  storyOf,
  until,
} from "./laboratory.ts";
import { Store } from "./store_io.ts";
import { MAX_EACH } from "./success_limit.ts";

type Notify = RecipientWishes["notify"];

const DELIVERED = ownOutcome("delivered", 250, "2.1.5", "ok");
const NEVER = ownOutcome("permanent", 550, "5.7.1", "never");
const RELAYED: Outcome = { ...DELIVERED, host: "mx.remote.test" };
const PASSED_ON: Outcome = { ...RELAYED, isPassedOn: true };

/** What the notices of a queue say, each as its actions. */
function actionsIn(fake: FakeEdges): string[][] {
  return fake.notices.map(({ head }) =>
    [...head.matchAll(/\r\nAction: (\w+)\r\n/g)].map(([, action]) => action!)
  );
}

const TOLD: {
  name: string;
  notify: Notify;
  outcome: Outcome;
  want: string[][];
  reversePath?: string;
  /** Where it goes, if not into a mailbox. */
  hop?: NextHop;
}[] = [
  { name: "success not asked for", notify: [], outcome: DELIVERED, want: [] },
  {
    name: "success in a mailbox",
    notify: ["success"],
    outcome: DELIVERED,
    want: [["delivered"]],
  },
  {
    name: "success at a host without DSN",
    notify: ["success", "failure"],
    outcome: RELAYED,
    want: [["relayed"]],
    hop: { kind: "host", host: "mx", port: 25 },
  },
  {
    name: "success at a mail store by LMTP",
    notify: ["success"],
    outcome: RELAYED,
    want: [["delivered"]],
    hop: { kind: "host", host: "mx", port: 24, protocol: "lmtp" },
  },
  {
    name: "success at a mail store's socket",
    notify: ["success"],
    outcome: RELAYED,
    want: [["delivered"]],
    hop: { kind: "unix", path: "/run/lmtp" },
  },
  {
    name: "success at a host with DSN",
    notify: ["success"],
    outcome: PASSED_ON,
    want: [],
    hop: { kind: "mx", domain: "home.test" },
  },
  {
    name: "success of a message from <>",
    notify: ["success"],
    outcome: DELIVERED,
    want: [],
    reversePath: "",
  },
  {
    name: "failure when nothing was said",
    notify: [],
    outcome: NEVER,
    want: [["failed"]],
  },
  {
    name: "failure asked for",
    notify: ["failure", "delay"],
    outcome: { ...NEVER, isPassedOn: true },
    want: [["failed"]],
  },
  { name: "failure, never", notify: ["never"], outcome: NEVER, want: [] },
  {
    name: "failure, only success asked for",
    notify: ["success"],
    outcome: NEVER,
    want: [],
  },
  {
    name: "failure, only delay asked for",
    notify: ["delay"],
    outcome: NEVER,
    want: [],
  },
];

// Side by side, because most of the time is a release's gathering.
Deno.test("Queue tells the sender what was asked for, and nothing else", async () => {
  await Promise.all(TOLD.map(async (row) => {
    const { name, notify, outcome, want, reversePath, hop } = row;
    await using lab = laboratory();
    const { fake } = lab;
    if (hop !== undefined) {
      const target = { kind: "remote", address: "bob@home.test" } as const;
      fake.routes.set("bob@home.test", [{ ...target, nextHop: hop }]);
    }
    fake.deliver = (asked) => asked.reversePath === "" ? DELIVERED : outcome;
    const ask = newAsk(["bob@home.test"], {
      reversePath: reversePath ?? "alice@sender.test",
      recipientWishes: [{ notify, orcpt: "" }],
    });
    await lab.send(ask);
    // The message, and the notice if there is one.
    await until("released", () => fake.released.length === 1 + want.length);
    assert.deepEqual(actionsIn(fake), want, name);
    const [, notice] = fake.asked;
    if (want.length > 0) {
      assert.equal(notice?.reversePath, "");
      assert.deepEqual(notice?.addresses, ["alice@sender.test"]);
    } else assert.equal(notice, undefined, name);
  }));
});

Deno.test("Queue tells of failure and success in two notices, and by the sender's names", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  fake.deliver = (asked, address) =>
    asked.reversePath !== "" && address.startsWith("no") ? NEVER : DELIVERED;
  await lab.send(newAsk(["no@home.test", "yes@home.test"], {
    wishes: { ...NO_WISHES, envid: "QQ314", ret: "full" },
    recipientWishes: [
      { notify: [], orcpt: "rfc822;First@home.test" },
      { notify: ["success"], orcpt: "rfc822;Second@home.test" },
    ],
  }));
  await until("released", () => fake.released.length === 3);
  assert.deepEqual(actionsIn(fake), [["failed"], ["delivered"]]);
  const [failed, delivered] = fake.notices;
  assert.equal(failed?.quotes, "message");
  assert.equal(delivered?.quotes, "header");
  assert.match(failed!.head, /\r\nOriginal-Recipient: rfc822;First@home.test/);
  assert.match(delivered!.head, /\r\nOriginal-Recipient: rfc822;Second@home/);
  for (const { head } of fake.notices) {
    assert.match(head, /\r\nOriginal-Envelope-Id: QQ314\r\n/);
  }
});

const RETURNS: {
  name: string;
  change: Parameters<typeof newAsk>[1];
  isWholeUnreadable?: boolean;
  want: "message" | "header";
}[] = [
  { name: "a header when nothing was said", change: {}, want: "header" },
  {
    name: "a header for RET=HDRS",
    change: { wishes: { ...NO_WISHES, ret: "hdrs" } },
    want: "header",
  },
  {
    name: "all of it for RET=FULL",
    change: { wishes: { ...NO_WISHES, ret: "full" } },
    want: "message",
  },
  {
    name: "a header for RET=FULL when all of it cannot be read",
    change: { wishes: { ...NO_WISHES, ret: "full" } },
    isWholeUnreadable: true,
    want: "header",
  },
  {
    name: "a header for RET=FULL with REQUIRETLS",
    change: { wishes: { ...NO_WISHES, ret: "full", requireTls: true } },
    want: "header",
  },
  {
    name: "a header for RET=FULL of binary octets",
    change: {
      wishes: { ...NO_WISHES, ret: "full" },
      bodyType: "binarymime",
    },
    want: "header",
  },
  {
    name: "a header for RET=FULL of a message over 1 MiB",
    change: {
      wishes: { ...NO_WISHES, ret: "full" },
      ref: { segment: "big", offset: 0, length: 2 ** 21, sizeBytes: 1_048_577 },
    },
    want: "header",
  },
];

Deno.test("Queue's notice of a failure returns what was asked for and can be carried", async () => {
  await Promise.all(RETURNS.map(async (row) => {
    const { name, change, isWholeUnreadable, want } = row;
    await using lab = laboratory();
    const { fake } = lab;
    fake.isWholeUnreadable = isWholeUnreadable ?? false;
    fake.deliver = (asked) => asked.reversePath === "" ? DELIVERED : NEVER;
    await lab.send(newAsk(["bob@home.test"], change));
    await until("released", () => fake.released.length === 2);
    assert.deepEqual(fake.notices.map(({ quotes }) => quotes), [want], name);
  }));
});

Deno.test("Queue tells that an alias was expanded, and asks no success of those behind it", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  const members = ["amy@home.test", "bob@remote.test"];
  fake.routes.set("team@home.test", [
    FakeEdges.mailbox(members[0]!),
    FakeEdges.remote(members[1]!, "mx.remote.test"),
  ]);
  await lab.send(newAsk(["team@home.test"], {
    recipientWishes: [{
      notify: ["success", "failure"],
      orcpt: "rfc822;team@home.test",
    }],
  }));
  await until("released", () => fake.released.length === 2);
  assert.deepEqual(actionsIn(fake), [["expanded"]]);
  assert.match(fake.notices[0]!.head, /Final-Recipient: rfc822; team@home/);
  const remote = fake.asked.find(({ role }) => role === "smtpc");
  assert.deepEqual(remote?.recipientWishes, [
    { notify: ["failure"], orcpt: "rfc822;team@home.test" },
  ]);
});

Deno.test("Queue passes wishes on to the SMTP client, and none if there are none", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  for (const name of ["a", "b", "c"]) {
    fake.routes.set(`${name}@r.test`, [
      FakeEdges.remote(`${name}@r.test`, "r"),
    ]);
  }
  const wishes = { ...NO_WISHES, envid: "e", ret: "hdrs" as const };
  const first: RecipientWishes = { notify: ["delay"], orcpt: "rfc822;x@y" };
  await lab.send(newAsk(["a@r.test", "b@r.test"], {
    wishes,
    recipientWishes: [first, { notify: [], orcpt: "" }],
    bodyType: "binarymime",
  }));
  await lab.send(newAsk(["c@r.test"]));
  await until("released", () => fake.released.length === 2);
  const [asked, plain] = fake.asked;
  assert.deepEqual(asked?.wishes, wishes);
  assert.equal(asked?.bodyType, "binarymime");
  assert.deepEqual(asked?.recipientWishes, [first, { notify: [], orcpt: "" }]);
  assert.deepEqual(plain?.wishes, NO_WISHES);
  assert.deepEqual(plain?.recipientWishes, []);
});

Deno.test("Queue's notice needs SMTPUTF8 only for a reverse-path beyond ASCII", async () => {
  for (
    const [reversePath, want] of [
      ["jürgen@sender.test", true],
      ["alice@sender.test", false],
    ] as const
  ) {
    await using lab = laboratory();
    const { fake } = lab;
    fake.routes.set(reversePath, [FakeEdges.remote(reversePath, "mx")]);
    fake.deliver = (asked) => asked.reversePath === "" ? DELIVERED : NEVER;
    await lab.send(newAsk(["bob@home.test"], {
      reversePath,
      wishes: { ...NO_WISHES, smtpUtf8: true },
    }));
    await until("released", () => fake.released.length === 2);
    assert.match(fake.notices[0]!.head, /message\/global-delivery-status/);
    assert.equal(fake.asked[1]?.wishes?.smtpUtf8, want);
    assert.equal(fake.asked[1]?.bodyType, "8bitmime");
  }
});

const DEATHS = [
  { to: "bob@home.test", got: ["bob@home.test"], want: "delivered" },
  {
    to: "team@home.test",
    got: ["amy@home.test", "bob@home.test"],
    want: "expanded",
  },
];

for (const { to, got, want } of DEATHS) {
  Deno.test(`Queue that dies before it said "${want}" says so once, and delivers nothing twice`, async () => {
    const fake = new FakeEdges();
    fake.routes.set(
      "team@home.test",
      ["amy@home.test", "bob@home.test"].map(FakeEdges.mailbox),
    );
    let crashed = "";
    {
      await using lab = laboratory({ fake });
      fake.noticeRefusal = "unhealthy";
      await lab.send(newAsk([to], {
        recipientWishes: [{ notify: ["success"], orcpt: "" }],
      }));
      const isDelivered = () => lab.counters.get("delivered") === got.length;
      await until("delivered", isDelivered);
      await new Promise((resolve) => setTimeout(resolve, 50));
      crashed = copyOf(lab.dir);
    }
    fake.noticeRefusal = undefined;
    await using _lab = laboratory({ dir: crashed, fake });
    await until("released", () => fake.released.length >= 2);
    assert.deepEqual(actionsIn(fake), [[want]]);
    assert.deepEqual(fake.asked.flatMap(({ addresses }) => addresses), [
      ...got,
      "alice@sender.test",
    ]);
  });
}

Deno.test("Queue tells strangers of success so often, and its own users always", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  fake.deliver = () => DELIVERED;
  const send = (reversePath: string, login: string) => {
    const ask = newAsk(["bob@home.test"], {
      reversePath,
      recipientWishes: [{ notify: ["success"], orcpt: "" }],
    });
    return lab.send({ ...ask, client: { ...ask.client, login } });
  };
  const more = MAX_EACH + 2;
  for (let n = 0; n < more; n++) {
    await send("victim@away.test", "");
    await send("me@home.test", "me@home.test");
  }
  const notices = MAX_EACH + more;
  await until("released", () => fake.released.length === 2 * more + notices);
  const told = fake.asked.filter(({ reversePath }) => reversePath === "")
    .flatMap(({ addresses }) => addresses);
  const count = (address: string) =>
    told.filter((one) => one === address).length;
  assert.deepEqual(
    [count("victim@away.test"), count("me@home.test")],
    [MAX_EACH, more],
  );
});

const NOT_NOW: Outcome = {
  kind: "temporary",
  code: 451,
  enhanced: "4.3.0",
  text: "not now",
  host: "mx.remote.test",
  said: "451 not now",
};
Deno.test("Queue labels a notice that quotes octets above 127 which nobody declared", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  fake.hasHighOctets = true;
  fake.deliver = (asked) => asked.reversePath === "" ? DELIVERED : NEVER;
  await lab.send(newAsk(["bob@home.test"], { bodyType: "7bit" }));
  await until("released", () => fake.released.length === 2);
  const [notice] = fake.notices;
  assert.match(
    notice!.head,
    /text\/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n$/,
  );
  assert.equal(fake.asked[1]?.bodyType, "8bitmime");
});

Deno.test("Queue keeps how each attempt went for the notice", async () => {
  const fake = new FakeEdges();
  const address = "bob@remote.test";
  fake.routes.set(address, [FakeEdges.remote(address, "mx.remote.test")]);
  fake.hosts = [wholeHost({
    host: "mx.remote.test",
    address: "192.0.2.1",
    reached: "dane",
    tls: "TLSv1.3 TLS_AES_256_GCM_SHA384",
    certificate: "TLSA 3 1 1 2fb4",
    dns: { mx: "secure", address: "secure", tlsa: "secure" },
    result: "451 not now",
    tookMs: 5,
  })];
  fake.deliver = () => NOT_NOW;
  const ask = newAsk([address], { client: LOGIN });
  const change = { firstRetryMs: 60_000, maxRetryMs: 60_000 };
  let dir = "";
  {
    await using lab = laboratory({ fake, change });
    dir = lab.dir;
    await lab.send(ask);
    const [, deferred] = await storyOf(lab, ask.queueId, 2);
    assert.deepEqual(deferred?.hosts, fake.hosts);
    assert.equal(deferred?.address, "127.0.0.1");
    assert.equal(deferred?.tookMs, 1);
  }
  const db = openDatabase(dir);
  const store = new Store(db, { add: () => {} });
  const [recipient] =
    store.load(store.byId(ask.queueId)!, Date.now()).recipients;
  store.close();
  assert.equal(
    recipient?.account,
    "mx.remote.test [192.0.2.1] (asked over TLSv1.3, its certificate matched " +
      "the DANE record 3 1 1) answered: 451 not now",
  );
  assert.equal(recipient?.last?.said, "451 not now");
  assert.ok(recipient!.lastMs > 0);
});
