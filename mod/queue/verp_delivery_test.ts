import assert from "node:assert/strict";
import { ownOutcome } from "../core/outcome.ts";
import { NO_WISHES } from "../core/shapes.ts";
import {
  FakeEdges,
  laboratory,
  LOGIN,
  newAsk,
  storyOf,
  until,
} from "./laboratory.ts";

const DELIVERED = ownOutcome("delivered", 250, "2.1.5", "ok");
const NEVER = ownOutcome("permanent", 550, "5.7.1", "never");

Deno.test("Queue gives each recipient a reverse-path of its own, and tells of each under it", async () => {
  await using lab = laboratory();
  const { fake } = lab;
  const long = `${"b".repeat(60)}@remote.test`;
  const group = ["bob@remote.test", "amy@remote.test", long];
  for (const address of group) {
    fake.routes.set(address, [FakeEdges.remote(address, "mx")]);
  }
  fake.routes.set("both@home.test", [
    FakeEdges.mailbox("one@home.test"),
    FakeEdges.mailbox("two@home.test"),
  ]);
  fake.deliver = (asked, address) =>
    asked.reversePath !== "" && address.startsWith("b") ? NEVER : DELIVERED;
  await lab.send(newAsk([...group, "both@home.test"], {
    wishes: { ...NO_WISHES, verp: "+=" },
    client: LOGIN,
  }));
  await until("released", () => fake.released.length === 3);
  const asked = fake.asked.map(({ reversePath, addresses }) =>
    `${reversePath} -> ${addresses}`
  );
  assert.deepEqual(
    asked.toSorted(),
    [
      " -> alice+bob=remote.test@sender.test",
      " -> alice@sender.test",
      "alice+amy=remote.test@sender.test -> amy@remote.test",
      "alice+bob=remote.test@sender.test -> bob@remote.test",
      "alice+both=home.test@sender.test -> one@home.test",
      "alice+both=home.test@sender.test -> two@home.test",
      `alice@sender.test -> ${long}`,
    ].toSorted(),
  );
  assert.equal(fake.notices.length, 2, "one a reverse-path");
  // The notice is a bounce that came back, and says whom it is about.
  const notice = fake.asked.find(({ addresses }) =>
    addresses[0] === "alice+bob=remote.test@sender.test"
  )!;
  const story = await storyOf(lab, notice.queueId, 2);
  assert.deepEqual(
    story.map(({ what, text }) => `${what} ${text}`).slice(-1),
    ["bounce-attributed bob@remote.test"],
  );
});

Deno.test("Queue takes VERP from nobody who has not logged in", async () => {
  await using lab = laboratory();
  const ask = newAsk(["bob@home.test"], {
    wishes: { ...NO_WISHES, verp: "+=" },
  });
  await assert.rejects(() => lab.send(ask), /unhealthy/);
});
