/** A start with 100,000 messages: a quarter due, a quarter deferred, half fresh. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { newQueueId } from "../core/ids.ts";
import { ownOutcome } from "../core/outcome.ts";
import { openDatabase } from "./database_io.ts";
import { KeyFile } from "./keys_io.ts";
import { FakeEdges, laboratory, newAsk, tempDir, until } from "./laboratory.ts";
import { newMessage, newRecipient } from "./message.ts";
import { Store } from "./store_io.ts";

const MESSAGES = 100_000;
const PER_TRANSACTION = 5_000;
const CLIENT = {
  address: "::1",
  helo: "client.test",
  protocol: "ESMTP",
  login: "",
};
const NOT_NOW = ownOutcome("temporary", 451, "4.3.0", "not now");
/** Due a second ago, or in an hour. */
const DUE_MS = [-1_000, 3_600_000] as const;

Deno.test("Queue accepts within 5 s of a start with 100,000 messages, and delivers within 30 s", async () => {
  const dir = tempDir();
  fill(dir);
  const startedMs = performance.now();
  const sinceStart = () => Math.round(performance.now() - startedMs);
  const fake = new FakeEdges();
  const times: Record<string, number> = {};
  fake.deliver = () => {
    times["delivered"] ??= sinceStart();
    return ownOutcome("delivered", 250, "2.0.0", "ok");
  };
  await using lab = laboratory({
    dir,
    fake,
    change: {
      maxActive: 20_000,
      firstRetryMs: 300_000,
      maxRetryMs: 14_400_000,
    },
  });
  times["started"] = sinceStart();
  await lab.send(newAsk(["new@home.test"]));
  times["accepted"] = sinceStart();
  await until("adopted", () => fake.adopted.at(-1)?.last === true, 30_000);
  times["adopted"] = sinceStart();
  const due = MESSAGES * 3 / 4 + 1;
  await until("all due", () => fake.released.length === due, 60_000);
  times["all"] = sinceStart();
  console.log(JSON.stringify(times));
  assert.equal(lab.counters.get("delivered"), due);
  const told = fake.adopted.reduce((sum, { refs }) => sum + refs.length, 0);
  assert.ok(told > MESSAGES / 4, `${told} records adopted`);
  assert.ok(times["accepted"] < 5_000, `accepted after ${times["accepted"]}`);
  assert.ok(
    times["delivered"]! < 30_000,
    `delivered after ${times["delivered"]}`,
  );
});

function fill(dir: string): void {
  const keys = new KeyFile(`${dir}/keys`);
  const store = new Store(openDatabase(dir), { add: () => {} });
  const key = crypto.getRandomValues(new Uint8Array(32));
  for (let from = 1; from <= MESSAGES; from += PER_TRANSACTION) {
    store.transaction(() => {
      for (let n = from; n < from + PER_TRANSACTION; n++) {
        add(n, { store, keys, key });
      }
    });
  }
  store.close();
  keys.close();
  assert.ok(fs.statSync(`${dir}/queue.db`).size > 10 * 1_048_576);
}

function add(
  n: number,
  to: { store: Store; keys: KeyFile; key: Uint8Array },
): void {
  const nowMs = Date.now();
  const slot = to.keys.take();
  const id = newQueueId();
  to.keys.write(slot, id, to.key);
  const recipient = newRecipient(0, `bob${n}@home.test`);
  const message = newMessage({
    n,
    id,
    slot,
    ref: {
      segment: `seg-${n >> 12}`,
      offset: (n & 4_095) * 2_200,
      length: 2_100,
      sizeBytes: 2_048,
    },
    reversePath: `amy${n}@sender.test`,
    bodyType: "7bit",
    arrivedMs: nowMs - 60_000,
  }, [recipient]);
  to.store.insert(message, "queued", CLIENT);
  if (n % 2 === 0) return;
  const dueMs = nowMs + DUE_MS[n >> 1 & 1]!;
  Object.assign(recipient, { attempts: 1, nextMs: dueMs, last: NOT_NOW });
  to.store.updateRecipient(n, { ...recipient, state: "deferred" });
  to.store.park(n, dueMs);
}
