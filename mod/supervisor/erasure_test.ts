import assert from "node:assert/strict";
import type { QueueErasure } from "../queue/erasure_ipc.ts";
import type { SpoolErasure } from "../spool/erasure_ipc.ts";
import {
  type Erasure,
  faultsOf,
  type Finding,
  pendingOf,
  trialFinding,
} from "./erasure.ts";

const LOG: QueueErasure["log"] = {
  bytes: 0,
  quietMs: 0,
  isHeaderSound: 1,
  frames: 0,
  oldFrames: 0,
};
const QUEUE: QueueErasure = {
  messages: 3,
  keySlots: 1_024,
  strayKeys: 0,
  unclearSlots: 0,
  keylessMessages: 0,
  log: LOG,
  segments: ["pool-1", "pool-2"],
  segmentsInAll: 2,
};
const SPOOL: SpoolErasure = {
  used: ["pool-1", "pool-2", "pool-3"],
  usedInAll: 3,
  usedBytes: 300,
  readyInAll: 2,
  readyBytes: 200,
  spent: [],
  spentInAll: 0,
  spentBytes: 0,
  spentForMs: 0,
  readyRead: 2,
  notErased: [],
  sparse: [],
};

function erasure(
  queue: Partial<QueueErasure> | null = {},
  spool: Partial<SpoolErasure> = {},
): Erasure {
  return {
    queue: queue === null ? null : { ...QUEUE, ...queue },
    spool: { ...SPOOL, ...spool },
    places: [],
    guarantee: "",
    forgetWithinMs: 30_000,
  };
}

/** What is not good, as `kind what`. */
function bad(findings: readonly Finding[]): string[] {
  return findings.filter(({ kind }) => kind !== "good").map(({ kind, what }) =>
    `${kind} ${what}`
  );
}

Deno.test("pendingOf() and faultsOf() find nothing where all is erased", () => {
  for (const one of [erasure(), erasure(null)]) {
    assert.deepEqual(bad([...pendingOf(one), ...faultsOf(one)]), []);
  }
});

Deno.test("pendingOf() says how many used segments no waiting message names", () => {
  const texts = pendingOf(erasure()).map(({ what }) => what).join("\n");
  assert.match(texts, /in use: 3, 300 octets \(by no waiting message: 1\)/);
});

const ROWS: {
  name: string;
  queue?: Partial<QueueErasure>;
  spool?: Partial<SpoolErasure>;
  want: RegExp;
}[] = [
  {
    name: "spent segments",
    spool: { spentInAll: 2, spentBytes: 200, spentForMs: 9_000 },
    want: /^pending 2 spent segments of 200 octets .* for 9 s$/,
  },
  {
    name: "keys of finished messages",
    queue: { strayKeys: 3 },
    want: /^pending 3 keys/,
  },
  {
    name: "a log that was not forgotten in time",
    queue: { log: { ...LOG, bytes: 4_152, quietMs: 46_000, frames: 1 } },
    want: /^wrong the database's log has 4152 octets/,
  },
  {
    name: "records in ready segments",
    spool: { notErased: ["a", "b", "c", "d", "e", "f", "g"] },
    want: /^wrong ready segments hold records.*: a, b, c, d, e and 2 more$/,
  },
  {
    name: "holes in ready segments",
    spool: { sparse: ["a"] },
    want: /^wrong ready segments have holes.*: a$/,
  },
  {
    name: "a slot that is neither free nor a key",
    queue: { unclearSlots: 1 },
    want: /^wrong 1 key slots hold octets that are no key/,
  },
  {
    name: "a message without its key",
    queue: { keylessMessages: 1 },
    want: /^wrong 1 waiting messages have no key/,
  },
  {
    name: "a log that is none",
    queue: { log: { ...LOG, bytes: 9, isHeaderSound: 0 } },
    want: /^wrong the database's log does not begin as one/,
  },
  {
    name: "a message in a spent segment",
    queue: { segments: ["pool-1", "pool-9"] },
    want: /^wrong messages lie in segments that are spent.*: pool-9$/,
  },
];

for (const { name, queue, spool, want } of ROWS) {
  Deno.test(`pendingOf() or faultsOf() finds ${name}`, () => {
    const one = erasure(queue, spool);
    const found = bad([...pendingOf(one), ...faultsOf(one)]);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, want);
  });
}

Deno.test("pendingOf() gives the log its time", () => {
  const log = { ...LOG, bytes: 4_152, quietMs: 20_000, frames: 1 };
  assert.deepEqual(bad(pendingOf(erasure({ log }))), []);
});

Deno.test("faultsOf() claims nothing of more segments than it was told", () => {
  const one = erasure({ segments: ["pool-9"], segmentsInAll: 20_000 });
  const texts = faultsOf(one).map(({ what }) => what).join("\n");
  assert.match(texts, /was not looked at/);
});

Deno.test("trialFinding() believes no trial that went elsewhere", () => {
  assert.equal(
    trialFinding({ ok: true, readBack: "disk", isSamePlace: true }).kind,
    "good",
  );
  assert.equal(
    trialFinding({ ok: true, readBack: "page-cache", isSamePlace: null }).kind,
    "good",
  );
  assert.equal(
    trialFinding({ ok: true, readBack: "disk", isSamePlace: false }).kind,
    "wrong",
  );
  assert.equal(trialFinding({ ok: false, why: "EIO" }).kind, "wrong");
});
