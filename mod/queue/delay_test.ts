// RFC 3461 §4.1 DELAY, RFC 3464 §2.3.9: who is told that a message is late.
import assert from "node:assert/strict";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import { NO_WISHES, type RecipientWishes } from "../core/shapes.ts";
import { listQueue } from "./inspect.ts";
import {
  copyOf,
  FakeEdges,
  laboratory,
  LOGIN,
  newAsk,
  until,
} from "./laboratory.ts";

type Notify = RecipientWishes["notify"];

const DELIVERED = ownOutcome("delivered", 250, "2.1.5", "ok");
const NOT_NOW: Outcome = {
  kind: "temporary",
  code: 451,
  enhanced: "4.3.0",
  text: "not now",
  host: "mx.remote.test",
  said: "451 not now",
};
const DELAYS: {
  name: string;
  notify: Notify;
  isStranger?: boolean;
  verp?: string;
  reversePath?: string;
  want: number;
}[] = [
  { name: "nothing was said", notify: [], want: 1 },
  { name: "it was asked for", notify: ["delay"], want: 1 },
  {
    name: "a stranger asked for it",
    notify: ["delay"],
    isStranger: true,
    want: 1,
  },
  { name: "a stranger said nothing", notify: [], isStranger: true, want: 0 },
  { name: "only failure was asked for", notify: ["failure"], want: 0 },
  { name: "never was asked for", notify: ["never"], want: 0 },
  { name: "a list said nothing", notify: [], verp: "+=", want: 0 },
  { name: "a list asked for it", notify: ["delay"], verp: "+=", want: 2 },
  { name: "it came from <>", notify: ["delay"], reversePath: "", want: 0 },
];

Deno.test("Queue tells once that a message is late, to whom that may be told", async () => {
  await Promise.all(DELAYS.map(async (row) => {
    const { name, notify, verp, want } = row;
    await using lab = laboratory({
      change: { delayWarningMs: 1, firstRetryMs: 100, maxRetryMs: 100 },
    });
    const { fake } = lab;
    for (const name of ["bob", "amy"]) {
      const address = `${name}@remote.test`;
      fake.routes.set(address, [FakeEdges.remote(address, "mx")]);
    }
    fake.deliver = (asked) =>
      asked.reversePath === "" && asked.role === "maildir"
        ? DELIVERED
        : NOT_NOW;
    const wish = { notify, orcpt: "rfc822;x@y.test" };
    await lab.send(newAsk(["bob@remote.test", "amy@remote.test"], {
      reversePath: row.reversePath ?? "alice@sender.test",
      wishes: { ...NO_WISHES, ret: "full", envid: "E1", verp: verp ?? "" },
      recipientWishes: [wish, wish],
      ...row.isStranger ? {} : { client: LOGIN },
    }));
    // Some rounds after the one that is late.
    const rounds = () => fake.asked.filter(({ role }) => role === "smtpc");
    await until("rounds", () => rounds().length >= (verp ? 8 : 4), 10_000);
    assert.equal(fake.notices.length, want, name);
    for (const { head, quotes } of fake.notices) {
      assert.match(head, /\r\nAction: delayed\r\n/);
      assert.match(head, /\r\nDiagnostic-Code: smtp; 451 not now\r\n/);
      assert.match(head, /\r\nOriginal-Envelope-Id: E1\r\n/);
      assert.match(head, /\r\nOriginal-Recipient: rfc822;x@y\.test\r\n/);
      assert.equal(quotes, "header", "RET is about failures");
    }
    const told = fake.asked.filter(({ role }) => role === "maildir")
      .flatMap(({ addresses }) => addresses).toSorted();
    assert.deepEqual(
      told,
      want === 2
        ? [
          "alice+amy=remote.test@sender.test",
          "alice+bob=remote.test@sender.test",
        ]
        : want === 1
        ? ["alice@sender.test"]
        : [],
    );
    assert.equal(listQueue(lab.dir)[0]?.recipients.length, 2, "still tried");
  }));
});

Deno.test("Queue tells of a delay only of the recipients that wait and may be told of", async () => {
  await using lab = laboratory({
    change: { delayWarningMs: 1, firstRetryMs: 100, maxRetryMs: 100 },
  });
  const { fake } = lab;
  fake.deliver = (asked, address) =>
    asked.reversePath === "" || address.startsWith("there")
      ? DELIVERED
      : NOT_NOW;
  const to = ["late@home.test", "quiet@home.test", "there@home.test"];
  await lab.send(newAsk(to, {
    client: LOGIN,
    recipientWishes: [
      { notify: [], orcpt: "" },
      { notify: ["failure"], orcpt: "" },
      { notify: ["delay"], orcpt: "" },
    ],
  }));
  await until("told", () => fake.released.length === 1);
  assert.deepEqual(
    [...fake.notices[0]!.head.matchAll(/Final-Recipient: rfc822; (.*)\r\n/g)]
      .map(([, address]) => address),
    ["late@home.test"],
  );
});

Deno.test("Queue that dies after it told of a delay does not tell again", async () => {
  const fake = new FakeEdges();
  fake.deliver = (asked) => asked.reversePath === "" ? DELIVERED : NOT_NOW;
  const change = { delayWarningMs: 1, firstRetryMs: 100, maxRetryMs: 100 };
  let crashed = "";
  {
    await using lab = laboratory({ fake, change });
    await lab.send(newAsk(["bob@home.test"], { client: LOGIN }));
    await until("told", () => fake.released.length === 1);
    crashed = copyOf(lab.dir);
  }
  const before = fake.asked.length;
  await using _lab = laboratory({ dir: crashed, fake, change });
  await until("tried again", () => fake.asked.length >= before + 3);
  assert.equal(fake.notices.length, 1);
});

Deno.test("Queue that dies before a notice of delay is in the queue tells once all the same", async () => {
  const fake = new FakeEdges();
  fake.deliver = (asked) => asked.reversePath === "" ? DELIVERED : NOT_NOW;
  const change = { delayWarningMs: 1, firstRetryMs: 100, maxRetryMs: 100 };
  let crashed = "";
  {
    await using lab = laboratory({ fake, change });
    fake.onAsk = (what) => {
      if (what === "storeNotice answered") crashed ||= copyOf(lab.dir);
    };
    await lab.send(newAsk(["bob@home.test"], { client: LOGIN }));
    await until("told", () => fake.released.length === 1);
  }
  const before = fake.asked.length;
  await using _lab = laboratory({ dir: crashed, fake, change });
  const told = () =>
    fake.asked.slice(before).filter(({ reversePath }) => reversePath === "");
  await until("tried again", () => fake.asked.length >= before + 5);
  assert.equal(told().length, 1);
});
