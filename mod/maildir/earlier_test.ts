import assert from "node:assert/strict";
import type { Delivery } from "./draft_writer.ts";
import {
  allAtOnce,
  type Durability,
  fileByFile,
  inPlace,
} from "./durability.ts";
import { Earlier, MAX_OF_ONE } from "./earlier.ts";
import { deliveryTo, toolsOn } from "./fake_delivery.ts";
import { FakeFiles, Killed } from "./fake_files.ts";
import { FileNames, jobName } from "./file_name.ts";
import type { OpenMailbox } from "./mailboxes.ts";
import { runRound } from "./round.ts";

const BOX = "/mail/home.test/a";
const WAYS: { name: string; way: (files: FakeFiles) => Durability }[] = [
  { name: "file by file", way: (files) => fileByFile(files) },
  { name: "in place", way: (files) => inPlace(files) },
  { name: "all at once", way: (files) => allAtOnce(files, files) },
];

function again(delivery: Delivery): Delivery {
  return { ...delivery, isRepeat: true };
}

function copies(files: FakeFiles, box = BOX): number {
  return files.within(`${box}/new`).size + files.within(`${box}/cur`).size;
}

/** One round in a process of its own; true if it lived to the end. */
async function isDelivered(
  files: FakeFiles,
  delivery: Delivery,
  way: Durability,
): Promise<boolean> {
  try {
    const tools = { ...toolsOn(files, "/mail"), cleaner: { visit() {} } };
    const [one] = await runRound([delivery], tools, way);
    assert.ok(one!.kind === "done");
    for (const { kind } of one!.outcomes) assert.equal(kind, "delivered");
    return true;
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return false;
  }
}

for (const { name, way } of WAYS) {
  Deno.test(`a repeat makes one copy ${name}, wherever the first died`, async () => {
    let hadCopies = 0;
    let hadNone = 0;
    for (let dieAt = 1;; dieAt++) {
      const first = new FakeFiles("/mail");
      first.dieAt = dieAt;
      const delivery = deliveryTo("a", "b");
      const lived = await isDelivered(first, delivery, way(first));
      const files = first.successor();
      if (copies(files) > 0) hadCopies++;
      else hadNone++;
      // Its successor, and the queue does not know whether it was done.
      assert.ok(await isDelivered(files, again(delivery), way(files)));
      for (const user of ["a", "b"]) {
        const box = `/mail/home.test/${user}`;
        assert.equal(copies(files, box), 1, `died before call ${dieAt}`);
        assert.ok(!files.unsynced.has(`${box}/new`), `${user}: names synced`);
        for (const file of files.within(`${box}/new`).values()) {
          assert.ok(file.isSynced, `died before call ${dieAt}: not synced`);
        }
      }
      if (lived) break;
    }
    assert.ok(hadCopies > 2 && hadNone > 2, `${hadCopies} ${hadNone}`);
  });

  Deno.test(`a repeat that dies too is repeated ${name}`, async () => {
    let files = new FakeFiles("/mail");
    const delivery = deliveryTo("a");
    assert.ok(await isDelivered(files, delivery, way(files)));
    let deaths = 0;
    for (;;) {
      files = files.successor();
      files.dieAt = deaths + 1;
      if (await isDelivered(files, again(delivery), way(files))) break;
      assert.equal(copies(files), 1);
      assert.ok(++deaths < 100);
    }
    assert.ok(deaths > 5, `${deaths}`);
    assert.equal(copies(files), 1);
  });
}

const MOVES: {
  name: string;
  move: (name: string) => string | undefined;
  copies: number;
}[] = [
  { name: "left it in new", move: (name) => `${BOX}/new/${name}`, copies: 1 },
  {
    name: "moved it to cur",
    move: (name) => `${BOX}/cur/${name}:2,`,
    copies: 1,
  },
  {
    name: "flagged it",
    move: (name) => `${BOX}/cur/${name}:2,FRSab`,
    copies: 1,
  },
  // The window that is left.
  { name: "deleted it", move: () => undefined, copies: 1 },
  {
    name: "filed it elsewhere",
    move: (name) => `${BOX}/.Old/cur/${name}:2,S`,
    copies: 1,
  },
];

for (const { name, move, copies: wanted } of MOVES) {
  Deno.test(`a repeat after a reader has ${name}`, async () => {
    const files = new FakeFiles("/mail");
    const delivery = deliveryTo("a");
    const way = fileByFile(files);
    assert.ok(await isDelivered(files, delivery, way));
    const [[fileName, file]] = [...files.within(`${BOX}/new`)] as [
      [string, NonNullable<ReturnType<typeof files.files.get>>],
    ];
    files.files.delete(`${BOX}/new/${fileName}`);
    const path = move(fileName);
    if (path !== undefined) files.files.set(path, file);
    assert.ok(await isDelivered(files, again(delivery), way));
    assert.equal(copies(files), wanted);
  });
}

Deno.test("what is no repeat is not looked for", async () => {
  const files = new FakeFiles("/mail");
  const way = fileByFile(files);
  assert.ok(await isDelivered(files, deliveryTo("a"), way));
  assert.ok(await isDelivered(files, deliveryTo("a"), way));
  assert.equal(copies(files), 2);
});

Deno.test("a repeat tells recipients of one mailbox apart", async () => {
  const files = new FakeFiles("/mail");
  const way = fileByFile(files);
  const first = deliveryTo("a");
  const [recipient] = first.recipients;
  assert.ok(await isDelivered(files, first, way));
  const both = [recipient!, { ...recipient!, ordinal: 1 }];
  assert.ok(
    await isDelivered(files, again({ ...first, recipients: both }), way),
  );
  assert.equal(copies(files), 2);
});

Deno.test("a repeat that cannot look is put off, and looks anew", async () => {
  const files = new FakeFiles("/mail");
  const way = fileByFile(files);
  const delivery = deliveryTo("a");
  assert.ok(await isDelivered(files, delivery, way));
  const tools = toolsOn(files, "/mail");
  files.broken.add("list");
  const [one] = await runRound([again(delivery)], tools, way);
  assert.ok(one!.kind === "done");
  assert.equal(one!.outcomes[0]!.kind, "temporary");
  assert.equal(copies(files), 1, "not taken away");
  files.broken.clear();
  const [two] = await runRound([again(delivery)], tools, way);
  assert.ok(two!.kind === "done");
  assert.equal(two!.outcomes[0]!.kind, "delivered");
  assert.equal(copies(files), 1);
});

Deno.test("Earlier lists a mailbox once, and knows what was made since", async () => {
  const files = new FakeFiles("/mail");
  const way = fileByFile(files);
  const tools = toolsOn(files, "/mail");
  const lists = () => files.calls.filter((call) => call === "list").length;
  const deliveries = Array.from({ length: 20 }, (_, i) => ({
    ...deliveryTo("a"),
    queueId: `0123456789ABCD${String(i).padStart(2, "0")}`,
  }));
  for (const one of deliveries) await runRound([again(one)], tools, way);
  const before = lists();
  for (const one of deliveries) await runRound([again(one)], tools, way);
  assert.equal(lists(), before);
  assert.equal(copies(files), deliveries.length);
});

Deno.test("Earlier remembers the newest of a large mailbox", async () => {
  const names = new FileNames({ hostname: "h" });
  const job = (n: number) => jobName("0123456789ABCDEF", n);
  const all = 5 * MAX_OF_ONE;
  const earlier = new Earlier({
    list: (path, each) => {
      if (path.endsWith("/cur")) each({ name: "dovecot", isFile: true });
      else {
        for (let n = 0; n < all; n++) {
          // Directories have no order.
          const shuffled = (n * 7_919) % all;
          const name = names.next(job(shuffled), shuffled * 1_000);
          each({ name, isFile: true });
        }
      }
      return Promise.resolve(undefined);
    },
  });
  const mailbox = { new: "/new", cur: "/cur" } as OpenMailbox;
  const find = (n: number) => earlier.find(mailbox, job(n));
  assert.deepEqual(await find(all - 1), { ok: true, value: "new" });
  assert.deepEqual(await find(all - MAX_OF_ONE), { ok: true, value: "new" });
  assert.deepEqual(await find(all - MAX_OF_ONE - 1), {
    ok: true,
    value: undefined,
  });
});
