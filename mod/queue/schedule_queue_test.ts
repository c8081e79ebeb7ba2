/** The scheduler within a whole queue: clocks that jump, delays, very many. */
import assert from "node:assert/strict";
import { ownOutcome } from "../core/outcome.ts";
import { listQueue } from "./inspect.ts";
import {
  FakeEdges,
  type Laboratory,
  laboratory,
  newAsk,
  until,
} from "./laboratory.ts";
import { SteadyClock } from "./schedule.ts";

const DAY_MS = 86_400_000;
const DELIVERED = ownOutcome("delivered", 250, "2.0.0", "ok");
const NOT_NOW = {
  ...ownOutcome("temporary", 451, "4.3.0", "not now"),
  host: "mail.remote.test",
};
const LONG = { firstRetryMs: 3_600_000, maxRetryMs: 3_600_000 };
const LOGGED_IN = {
  client: {
    address: "192.0.2.1",
    helo: "client.test",
    protocol: "ESMTPSA",
    login: "alice@home.test",
  },
};

/** A clock whose wall can be set; time goes on as it does. */
function settableClock(
  offMs = 0,
): { clock: SteadyClock; set(by: number): void } {
  let off = offMs;
  return {
    clock: new SteadyClock({ wallMs: () => Date.now() + off }),
    set: (by) => off = by,
  };
}

/** Sends a message that is deferred, and waits until it rests. */
async function deferOne(lab: Laboratory): Promise<void> {
  lab.fake.deliver = () => NOT_NOW;
  await lab.send(newAsk(["bob@home.test"], LOGGED_IN));
  await until("deferred", () => attempts(lab) >= 1);
}

function attempts(lab: Laboratory): number {
  return listQueue(lab.dir)[0]?.recipients[0]?.attempts ?? 0;
}

for (
  const { name, byMs } of [
    { name: "+5 days", byMs: 5 * DAY_MS },
    { name: "-1 year", byMs: -365 * DAY_MS },
  ]
) {
  Deno.test(`Queue bounces nothing early and sticks nothing when its clock jumps by ${name}`, async () => {
    const { clock, set } = settableClock();
    await using lab = laboratory({
      clock,
      change: { delayWarningMs: 14_400_000, firstRetryMs: 200 },
    });
    await deferOne(lab);
    const before = attempts(lab);
    set(byMs);
    await until("tried again", () => attempts(lab) > before);
    assert.equal(lab.fake.notices.length, 0);
    lab.fake.deliver = () => DELIVERED;
    await until("delivered", () => lab.fake.released.length === 1);
  });

  Deno.test(`Queue bounces nothing early and sticks nothing when it comes back with a clock that is off by ${name}`, async () => {
    let dir = "";
    {
      await using lab = laboratory({ change: LONG });
      await deferOne(lab);
      dir = lab.dir;
    }
    const { clock } = settableClock(byMs);
    const fake = new FakeEdges();
    fake.deliver = () => NOT_NOW;
    await using lab = laboratory({
      dir,
      fake,
      clock,
      change: { ...LONG, delayWarningMs: 14_400_000 },
    });
    if (byMs > 0) {
      await until("tried again", () => attempts(lab) === 2);
    } else {
      await until("mended", () => lab.queue.counts().byState.deferred === 1);
    }
    const [waiting] = listQueue(dir);
    assert.equal(waiting?.recipients[0]?.state, "deferred");
    const waitMs = waiting!.recipients[0]!.nextAttemptMs - clock.nowMs();
    assert.ok(waitMs <= LONG.firstRetryMs * 1.2, `next after ${waitMs} ms`);
    assert.equal(fake.notices.length, 0, "neither failed nor late");
  });
}

Deno.test("Queue tells once that a message is late, when it is and not at the next attempt", async () => {
  let dir = "";
  {
    await using lab = laboratory({
      change: { ...LONG, delayWarningMs: 300 },
    });
    await deferOne(lab);
    assert.equal(lab.fake.notices.length, 0);
    lab.fake.deliver = () => DELIVERED;
    await until("a notice", () => lab.fake.notices.length === 1);
    await until("it is delivered", () => lab.fake.released.length === 1);
    assert.match(lab.fake.notices[0]!.head, /delayed/i);
    assert.equal(attempts(lab), 1);
    dir = lab.dir;
  }
  await using again = laboratory({
    dir,
    change: { ...LONG, delayWarningMs: 1 },
  });
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(again.fake.notices.length, 0, "not again after a restart");
});

Deno.test("Queue deals with more recipients than it loads at once, slice by slice, each once", async () => {
  await using lab = laboratory({ change: { firstRetryMs: 200 } });
  const { fake } = lab;
  const lists = ["l0@home.test", "l1@home.test", "l2@home.test"];
  for (const [i, list] of lists.entries()) {
    const targets = Array.from(
      { length: 1_000 },
      (_, k) => FakeEdges.mailbox(`u${i * 1_000 + k}@home.test`),
    );
    fake.routes.set(list, targets);
  }
  const taken = new Map<string, number>();
  let most = 0;
  fake.deliver = (_, address) => {
    const active = lab.queue.counts().byState.active;
    most = Math.max(most, active);
    const tries = (taken.get(address) ?? 0) + 1;
    taken.set(address, tries);
    return tries === 1 ? NOT_NOW : DELIVERED;
  };
  await lab.send(newAsk(lists));
  await until("all done", () => fake.released.length === 1, 20_000);
  assert.equal(taken.size, 3_000);
  assert.ok([...taken.values()].every((tries) => tries === 2));
  assert.ok(most <= 2_000, `${most} recipients in memory`);
});

Deno.test("Queue waits no longer than it would have when its clock is set back by hours while it is away", async () => {
  const ahead = settableClock(6 * 3_600_000);
  let dir = "";
  {
    await using lab = laboratory({ clock: ahead.clock, change: LONG });
    await deferOne(lab);
    await until("idle", () => lab.queue.counts().byState.active === 0);
    dir = lab.dir;
  }
  await using lab = laboratory({
    dir,
    change: { ...LONG, maxRetryMs: 4 * LONG.maxRetryMs },
  });
  const [one] = listQueue(lab.dir);
  const waitMs = one!.recipients[0]!.nextAttemptMs - Date.now();
  assert.ok(waitMs > 0 && waitMs < 1.2 * LONG.firstRetryMs, String(waitMs));
});
