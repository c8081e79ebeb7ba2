/**
 * A crash after every durable step: the files are copied whenever a
 * transaction, a slot write, a slot sync or an ask begins or ends, and a new
 * queue is started on every copy. See `mod/recovery`.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { ownOutcome } from "../core/outcome.ts";
import { listQueue } from "./inspect.ts";
import { KeyFile } from "./keys_io.ts";
import { copyOf, FakeEdges, laboratory, newAsk, until } from "./laboratory.ts";
import { Store } from "./store_io.ts";

interface Copy {
  readonly dir: string;
  readonly step: string;
  /** Messages that had been answered, so that smtpd may have said 250. */
  readonly acked: ReadonlySet<string>;
  /** `id address` of every delivery that had ended well. */
  readonly delivered: readonly string[];
}

const OK = ownOutcome("delivered", 250, "2.0.0", "ok");

/** Mail that takes every path: plain, alias, deferred, failed. */
function script(fake: FakeEdges, delivered: string[]): void {
  const box = FakeEdges.mailbox;
  fake.routes.set("team@home.test", [box("t1@home.test"), box("t2@home.test")]);
  let tries = 0;
  fake.deliver = ({ queueId, reversePath }, address) => {
    if (address === "bad@home.test") {
      return ownOutcome("permanent", 550, "5.7.1", "never");
    }
    if (address === "late@home.test" && ++tries === 1) {
      return ownOutcome("temporary", 451, "4.3.0", "not now");
    }
    delivered.push(
      reversePath === "" ? `notice ${address}` : `${queueId} ${address}`,
    );
    return OK;
  };
}

/** Runs the script once, copying the files at every step. */
async function record(): Promise<
  { copies: Copy[]; wanted: Map<string, string[]> }
> {
  const delivered: string[] = [];
  const acked = new Set<string>();
  const copies: Copy[] = [];
  const fake = new FakeEdges();
  script(fake, delivered);
  const lab = laboratory({ fake });
  const snap = (step: string) => {
    copies.push({
      dir: copyOf(lab.dir),
      step,
      acked: new Set(acked),
      delivered: [...delivered],
    });
  };
  const restore = spy(snap);
  fake.onAsk = snap;
  const wanted = new Map<string, string[]>();
  const asks = [
    { to: ["plain@home.test"], finals: ["plain@home.test"] },
    {
      to: ["team@home.test", "late@home.test"],
      finals: ["t1@home.test", "t2@home.test", "late@home.test"],
    },
    { to: ["bad@home.test", "good@home.test"], finals: ["good@home.test"] },
  ];
  try {
    for (const { to, finals } of asks) {
      const ask = newAsk(to);
      wanted.set(ask.queueId, finals);
      await lab.send(ask);
      acked.add(ask.queueId);
      snap("answered");
    }
    await until("all done", () => fake.released.length === 4);
  } finally {
    restore();
    await lab[Symbol.asyncDispose]();
  }
  return { copies, wanted };
}

/** Calls `snap` around every durable step; returns how to stop that. */
function spy(snap: (step: string) => void): () => void {
  const { transaction } = Store.prototype;
  const { write, wipe, sync } = KeyFile.prototype;
  Store.prototype.transaction = function (work) {
    transaction.call(this, work);
    snap("committed");
  };
  KeyFile.prototype.write = function (...given) {
    write.apply(this, given);
    snap("key written");
  };
  KeyFile.prototype.wipe = function (slot) {
    wipe.call(this, slot);
    snap("key wiped");
  };
  KeyFile.prototype.sync = async function () {
    const isSafe = await sync.call(this);
    snap("keys synced");
    return isSafe;
  };
  return () => {
    Object.assign(Store.prototype, { transaction });
    Object.assign(KeyFile.prototype, { write, wipe, sync });
  };
}

/** Starts on a copy and checks what the state table promises. */
async function recover(copy: Copy, wanted: Map<string, string[]>) {
  const delivered = [...copy.delivered];
  const fake = new FakeEdges();
  script(fake, delivered);
  const at = copy.step;
  {
    await using _lab = laboratory({ dir: copy.dir, fake });
    await until(
      `an empty queue after "${at}"`,
      () => listQueue(copy.dir).length === 0,
      15_000,
    );
    // The last key is wiped after its row is gone from the list.
    await until(
      "no key",
      () => fs.readFileSync(`${copy.dir}/keys`).every((octet) => octet === 0),
    );
  }
  const times = (what: string) =>
    delivered.filter((one) => one === what).length;
  for (const id of copy.acked) {
    for (const address of wanted.get(id)!) {
      const count = times(`${id} ${address}`);
      assert.ok(count >= 1, `after "${at}": lost ${address}`);
      assert.ok(count <= 2, `after "${at}": ${count} times ${address}`);
    }
  }
  const failing = [...wanted.keys()][2]!;
  if (copy.acked.has(failing)) {
    const notices = times("notice alice@sender.test");
    assert.ok(
      notices >= 1 && notices <= 2,
      `after "${at}": ${notices} notices`,
    );
  }
  fs.rmSync(copy.dir, { recursive: true });
}

Deno.test("Queue loses nothing acknowledged, wherever it crashes", async () => {
  const { copies, wanted } = await record();
  assert.ok(copies.length > 40, `only ${copies.length} crash points`);
  await Promise.all(copies.map((copy) => recover(copy, wanted)));
});
