/** Only who has logged in has mail sent anywhere: the second wall of it. */
import assert from "node:assert/strict";
import { ownOutcome } from "../core/outcome.ts";
import { FakeEdges, laboratory, newAsk, until } from "./laboratory.ts";

const FAR = "bob@far.test";
const NOT_NOW = ownOutcome("temporary", 451, "4.3.0", "not now");
const SOON = { firstRetryMs: 100, maxRetryMs: 100 };

function farEdges(): FakeEdges {
  const fake = new FakeEdges();
  fake.routes.set(FAR, [FakeEdges.remote(FAR, "mx.far.test")]);
  return fake;
}

for (const login of ["", "me@home.test"]) {
  const call = login === "" ? "recipient" : "relay";
  Deno.test(`Queue asks resolve for ${call} if the login is "${login}", after a restart too`, async () => {
    const fake = farEdges();
    fake.deliver = () => NOT_NOW;
    let dir = "";
    {
      await using lab = laboratory({ fake, change: SOON });
      const ask = newAsk([FAR]);
      ask.client.login = login;
      await lab.send(ask);
      await until("tried", () => fake.asked.length > 0);
      dir = lab.dir;
    }
    fake.deliver = () => ownOutcome("delivered", 250, "2.0.0", "ok");
    await using _lab = laboratory({ dir, fake, change: SOON });
    await until("delivered", () => fake.released.length === 1);
    assert.deepEqual([...new Set(fake.resolved)], [`${call} ${FAR}`]);
  });
}

Deno.test("Queue keeps what resolve will not have relayed, and delivers nothing", async () => {
  const fake = new FakeEdges();
  fake.routes.set(FAR, "relay-denied");
  await using lab = laboratory({ fake });
  await lab.send(newAsk([FAR]));
  await until("deferred", () => lab.queue.counts().byState.deferred === 1);
  assert.equal(fake.asked.length, 0);
});

Deno.test("Queue relays for an alias, whoever wrote to it", async () => {
  const fake = farEdges();
  fake.routes.set("all@home.test", [
    FakeEdges.mailbox("amy@home.test"),
    FakeEdges.remote(FAR, "mx.far.test"),
  ]);
  let isFirst = true;
  fake.deliver = (_, address) => {
    if (address !== FAR || !isFirst) {
      return ownOutcome("delivered", 250, "2.0.0", "ok");
    }
    isFirst = false;
    return NOT_NOW;
  };
  await using lab = laboratory({ fake, change: SOON });
  await lab.send(newAsk(["all@home.test"]));
  await until("delivered", () => fake.released.length === 1);
  assert.ok(fake.resolved.includes(`relay ${FAR}`), String(fake.resolved));
});

Deno.test("Queue takes no login of smtpd's, and nobody's notice", async () => {
  await using lab = laboratory();
  const asLogin = newAsk([FAR]);
  asLogin.client.login = "me@home.test";
  const asNotice = newAsk([FAR]);
  asNotice.client.protocol = "notice";
  for (
    const [ask, asker] of [
      [asLogin, "smtpd.0"],
      [asNotice, "smtpd.0"],
      [asNotice, "submission.0"],
    ] as const
  ) {
    assert.deepEqual(await lab.queue.accept(ask, asker), {
      refusal: "unhealthy",
    });
  }
  assert.equal(lab.queue.counts().accepted, 0);
});
